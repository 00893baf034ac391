//! What a client says that it can do: from its handlers, in each revision, and as its user says.

use mcp_progress::model::{ClientCapabilities, CreateMessageResult, ElicitResult, Root};
use mcp_progress::{Connect, ProtocolVersion};
use serde_json::{Value, json};

use super::{capabilities_in, introduction};

fn forms(connect: Connect) -> Connect {
    connect.on_elicitation(|_form, _context| async { Ok(ElicitResult::decline()) })
}

fn pages(connect: Connect) -> Connect {
    connect.on_url_elicitation(|_url, _context| async { Ok(ElicitResult::decline()) })
}

fn sampling(connect: Connect) -> Connect {
    connect.on_sampling(|_request, _context| async { Ok(CreateMessageResult::text("m", "a")) })
}

fn tools(connect: Connect) -> Connect {
    let connect = connect.on_sampling_with_tools(|_request, _context| async {
        Ok(CreateMessageResult::text("m", "a"))
    });
    connect.on_roots(|_context| async { Ok(vec![Root::new("file:///a")]) })
}

async fn said(version: ProtocolVersion, options: impl FnOnce(Connect) -> Connect) -> Value {
    introduction(version, options).await.2
}

#[tokio::test(start_paused = true)]
async fn nothing_is_offered_without_handlers() {
    for version in ProtocolVersion::ALL.iter().copied() {
        assert_eq!(
            said(version, |connect| connect).await,
            json!({}),
            "{version}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn handlers_are_offered_in_the_words_of_each_revision() {
    use ProtocolVersion as V;

    let roots = json!({"listChanged": true});
    for (version, everything, only_pages) in [
        (
            V::V2024_11_05,
            json!({"sampling": {}, "roots": roots}),
            json!({}),
        ),
        (
            V::V2025_03_26,
            json!({"sampling": {}, "roots": roots}),
            json!({}),
        ),
        (
            V::V2025_06_18,
            json!({"sampling": {}, "roots": roots, "elicitation": {}}),
            json!({}),
        ),
        (
            V::V2025_11_25,
            json!({"sampling": {"tools": {}}, "roots": roots, "elicitation": {"form": {}, "url": {}}}),
            json!({"elicitation": {"url": {}}}),
        ),
        (
            V::V2026_07_28,
            json!({"sampling": {"tools": {}}, "roots": {}, "elicitation": {"form": {}, "url": {}}}),
            json!({"elicitation": {"url": {}}}),
        ),
    ] {
        let all = |connect| tools(pages(forms(connect)));
        assert_eq!(said(version, all).await, everything, "{version}");
        assert_eq!(said(version, pages).await, only_pages, "{version}");
    }
    let form = json!({"elicitation": {"form": {}}, "sampling": {}});
    assert_eq!(
        said(V::V2025_11_25, |connect| sampling(forms(connect))).await,
        form
    );
    let listed = said(V::V2025_11_25, |connect| connect.roots([])).await;
    assert_eq!(listed, json!({"roots": roots}));
    // The last of a kind counts, for what it is good for too.
    let again = said(V::V2025_11_25, |connect| sampling(tools(connect))).await;
    assert_eq!(again["sampling"], json!({}));
}

#[tokio::test(start_paused = true)]
async fn what_the_user_says_counts_more() {
    // Before the handlers or behind them.
    for first in [true, false] {
        let explicit = |connect: Connect| {
            let extension = json!({"a": 1}).as_object().cloned().expect("an object");
            let capabilities = ClientCapabilities::default()
                .with_elicitation_url()
                .with_roots(false)
                .with_extension("com.example/x", extension);
            connect.capabilities(capabilities)
        };
        let options = |connect| {
            if first {
                tools(forms(explicit(connect)))
            } else {
                explicit(tools(forms(connect)))
            }
        };
        assert_eq!(
            said(ProtocolVersion::V2025_11_25, options).await,
            json!({
                "elicitation": {"url": {}}, "roots": {}, "sampling": {"tools": {}},
                "extensions": {"com.example/x": {"a": 1}},
            })
        );
    }
}

#[tokio::test(start_paused = true)]
async fn in_2026_07_28_every_request_says_it() {
    let version = ProtocolVersion::V2026_07_28;
    let (client, mut peer, said) = introduction(version, forms).await;
    let (result, request) = tokio::join!(client.call_tool("t", json!({})).into_future(), async {
        let request = peer.next().await;
        peer.answer(&request, json!({"content": [], "resultType": "complete"}))
            .await;
        request
    });
    result.expect("a result");
    assert_eq!(capabilities_in(&request), said);
    assert_eq!(said, json!({"elicitation": {"form": {}}}));
}
