//! Drives the server through its bytes with a client that knows nothing but lines.

mod asking;
mod client;
mod demo;
mod http_edges;
mod http_modern;
mod http_resume;
mod http_sessions;
mod http_wire;
mod protocol;
mod steps;
mod tasks;
mod tasks_2025;
mod tasks_http;
mod writes;
