//! Pages that the user visits, and modes that were not offered.

use mcp_progress::model::{
    ClientCapabilities, ElicitResult, ElicitationComplete, UrlElicitationRequired,
};
use mcp_progress::{Client, Connect};
use serde_json::{Value, json};

use super::{ask, assert_error, connect};
use crate::peer::Peer;

const METHOD: &str = "elicitation/create";

fn form() -> Value {
    json!({"message": "m", "requestedSchema": {"type": "object", "properties": {}}})
}

fn page() -> Value {
    json!({"mode": "url", "message": "m", "url": "https://a.example/x", "elicitationId": "e-1"})
}

fn forms(connect: Connect) -> Connect {
    connect.on_elicitation(|_form, _context| async { Ok(ElicitResult::accept()) })
}

fn pages(connect: Connect) -> Connect {
    connect.on_url_elicitation(|page, _context| async move {
        assert_eq!(page.elicitation_id.as_deref(), Some("e-1"));
        assert_eq!(page.url, "https://a.example/x");
        Ok(ElicitResult::accept().with("seen", "by mistake"))
    })
}

async fn answers(options: impl FnOnce(Connect) -> Connect) -> (Value, Value) {
    let (_client, mut peer) = connect(options).await;
    let to_form = ask(&mut peer, METHOD, form()).await;
    (to_form, ask(&mut peer, METHOD, page()).await)
}

#[tokio::test(start_paused = true)]
async fn each_mode_has_its_handler_and_the_other_is_refused() {
    let accepted_form = json!({"action": "accept", "content": {}});
    // There is nothing to be filled in on a page, so that nothing is sent.
    let accepted_page = json!({"action": "accept"});

    let (to_form, to_page) = answers(forms).await;
    assert_eq!(to_form["result"], accepted_form);
    assert_error(&to_page, -32602, "URLs");

    let (to_form, to_page) = answers(pages).await;
    assert_error(&to_form, -32602, "forms");
    assert_eq!(to_page["result"], accepted_page);

    let (to_form, to_page) = answers(|connect| pages(forms(connect))).await;
    assert_eq!(to_form["result"], accepted_form);
    assert_eq!(to_page["result"], accepted_page);

    let (to_form, to_page) = answers(|connect| connect).await;
    assert_error(&to_form, -32601, METHOD);
    assert_error(&to_page, -32601, METHOD);
}

#[tokio::test(start_paused = true)]
async fn a_mode_that_the_user_does_not_offer_is_refused_although_it_has_a_handler() {
    let only_pages = |connect| {
        let offered = ClientCapabilities::default().with_elicitation_url();
        pages(forms(connect)).capabilities(offered)
    };
    let (to_form, to_page) = answers(only_pages).await;
    assert_error(&to_form, -32602, "forms");
    assert!(to_page["error"].is_null());
}

#[tokio::test(start_paused = true)]
async fn a_server_says_when_a_page_is_done() {
    let (client, mut peer) = connect(pages).await;
    let mut notifications = client.notifications();
    let params = json!({"elicitationId": "e-1"});
    peer.send(&json!({"jsonrpc": "2.0", "method": ElicitationComplete::METHOD, "params": params}))
        .await;
    let done = notifications.next().await.expect("a notification");
    assert_eq!(done.method, ElicitationComplete::METHOD);
    let done: ElicitationComplete = done.params().expect("its params");
    assert_eq!(done.elicitation_id, "e-1");
}

#[tokio::test(start_paused = true)]
async fn a_call_may_need_a_page_first() {
    let (client, mut peer): (Client, Peer) = connect(|connect| connect).await;
    let call = client.call_tool("t", json!({})).into_future();
    let (result, ()) = tokio::join!(call, async {
        let request = peer.next().await;
        let data = json!({"elicitations": [page()]});
        let error = json!({"code": -32042, "message": "first", "data": data});
        peer.send(&json!({"jsonrpc": "2.0", "id": request["id"], "error": error}))
            .await;
    });
    let error = result.expect_err("refused");
    let required = error.as_rpc().and_then(UrlElicitationRequired::of);
    let pages = required.expect("the pages").elicitations;
    assert_eq!(pages.len(), 1);
    assert_eq!(pages[0].url, "https://a.example/x");
}
