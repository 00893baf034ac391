//! What every typed handler has: its context, its errors, cancelling, panics, and the trait form.

use std::collections::BTreeSet;
use std::sync::Arc;

use mcp_progress::model::{
    ClientCapabilities, CreateMessageRequest, CreateMessageResult, ElicitForm, ElicitResult,
    ElicitUrl, Root,
};
use mcp_progress::{ClientHandler, ErrorObject, ProgressToken, RequestContext};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};

use super::{ask, assert_error, connect, introduction};
use crate::peer::{done, settle};

const METHOD: &str = "elicitation/create";

fn form(message: &str) -> Value {
    json!({"message": message, "requestedSchema": {"type": "object", "properties": {}}})
}

#[tokio::test(start_paused = true)]
async fn the_context_tells_token_task_and_the_rest_of_meta() {
    let (told, mut heard) = mpsc::unbounded_channel();
    let (_client, mut peer) = connect(|connect| {
        let told_of_roots = told.clone();
        let connect = connect.on_roots(move |context| {
            told_of_roots.send(context).expect("somebody listens");
            async { Ok(Vec::new()) }
        });
        connect.on_elicitation(move |_form, context| {
            told.send(context).expect("somebody listens");
            async { Ok(ElicitResult::decline()) }
        })
    })
    .await;
    let with = |meta: Value| {
        let mut params = form("m");
        params["_meta"] = meta;
        params
    };
    let related = "io.modelcontextprotocol/related-task";
    for (params, token, task) in [
        (form("m"), None, None),
        (
            with(json!({"progressToken": "p-1"})),
            Some(ProgressToken::from("p-1")),
            None,
        ),
        (
            with(json!({"progressToken": 7, related: {"taskId": "t-1"}})),
            Some(ProgressToken::from(7)),
            Some("t-1"),
        ),
        (
            with(json!({"progressToken": {}, related: "t-1"})),
            None,
            None,
        ),
    ] {
        let meta = params["_meta"]["progressToken"].clone();
        assert_eq!(
            ask(&mut peer, METHOD, params).await["result"]["action"],
            "decline"
        );
        let context: RequestContext = heard.try_recv().expect("the handler ran");
        assert_eq!(context.method, METHOD);
        assert_eq!(
            (context.progress_token(), context.related_task()),
            (token, task)
        );
        assert_eq!(
            context
                .meta
                .get("progressToken")
                .cloned()
                .unwrap_or_default(),
            meta
        );
    }
    // A `_meta` that is none costs the server its progress and not the answer.
    for params in [json!({"_meta": 1}), json!({"_meta": null}), json!({})] {
        assert_eq!(
            ask(&mut peer, "roots/list", params).await["result"],
            json!({"roots": []})
        );
        let context = heard.try_recv().expect("the handler ran");
        assert_eq!(
            (context.method.as_str(), context.meta.len()),
            ("roots/list", 0)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_handler_goes_out_as_it_is() {
    let (_client, mut peer) = connect(|connect| {
        connect.on_elicitation(|form, _context| async move {
            assert_ne!(form.message, "panic", "secret");
            let mut error = ErrorObject::new(-32042, "not like this");
            error.data = Some(json!({"because": form.message}));
            Err(error)
        })
    })
    .await;
    let reply = ask(&mut peer, METHOD, form("reasons")).await;
    let error = json!({"code": -32042, "message": "not like this", "data": {"because": "reasons"}});
    assert_eq!(reply["error"], error);
    let reply = ask(&mut peer, METHOD, form("panic")).await;
    assert_error(&reply, -32603, "panicked");
    assert!(!reply.to_string().contains("secret"));
    assert_eq!(
        ask(&mut peer, METHOD, form("reasons")).await["error"],
        error
    );
}

/// Says when it is dropped.
struct Inside(mpsc::UnboundedSender<String>, String);

impl Drop for Inside {
    fn drop(&mut self) {
        let _ = self.0.send(format!("dropped {}", self.1));
    }
}

#[tokio::test(start_paused = true)]
async fn few_run_at_once_and_the_server_cancels_them() {
    let (told, mut heard) = mpsc::unbounded_channel();
    let open = Arc::new(Semaphore::new(0));
    let gate = open.clone();
    let (client, mut peer) = connect(|connect| {
        connect.on_elicitation(move |form, _context| {
            let (told, gate) = (told.clone(), gate.clone());
            async move {
                told.send(format!("begun {}", form.message))
                    .expect("somebody listens");
                let inside = Inside(told, form.message);
                gate.acquire().await.expect("never closed").forget();
                drop(inside);
                Ok(ElicitResult::accept())
            }
        })
    })
    .await;
    for n in 0..18 {
        let request =
            json!({"jsonrpc": "2.0", "id": n, "method": METHOD, "params": form(&n.to_string())});
        peer.send(&request).await;
    }
    settle().await;
    for n in 0..16 {
        assert_eq!(heard.try_recv(), Ok(format!("begun {n}")));
    }
    assert!(heard.try_recv().is_err(), "no other has begun");
    peer.send(
        &json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 3}}),
    )
    .await;
    settle().await;
    assert_eq!(heard.try_recv(), Ok("dropped 3".to_owned()));
    assert_eq!(heard.try_recv(), Ok("begun 16".to_owned()));
    assert!(heard.try_recv().is_err());

    open.add_permits(17);
    let mut answered = BTreeSet::new();
    for _ in 0..17 {
        let reply = peer.next().await;
        assert_eq!(reply["result"]["action"], "accept");
        answered.insert(reply["id"].as_u64().expect("an id of the server's"));
    }
    let mut expected: BTreeSet<u64> = (0..18).collect();
    expected.remove(&3);
    assert_eq!(answered, expected);
    client.close().await;
    assert_eq!(peer.rest().await, Vec::<Value>::new());
}

