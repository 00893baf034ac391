//! The payloads against the shapes of the published schemas and against what real servers send.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::{
    annotations::{Annotations, Role},
    cache::CacheScope,
    capabilities::{ClientCapabilities, ServerCapabilities},
    completion::{CompleteResult, CompletionReference},
    content::ContentBlock,
    implementation::{Icon, Implementation},
    introduction::{DiscoverResult, InitializeResult},
    logging::{LogMessage, LoggingLevel},
    meta::Meta,
    pagination::Paginated,
    prompt::{GetPromptResult, ListPromptsResult},
    resource::{
        ListResourceTemplatesResult, ListResourcesResult, ReadResourceResult, Resource,
        ResourceContents,
    },
    schema::Schema,
    subscription::SubscriptionFilter,
    tool::{CallToolResult, ListToolsResult, Tool},
    version::ProtocolVersion,
};

/// Reads `wire`, writes it again, demands the same JSON, and gives what was read.
fn round_trip<T>(wire: Value) -> T
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let text = wire.to_string();
    let read: T = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), wire);
    let again: T = serde_json::from_value(wire).unwrap();
    assert_eq!(again, read);
    read
}

fn read<T: DeserializeOwned>(wire: Value) -> T {
    serde_json::from_str(&wire.to_string()).unwrap()
}

#[test]
fn versions_parse_print_and_order_by_date() {
    for pair in ProtocolVersion::ALL.windows(2) {
        assert!(pair[0] < pair[1]);
        assert!(pair[0].as_str() < pair[1].as_str());
    }
    for version in ProtocolVersion::ALL.iter().copied() {
        assert_eq!(version.to_string().parse(), Ok(version));
        assert_eq!(
            round_trip::<ProtocolVersion>(json!(version.as_str())),
            version
        );
        assert_eq!(version.is_modern(), version == ProtocolVersion::V2026_07_28);
    }
    assert_eq!(ProtocolVersion::ALL.last(), Some(&ProtocolVersion::LATEST));
    assert_eq!(ProtocolVersion::LATEST_HANDSHAKE.as_str(), "2025-11-25");
    assert!(!ProtocolVersion::LATEST_HANDSHAKE.is_modern());
}

#[test]
fn unknown_version_names_the_known_ones_and_is_cut() {
    let error = "2025-11-2".parse::<ProtocolVersion>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown protocol version \"2025-11-2\", known are 2024-11-05, 2025-03-26, 2025-06-18, \
         2025-11-25, 2026-07-28",
    );
    let flood = "é\n".repeat(10_000).parse::<ProtocolVersion>().unwrap_err();
    assert_eq!(flood.given().chars().count(), 40);
    assert!(!flood.to_string().contains('\n'));
    assert!(serde_json::from_str::<ProtocolVersion>("\"1.0\"").is_err());
    assert!(serde_json::from_str::<ProtocolVersion>("20251125").is_err());
}

#[test]
fn meta_knows_its_reserved_keys() {
    for key in [
        Meta::PROGRESS_TOKEN,
        Meta::PROTOCOL_VERSION,
        Meta::CLIENT_INFO,
        Meta::CLIENT_CAPABILITIES,
        Meta::LOG_LEVEL,
        Meta::SERVER_INFO,
        Meta::SUBSCRIPTION_ID,
        "io.modelcontextprotocol/of-the-future",
    ] {
        assert!(Meta::is_reserved(key), "{key}");
    }
    for key in [
        "",
        "traceparent",
        "progresstoken",
        "com.example/progressToken",
    ] {
        assert!(!Meta::is_reserved(key), "{key}");
    }
}

#[test]
fn meta_is_a_plain_object() {
    let mut meta = Meta::from_iter([("com.example/a", 1)]);
    assert_eq!(meta.insert("com.example/a", "two"), Some(json!(1)));
    assert_eq!(meta.get("com.example/a"), Some(&json!("two")));
    assert_eq!(
        serde_json::to_value(&meta).unwrap(),
        json!({"com.example/a": "two"})
    );
    assert_eq!(
        meta.iter().collect::<Vec<_>>(),
        [("com.example/a", &json!("two"))]
    );
    assert_eq!((meta.len(), meta.is_empty()), (1, false));
    assert_eq!(meta.remove("com.example/a"), Some(json!("two")));
    assert!(meta.is_empty());
    meta.extend([("x", true)]);
    assert_eq!(
        meta.into_map(),
        Map::from_iter([("x".to_owned(), json!(true))])
    );
    assert!(serde_json::from_str::<Meta>("[]").is_err());
}

