//! A request as it came off the wire.
//!
//! Owns its parsing, which is as strict as a test needs. It must not know what is answered.

use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// One HTTP request of the client.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    /// The message in the body; null where there is none.
    pub(crate) json: Value,
    /// How many requests of the same kind there were before this one.
    pub(crate) nth: usize,
}

impl Got {
    /// The value of a header whose name is given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(other, _)| other == name);
        header.map(|(_, value)| value.as_str())
    }

    /// The JSON-RPC method of what is posted, `response` for an answer; else the HTTP method.
    pub(crate) fn kind(&self) -> &str {
        match (self.json["method"].as_str(), &*self.method) {
            (Some(method), _) => method,
            (None, "POST") => "response",
            (None, method) => method,
        }
    }

    /// Which tool is called.
    pub(crate) fn tool(&self) -> &str {
        self.json["params"]["name"].as_str().unwrap_or_default()
    }

    pub(crate) fn token(&self) -> &Value {
        &self.json["params"]["_meta"]["progressToken"]
    }

    /// The next request on a connection; nothing at its end.
    pub(super) async fn read(stream: &mut TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        let head = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            if stream.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        };
        let text = str::from_utf8(&bytes[..head]).expect("a client writes ASCII");
        let mut lines = text.split("\r\n");
        let mut request = lines.next().expect("a request line").split(' ');
        let mut word = || request.next().expect("three words").to_owned();
        let (method, path) = (word(), word());
        let headers: Vec<_> = lines
            .map(|line| line.split_once(": ").expect("a header"))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = length.map_or(0, |(_, length)| length.parse().expect("a length"));
        let mut body = bytes.split_off(head + 4);
        while body.len() < length {
            if stream.read_buf(&mut body).await.ok()? == 0 {
                return None;
            }
        }
        let json = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body).expect("a client posts JSON")
        };
        Some(Self {
            method,
            path,
            headers,
            json,
            nth: 0,
        })
    }
}
