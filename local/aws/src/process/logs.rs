//! What a process writes, line by line.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{ChildStderr, ChildStdout};
use tokio::sync::mpsc::UnboundedSender;

/// A line a function wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// The function's name.
    pub function: String,
    /// The line, without its end.
    pub line: String,
}

/// How many lines are kept.
const KEPT: usize = 10_000;

#[derive(Debug)]
pub(super) struct Logs {
    function: String,
    lines: Mutex<VecDeque<String>>,
    sender: Option<UnboundedSender<LogLine>>,
}

impl Logs {
    pub(super) fn new(function: String, sender: Option<UnboundedSender<LogLine>>) -> Self {
        Self { function, lines: Mutex::default(), sender }
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn push(&self, line: String) {
        if let Some(sender) = &self.sender {
            // There may be no listener left.
            let _ = sender.send(LogLine { function: self.function.clone(), line: line.clone() });
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// Reads both streams until they end.
    pub(super) fn follow(self: &Arc<Self>, stdout: Option<ChildStdout>, stderr: Option<ChildStderr>) {
        if let Some(stream) = stdout {
            tokio::spawn(Arc::clone(self).read(stream));
        }
        if let Some(stream) = stderr {
            tokio::spawn(Arc::clone(self).read(stream));
        }
    }

    async fn read(self: Arc<Self>, stream: impl AsyncRead + Unpin) {
        let mut reader = BufReader::new(stream);
        let mut bytes = Vec::new();
        // Bytes that are not UTF-8 are no reason to stop reading: the process would block on a full pipe.
        while reader.read_until(b'\n', &mut bytes).await.is_ok_and(|read| read > 0) {
            self.push(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned());
            bytes.clear();
        }
    }
}
