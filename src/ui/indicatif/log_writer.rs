//! Logs among bars.
//!
//! Owns the lines that are not whole yet. It must not know what is logged.

use std::io;

use super::stage::Stage;
use crate::sync::Arc;

/// More than this of one line is written before its end comes.
const LONGEST: usize = 64 * 1024;

/// Writes whole lines above the bars; made by [`Bars::log_writer`](super::bars::Bars::log_writer).
///
/// A line is written once its end is there, or when the writer is dropped; `flush` does not break lines. A clone has its own
/// line. It never fails.
#[derive(Debug)]
pub struct LogWriter {
    stage: Arc<Stage>,
    line: Vec<u8>,
}

impl LogWriter {
    pub(super) const fn new(stage: Arc<Stage>) -> Self {
        Self {
            stage,
            line: Vec::new(),
        }
    }

    fn print(&self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        self.stage
            .print(text.trim_end_matches(['\n', '\r']).to_owned());
    }
}

impl Clone for LogWriter {
    fn clone(&self) -> Self {
        Self::new(self.stage.clone())
    }
}

impl io::Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        let end = memchr::memrchr(b'\n', &self.line).map(|at| at + 1);
        let end = end.or_else(|| (self.line.len() > LONGEST).then_some(self.line.len()));
        if let Some(end) = end {
            let rest = self.line.split_off(end);
            let lines = std::mem::replace(&mut self.line, rest);
            self.print(&lines);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            self.print(&self.line);
        }
    }
}
