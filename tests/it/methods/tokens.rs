//! The progress token on the wire: minted, chosen, or none.

use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::{Client, DiagnosticKind, ErrorKind, ProgressToken, ProtocolVersion, Result};
use serde_json::{Value, json};

fn server() -> ScriptedServer {
    ScriptedServer::new()
        .tool("t", |_| Script::new().progress(1, 2).progress(2, 2))
        .tool("hang", |_| Script::new().progress(1, 2).silence())
        .resource("file:///a", |_| Script::new())
}

#[tokio::test]
async fn a_minted_token_is_no_number() -> Result<()> {
    let server = server();
    let log = server.log();
    let client = Client::connect(server).await?;
    let call = client.call_tool("t", json!({})).start();
    let token = call.token().cloned().expect("it carries one");
    call.await?;
    let sent = log.requests("tools/call")[0].params()["_meta"]["progressToken"].clone();
    assert_eq!(sent, json!(token));
    let text = sent.as_str().expect("a string");
    // Neither JavaScript's `Number` nor a lenient parser may take it for one.
    assert!(
        text.starts_with(|first: char| first.is_ascii_alphabetic()),
        "{text}"
    );
    assert!(text.parse::<f64>().is_err(), "{text}");
    Ok(())
}

#[tokio::test]
async fn without_progress_no_token_is_sent() -> Result<()> {
    for &version in ProtocolVersion::ALL {
        let server = server();
        let log = server.log();
        let client = Client::connect(server).protocol(version).await?;
        let mut seen = 0;
        let call = client.call_tool("t", json!({})).without_progress();
        call.on_progress(|_| seen += 1).await?;
        let mut call = client.call_tool("t", json!({})).without_progress().start();
        assert_eq!(call.token(), None);
        assert!(call.next().await.is_none());
        call.await?;
        assert_eq!(seen, 0);
        // Requests that take no time carry none either.
        if version.is_modern() {
            client.discover().await?;
        } else {
            client.ping().await?;
            client.subscribe_resource("file:///a").await?;
        }
        client.close().await;
        for message in log.messages() {
            assert!(
                message.params()["_meta"].get("progressToken").is_none(),
                "{message:?}"
            );
        }
        assert_eq!(client.stats().updates, 0);
    }
    Ok(())
}

#[tokio::test]
async fn a_chosen_token_keeps_its_type() -> Result<()> {
    let server = server();
    let log = server.log();
    let client = Client::connect(server).await?;
    let largest = ProgressToken::from_integer(ProgressToken::MAX_INTEGER).expect("in range");
    let tokens: [(ProgressToken, Value); 8] = [
        ("upload".into(), json!("upload")),
        ("7".into(), json!("7")),
        (7.into(), json!(7)),
        (0.into(), json!(0)),
        (ProgressToken::from(-3), json!(-3)),
        ("".into(), json!("")),
        ("zwei \" \\ \u{2028}".into(), json!("zwei \" \\ \u{2028}")),
        (largest, json!(9_007_199_254_740_991_u64)),
    ];
    for (token, on_the_wire) in tokens {
        let mut seen = Vec::new();
        let call = client
            .call_tool("t", json!({}))
            .progress_token(token.clone());
        call.on_progress(|update| seen.push((update.token, update.retyped)))
            .await?;
        let sent = log.requests("tools/call").pop().expect("it was sent");
        assert_eq!(sent.params()["_meta"]["progressToken"], on_the_wire);
        assert_eq!(seen, [(token.clone(), false), (token, false)]);
    }
    assert_eq!(client.stats().diagnostics(), 0);
    assert_eq!(
        ProgressToken::from_integer(ProgressToken::MAX_INTEGER + 1),
        None
    );
    Ok(())
}

#[tokio::test]
async fn a_token_in_flight_is_refused() -> Result<()> {
    let server = server();
    let log = server.log();
    let client = Client::connect(server).await?;
    let mut first = client
        .call_tool("hang", json!({}))
        .progress_token(7)
        .start();
    assert_eq!(first.next().await.map(|update| update.progress), Some(1.0));

    let second = client.call_tool("t", json!({})).progress_token(7);
    let error = second.await.expect_err("it is taken");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains('7'), "{error}");
    // The string is another token, and the refusal did the first call no harm.
    client.call_tool("t", json!({})).progress_token("7").await?;
    assert_eq!((client.stats().live_calls, client.progress().len()), (1, 1));
    assert_eq!(log.requests("tools/call").len(), 2);

    // Free again when the call is over.
    drop(first);
    let mut seen = 0;
    let third = client.call_tool("t", json!({})).progress_token(7);
    third.on_progress(|_| seen += 1).await?;
    assert_eq!(seen, 2);
    Ok(())
}

#[tokio::test]
async fn a_token_in_the_other_type_finds_its_call() -> Result<()> {
    let server = ScriptedServer::new().tool("t", |request| {
        let retyped = match request.token() {
            Some(Value::String(text)) => json!(text.parse::<i64>().unwrap_or_default()),
            Some(number) => json!(number.to_string()),
            None => Value::Null,
        };
        let update = mcp_progress::testing::Update::new;
        Script::new()
            .progress_for(retyped, update(1).total(2))
            .progress_for("nobody's", update(1))
            .progress(2, 2)
    });
    let client = Client::connect(server).await?;
    for token in [ProgressToken::from(5), ProgressToken::from("5")] {
        let mut seen = Vec::new();
        let call = client
            .call_tool("t", json!({}))
            .progress_token(token.clone());
        call.on_progress(|update| seen.push(update)).await?;
        let [first, second] = &seen[..] else {
            panic!("{seen:?}");
        };
        assert_eq!((&first.token, first.retyped), (&token, true));
        assert_eq!((&second.token, second.retyped), (&token, false));
    }
    assert_eq!(client.stats().count(DiagnosticKind::Retyped), 2);
    assert_eq!(client.stats().count(DiagnosticKind::ForeignUpdate), 2);
    assert_eq!(client.stats().diagnostics(), 4);
    Ok(())
}