#[tokio::test(start_paused = true)]
async fn a_question_in_the_middle_of_a_call_holds_nothing_up() {
    let (answer, answered) = tokio::sync::oneshot::channel::<()>();
    let answered = Arc::new(tokio::sync::Mutex::new(answered));
    let (client, mut peer) = connect(|connect| {
        connect.on_elicitation(move |_form, _context| {
            let answered = answered.clone();
            async move {
                (&mut *answered.lock().await)
                    .await
                    .expect("the user answers");
                Ok(ElicitResult::accept())
            }
        })
    })
    .await;
    let mut seen = Vec::new();
    let call = client.call_tool("t", json!({}));
    let call = call.on_progress(|update| seen.push(update.progress));
    let (result, ()) = tokio::join!(call.into_future(), async {
        let request = peer.next().await;
        peer.send(&json!({"jsonrpc": "2.0", "id": "q", "method": METHOD, "params": form("m")}))
            .await;
        for step in 1..=3 {
            peer.update(&request, step).await;
        }
        // Other calls go on meanwhile.
        let other = client.call_tool("other", json!({})).into_future();
        let (other, ()) = tokio::join!(other, async {
            let request = peer.next().await;
            peer.answer(&request, done()).await;
        });
        other.expect("a result");
        answer.send(()).expect("the handler waits");
        assert_eq!(peer.next().await["id"], "q");
        peer.answer(&request, done()).await;
    });
    result.expect("a result");
    assert_eq!(seen, [1.0, 2.0, 3.0]);
}

#[tokio::test(start_paused = true)]
async fn a_request_to_be_run_as_a_task_is_run_as_it_is() {
    // Tasks of the client are not offered (revision 2025-11-25, "Tasks", capability negotiation).
    let (_client, mut peer) = connect(|connect| {
        connect.on_elicitation(|_form, _context| async { Ok(ElicitResult::accept()) })
    })
    .await;
    let mut params = form("m");
    params["task"] = json!({"ttl": 60_000});
    let reply = ask(&mut peer, METHOD, params).await;
    assert_eq!(reply["result"], json!({"action": "accept", "content": {}}));
}

#[tokio::test(start_paused = true)]
async fn the_last_handler_of_a_method_counts() {
    let by_hand = |_request| async { Ok(json!({"by": "hand"})) };
    let typed = |_form: ElicitForm, _context: RequestContext| async { Ok(ElicitResult::cancel()) };
    let (_client, mut peer) =
        connect(|connect| connect.on_elicitation(typed).on_request(METHOD, by_hand)).await;
    assert_eq!(
        ask(&mut peer, METHOD, form("m")).await["result"],
        json!({"by": "hand"})
    );
    let (_client, mut peer) =
        connect(|connect| connect.on_request(METHOD, by_hand).on_elicitation(typed)).await;
    assert_eq!(
        ask(&mut peer, METHOD, form("m")).await["result"],
        json!({"action": "cancel"})
    );
}

/// Everything but what it says it has not.
struct Everything(ClientCapabilities);

impl ClientHandler for Everything {
    fn capabilities(&self) -> ClientCapabilities {
        self.0.clone()
    }

    async fn elicit(
        &self,
        form: ElicitForm,
        context: RequestContext,
    ) -> Result<ElicitResult, ErrorObject> {
        assert_eq!(context.method, METHOD);
        Ok(ElicitResult::accept().with("said", form.message))
    }

