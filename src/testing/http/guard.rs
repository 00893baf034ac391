//! Owns who may speak to a server that is meant for this machine only. Must not know MCP.
//! Source: 2026-07-28 `basic/transports/streamable-http`, "Security & Endpoint".

use hyper::header::{HOST, HeaderMap, ORIGIN};
use hyper::http::uri::Authority;
use hyper::{StatusCode, Uri};
use std::net::IpAddr;

/// Why the request is turned away, if it is: a page of another site must not reach this server through the browser of
/// its user, not even under a name that resolves to this machine.
pub(crate) fn refusal(headers: &HeaderMap, uri: &Uri, origins: &[String]) -> Option<StatusCode> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    // HTTP/2 names the host in the request's own address.
    let host = uri.authority().map(|authority| authority.as_str());
    let Some(host) = host.or_else(|| text(HOST)) else {
        return Some(StatusCode::BAD_REQUEST);
    };
    if !is_loopback(host) {
        return Some(StatusCode::FORBIDDEN);
    }
    let origin = text(ORIGIN)?;
    let local = origin
        .split_once("://")
        .is_some_and(|(_, authority)| is_loopback(authority));
    let allowed = local || origins.iter().any(|known| known == origin);
    (!allowed).then_some(StatusCode::FORBIDDEN)
}

/// Whether the host names this machine, whatever the port.
fn is_loopback(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else {
        return false;
    };
    let host = authority.host().trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}
