//! Who asks: tokens, headers, their provider, and where they are sent.

use std::sync::{Arc, Mutex};

use mcp_progress::transport::{HeaderQuery, HttpEndpoint};
use mcp_progress::{Client, ErrorKind, ProtocolVersion};

use super::calls::{count, within};
use super::got::Got;
use super::reply::Reply;
use super::server::{Server, handshake, modern};

fn post(got: &Got) -> bool {
    got.kind() == "tools/call"
}

#[tokio::test]
async fn tokens_and_headers_go_with_every_request() {
    let server = Server::handshake(|_| None).await;
    let endpoint = server
        .endpoint()
        .bearer("first")
        .bearer("t0ken")
        .header("X-Tenant", "seven")
        .header("x-tenant", "eight");
    let client = Client::connect(endpoint).await.expect("connects");
    count(&client).await.1.expect("it works");
    server.request("GET", 0).await;
    client.close().await;
    let seen = server.seen();
    let kinds = [
        "server/discover",
        "initialize",
        "notifications/initialized",
        "GET",
        "tools/call",
        "DELETE",
    ];
    for kind in kinds {
        let got = &seen.all(kind)[0];
        let authorized: Vec<_> = of(got, "authorization");
        assert_eq!(authorized, ["Bearer t0ken"], "{kind}");
        assert_eq!(of(got, "x-tenant"), ["seven", "eight"], "{kind}");
    }
}

fn of<'a>(got: &'a Got, name: &str) -> Vec<&'a str> {
    let named = got.headers.iter().filter(|(other, _)| other == name);
    named.map(|(_, value)| value.as_str()).collect()
}

/// Credentials in the URL are sent as such, and not in the address.
#[tokio::test]
async fn credentials_in_the_url_are_sent() {
    let server = Server::modern(|_| None).await;
    let url = server.url().replace("http://", "http://user:pass@") + "?key=k";
    let client = Client::connect(HttpEndpoint::new(url).no_proxy())
        .await
        .expect("connects");
    count(&client).await.1.expect("it works");
    for got in &server.seen().got {
        assert_eq!(of(got, "authorization"), ["Basic dXNlcjpwYXNz"]);
        assert_eq!(got.path, "/mcp?key=k");
    }
}

type Queries = Arc<Mutex<Vec<HeaderQuery>>>;

/// An endpoint whose provider counts, and gives `token-N` for its Nth question.
fn provided(server: &Server) -> (HttpEndpoint, Queries) {
    let queries = Queries::default();
    let endpoint = server.endpoint().header_provider({
        let queries = queries.clone();
        move |query| {
            let mut queries = queries.lock().expect("not poisoned");
            queries.push(query);
            let token = format!("Bearer token-{}", queries.len());
            async move { Ok(vec![("authorization".to_owned(), token)]) }
        }
    });
    (endpoint, queries)
}

#[tokio::test]
async fn the_provider_is_asked_for_every_request() {
    let server = Server::modern(|_| None).await;
    let (endpoint, queries) = provided(&server);
    let client = Client::connect(endpoint).await.expect("connects");
    for _ in 0..2 {
        count(&client).await.1.expect("it works");
    }
    let seen = server.seen();
    let tokens: Vec<_> = seen
        .got
        .iter()
        .map(|got| of(got, "authorization")[0])
        .collect();
    assert_eq!(
        tokens,
        ["Bearer token-1", "Bearer token-2", "Bearer token-3"]
    );
    let queries = queries.lock().expect("not poisoned");
    assert!(
        queries
            .iter()
            .all(|query| !query.refused && query.challenge.is_none())
    );
}

#[tokio::test]
async fn the_provider_is_asked_once_more_after_a_401_and_told_why() {
    let server = Server::modern(|got| {
        (post(got) && got.nth == 0).then(|| {
            Reply::with(401, "text/plain", "expired")
                .header("WWW-Authenticate", "Bearer error=\"invalid_token\"")
        })
    })
    .await;
    let (endpoint, queries) = provided(&server);
    let client = Client::connect(endpoint).await.expect("connects");
    count(&client).await.1.expect("it works with the new token");
    let posts = server.seen().all("tools/call");
    assert_eq!(posts.len(), 2);
    assert_eq!(posts[0].json, posts[1].json);
    assert_eq!(of(&posts[1], "authorization"), ["Bearer token-3"]);
    let queries = queries.lock().expect("not poisoned");
    assert_eq!(queries.len(), 3);
    assert!(queries[2].refused);
    assert_eq!(
        queries[2].challenge.as_deref(),
        Some("Bearer error=\"invalid_token\"")
    );
}

#[tokio::test]
async fn a_second_401_is_final() {
    for with_provider in [true, false] {
        let server = Server::modern(|got| post(got).then(|| Reply::status(401))).await;
        let endpoint = if with_provider {
            provided(&server).0
        } else {
            server.endpoint().bearer("stale")
        };
        let client = Client::connect(endpoint).await.expect("connects");
        let error = within(count(&client)).await.1.expect_err("refused");
        assert_eq!(error.status(), Some(401));
        assert!(error.to_string().contains("token"), "{error}");
        let posts = server.seen().all("tools/call").len();
        assert_eq!(posts, if with_provider { 2 } else { 1 });
    }
}

#[tokio::test]
async fn a_provider_that_fails_fails_the_request() {
    let server = Server::modern(|_| None).await;
    let endpoint = server
        .endpoint()
        .header_provider(|_| async { Err("the vault is shut".into()) });
    let error = within(Client::connect(endpoint).into_future())
        .await
        .expect_err("no headers");
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    let source = std::error::Error::source(&error).expect("why");
    assert_eq!(source.to_string(), "the vault is shut");
    assert!(server.seen().got.is_empty());
}