#[test]
fn implementation_of_every_age() {
    let old: Implementation = round_trip(json!({"name": "srv", "version": "1"}));
    assert_eq!(old, Implementation::new("srv", "1"));
    assert_eq!(old.display_name(), "srv");
    let new: Implementation = round_trip(json!({
        "name": "srv", "version": "1.2", "title": "Server", "description": "Serves",
        "websiteUrl": "https://example.com",
        "icons": [{"src": "data:,", "mimeType": "image/png", "sizes": ["48x48"], "theme": "dark", "x": 1}],
        "vendor": {"deep": [1, 2]},
    }));
    assert_eq!(new.display_name(), "Server");
    assert_eq!(new.icons[0].other["x"], 1);
    assert_eq!(new.other["vendor"], json!({"deep": [1, 2]}));
    let built = Implementation::new("a", "b")
        .with_title("A")
        .with_description("d")
        .with_website_url("https://example.com")
        .with_icon(Icon::new("data:,"));
    assert_eq!(
        serde_json::to_value(built).unwrap(),
        json!({"name": "a", "version": "b", "title": "A", "description": "d",
               "websiteUrl": "https://example.com", "icons": [{"src": "data:,"}]}),
    );
}

#[test]
fn client_capabilities_are_written_exactly() {
    assert_eq!(
        serde_json::to_value(ClientCapabilities::default()).unwrap(),
        json!({})
    );
    let settings = Map::from_iter([("mimeTypes".to_owned(), json!(["text/html"]))]);
    let full = ClientCapabilities::default()
        .with_roots(true)
        .with_sampling()
        .with_elicitation_form()
        .with_elicitation_url()
        .with_extension("io.modelcontextprotocol/ui", settings)
        .with_experimental("x", Map::new());
    let wire = json!({
        "roots": {"listChanged": true}, "sampling": {}, "elicitation": {"form": {}, "url": {}},
        "extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html"]}},
        "experimental": {"x": {}},
    });
    assert_eq!(round_trip::<ClientCapabilities>(wire), full);
    let roots = ClientCapabilities::default().with_roots(false);
    assert_eq!(serde_json::to_value(roots).unwrap(), json!({"roots": {}}));
}

#[test]
fn server_capabilities_keep_what_they_do_not_know() {
    let read: ServerCapabilities = round_trip(json!({
        "logging": {}, "completions": {}, "prompts": {"listChanged": true},
        "resources": {"subscribe": true, "listChanged": true, "x": 1}, "tools": {},
        "tasks": {"list": {}, "requests": {"tools": {"call": {}}}},
        "extensions": {"com.example/e": {"v": 2}}, "experimental": {"e": {}}, "new": true,
    }));
    assert!(
        read.resources
            .as_ref()
            .is_some_and(|r| r.subscribe && r.list_changed)
    );
    assert!(read.tools.as_ref().is_some_and(|tools| !tools.list_changed));
    assert_eq!(read.extension("com.example/e"), Some(&json!({"v": 2})));
    assert_eq!(read.extension("com.example/f"), None);
    assert_eq!(read.other["new"], true);
}

#[test]
fn initialize_result_of_a_foreign_revision_is_read() {
    let result: InitializeResult = round_trip(json!({
        "protocolVersion": "2099-01-01", "capabilities": {"tools": {"listChanged": true}},
        "serverInfo": {"name": "s", "version": "0"}, "instructions": "Be kind.",
        "_meta": {"com.example/k": 1}, "extra": [],
    }));
    assert!(result.protocol_version.parse::<ProtocolVersion>().is_err());
    assert_eq!(result.server_info.name, "s");
    assert_eq!(result.other["extra"], json!([]));
}

