//! Owns how a JSON-RPC message becomes a line. Must not know when lines are written.

use serde_json::{Value, json};

/// What a request is answered with.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Result(Value),
    /// The JSON text of a result, written as it is.
    Raw(String),
    Error {
        code: i64,
        message: String,
        data: Option<Value>,
    },
}

impl Answer {
    pub(crate) fn error(code: i64, message: impl Into<String>) -> Self {
        Self::Error {
            code,
            message: message.into(),
            data: None,
        }
    }
}

pub(crate) fn notification(method: &str, params: &Value) -> Vec<u8> {
    if params.is_null() {
        return line(&json!({"jsonrpc": "2.0", "method": method}));
    }
    line(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
}

/// A request to the client.
pub(crate) fn request(id: u64, method: &str, params: &Value) -> Vec<u8> {
    if params.is_null() {
        return line(&json!({"jsonrpc": "2.0", "id": id, "method": method}));
    }
    line(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
}

pub(crate) fn response(id: &Value, answer: &Answer) -> Vec<u8> {
    match answer {
        Answer::Result(result) => line(&json!({"jsonrpc": "2.0", "id": id, "result": result})),
        Answer::Raw(result) => {
            format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{result}}}\n").into_bytes()
        }
        Answer::Error {
            code,
            message,
            data,
        } => {
            let error = error(*code, message, data.as_ref());
            line(&json!({"jsonrpc": "2.0", "id": id, "error": error}))
        }
    }
}

/// The error object of a response.
pub(crate) fn error(code: i64, message: &str, data: Option<&Value>) -> Value {
    let mut error = json!({"code": code, "message": message});
    if let Some(data) = data {
        error["data"] = data.clone();
    }
    error
}

fn line(message: &Value) -> Vec<u8> {
    // A JSON text never holds a bare line break, so the frame ends at the one appended here.
    let mut line = message.to_string().into_bytes();
    line.push(b'\n');
    line
}
