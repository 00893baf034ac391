//! TLS: who is trusted, what an error says of a certificate, and which HTTP is agreed on.

use mcp_progress::transport::HttpEndpoint;
use mcp_progress::{Client, ErrorKind, ProtocolVersion};

use super::certificate::{self, Certificate};
use super::front::Front;
use super::{count, counting, endpoint, refused, told};

const BOTH: &[&str] = &["h2", "http/1.1"];
const NAMES: &[&str] = &["localhost", "127.0.0.1"];
/// Stands in the address, in a header and in the query; no error may show it.
const SECRET: &str = "open-sesame";

fn trusting(url: &str, certificate: &Certificate) -> HttpEndpoint {
    endpoint(url).root_certificates(&certificate.pem)
}

#[tokio::test]
async fn a_certificate_that_is_named_is_trusted_under_all_its_names() {
    for certificate in [
        certificate::self_signed(NAMES),
        certificate::of_an_authority(NAMES),
    ] {
        let front = Front::start(&counting(), &certificate, BOTH).await;
        for host in NAMES {
            let url = format!("https://{host}:{}/mcp", front.port);
            let client = Client::connect(trusting(&url, &certificate)).await;
            count(&client.expect("it is trusted")).await;
        }
    }
}

/// The whole of what is told must name the fault and no secret, and the server must not have been asked anything.
async fn faulty(served: &Certificate, trusted: Option<&Certificate>, host: &str, named: &str) {
    let front = Front::start(&counting(), served, BOTH).await;
    let url = format!(
        "https://user:{SECRET}@{host}:{}/mcp?key={SECRET}",
        front.port
    );
    let mut endpoint = endpoint(&url).bearer(SECRET);
    if let Some(trusted) = trusted {
        endpoint = endpoint.root_certificates(&trusted.pem);
    }
    assert!(!format!("{endpoint:?}").contains(SECRET));
    let error = refused(endpoint).await;
    let told = told(&error);
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{told}");
    let first = error.to_string();
    assert!(
        first.contains("certificate") && first.contains(named),
        "{first}"
    );
    // Whoever sends it again meets the same certificate.
    assert!(!first.contains("sent again"), "{first}");
    assert!(!told.contains(SECRET), "{told}");
    assert_eq!(front.log.connections(), 0);
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_named() {
    let served = certificate::self_signed(NAMES);
    faulty(&served, None, "localhost", "`root_certificates`").await;
    // Nor is it trusted because another one is, not even one that bears the same name.
    let other = certificate::of_an_authority(NAMES);
    faulty(&served, Some(&other), "localhost", "`root_certificates`").await;
    let namesake = certificate::self_signed(NAMES);
    faulty(&served, Some(&namesake), "localhost", "BadSignature").await;
}

#[tokio::test]
async fn a_certificate_for_another_host_is_named() {
    let served = certificate::self_signed(&["example.com"]);
    faulty(&served, Some(&served), "localhost", "example.com").await;
    let served = certificate::self_signed(&["localhost"]);
    faulty(&served, Some(&served), "127.0.0.1", "localhost").await;
}

#[tokio::test]
async fn an_expired_certificate_is_named() {
    let served = certificate::expired(NAMES);
    faulty(&served, Some(&served), "localhost", "expired").await;
}

#[tokio::test]
async fn a_certificate_that_is_an_authority_is_named() {
    let served = certificate::authority_itself(NAMES);
    faulty(&served, Some(&served), "localhost", "CaUsedAsEndEntity").await;
}

#[tokio::test]
async fn http_2_is_agreed_on_and_one_connection_is_enough() {
    let certificate = certificate::self_signed(NAMES);
    for version in [ProtocolVersion::LATEST, ProtocolVersion::LATEST_HANDSHAKE] {
        let front = Front::start(&counting(), &certificate, BOTH).await;
        let url = format!("https://localhost:{}/mcp", front.port);
        let client = Client::connect(trusting(&url, &certificate)).protocol(version);
        let client = client.await.expect("it is trusted");
        futures::future::join_all((0..20).map(|_| count(&client))).await;
        client.close().await;
        assert_eq!(front.agreed(), [Some("h2".to_owned())], "{version}");
        assert_eq!(front.log.connections(), 1, "{version}");
        assert_eq!(front.log.requests("tools/call").len(), 20);
    }
}

/// A server that offers no HTTP/2, and one that knows nothing of the agreement.
#[tokio::test]
async fn http_1_goes_over_tls_as_well() {
    let certificate = certificate::self_signed(NAMES);
    for (offered, agreed) in [(&["http/1.1"][..], Some("http/1.1")), (&[], None)] {
        for version in [ProtocolVersion::LATEST, ProtocolVersion::LATEST_HANDSHAKE] {
            let front = Front::start(&counting(), &certificate, offered).await;
            let url = format!("https://localhost:{}/mcp", front.port);
            let client = Client::connect(trusting(&url, &certificate)).protocol(version);
            let client = client.await.expect("it is trusted");
            for _ in 0..5 {
                count(&client).await;
            }
            client.close().await;
            let connections = front.agreed();
            // One for the calls in turn; the server's own stream has another.
            assert!((1..=3).contains(&connections.len()), "{connections:?}");
            let expected = agreed.map(str::to_owned);
            assert!(
                connections.iter().all(|one| *one == expected),
                "{connections:?}"
            );
        }
    }
}

#[tokio::test]
async fn plain_words_where_tls_is_expected_are_told() {
    let running = super::Running::start(&counting()).await;
    let url = running.url.replace("http://", "https://");
    let error = refused(endpoint(&url)).await;
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    let told = told(&error);
    assert!(told.contains("InvalidContentType"), "{told}");
}

/// HTTP/2 was asked for, so it does not go on with less.
#[tokio::test]
async fn a_server_without_http_2_is_told_where_that_is_wanted() {
    let certificate = certificate::self_signed(NAMES);
    let front = Front::start(&counting(), &certificate, &["http/1.1"]).await;
    let url = format!("https://localhost:{}/mcp", front.port);
    let error = refused(trusting(&url, &certificate).http2_prior_knowledge()).await;
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    let told = told(&error);
    assert!(told.contains("NoApplicationProtocol"), "{told}");
    assert_eq!(front.log.connections(), 0);
}

/// As every other program that speaks HTTP does.
#[tokio::test]
async fn credentials_in_the_url_are_sent_as_a_header() {
    let running = super::Running::start(&counting()).await;
    let url = running.url.replace("http://", "http://me:open-sesame@");
    let client = Client::connect(endpoint(&url)).await;
    count(&client.expect("the server takes all")).await;
    for request in running.log.http_requests() {
        assert_eq!(
            request.header("authorization"),
            Some("Basic bWU6b3Blbi1zZXNhbWU="),
            "{request:?}"
        );
        assert!(!request.target().contains(SECRET));
    }
}
