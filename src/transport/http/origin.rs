//! Where a URL points to, and what of it may be shown.
//!
//! Owns the comparison of origins and the leaving out of secrets. It must not know what is sent there.

use std::fmt;

use reqwest::Url;

/// Whether two URLs have scheme, host and port in common, so that credentials for one may go to the other.
pub(crate) fn is_same(one: &Url, other: &Url) -> bool {
    // As `Url::origin` compares them, without making strings for it.
    one.scheme() == other.scheme()
        && one.host_str() == other.host_str()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// A URL for people: without user, password, query and fragment, any of which may be a secret.
pub(crate) struct Shown<'a>(pub(crate) &'a Url);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = self.0.origin().ascii_serialization();
        write!(f, "{origin}{}", self.0.path())?;
        f.write_str(if self.0.query().is_some() { "?…" } else { "" })
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Shown, is_same};
    use reqwest::Url;

    fn url(text: &str) -> Url {
        text.parse().expect("a URL")
    }

    #[test]
    fn origins_are_scheme_host_and_port() {
        let here = url("https://example.com/mcp");
        assert!(is_same(&here, &url("https://example.com:443/other?x=1")));
        assert!(is_same(&here, &url("https://EXAMPLE.com/")));
        for elsewhere in [
            "http://example.com/mcp",
            "https://example.com:8443/mcp",
            "https://mcp.example.com/mcp",
            "https://example.com.evil.net/mcp",
        ] {
            assert!(!is_same(&here, &url(elsewhere)), "{elsewhere}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = Shown(&url(
            "https://user:secret@example.com/mcp?key=secret#secret",
        ))
        .to_string();
        assert_eq!(shown, "https://example.com/mcp?…");
        assert!(!format!("{:?}", Shown(&url("https://u:secret@example.com/"))).contains("secret"));
    }
}
