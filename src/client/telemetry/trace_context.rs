//! The trace that a request belongs to, as it is told to the server.
//!
//! Owns the three members of `_meta`, and what their values may be (W3C Trace Context, W3C Baggage). It must not know
//! where they come from.

use serde_json::{Map, Value};

/// The longest values that every system passes on, in bytes (W3C Trace Context, "tracestate Limits"; W3C Baggage,
/// "Limits").
const TRACESTATE_BYTES: usize = 512;
const BAGGAGE_BYTES: usize = 8192;

/// The most members of a `tracestate`.
const TRACESTATE_MEMBERS: usize = 32;

/// The trace that a request belongs to, to be filled in by the hook of
/// [`Connect::trace_context`](crate::Connect::trace_context).
///
/// Each goes into the request's `_meta` under its own name (revision 2026-07-28, "OpenTelemetry trace context"; earlier
/// revisions say nothing against it).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceContext {
    /// Trace and span (W3C Trace Context, "traceparent"): `00-<32 hex digits>-<16 hex digits>-<flags>`.
    pub traceparent: Option<String>,
    /// What tracing systems add (W3C Trace Context, "tracestate"): at most 32 members and 512 bytes. Not sent without
    /// `traceparent`.
    pub tracestate: Option<String>,
    /// What goes along with the trace (W3C Baggage): at most 8,192 bytes.
    pub baggage: Option<String>,
}

impl TraceContext {
    /// Adds what is valid and what the caller has not set. A `traceparent` of the caller's keeps this `tracestate` out,
    /// which would be that of another trace.
    pub(super) fn put_into(self, meta: &mut Map<String, Value>) {
        if !meta.contains_key("traceparent") {
            let parent = valid("traceparent", self.traceparent, is_traceparent);
            let state = valid("tracestate", self.tracestate, is_tracestate);
            match (parent, state) {
                (Some(parent), state) => {
                    meta.insert("traceparent".to_owned(), parent.into());
                    if let Some(state) = state {
                        meta.entry("tracestate").or_insert_with(|| state.into());
                    }
                }
                (None, Some(_)) => {
                    tracing::warn!("`tracestate` is not sent without a valid `traceparent`");
                }
                (None, None) => {}
            }
        }
        if let Some(baggage) = valid("baggage", self.baggage, is_baggage) {
            meta.entry("baggage").or_insert_with(|| baggage.into());
        }
    }
}

fn valid(name: &str, value: Option<String>, is_valid: fn(&str) -> bool) -> Option<String> {
    let value = value?;
    if is_valid(&value) {
        return Some(value);
    }
    // The value may be a secret of whoever made it.
    let bytes = value.len();
    tracing::warn!(
        name,
        bytes,
        "a trace context of the wrong form or size is not sent"
    );
    None
}

/// W3C Trace Context, "traceparent Header Field Values" and "Versioning of traceparent".
fn is_traceparent(value: &str) -> bool {
    let hex = |part: &str, digits: usize| {
        part.len() == digits
            && part
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let id = |part: &str, digits: usize| hex(part, digits) && part.bytes().any(|byte| byte != b'0');
    let mut parts = value.splitn(5, '-');
    let (Some(version), Some(trace), Some(parent), Some(flags)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    // Versions to come may add more; the one that there is does not.
    let more = parts.next();
    let ends = more.is_none_or(|more| version != "00" && is_printable(more));
    hex(version, 2) && version != "ff" && id(trace, 32) && id(parent, 16) && hex(flags, 2) && ends
}

/// W3C Trace Context, "tracestate Header Field Values".
fn is_tracestate(value: &str) -> bool {
    let is_key = |key: &str| {
        let first = key
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let rest = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-*/@".contains(&byte)
        };
        first && key.len() <= 256 && key.bytes().all(rest)
    };
    let is_value = |value: &str| {
        !value.is_empty() && value.len() <= 256 && is_printable(value) && !value.contains('=')
    };
    let members = value.split(',').map(trimmed);
    let members: Vec<&str> = members.filter(|member| !member.is_empty()).collect();
    value.len() <= TRACESTATE_BYTES
        && (1..=TRACESTATE_MEMBERS).contains(&members.len())
        && members
            .iter()
            .all(|member| is_pair(member, is_key, is_value))
}

/// W3C Baggage, "baggage HTTP Header Format".
fn is_baggage(value: &str) -> bool {
    let is_property = |property: &str| {
        is_token(property) || is_pair(property, |key| is_token(trimmed(key)), is_baggage_value)
    };
    let is_member = |member: &str| {
        let mut parts = member.split(';').map(trimmed);
        let pair = parts.next().unwrap_or_default();
        is_pair(pair, |key| is_token(trimmed(key)), is_baggage_value) && parts.all(is_property)
    };
    value.len() <= BAGGAGE_BYTES && value.split(',').map(trimmed).all(is_member)
}

fn is_pair(text: &str, is_key: impl Fn(&str) -> bool, is_value: impl Fn(&str) -> bool) -> bool {
    text.split_once('=')
        .is_some_and(|(key, value)| is_key(key) && is_value(value))
}

fn is_baggage_value(value: &str) -> bool {
    trimmed(value)
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte))
}

/// A token as HTTP has it.
fn is_token(text: &str) -> bool {
    let mark = |byte| b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || mark(byte))
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}
