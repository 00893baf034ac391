//! What the server answers by itself, in both eras, and what it records.

use super::client::{Client, SECOND, modern, now, tool};
use crate::testing::config::Eras;
use crate::testing::script::Script;
use crate::testing::server::ScriptedServer;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

#[tokio::test(start_paused = true)]
async fn handshake_revisions_are_echoed_and_others_answered_with_the_newest() {
    let mut client = Client::connect(&ScriptedServer::demo().completion(["a"]));
    for version in ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] {
        let answer = client
            .ask("initialize", json!({"protocolVersion": version}))
            .await;
        assert_eq!(answer["result"]["protocolVersion"], version);
        assert!(answer["result"]["serverInfo"]["name"].is_string());
        assert!(answer["result"]["resultType"].is_null());
        let capabilities = answer["result"]["capabilities"]
            .as_object()
            .unwrap()
            .clone();
        let mut expected = vec!["completions", "logging", "prompts", "resources", "tools"];
        if version == "2025-11-25" {
            expected.insert(4, "tasks");
        }
        let names: Vec<_> = capabilities.keys().collect();
        assert_eq!(names, expected);
    }
    for version in ["2026-07-28", "1999-01-01"] {
        let answer = client
            .ask("initialize", json!({"protocolVersion": version}))
            .await;
        assert_eq!(answer["result"]["protocolVersion"], "2025-11-25");
    }
    for method in [
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
    ] {
        assert_eq!(client.ask(method, Value::Null).await["result"], json!({}));
        let refused = client
            .ask(method, json!({"_meta": modern("2026-07-28")}))
            .await;
        assert_eq!(
            refused["error"]["code"], -32601,
            "{method} is gone in 2026-07-28"
        );
    }
    assert_eq!(
        client.ask("subscriptions/listen", json!({})).await["error"]["code"],
        -32601
    );
}

