//! The payloads of requests of the server against the shapes of the published schemas.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    annotations::Role,
    elicitation::{
        ElicitAction, ElicitForm, ElicitRequest, ElicitResult, ElicitUrl, ElicitationComplete,
        UrlElicitationRequired,
    },
    form::{FormField, FormSchema},
    root::{ListRootsResult, Root},
    sampling::{
        CreateMessageRequest, CreateMessageResult, IncludeContext, SamplingContent,
        SamplingMessage, StopReason, ToolChoiceMode, ToolResultContent, ToolUseContent,
    },
};
use crate::jsonrpc::ErrorObject;

/// Reads `wire` from text and from a value, writes it again, and demands the same JSON.
fn round_trip<T>(wire: Value) -> T
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let read: T = serde_json::from_str(&wire.to_string()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), wire);
    let again: T = serde_json::from_value(wire).unwrap();
    assert_eq!(again, read);
    read
}

#[test]
fn a_question_is_a_form_unless_it_says_otherwise() {
    let schema =
        json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]});
    for wire in [
        json!({"message": "m", "requestedSchema": schema}),
        json!({"mode": "form", "message": "m", "requestedSchema": schema, "task": {"ttl": 1}}),
        json!({"message": "m", "requestedSchema": schema, "_meta": {"progressToken": 1}}),
    ] {
        let ElicitRequest::Form(form) = round_trip(wire.clone()) else {
            panic!("{wire} is no form");
        };
        assert_eq!(
            form.requested_schema.fields,
            [FormField::text("a").required()]
        );
        assert_eq!(form.meta.is_some(), wire.get("_meta").is_some());
    }
    let null = json!({"mode": null, "message": "m", "requestedSchema": schema});
    assert!(matches!(
        serde_json::from_value(null),
        Ok(ElicitRequest::Form(_))
    ));

    let pages = [
        json!({"mode": "url", "message": "m", "url": "https://a.example/", "elicitationId": "e"}),
        json!({"mode": "url", "message": "m", "url": "https://a.example/", "vendor": 1}),
    ];
    for wire in pages {
        let request: ElicitRequest = round_trip(wire.clone());
        assert_eq!(request.message(), "m");
        let ElicitRequest::Url(url) = request else {
            panic!("{wire} is no page");
        };
        assert_eq!(
            url.elicitation_id.as_deref(),
            wire["elicitationId"].as_str()
        );
    }

    for wire in [
        json!({"mode": "voice", "message": "m", "requestedSchema": schema}),
        json!({"mode": 1, "message": "m", "requestedSchema": schema}),
        json!({"mode": "url", "message": "m"}),
        json!({"message": "m"}),
        json!({"requestedSchema": schema}),
        json!(null),
        json!([]),
    ] {
        assert!(
            serde_json::from_str::<ElicitRequest>(&wire.to_string()).is_err(),
            "{wire}"
        );
    }
}

#[test]
fn questions_can_be_made() {
    let form = ElicitForm::new("m", FormSchema::new().with(FormField::boolean("b")));
    assert_eq!(
        serde_json::to_value(ElicitRequest::Form(form)).unwrap(),
        json!({"message": "m", "requestedSchema": {"type": "object", "properties": {"b": {"type": "boolean"}}}})
    );
    assert_eq!(
        serde_json::to_value(ElicitUrl::new("m", "https://a.example/")).unwrap(),
        json!({"mode": "url", "message": "m", "url": "https://a.example/"})
    );
}

#[test]
fn answers_to_questions() {
    for (result, wire) in [
        (ElicitResult::accept(), json!({"action": "accept"})),
        (
            ElicitResult::accept()
                .with("s", "x")
                .with("l", vec!["a", "b"]),
            json!({"action": "accept", "content": {"s": "x", "l": ["a", "b"]}}),
        ),
        (ElicitResult::decline(), json!({"action": "decline"})),
        (ElicitResult::cancel(), json!({"action": "cancel"})),
    ] {
        assert_eq!(round_trip::<ElicitResult>(wire), result);
    }
    let odd: ElicitResult = round_trip(json!({"action": "postpone", "vendor": 1}));
    assert_eq!(odd.action, ElicitAction::Other("postpone".to_owned()));
    let null: ElicitResult =
        serde_json::from_value(json!({"action": "cancel", "content": null})).unwrap();
    assert_eq!(null, ElicitResult::cancel());
}

