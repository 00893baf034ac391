//! What it means when the server answers with a status of failure, or does not answer.
//!
//! Owns the words of these errors. It must not know which call they end.

use std::error::Error as StdError;
use std::io;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use rustls::CertificateError;

use crate::error::{Error, ErrorKind};

/// How much of a refusal's body an error shows.
const SHOWN: usize = 300;

/// The error for a status of failure whose body is no JSON-RPC message.
pub(crate) fn refused(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let mut text = format!("the server answered with HTTP status {status}");
    for (name, header) in [
        (LOCATION, "to"),
        (WWW_AUTHENTICATE, "and asks for"),
        (RETRY_AFTER, "and may be asked again after"),
    ] {
        let wanted = match name {
            LOCATION => status.is_redirection(),
            WWW_AUTHENTICATE => status == StatusCode::UNAUTHORIZED,
            _ => true,
        };
        if let Some(value) = headers.get(name).filter(|_| wanted) {
            let value = String::from_utf8_lossy(value.as_bytes());
            // A redirect may carry a secret in its query.
            let value = value.split(['?', '#']).next().unwrap_or_default();
            text.push_str(&format!(" {header} {}", shown(value)));
        }
    }
    let error = Error::new(ErrorKind::Http, text).with_status(status.as_u16());
    let body = shown(&String::from_utf8_lossy(body));
    let error = match hint(status) {
        Some(hint) => error.with_hint(hint),
        None => error,
    };
    error.with_detail((!body.is_empty()).then_some(body))
}

const fn hint(status: StatusCode) -> Option<&'static str> {
    Some(match status.as_u16() {
        300..=399 => {
            "a request with a body is sent on only by 307 and 308: connect to that address instead"
        }
        401 => {
            "give a valid token by `bearer`, `header` or `header_provider` (`--bearer-env` on the command line)"
        }
        403 => "the server knows who asks and refuses: another token or another scope is needed",
        404 => "there is no such MCP endpoint, or it is gone: check the path, which often is /mcp",
        405 | 406 | 415 => {
            "this address does not speak MCP over HTTP, or speaks an older revision of it"
        }
        407 => "the proxy wants credentials",
        413 => "the arguments are larger than the server takes",
        429 => "the server limits how often it is asked; wait and try again",
        500..=599 => {
            "the server, or a proxy before it, failed; whether the request was acted on is unknown"
        }
        _ => return None,
    })
}

/// Text of a server in one line, cut to a length that an error can show, without control characters.
fn shown(text: &str) -> String {
    let mut shown = String::new();
    for word in text.split_whitespace() {
        if !shown.is_empty() {
            shown.push(' ');
        }
        shown.extend(word.chars().filter(|c| !c.is_control()));
        if shown.len() > SHOWN {
            let end = (0..=SHOWN).rev().find(|end| shown.is_char_boundary(*end));
            shown.truncate(end.unwrap_or(0));
            shown.push('…');
            break;
        }
    }
    shown
}

/// The error of an exchange that failed below HTTP.
pub(crate) fn unreachable(error: reqwest::Error) -> Error {
    // The URL may carry a secret.
    let error = error.without_url();
    if let Some(fault) = certificate_fault(&error) {
        untrusted(fault).with_source(error)
    } else if error.is_connect() {
        Error::connect("the server cannot be reached")
            .with_source(error)
            .with_hint("the request was never written, so it can be sent again without harm")
    } else if error.is_builder() {
        Error::new(ErrorKind::InvalidInput, "the HTTP request cannot be made").with_source(error)
    } else {
        Error::connect("the connection to the server broke")
            .with_source(error)
            .with_hint("the request was written; whether the server acted on it is unknown")
    }
}

/// What is wrong with the server's certificate, where that is why there is no connection.
fn certificate_fault<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a CertificateError> {
    let mut next = Some(error);
    while let Some(error) = next {
        // An I/O error does not name as its cause what it was made of.
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        let tls = match inner {
            Some(inner) => inner.downcast_ref(),
            None => error.downcast_ref(),
        };
        if let Some(rustls::Error::InvalidCertificate(fault)) = tls {
            return Some(fault);
        }
        next = inner.map_or_else(|| error.source(), |inner| Some(inner));
    }
    None
}

fn untrusted(fault: &CertificateError) -> Error {
    // It may hold many names, as the server wrote them.
    let text = format!(
        "the server's certificate is refused: {}",
        shown(&fault.to_string())
    );
    let error = Error::connect(text);
    match fault {
        CertificateError::UnknownIssuer => error.with_hint(
            "to trust it, give it, or that of its authority, by `root_certificates` (`--cacert` on the command line)",
        ),
        _ => error,
    }
}