#[tokio::test(start_paused = true)]
async fn modern_requests_are_checked_and_their_results_complete() {
    let server = tool(Script::new().text("done"))
        .capability("tools", json!({"x": 1}))
        .tool("asks", |_| {
            Script::new().result(json!({"resultType": "input_required"}))
        });
    let mut client = Client::connect(&server);
    let answer = client
        .ask("server/discover", json!({"_meta": modern("2026-07-28")}))
        .await;
    let result = &answer["result"];
    assert_eq!(result["supportedVersions"], json!(["2026-07-28"]));
    assert_eq!(result["resultType"], "complete");
    assert_eq!(result["capabilities"]["tools"], json!({"x": 1}));
    assert!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["version"].is_string());
    assert!(result["ttlMs"].is_u64() && result["cacheScope"].is_string());

    for method in ["server/discover", "tools/list"] {
        let error = &client
            .ask(method, json!({"_meta": modern("2027-01-01")}))
            .await["error"];
        assert_eq!(error["code"], -32022);
        assert_eq!(
            error["data"],
            json!({"supported": ["2026-07-28"], "requested": "2027-01-01"})
        );
    }
    let bare = json!({"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}});
    assert_eq!(
        client.ask("tools/list", bare).await["error"]["code"],
        -32602
    );
    let listed = client
        .ask("tools/list", json!({"_meta": modern("2026-07-28")}))
        .await;
    assert_eq!(listed["result"]["cacheScope"], "private");
    for (name, kind) in [("it", "complete"), ("asks", "input_required")] {
        let params = json!({"name": name, "_meta": modern("2026-07-28")});
        assert_eq!(
            client.ask("tools/call", params).await["result"]["resultType"],
            kind
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_of_one_era_refuses_the_other() {
    let mut client = Client::connect(&ScriptedServer::demo().eras(Eras::Modern));
    let error = &client
        .ask("initialize", json!({"protocolVersion": "2025-11-25"}))
        .await["error"];
    assert_eq!(error["code"], -32022);
    assert_eq!(
        error["data"],
        json!({"supported": ["2026-07-28"], "requested": "2025-11-25"})
    );
    assert_eq!(
        client.ask("tools/list", json!({})).await["error"]["code"],
        -32602
    );

    let mut client = Client::connect(&ScriptedServer::demo().eras(Eras::Handshake));
    let probe = json!({"_meta": modern("2026-07-28")});
    assert_eq!(
        client.ask("server/discover", probe.clone()).await["error"]["code"],
        -32601
    );
    let listed = client.ask("tools/list", probe).await;
    assert!(listed["result"]["tools"].is_array() && listed["result"]["resultType"].is_null());
}

#[tokio::test(start_paused = true)]
async fn the_probe_can_be_ignored_delayed_or_deadly() {
    let probe = json!({"_meta": modern("2026-07-28")});
    let mut client = Client::connect(&ScriptedServer::new().discover_silence());
    client.request(1, "server/discover", probe.clone()).await;
    client.assert_quiet().await;
    assert_eq!(client.ask("ping", json!({})).await["result"], json!({}));

    let mut client = Client::connect(&ScriptedServer::new().discover_delay(5 * SECOND));
    let start = now();
    assert!(client.ask("server/discover", probe.clone()).await["result"].is_object());
    assert_eq!(now() - start, 5 * SECOND);

    let server = ScriptedServer::new().exit_on_probe();
    let mut client = Client::connect(&server);
    client.request(1, "server/discover", probe).await;
    client.assert_closed().await;
    let mut client = Client::connect(&server);
    assert!(client.ask("initialize", json!({})).await["result"].is_object());
    assert_eq!(server.log().connections(), 2);
    assert_eq!(server.log().requests("initialize")[0].connection(), 1);
}

#[tokio::test(start_paused = true)]
async fn lists_come_in_pages_and_unknown_things_are_errors() {
    let server = ScriptedServer::demo()
        .page_size(5)
        .resource_template("log:///{day}", |r| {
            Script::new().result(json!({"asked": r.uri()}))
        })
        .completion(["alpha", "beta", "alto"])
        .method("prompts/list", |_| {
            Script::new().result(json!({"prompts": "mine"}))
        });
    let mut client = Client::connect(&server);
    let first = client.ask("tools/list", json!({})).await["result"].clone();
    let second = client
        .ask("tools/list", json!({"cursor": first["nextCursor"]}))
        .await["result"]
        .clone();
    let pages = [&first, &second].map(|page| page["tools"].as_array().unwrap().len());
    assert_eq!(pages, [5, 5]);
    assert!(second.get("nextCursor").is_none());
    assert_eq!(second["tools"][0]["name"], "hang");
    assert_eq!(second["tools"][0]["inputSchema"]["type"], "object");
    for cursor in [json!("x"), json!(1), json!("99")] {
        let answer = client.ask("tools/list", json!({"cursor": cursor})).await;
        assert_eq!(answer["error"]["code"], -32602);
    }
    let templates = client.ask("resources/templates/list", json!({})).await;
    assert_eq!(
        templates["result"]["resourceTemplates"][0]["uriTemplate"],
        "log:///{day}"
    );
    assert_eq!(
        client.ask("prompts/list", json!({})).await["result"]["prompts"],
        "mine"
    );
    let read = client
        .ask("resources/read", json!({"uri": "log:///monday"}))
        .await;
    assert_eq!(read["result"]["asked"], "log:///monday");
    let typed = json!({"argument": {"name": "a", "value": "al"}});
    let completion = &client.ask("completion/complete", typed).await["result"]["completion"];
    assert_eq!(
        *completion,
        json!({"values": ["alpha", "alto"], "total": 2, "hasMore": false})
    );

    for (method, params, code) in [
        ("tools/call", json!({"name": "none"}), -32602),
        ("prompts/get", json!({"name": "none"}), -32602),
        ("resources/read", json!({"uri": "none:"}), -32002),
        (
            "resources/read",
            json!({"uri": "none:", "_meta": modern("2026-07-28")}),
            -32602,
        ),
        ("vendor/none", json!({}), -32601),
    ] {
        assert_eq!(
            client.ask(method, params).await["error"]["code"],
            code,
            "{method}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn subscriptions_get_what_they_asked_for_until_they_end() {
    let server = ScriptedServer::new();
    let mut client = Client::connect(&server);
    let filter = json!({"toolsListChanged": true, "resourceSubscriptions": ["file:///a"]});
    let listen = json!({"_meta": modern("2026-07-28"), "notifications": filter});
    for id in [json!(1), json!("two"), json!(3)] {
        client
            .request(id.clone(), "subscriptions/listen", listen.clone())
            .await;
        let acknowledged = client.next().await;
        assert_eq!(
            acknowledged["method"],
            "notifications/subscriptions/acknowledged"
        );
        assert_eq!(acknowledged["params"]["notifications"], filter);
        assert_eq!(
            acknowledged["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"],
            id
        );
    }
    client.cancel(3).await;
    client.logged(|log| log.stopped() == [3]).await;

    assert_eq!(
        server.notify_subscribers("notifications/prompts/list_changed", &Value::Null),
        0
    );
    assert_eq!(
        server.notify_subscribers(
            "notifications/resources/updated",
            &json!({"uri": "file:///b"})
        ),
        0
    );
    assert_eq!(
        server.notify_subscribers(
            "notifications/resources/updated",
            &json!({"uri": "file:///a"})
        ),
        2
    );
    assert_eq!(
        server.notify_subscribers("notifications/tools/list_changed", &Value::Null),
        2
    );
    server.notify("vendor/all", &Value::Null);
    for (field, value) in [("uri", json!("file:///a")), ("none", Value::Null)] {
        for id in [json!(1), json!("two")] {
            let params = client.next().await["params"].clone();
            assert_eq!(
                params["_meta"]["io.modelcontextprotocol/subscriptionId"],
                id
            );
            assert_eq!(params[field], value);
        }
    }
    assert_eq!(client.next().await["method"], "vendor/all");

    server.close_subscriptions();
    for id in [json!(1), json!("two")] {
        let meta = json!({"io.modelcontextprotocol/subscriptionId": id});
        let end = json!({"jsonrpc": "2.0", "id": id, "result": {"resultType": "complete", "_meta": meta}});
        assert_eq!(client.next().await, end);
    }
    client.request(4, "subscriptions/listen", listen).await;
    client.next().await;
    server.cancel_subscriptions();
    assert_eq!(client.next().await["params"], json!({"requestId": 4}));
    assert_eq!(
        server.notify_subscribers("notifications/tools/list_changed", &Value::Null),
        0
    );
    server.disconnect();
    client.assert_closed().await;
}

#[tokio::test(start_paused = true)]
async fn the_log_keeps_every_line_and_the_messages_of_batches() {
    let mut client = Client::connect(&ScriptedServer::new());
    client
        .writer
        .write_all(b"\r\n{oops\xff\r\n[{\"id\":1,\"method\":\"ping\"},{\"method\":\"a\"}]\n")
        .await
        .unwrap();
    assert_eq!(client.next().await["id"], 1);
    client.send(json!({"id": 9, "result": {}})).await;
    client.logged(|log| log.messages().len() == 4).await;
    let messages = client.log.messages();
    assert_eq!(
        (messages[0].raw(), messages[0].value()),
        (&b"{oops\xff"[..], &Value::Null)
    );
    assert_eq!(messages[1].raw(), messages[2].raw());
    assert_eq!(client.log.requests("ping").len(), 1);
    assert_eq!(client.log.notifications("a").len(), 1);
    assert_eq!(
        (messages[3].method(), messages[3].id()),
        (None, Some(&json!(9)))
    );
}