    async fn elicit_url(
        &self,
        _url: ElicitUrl,
        _context: RequestContext,
    ) -> Result<ElicitResult, ErrorObject> {
        Ok(ElicitResult::decline())
    }

    async fn create_message(
        &self,
        request: CreateMessageRequest,
        _context: RequestContext,
    ) -> Result<CreateMessageResult, ErrorObject> {
        Ok(CreateMessageResult::text(
            "m",
            format!("{:?}", request.max_tokens),
        ))
    }

    async fn list_roots(&self, _context: RequestContext) -> Result<Vec<Root>, ErrorObject> {
        Ok(vec![Root::new("file:///a")])
    }
}

/// Says that it lists roots, and has nothing.
struct Boaster;

impl ClientHandler for Boaster {
    fn capabilities(&self) -> ClientCapabilities {
        ClientCapabilities::default().with_roots(false)
    }
}

#[tokio::test(start_paused = true)]
async fn all_handlers_in_one_type() {
    let all = ClientCapabilities::default()
        .with_elicitation_form()
        .with_elicitation_url()
        .with_sampling()
        .with_roots(true);
    let (_client, mut peer) = connect(|connect| connect.handler(Everything(all))).await;
    let page = json!({"mode": "url", "message": "m", "url": "https://a.example/"});
    let sampling = json!({"messages": [], "maxTokens": 5});
    for (method, params, result) in [
        (
            METHOD,
            form("x"),
            json!({"action": "accept", "content": {"said": "x"}}),
        ),
        (METHOD, page, json!({"action": "decline"})),
        (
            "sampling/createMessage",
            sampling,
            json!({"role": "assistant", "model": "m", "content": {"type": "text", "text": "Some(5)"}}),
        ),
        (
            "roots/list",
            json!({}),
            json!({"roots": [{"uri": "file:///a"}]}),
        ),
    ] {
        assert_eq!(ask(&mut peer, method, params).await["result"], result);
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_the_type_says_is_offered_and_answered() {
    let version = mcp_progress::ProtocolVersion::V2025_11_25;
    let offers = ClientCapabilities::default().with_sampling_tools();
    let (_client, mut peer, said) = introduction(version, |connect| {
        connect
            .handler(Everything(offers))
            .on_roots(|_context| async { Ok(Vec::new()) })
    })
    .await;
    assert_eq!(
        said,
        json!({"sampling": {"tools": {}}, "roots": {"listChanged": true}})
    );
    assert_error(&ask(&mut peer, METHOD, form("m")).await, -32601, METHOD);
    assert_eq!(
        ask(&mut peer, "roots/list", json!({})).await["result"],
        json!({"roots": []})
    );

    let (_client, mut peer, said) = introduction(version, |connect| connect.handler(Boaster)).await;
    assert_eq!(said, json!({"roots": {}}));
    assert_error(
        &ask(&mut peer, "roots/list", json!({})).await,
        -32601,
        "roots/list",
    );
}

#[cfg(feature = "http")]
#[tokio::test]
async fn over_http_too() {
    use mcp_progress::testing::{Script, ScriptedServer};
    use mcp_progress::{Client, ProtocolVersion};

    let question = json!({"jsonrpc": "2.0", "id": "q", "method": METHOD, "params": {
        "message": "m",
        "requestedSchema": {"type": "object", "properties": {"n": {"type": "integer", "default": 3}}},
    }});
    let server = ScriptedServer::new().tool("t", move |_| {
        Script::new()
            .progress(1, 2)
            .raw(question.to_string())
            .progress(2, 2)
            .text("done")
    });
    let log = server.log();
    let listening = server.http().bind("127.0.0.1:0").await.expect("an address");
    let url = listening.url().to_owned();
    crate::peer::spawn(listening.serve());
    for (asked, version) in [ProtocolVersion::V2025_11_25, ProtocolVersion::V2025_06_18]
        .into_iter()
        .enumerate()
    {
        let client = Client::http(&url)
            .protocol(version)
            .on_elicitation(|_form, _context| async { Ok(ElicitResult::accept()) })
            .await
            .expect("the handshake");
        client.call_tool("t", json!({})).await.expect("a result");
        // Closing waits for an answer that is on its way.
        settle().await;
        client.close().await;
        let messages = log.messages();
        let replies = messages.iter().filter(|message| message.method().is_none());
        let replies: Vec<_> = replies
            .map(|reply| reply.value()["result"].clone())
            .collect();
        let expected = json!({"action": "accept", "content": {"n": 3}});
        assert_eq!(replies, vec![expected; asked + 1], "{version}");
    }
}