/// A server that sends everything on to another address.
async fn redirecting(status: u16, to: String) -> Server {
    Server::new(move |got| match &*got.path {
        "/mcp" => Reply::status(status).header("Location", to.clone()),
        _ if got.kind() == "server/discover" => Reply::status(400),
        _ => handshake(got),
    })
    .await
}

async fn pinned(endpoint: HttpEndpoint) -> mcp_progress::Result<Client> {
    let connecting = Client::connect(endpoint).protocol(ProtocolVersion::V2025_11_25);
    within(connecting.into_future()).await
}

#[tokio::test]
async fn a_redirect_to_the_same_origin_keeps_credentials() {
    for status in [307, 308] {
        let server = redirecting(status, "/v2/mcp?x=1".to_owned()).await;
        let endpoint = server.endpoint().bearer("t0ken").header("X-Key", "k");
        let client = pinned(endpoint).await.expect("connects");
        count(&client).await.1.expect("it works");
        client.close().await;
        let seen = server.seen();
        let followed: Vec<_> = seen
            .got
            .iter()
            .filter(|got| got.path == "/v2/mcp?x=1")
            .collect();
        assert!(followed.len() >= 4, "{status}: {:?}", seen.kinds());
        for got in followed {
            assert_eq!(of(got, "authorization"), ["Bearer t0ken"]);
            assert_eq!(of(got, "x-key"), ["k"]);
            if got.kind() != "initialize" {
                // The second `initialize` that the server saw was the one that was sent on.
                assert_eq!(got.header("mcp-session-id"), Some("session-1"));
            }
        }
    }
}

#[tokio::test]
async fn a_redirect_within_the_origin_keeps_the_credentials_of_the_url() {
    let there = Arc::new(Mutex::new(String::new()));
    let server = Server::new({
        let there = there.clone();
        move |got| match &*got.path {
            "/mcp" => {
                Reply::status(307).header("Location", there.lock().expect("not poisoned").clone())
            }
            _ => modern(got),
        }
    })
    .await;
    *there.lock().expect("not poisoned") = server.url() + "/v2";
    let url = server.url().replace("http://", "http://user:pass@");
    let client = Client::connect(HttpEndpoint::new(url).no_proxy())
        .await
        .expect("connects");
    count(&client).await.1.expect("it works");
    for got in &server.seen().got {
        assert_eq!(
            of(got, "authorization"),
            ["Basic dXNlcjpwYXNz"],
            "{}",
            got.path
        );
    }
}

#[tokio::test]
async fn a_redirect_to_another_origin_loses_credentials_and_session() {
    for status in [307, 308] {
        let target = Server::handshake(|_| None).await;
        let server = redirecting(status, target.url()).await;
        let (endpoint, queries) = provided(&server);
        let endpoint = endpoint.bearer("t0ken").header("X-Key", "k");
        let client = pinned(endpoint).await.expect("connects");
        count(&client).await.1.expect("it works");
        client.close().await;
        let seen = target.seen();
        assert!(seen.all("tools/call").len() == 1 && seen.all("DELETE").len() == 1);
        for got in &seen.got {
            for name in [
                "authorization",
                "x-key",
                "mcp-session-id",
                "referer",
                "cookie",
            ] {
                assert_eq!(of(got, name), [""; 0], "{name} of {}", got.kind());
            }
        }
        // At home they are there, and the provider was asked for those only.
        let home = server.seen();
        assert!(home.got.iter().all(|got| of(got, "x-key") == ["k"]));
        assert_eq!(queries.lock().expect("not poisoned").len(), home.got.len());
    }
}

/// A 401 of another origin is no reason to ask the provider again.
#[tokio::test]
async fn another_origins_401_gets_no_second_try() {
    let target = Server::new(|_| Reply::status(401)).await;
    let server = redirecting(307, target.url()).await;
    let (endpoint, queries) = provided(&server);
    let error = pinned(endpoint).await.expect_err("refused");
    assert_eq!(error.status(), Some(401));
    assert_eq!(queries.lock().expect("not poisoned").len(), 1);
    assert_eq!(target.seen().got.len(), 1);
}

#[tokio::test]
async fn a_redirect_that_would_change_the_request_is_an_error_that_names_the_address() {
    for status in [301, 302, 303] {
        let server = redirecting(status, "https://example.com/new/mcp?key=secret".to_owned()).await;
        let error = pinned(server.endpoint()).await.expect_err("not followed");
        assert_eq!(error.status(), Some(status));
        let said = error.to_string();
        assert!(said.contains("https://example.com/new/mcp"), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
}

#[tokio::test]
async fn redirects_without_end_are_given_up() {
    let server = Server::new(|_| Reply::status(307).header("Location", "/mcp")).await;
    let error = pinned(server.endpoint())
        .await
        .expect_err("round and round");
    assert_eq!(error.kind(), ErrorKind::Http, "{error}");
    assert!(server.seen().all("initialize").len() <= 10);
}

#[tokio::test]
async fn mistakes_in_options_are_told_when_connecting() {
    let server = Server::modern(|_| None).await;
    for (endpoint, word) in [
        (server.endpoint().header("x key", "v"), "x key"),
        (server.endpoint().header("x-key", "a\nsecret"), "x-key"),
        (server.endpoint().bearer("se\u{7}cret"), "authorization"),
        (server.endpoint().root_certificates("none"), "certificate"),
        (HttpEndpoint::new("ftp://example.com/secret"), "ftp"),
        (HttpEndpoint::new("not a URL, secret"), "URL"),
    ] {
        let error = Client::connect(endpoint).await.expect_err("a mistake");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let said = format!("{error} {error:?}");
        assert!(said.contains(word) && !said.contains("secret"), "{said}");
    }
    assert!(server.seen().got.is_empty());
}