#[test]
fn pages_that_must_be_visited_first() {
    let done: ElicitationComplete = round_trip(json!({"elicitationId": "e", "more": 1}));
    assert_eq!(done.elicitation_id, "e");

    let page =
        json!({"mode": "url", "message": "m", "url": "https://a.example/", "elicitationId": "e"});
    let mut error = ErrorObject::new(-32042, "first");
    assert_eq!(UrlElicitationRequired::of(&error), None);
    error.data = Some(json!({"elicitations": [page], "more": 1}));
    let required = UrlElicitationRequired::of(&error).expect("the data of such an error");
    assert_eq!(
        required.elicitations[0].elicitation_id.as_deref(),
        Some("e")
    );
    round_trip::<UrlElicitationRequired>(json!({"elicitations": [page]}));
    // Some servers leave the mode out; there is only one.
    error.data = Some(json!({"elicitations": [{"message": "m", "url": "https://a.example/"}]}));
    assert!(UrlElicitationRequired::of(&error).is_some());
    error.data = Some(json!({"elicitations": [{"message": "m"}]}));
    assert_eq!(UrlElicitationRequired::of(&error), None);
    error.data = Some(json!({"elicitations": []}));
    error.code = -32000;
    assert_eq!(UrlElicitationRequired::of(&error), None);
}

#[test]
fn a_request_to_a_model_with_everything() {
    let wire = json!({
        "messages": [
            {"role": "user", "content": {"type": "text", "text": "Weather?"}},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "u1", "name": "w", "input": {"city": "Oslo"}, "_meta": {"a": 1}},
                {"type": "tool_use", "id": "u2", "name": "w", "input": {}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "toolUseId": "u1", "content": [{"type": "text", "text": "9"}],
                    "structuredContent": {"t": 9}},
                {"type": "tool_result", "toolUseId": "u2", "content": [], "isError": true},
            ]},
            {"role": "user", "content": {"type": "image", "data": "AA==", "mimeType": "image/png"}},
            {"role": "user", "content": {"type": "audio", "data": "AA==", "mimeType": "audio/wav"}, "_meta": {"b": 2}},
            {"role": "user", "content": {"type": "smell", "of": "rain"}},
        ],
        "modelPreferences": {
            "hints": [{"name": "sonnet", "vendor": 1}], "costPriority": 0.5, "speedPriority": 0.25,
            "intelligencePriority": 1.0,
        },
        "systemPrompt": "Be brief.", "includeContext": "thisServer", "temperature": 0.5, "maxTokens": 100,
        "stopSequences": ["."], "metadata": {"user": 1},
        "tools": [{"name": "w", "inputSchema": {"type": "object"}}],
        "toolChoice": {"mode": "required"}, "task": {"ttl": 5}, "_meta": {"progressToken": "p"},
    });
    let request: CreateMessageRequest = round_trip(wire);
    assert_eq!(request.include_context, Some(IncludeContext::ThisServer));
    let choice = request.tool_choice.and_then(|choice| choice.mode);
    assert_eq!(choice, Some(ToolChoiceMode::Required));
    assert_eq!(request.messages[0].content[0].as_text(), Some("Weather?"));
    let [SamplingContent::ToolUse(used), _] = &request.messages[1].content[..] else {
        panic!("{:?}", request.messages[1]);
    };
    assert_eq!(
        (used.id.as_str(), &used.input["city"]),
        ("u1", &json!("Oslo"))
    );
    let [
        SamplingContent::ToolResult(first),
        SamplingContent::ToolResult(second),
    ] = &request.messages[2].content[..]
    else {
        panic!("{:?}", request.messages[2]);
    };
    assert_eq!((first.is_error, second.is_error), (false, true));
    assert!(matches!(
        request.messages[5].content[..],
        [SamplingContent::Unknown(_)]
    ));
    assert_eq!(request.tools.expect("tools")[0].name, "w");
}

