//! A server that asks in the middle of a call: a form that the user fills in, a page to visit, and the call that goes on.
#![expect(clippy::print_stdout, reason = "a program may print")]

use mcp_progress::Client;
use mcp_progress::model::{ElicitForm, ElicitResult, FieldKind, Root};
use mcp_progress::testing::{Script, ScriptedServer};
use serde_json::json;

/// Shows a form as a terminal would, and fills in what has no default. Here the user is always the same.
fn fill_in(form: &ElicitForm) -> ElicitResult {
    println!("the server asks: {}", form.message);
    let mut result = ElicitResult::accept();
    for field in &form.requested_schema.fields {
        let mark = if field.required { "*" } else { "" };
        match (field.default(), field.kind()) {
            // Left out here: the client fills defaults in by itself.
            (Some(default), _) => println!("  {}{mark}: [{default}]", field.display_name()),
            (None, FieldKind::Choice(options)) => {
                let names: Vec<_> = options.iter().map(|option| option.display_name()).collect();
                println!("  {}{mark}: one of {names:?}", field.display_name());
                if let Some(first) = options.first() {
                    result = result.with(&field.name, first.value.as_str());
                }
            }
            (None, _) => {
                println!("  {}{mark}: Ada", field.display_name());
                result = result.with(&field.name, "Ada");
            }
        }
    }
    result
}

#[tokio::main]
async fn main() -> mcp_progress::Result<()> {
    let client = Client::connect(server())
        // The client tells the server that it can show forms and pages, because there are handlers for them.
        .on_elicitation(|form, _context| async move { Ok(fill_in(&form)) })
        .on_url_elicitation(|page, _context| async move {
            println!("the server asks: {} ({})", page.message, page.url);
            // Opened only with the user's consent, and this one has none to give.
            Ok(ElicitResult::decline())
        })
        .roots([Root::new("file:///work").named("work")])
        .await?;

    // The call needs to know nothing of it. Its idle clock stands still while the user thinks.
    let result = client
        .call_tool("order", json!({}))
        .on_progress(|update| println!("{update}"))
        .await?;
    println!("{}", result.as_text().unwrap_or_default());
    client.close().await;
    Ok(())
}

fn server() -> ScriptedServer {
    let form = json!({"message": "What may it be?", "requestedSchema": {"type": "object", "properties": {
        "name": {"type": "string", "title": "Your name"},
        "cup": {"type": "string", "oneOf": [{"const": "s", "title": "Small"}, {"const": "l", "title": "Large"}]},
        "sugar": {"type": "integer", "default": 1},
    }, "required": ["name", "cup"]}});
    let page = json!({
        "mode": "url", "message": "Pay here", "url": "https://example.com/pay",
    });
    ScriptedServer::new().tool("order", move |_| {
        let script = Script::new().progress(1, 3);
        let script = script.ask("form", "elicitation/create", form.clone());
        let script = script
            .progress(2, 3)
            .ask("page", "elicitation/create", page.clone());
        script.progress(3, 3).then_with(|answers| {
            let (order, paid) = (answers.content("form"), &answers.get("page")["action"]);
            Script::new().text(format!("ordered {order}, paying: {paid}"))
        })
    })
}