#[test]
fn discover_result_finds_the_server_in_meta() {
    let result: DiscoverResult = round_trip(json!({
        "resultType": "complete", "supportedVersions": ["2026-07-28", "2027-01-01"],
        "capabilities": {"tools": {}, "resources": {}},
        "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "s", "version": "1.0.0"}},
        "instructions": "Ask for forecasts.", "ttlMs": 3_600_000, "cacheScope": "public",
        "protocolVersion": "2026-07-28",
    }));
    assert_eq!(
        result.server_info(),
        Some(Implementation::new("s", "1.0.0"))
    );
    assert_eq!(result.ttl_ms, Some(3_600_000));
    assert_eq!(result.cache_scope, Some(CacheScope::Public));
    assert_eq!(result.result_type.as_deref(), Some("complete"));
    let bare: DiscoverResult = round_trip(json!({"supportedVersions": [], "capabilities": {}}));
    assert_eq!(bare.server_info(), None);
    let bad =
        json!({"supportedVersions": [], "_meta": {"io.modelcontextprotocol/serverInfo": "me"}});
    assert_eq!(read::<DiscoverResult>(bad).server_info(), None);
}

#[test]
fn every_kind_of_content_keeps_its_type_and_its_extras() {
    let annotations = json!({
        "audience": ["user", "assistant", "critic"], "priority": 0.7,
        "lastModified": "2025-05-03T14:30:00Z", "tone": "dry",
    });
    let text = json!({"type": "text", "text": "hi", "annotations": annotations,
                      "_meta": {"k": 1}, "lang": "en"});
    let ContentBlock::Text(content) = round_trip(text) else {
        panic!("not text")
    };
    let Annotations {
        audience, other, ..
    } = content.annotations.unwrap();
    assert_eq!(
        audience,
        [
            Role::User,
            Role::Assistant,
            Role::Other("critic".to_owned())
        ]
    );
    assert_eq!(other["tone"], "dry");
    assert_eq!(
        (&content.other["lang"], content.other.len()),
        (&json!("en"), 1)
    );

    let image = json!({"type": "image", "data": "AA==", "mimeType": "image/png"});
    assert!(matches!(round_trip(image), ContentBlock::Image(i) if i.mime_type == "image/png"));
    let audio = json!({"type": "audio", "data": "AA==", "mimeType": "audio/wav"});
    assert!(matches!(round_trip(audio), ContentBlock::Audio(a) if a.data == "AA=="));
    let link = json!({"type": "resource_link", "uri": "file:///a", "name": "a", "size": 5});
    assert!(matches!(round_trip(link), ContentBlock::ResourceLink(r) if r.size == Some(5)));
    let embedded = json!({"type": "resource", "annotations": {"priority": 1.0},
                          "resource": {"uri": "file:///a", "mimeType": "text/x-rust", "text": "t"}});
    let ContentBlock::Resource(embedded) = round_trip(embedded) else {
        panic!("not embedded")
    };
    assert_eq!(embedded.resource.as_text(), Some("t"));
}

#[test]
fn strange_content_does_not_fail_a_result() {
    let result: CallToolResult = round_trip(json!({"content": [
        {"type": "text", "text": "one"},
        {"type": "video", "data": "AA==", "fps": 24},
        {"type": "image", "data": "AA=="},
        {"text": "without a type"},
        {"type": "text", "text": "two"},
    ]}));
    let unknown = |index: usize| matches!(result.content[index], ContentBlock::Unknown(_));
    assert_eq!(
        [0, 1, 2, 3, 4].map(unknown),
        [false, true, true, true, false]
    );
    assert_eq!(result.as_text().as_deref(), Some("one\ntwo"));
    assert_eq!(result.content[1].as_text(), None);
    let not_objects = json!({"content": ["text"]}).to_string();
    assert!(serde_json::from_str::<CallToolResult>(&not_objects).is_err());
}

