//! Owns the record of one HTTP request. Must not know how it is served.

use std::fmt;

/// One HTTP request that the server received, whatever became of it.
///
/// ```
/// use mcp_progress::testing::ScriptedServer;
///
/// # let server = ScriptedServer::new();
/// for request in server.log().http_requests() {
///     assert_ne!(request.status(), 406, "{request:?} accepts too little");
///     assert!(request.header("accept").is_some());
/// }
/// ```
#[derive(Clone)]
pub struct HttpRequest {
    pub(crate) connection: usize,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) status: u16,
}

impl HttpRequest {
    /// The connection it came on: 0 for the first one that the server served, 1 for the second.
    pub fn connection(&self) -> usize {
        self.connection
    }

    /// The method in capitals, for example `POST`.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path and, behind a `?`, the query.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// All headers in their order, the names in lower case. Bytes that are not UTF-8 are replaced.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// The status of the response; 0 where the connection was closed without one.
    pub fn status(&self) -> u16 {
        self.status
    }
}

/// Without the headers, which may carry credentials.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "#{} {} {} {}",
            self.connection, self.method, self.target, self.status
        )
    }
}
