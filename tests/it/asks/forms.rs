//! Forms: what the handler is given, defaults for every kind of field, and answers that do not fit.

use mcp_progress::Connect;
use mcp_progress::model::ElicitResult;
use serde_json::{Value, json};

use super::{ask, assert_error, connect};

const METHOD: &str = "elicitation/create";

fn form(properties: Value, required: Value) -> Value {
    let schema = json!({"type": "object", "properties": properties, "required": required});
    json!({"message": "{}", "requestedSchema": schema})
}

/// A handler that gives what the message says.
fn by_message(connect: Connect) -> Connect {
    connect.on_elicitation(|form, _context| async move {
        let content = serde_json::from_str(&form.message).expect("the message is an object");
        Ok(ElicitResult::accept_with(content))
    })
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_field_has_its_default() {
    let (client, mut peer) = connect(|connect| {
        connect.on_elicitation(|_form, _context| async { Ok(ElicitResult::accept()) })
    })
    .await;
    let titled = json!([{"const": "r", "title": "Red"}, {"const": "g", "title": "Green"}]);
    for (schema, default) in [
        (json!({"type": "string"}), json!("Ada")),
        (json!({"type": "string"}), json!("")),
        (
            json!({"type": "string", "format": "date"}),
            json!("2026-11-21"),
        ),
        (json!({"type": "integer", "minimum": 0}), json!(0)),
        (json!({"type": "integer"}), json!(9_007_199_254_740_991_i64)),
        (json!({"type": "number"}), json!(95.5)),
        (json!({"type": "number"}), json!(3)),
        (json!({"type": "boolean"}), json!(true)),
        (json!({"type": "boolean"}), json!(false)),
        (json!({"type": "string", "enum": ["r", "g"]}), json!("g")),
        (
            json!({"type": "string", "enum": ["r", "g"], "enumNames": ["Red", "Green"]}),
            json!("r"),
        ),
        (json!({"type": "string", "oneOf": titled}), json!("g")),
        (
            json!({"type": "array", "items": {"type": "string", "enum": ["r", "g"]}}),
            json!(["r", "g"]),
        ),
        (
            json!({"type": "array", "items": {"anyOf": titled}}),
            json!(["g"]),
        ),
        (
            json!({"type": "array", "items": {"anyOf": titled}}),
            json!([]),
        ),
        // Nothing that the specification knows; the server does.
        (json!({"type": "object"}), json!({"a": 1})),
    ] {
        let mut field = schema.clone();
        field["default"] = default.clone();
        // Required or not, the default stands.
        for required in [json!(["f"]), json!([])] {
            let params = form(json!({"f": field, "none": {"type": "string"}}), required);
            let reply = ask(&mut peer, METHOD, params).await;
            let result = json!({"action": "accept", "content": {"f": default}});
            assert_eq!(reply["result"], result, "{field}");
        }
    }
    assert_eq!(client.stats().diagnostics(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_the_user_filled_in_stays() {
    let (_client, mut peer) = connect(by_message).await;
    let properties = json!({
        "name": {"type": "string", "default": "Ada"},
        "age": {"type": "integer", "default": 36},
        "note": {"type": "string"},
    });
    for (filled, sent) in [
        (json!({}), json!({"name": "Ada", "age": 36})),
        (json!({"name": "", "age": 0}), json!({"name": "", "age": 0})),
        (
            // Emptied by the user.
            json!({"age": null, "note": null}),
            json!({"name": "Ada"}),
        ),
        (
            json!({"note": "n", "more": [1]}),
            json!({"name": "Ada", "age": 36, "note": "n", "more": [1]}),
        ),
    ] {
        let mut params = form(properties.clone(), json!(["name"]));
        params["message"] = filled.to_string().into();
        let reply = ask(&mut peer, METHOD, params).await;
        assert_eq!(reply["result"]["content"], sent, "{filled}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_is_not_sent() {
    let (client, mut peer) = connect(by_message).await;
    let titled = json!([{"const": "r", "title": "Red"}]);
    for (schema, wrong) in [
        (json!({"type": "string"}), json!(7)),
        (json!({"type": "string", "maxLength": 3}), json!("secret")),
        (json!({"type": "integer"}), json!(1.5)),
        (json!({"type": "integer"}), json!("1")),
        (json!({"type": "number", "minimum": 18}), json!(17.5)),
        (json!({"type": "boolean"}), json!("true")),
        (json!({"type": "string", "enum": ["r"]}), json!("secret")),
        (json!({"type": "string", "oneOf": titled}), json!("Red")),
        (
            json!({"type": "array", "items": {"enum": ["r"]}}),
            json!("r"),
        ),
        (
            json!({"type": "array", "items": {"anyOf": titled}}),
            json!(["secret"]),
        ),
        (
            json!({"type": "array", "minItems": 1, "items": {"enum": ["r"]}}),
            json!([]),
        ),
        // Emptied, although it must be filled in.
        (json!({"type": "string", "default": "d"}), json!(null)),
        (json!({"type": "string"}), json!(null)),
        // The server's default does not fit its own field, so that there is none.
        (json!({"type": "string", "default": 7}), json!(null)),
    ] {
        let mut params = form(json!({"f": schema}), json!(["f"]));
        params["message"] = json!({"f": wrong}).to_string().into();
        let reply = ask(&mut peer, METHOD, params).await;
        assert_error(&reply, -32603, "wrongly");
        assert!(!reply.to_string().contains("secret"), "{reply}");
    }
    assert!(!client.is_closed());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_where_the_user_does_not_accept() {
    let (_client, mut peer) = connect(|connect| {
        connect.on_elicitation(|form, _context| async move {
            let result = match form.message.as_str() {
                "decline" => ElicitResult::decline(),
                _ => ElicitResult::cancel(),
            };
            Ok(result.with("f", "half of a secret"))
        })
    })
    .await;
    for action in ["decline", "cancel"] {
        let mut params = form(
            json!({"f": {"type": "string", "default": "d"}}),
            json!(["f"]),
        );
        params["message"] = action.into();
        let reply = ask(&mut peer, METHOD, params).await;
        assert_eq!(reply["result"], json!({"action": action}));
    }
}

#[tokio::test(start_paused = true)]
async fn an_action_that_no_revision_knows_is_not_sent() {
    let (_client, mut peer) = connect(|connect| {
        connect.on_elicitation(|_form, _context| async {
            Ok(serde_json::from_value(json!({"action": "postpone"})).expect("a result"))
        })
    })
    .await;
    let reply = ask(&mut peer, METHOD, form(json!({}), json!([]))).await;
    assert_error(&reply, -32603, "unknown action");
}

#[tokio::test(start_paused = true)]
async fn the_handler_sees_the_form_in_the_servers_order() {
    let (_client, mut peer) = connect(|connect| {
        connect.on_elicitation(|form, _context| async move {
            let names = form
                .requested_schema
                .fields
                .iter()
                .map(|field| field.name.as_str());
            let names: Vec<_> = names.collect();
            Ok(ElicitResult::accept().with("order", names.join(" ")))
        })
    })
    .await;
    let schema =
        r#"{"type":"object","properties":{"z":{},"order":{"type":"string"},"a":{},"m":{}}}"#;
    let params = format!(r#"{{"message":"m","requestedSchema":{schema}}}"#);
    let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{METHOD}","params":{params}}}"#);
    peer.send_text(&(text + "\n")).await;
    assert_eq!(
        peer.next().await["result"]["content"],
        json!({"order": "z order a m"})
    );
}

#[tokio::test(start_paused = true)]
async fn params_of_another_form_are_refused() {
    let (client, mut peer) = connect(by_message).await;
    for params in [
        json!(null),
        json!({}),
        json!({"message": "m"}),
        json!({"message": 1, "requestedSchema": {}}),
        json!({"message": "m", "requestedSchema": []}),
        json!({"mode": "voice", "message": "m", "requestedSchema": {}}),
    ] {
        let reply = ask(&mut peer, METHOD, params.clone()).await;
        assert_error(&reply, -32602, "not of the form");
    }
    peer.send(&json!({"jsonrpc": "2.0", "id": 1, "method": METHOD}))
        .await;
    assert_error(&peer.next().await, -32602, "not of the form");
    assert!(!client.is_closed());
}
