//! Lists that come in pages.

use futures::{StreamExt, TryStreamExt};
use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::{Client, ErrorKind, Result};
use serde_json::{Value, json};

fn five_of_each() -> ScriptedServer {
    (1..=5).fold(ScriptedServer::new().page_size(2), |server, n| {
        server
            .tool(&format!("tool-{n}"), |_| Script::new())
            .resource(&format!("file:///{n}"), |_| Script::new())
            .resource_template(&format!("log-{n}:///{{day}}"), |_| Script::new())
            .prompt(&format!("prompt-{n}"), |_| Script::new())
    })
}

fn numbered(pattern: &str) -> Vec<String> {
    (1..=5)
        .map(|n| pattern.replace('#', &n.to_string()))
        .collect()
}

#[tokio::test]
async fn all_pages_of_all_lists() -> Result<()> {
    let server = five_of_each();
    let log = server.log();
    let client = Client::connect(server).await?;

    let tools = client.tools().map_ok(|tool| tool.name);
    assert_eq!(tools.try_collect::<Vec<_>>().await?, numbered("tool-#"));
    let resources = client.resources().map_ok(|resource| resource.uri);
    assert_eq!(
        resources.try_collect::<Vec<_>>().await?,
        numbered("file:///#")
    );
    let templates = client
        .resource_templates()
        .map_ok(|template| template.uri_template);
    assert_eq!(
        templates.try_collect::<Vec<_>>().await?,
        numbered("log-#:///{day}")
    );
    let prompts = client.prompts().all().await?;
    let prompts: Vec<_> = prompts.into_iter().map(|prompt| prompt.name).collect();
    assert_eq!(prompts, numbered("prompt-#"));

    for method in [
        "tools/list",
        "resources/list",
        "resources/templates/list",
        "prompts/list",
    ] {
        let requests = log.requests(method);
        let cursors: Vec<_> = requests
            .iter()
            .map(|page| page.params()["cursor"].clone())
            .collect();
        assert_eq!(cursors, [Value::Null, json!("2"), json!("4")], "{method}");
        assert!(
            requests[0].params().get("cursor").is_none(),
            "the first page has no cursor"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_page_is_asked_for_when_it_is_needed() -> Result<()> {
    let server = five_of_each();
    let log = server.log();
    let client = Client::connect(server).await?;
    let mut tools = client.tools();
    assert_eq!(log.requests("tools/list").len(), 0);
    for (taken, asked) in [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3)] {
        let tool = tools.next().await.expect("there is one more")?;
        assert_eq!(tool.name, format!("tool-{taken}"));
        assert_eq!(log.requests("tools/list").len(), asked);
    }
    assert!(tools.next().await.is_none());
    assert!(tools.next().await.is_none());

    // The first page by hand.
    let page = client.list_tools().await?;
    assert_eq!(
        (page.tools.len(), page.next_cursor.as_deref()),
        (2, Some("2"))
    );
    Ok(())
}

#[tokio::test]
async fn an_error_ends_the_list() -> Result<()> {
    let server = ScriptedServer::new().method("prompts/list", |request| {
        match request.params().get("cursor") {
            None => Script::new().result(json!({"prompts": [{"name": "p"}], "nextCursor": "c"})),
            Some(_) => Script::new().error(-32602, "Unknown cursor"),
        }
    });
    let client = Client::connect(server).await?;
    let items: Vec<_> = client.prompts().collect().await;
    assert_eq!(items.len(), 2);
    assert!(items[0].as_ref().is_ok_and(|prompt| prompt.name == "p"));
    assert!(
        items[1]
            .as_ref()
            .is_err_and(|error| error.kind() == ErrorKind::Rpc)
    );
    Ok(())
}

#[tokio::test]
async fn a_list_without_end_ends() -> Result<()> {
    let server = ScriptedServer::new().method("tools/list", |_| {
        Script::new().result(json!({"tools": [], "nextCursor": "again"}))
    });
    let log = server.log();
    let client = Client::connect(server).await?;
    let error = client.tools().all().await.expect_err("it goes in a circle");
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert_eq!(log.requests("tools/list").len(), 2);
    Ok(())
}

/// An empty cursor is a cursor like any other.
#[tokio::test]
async fn an_empty_cursor_is_followed() -> Result<()> {
    let server = ScriptedServer::new().method("prompts/list", |request| {
        let script = Script::new();
        match request.params().get("cursor") {
            None => script.result(json!({"prompts": [{"name": "p"}], "nextCursor": ""})),
            Some(_) => script.result(json!({"prompts": [{"name": "q"}]})),
        }
    });
    let client = Client::connect(server).await?;
    let prompts = client.prompts().all().await?;
    let names: Vec<_> = prompts.iter().map(|prompt| prompt.name.as_str()).collect();
    assert_eq!(names, ["p", "q"]);
    Ok(())
}

/// One page at a time, each with options of its own.
#[tokio::test]
async fn a_page_by_its_cursor() -> Result<()> {
    let server = five_of_each();
    let log = server.log();
    let client = Client::connect(server).await?;
    let first = client.list_tools().await?;
    let cursor = first.next_cursor.as_deref().unwrap();
    let token = "page-2";
    let second = client
        .list_tools()
        .cursor("overwritten")
        .cursor(cursor)
        .progress_token(token)
        .await?;
    let names: Vec<_> = second.tools.iter().map(|tool| &*tool.name).collect();
    assert_eq!(names, ["tool-3", "tool-4"]);
    let sent = &log.requests("tools/list")[1];
    assert_eq!(sent.params()["cursor"], json!(cursor));
    assert_eq!(sent.params()["_meta"]["progressToken"], json!(token));
    Ok(())
}