#[test]
fn a_sloppy_request_to_a_model_is_read() {
    let wire = json!({
        "messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}],
        "maxTokens": 10.0, "stopSequences": null, "includeContext": "universe", "modelPreferences": {"hints": null},
        "tools": null, "temperature": null,
    });
    let request: CreateMessageRequest = serde_json::from_str(&wire.to_string()).unwrap();
    assert_eq!(request.max_tokens, Some(10));
    assert_eq!(request.tools, None);
    let odd = IncludeContext::Other("universe".to_owned());
    assert_eq!(request.include_context, Some(odd));
    // A single block is written as before 2025-11-25.
    let again = serde_json::to_value(&request).unwrap();
    assert_eq!(
        again["messages"][0]["content"],
        json!({"type": "text", "text": "a"})
    );
    for wire in [
        json!({}),
        json!({"messages": [{"role": "user"}]}),
        json!({"messages": [{"role": "user", "content": "text"}]}),
    ] {
        assert!(
            serde_json::from_value::<CreateMessageRequest>(wire.clone()).is_err(),
            "{wire}"
        );
    }
}

#[test]
fn what_a_model_said() {
    let result = CreateMessageResult::text("m-1", "Nine.").with_stop_reason(StopReason::EndTurn);
    let wire = json!({
        "role": "assistant", "content": {"type": "text", "text": "Nine."}, "model": "m-1", "stopReason": "endTurn",
    });
    assert_eq!(round_trip::<CreateMessageResult>(wire), result);

    let input = json!({"city": "Oslo"}).as_object().cloned().unwrap();
    let uses = ["u1", "u2"]
        .map(|id| SamplingContent::ToolUse(ToolUseContent::new(id, "w", input.clone())));
    let result = CreateMessageResult::new("m-1", uses).with_stop_reason(StopReason::ToolUse);
    let used =
        |id: &str| json!({"type": "tool_use", "id": id, "name": "w", "input": {"city": "Oslo"}});
    let wire = json!({
        "role": "assistant", "content": [used("u1"), used("u2")], "model": "m-1", "stopReason": "toolUse",
    });
    assert_eq!(round_trip::<CreateMessageResult>(wire), result);

    let odd: CreateMessageResult = round_trip(
        json!({"role": "assistant", "content": [], "model": "m", "stopReason": "moderated"}),
    );
    assert_eq!(
        odd.stop_reason,
        Some(StopReason::Other("moderated".to_owned()))
    );
}

#[test]
fn conversations_can_be_made() {
    let result = ToolResultContent::new("u1", [super::content::ContentBlock::text("9")]);
    let message = SamplingMessage::new(Role::User, [SamplingContent::ToolResult(result)]);
    let request = CreateMessageRequest::new([SamplingMessage::text(Role::User, "a"), message], 7);
    assert_eq!(
        serde_json::to_value(&request).unwrap(),
        json!({
            "messages": [
                {"role": "user", "content": {"type": "text", "text": "a"}},
                {"role": "user", "content":
                    {"type": "tool_result", "toolUseId": "u1", "content": [{"type": "text", "text": "9"}]}},
            ],
            "maxTokens": 7,
        })
    );
}

#[test]
fn roots_are_listed() {
    let wire = json!({"roots": [{"uri": "file:///a", "name": "A"}, {"uri": "file:///b", "_meta": {"c": 1}, "d": 2}]});
    let listed: ListRootsResult = round_trip(wire);
    assert_eq!(listed.roots[0], Root::new("file:///a").named("A"));
    assert_eq!(
        serde_json::to_value(ListRootsResult::new([])).unwrap(),
        json!({"roots": []})
    );
}
