//! A page that a server wants its user to visit.
//!
//! Owns how it is shown, where it leads, and the user's word on it. Nothing here opens or fetches it. It must not know
//! terminals.

use std::fmt::Write as _;

use mcp_progress::model::{ElicitResult, ElicitUrl};
use reqwest::Url;

/// An address that may be visited.
#[derive(Debug)]
pub(crate) struct Page {
    url: Url,
    host: String,
}

impl Page {
    /// Reads the address as browsers do.
    ///
    /// Fails with the reason why nobody should be sent there.
    pub(crate) fn new(asked: &ElicitUrl) -> Result<Self, String> {
        let url =
            Url::parse(&asked.url).map_err(|error| format!("the address is none: {error}"))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(format!(
                "the address is of the kind {:?}, which is no page",
                url.scheme()
            ));
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        Ok(Self { url, host })
    }

    /// The whole address in its normal form: ASCII only, and what a browser would make of it.
    pub(crate) fn address(&self) -> &str {
        self.url.as_str()
    }

    /// Whether it belongs to one of these hosts.
    pub(crate) fn is_of(&self, hosts: &[String]) -> bool {
        hosts
            .iter()
            .any(|host| host.eq_ignore_ascii_case(&self.host))
    }

    /// The address, where it leads, and what should make one think.
    pub(crate) fn described(&self) -> String {
        let mut text = format!("  {}\n  host: {}", self.address(), self.host);
        let mut warn = |what: &str| {
            let _ = write!(text, "\n  ! {what}");
        };
        if self.url.scheme() == "http" && !is_local(&self.host) {
            warn("not encrypted: others on the way can read and change the page");
        }
        if !self.url.username().is_empty() || self.url.password().is_some() {
            warn("what stands before the @ is a user name, and not where the address leads");
        }
        if self.host.split('.').any(|label| label.starts_with("xn--")) {
            warn("the host's name has letters that may look like others");
        }
        text
    }

    /// The user's word: yes, no, or neither where the line is not understood.
    pub(crate) fn hear(line: Option<&str>) -> Option<ElicitResult> {
        let Some(line) = line else {
            return Some(ElicitResult::cancel());
        };
        match line.trim().to_lowercase().as_str() {
            "y" | "yes" => Some(ElicitResult::accept()),
            "" | "n" | "no" | ":d" => Some(ElicitResult::decline()),
            ":c" => Some(ElicitResult::cancel()),
            _ => None,
        }
    }
}

fn is_local(host: &str) -> bool {
    host == "localhost" || host == "[::1]" || host.starts_with("127.")
}

#[cfg(test)]
mod tests {
    use mcp_progress::model::{ElicitAction, ElicitUrl};

    use super::Page;

    fn page(url: &str) -> Result<Page, String> {
        Page::new(&ElicitUrl::new("m", url))
    }

    #[test]
    fn the_host_is_that_of_a_browser() {
        for (url, host) in [
            ("https://example.com/a?b#c", "example.com"),
            ("https://bank.com@evil.example:8443/x", "evil.example"),
            ("https://good.example\\@evil.example/", "good.example"),
            ("HTTPS://EXAMPLE.com", "example.com"),
            ("http://127.0.0.1:3000/", "127.0.0.1"),
        ] {
            assert_eq!(page(url).unwrap().host, host, "{url}");
        }
        assert!(
            page("https://example.com/a")
                .unwrap()
                .is_of(&["Example.COM".to_owned()])
        );
        assert!(
            !page("https://a.example.com/")
                .unwrap()
                .is_of(&["example.com".to_owned()])
        );
    }

    #[test]
    fn nobody_is_sent_to_what_is_no_page() {
        for url in [
            "javascript:alert(1)",
            "file:///etc/passwd",
            "example.com/a",
            "https://",
            "",
        ] {
            assert!(page(url).is_err(), "{url}");
        }
    }

    #[test]
    fn what_looks_odd_is_said() {
        let said = |url: &str| page(url).unwrap().described();
        assert!(!said("https://example.com/a").contains('!'));
        assert!(!said("http://localhost:1/").contains('!'));
        assert!(said("http://example.com/").contains("not encrypted"));
        assert!(said("https://bank.com@evil.example/").contains("user name"));
        let foreign = said("https://ex\u{e4}mple.com/\u{202e}");
        assert!(
            foreign.contains("look like others") && foreign.is_ascii(),
            "{foreign}"
        );
    }

    #[test]
    fn enter_is_a_no() {
        let action = |line| Page::hear(line).map(|result| result.action);
        assert_eq!(action(Some("y")), Some(ElicitAction::Accept));
        assert_eq!(action(Some("")), Some(ElicitAction::Decline));
        assert_eq!(action(Some(":c")), Some(ElicitAction::Cancel));
        assert_eq!(action(None), Some(ElicitAction::Cancel));
        assert_eq!(action(Some("what?")), None);
    }
}