#[test]
fn tool_result_reads_what_servers_leave_out() {
    assert_eq!(read::<CallToolResult>(json!({})), CallToolResult::default());
    let nulls = json!({"content": null, "structuredContent": null, "isError": null, "_meta": null,
                       "resultType": null});
    assert_eq!(read::<CallToolResult>(nulls), CallToolResult::default());
    let full: CallToolResult = round_trip(json!({
        "content": [], "structuredContent": [1, {"a": null}], "isError": true,
        "_meta": {"fastmcp": {"wrap": true}}, "resultType": "complete", "toolResult": 3,
    }));
    assert!(full.is_error);
    assert_eq!(full.structured_content, Some(json!([1, {"a": null}])));
    assert_eq!(full.other["toolResult"], 3);
    assert_eq!(full.as_text(), None);
    let failed = CallToolResult::from_error("no");
    assert_eq!(
        round_trip::<CallToolResult>(serde_json::to_value(&failed).unwrap()),
        failed
    );
    assert_eq!(failed.as_text().as_deref(), Some("no"));
}

#[test]
fn schemas_are_echoed_with_their_key_order_inside_a_page() {
    let schema = r#"{"type":"object","properties":{"z":{"type":"number","minimum":1.0},"a":{"maximum":1e400,"big":12345678901234567890123}},"$schema":"x","required":["z"]}"#;
    let output = r#"{ "z": 1,
        "a": [] }"#;
    let page = format!(
        r#"{{"nextCursor":"","tools":[{{"_meta":{{"k":1}},"inputSchema":{schema},"x-vendor":{{"b":1}},"name":"t","outputSchema":{output},"execution":{{"taskSupport":"optional"}},"annotations":{{"readOnlyHint":true,"title":"T"}}}}],"unknown":1}}"#
    );
    let result: ListToolsResult = serde_json::from_str(&page).unwrap();
    let tool = &result.tools[0];
    assert_eq!(tool.input_schema.as_str(), schema);
    assert_eq!(
        tool.output_schema.as_ref().map(Schema::as_str),
        Some(output)
    );
    assert_eq!(tool.other.len(), 2);
    assert_eq!(tool.other["execution"], json!({"taskSupport": "optional"}));
    assert_eq!(tool.other["x-vendor"], json!({"b": 1}));
    assert_eq!(tool.display_name(), "T");
    assert_eq!(result.other["unknown"], 1);
    assert_eq!(result.next_cursor(), Some(""));

    let echoed = serde_json::to_string(&result).unwrap();
    assert!(echoed.contains(&format!(r#""inputSchema":{schema}"#)));
    assert!(echoed.contains(&format!(r#""outputSchema":{output}"#)));
    assert_eq!(
        serde_json::from_str::<ListToolsResult>(&echoed).unwrap(),
        result
    );
    assert_eq!(result.clone().into_items(), result.tools);
}

#[test]
fn schema_compares_by_text_and_converts_to_a_value() {
    let schema = Schema::from_value(&json!({"type": "object"})).unwrap();
    assert_eq!(schema, Schema::parse(r#"{"type":"object"}"#).unwrap());
    let spaced = Schema::parse(r#"{"type": "object"}"#).unwrap();
    assert_ne!(schema, spaced);
    assert_eq!(schema.to_value().unwrap(), spaced.to_value().unwrap());
    assert_eq!(format!("{schema:?}"), r#"Schema({"type":"object"})"#);
    assert!(Schema::parse("{").is_err());
    let tool = Tool::new("t", schema);
    assert_eq!(
        serde_json::to_string(&tool).unwrap(),
        r#"{"name":"t","inputSchema":{"type":"object"}}"#,
    );
}

#[test]
fn hostile_schemas_give_an_error_and_no_panic() {
    let deep = format!(
        "{}{}",
        r#"{"not":"#.repeat(5_000),
        "1".to_owned() + &"}".repeat(5_000)
    );
    let page = format!(r#"{{"tools":[{{"name":"deep","inputSchema":{deep}}}]}}"#);
    let result: ListToolsResult = serde_json::from_str(&page).unwrap();
    assert_eq!(result.tools[0].input_schema.as_str(), deep);
    assert!(result.tools[0].input_schema.to_value().is_err());
}

#[test]
fn a_malformed_entry_fails_the_page_with_an_error() {
    for entry in [
        json!(null),
        json!(7),
        json!({"name": "t"}),
        json!({"inputSchema": {}}),
    ] {
        let page = json!({"tools": [entry]}).to_string();
        assert!(
            serde_json::from_str::<ListToolsResult>(&page).is_err(),
            "{page}"
        );
    }
    assert!(serde_json::from_str::<ListToolsResult>("{}").is_err());
}

#[test]
fn nulls_in_listed_items_read_as_absent() {
    let tools: ListToolsResult = read(
        json!({"nextCursor": null, "ttlMs": null, "cacheScope": null,
        "_meta": null, "tools": [{"name": "t", "title": null, "description": null, "inputSchema": {},
        "outputSchema": null, "annotations": null, "icons": null, "_meta": null}]}),
    );
    let bare = Tool::new("t", Schema::parse("{}").unwrap());
    assert_eq!(tools.next_cursor(), None);
    assert_eq!(tools.into_items(), [bare]);
    let resource: Resource = read(json!({"uri": "u", "name": "n", "size": null, "icons": null,
        "mimeType": null, "annotations": null}));
    assert_eq!(resource, Resource::new("u", "n"));
    let prompts: ListPromptsResult = read(json!({"prompts": [{"name": "p", "arguments": null}]}));
    assert!(prompts.prompts[0].arguments.is_empty());
    let capabilities: ServerCapabilities =
        read(json!({"tools": {"listChanged": null}, "logging": null, "prompts": null}));
    assert!(capabilities.tools.is_some_and(|tools| !tools.list_changed));
    assert!(capabilities.logging.is_none() && capabilities.prompts.is_none());
}

#[test]
fn counts_may_be_floats_and_hints_never_fail() {
    let size = |size: Value| read::<Resource>(json!({"uri": "", "name": "", "size": size})).size;
    assert_eq!(size(json!(1024.0)), Some(1024));
    assert_eq!(size(json!(7.9)), Some(7));
    assert_eq!(size(json!(-1)), None);
    assert_eq!(size(json!(1e300)), Some(u64::MAX));
    assert_eq!(size(json!(u64::MAX)), Some(u64::MAX));
    let ttl = |ttl: Value| read::<ReadResourceResult>(json!({"contents": [], "ttlMs": ttl})).ttl_ms;
    assert_eq!(ttl(json!(60_000.0)), Some(60_000));
    assert_eq!(ttl(json!(-5)), Some(0));
    assert_eq!(ttl(json!(null)), None);
}

#[test]
fn resources_and_templates_are_paged() {
    let resources: ListResourcesResult = round_trip(json!({
        "resultType": "complete", "nextCursor": "next", "ttlMs": 1, "cacheScope": "galactic",
        "resources": [{"uri": "file:///a", "name": "a", "title": "A", "description": "d",
                       "mimeType": "text/plain", "annotations": {"priority": 0.5}, "size": 9,
                       "icons": [{"src": "s"}], "_meta": {}, "etag": "e"}],
    }));
    assert_eq!(resources.next_cursor(), Some("next"));
    assert_eq!(
        resources.cache_scope,
        Some(CacheScope::Other("galactic".to_owned()))
    );
    assert_eq!(resources.into_items()[0].other["etag"], "e");
    let templates: ListResourceTemplatesResult = round_trip(json!({
        "resourceTemplates": [{"uriTemplate": "file:///{path}", "name": "files", "rank": 1}],
    }));
    assert_eq!(templates.next_cursor(), None);
    assert_eq!(templates.into_items()[0].uri_template, "file:///{path}");
}

#[test]
fn resource_contents_are_text_or_bytes_or_kept() {
    let result: ReadResourceResult = round_trip(json!({"contents": [
        {"uri": "a", "text": "t", "mimeType": "text/plain", "_meta": {"k": 1}, "x": 1},
        {"uri": "b", "blob": "AA=="},
        {"uri": "c", "stream": 5},
    ], "cacheScope": "private"}));
    let uris: Vec<_> = result
        .contents
        .iter()
        .filter_map(ResourceContents::uri)
        .collect();
    assert_eq!(uris, ["a", "b", "c"]);
    let texts: Vec<_> = result
        .contents
        .iter()
        .map(ResourceContents::as_text)
        .collect();
    assert_eq!(texts, [Some("t"), None, None]);
    let blobs: Vec<_> = result
        .contents
        .iter()
        .map(ResourceContents::as_blob)
        .collect();
    assert_eq!(blobs, [None, Some("AA=="), None]);
}

#[test]
fn prompts_round_trip() {
    let page: ListPromptsResult = round_trip(json!({"nextCursor": "n", "prompts": [{
        "name": "review", "title": "Review", "description": "d",
        "arguments": [{"name": "code", "description": "c", "required": true, "x": 1}, {"name": "o"}],
        "icons": [{"src": "s", "sizes": ["any"]}],
    }]}));
    assert_eq!(page.next_cursor(), Some("n"));
    let prompt = page.into_items().remove(0);
    let required: Vec<_> = prompt
        .arguments
        .iter()
        .map(|argument| argument.is_required())
        .collect();
    assert_eq!(required, [true, false]);
    let result: GetPromptResult = round_trip(json!({"resultType": "complete", "description": "d",
        "messages": [{"role": "user", "content": {"type": "text", "text": "hi"}, "x": 1},
                     {"role": "assistant", "content": {"type": "hologram"}}]}));
    assert_eq!(result.messages[0].role, Role::User);
    assert_eq!(result.messages[0].content.as_text(), Some("hi"));
    assert!(matches!(
        result.messages[1].content,
        ContentBlock::Unknown(_)
    ));
}

#[test]
fn completion_round_trips() {
    let prompt = CompletionReference::prompt("p");
    assert_eq!(
        round_trip::<CompletionReference>(json!({"type": "ref/prompt", "name": "p"})),
        prompt
    );
    let resource = CompletionReference::resource("file:///{p}");
    let wire = json!({"type": "ref/resource", "uri": "file:///{p}"});
    assert_eq!(round_trip::<CompletionReference>(wire), resource);
    let result: CompleteResult = round_trip(json!({"resultType": "complete", "completion": {
        "values": ["python", "pytorch"], "total": 10, "hasMore": true, "x": 1}}));
    assert_eq!(result.completion.total, Some(10));
    assert_eq!(result.completion.has_more, Some(true));
    let bare: CompleteResult = read(json!({"completion": {"values": null, "total": null}}));
    assert_eq!(bare, CompleteResult::default());
}

#[test]
fn log_messages_round_trip_and_levels_order_by_severity() {
    let message: LogMessage = round_trip(json!({"level": "error", "logger": "db",
        "data": {"error": "gone", "details": {"port": 5432}}, "_meta": {"k": 1}, "x": 1}));
    assert_eq!(message.level, LoggingLevel::Error);
    let bare: LogMessage = read(json!({"level": "info", "logger": null}));
    assert_eq!(bare, LogMessage::new(LoggingLevel::Info, Value::Null));
    for pair in LoggingLevel::ALL.windows(2) {
        assert!(pair[0] < pair[1]);
    }
    for level in LoggingLevel::ALL {
        assert_eq!(round_trip::<LoggingLevel>(json!(level.as_str())), *level);
    }
    assert!(serde_json::from_str::<LogMessage>(r#"{"level":"loud","data":1}"#).is_err());
}

#[test]
fn subscription_filter_asks_only_for_what_was_named() {
    assert_eq!(
        serde_json::to_value(SubscriptionFilter::new()).unwrap(),
        json!({})
    );
    assert!(SubscriptionFilter::new().is_empty());
    let filter = SubscriptionFilter::new()
        .with_tools()
        .with_prompts()
        .with_resources()
        .with_resource("file:///a")
        .with_resource("file:///b");
    assert!(!filter.is_empty());
    let wire = json!({"toolsListChanged": true, "promptsListChanged": true,
        "resourcesListChanged": true, "resourceSubscriptions": ["file:///a", "file:///b"]});
    assert_eq!(round_trip::<SubscriptionFilter>(wire), filter);
    let off: SubscriptionFilter =
        read(json!({"toolsListChanged": false, "resourceSubscriptions": null}));
    assert!(off.is_empty());
    assert!(!read::<SubscriptionFilter>(json!({"taskIds": ["t"]})).is_empty());
}
