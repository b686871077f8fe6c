//! Collects what a function's process writes, line by line.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{ChildStderr, ChildStdout};
use tokio::sync::mpsc::UnboundedSender;

/// A line that a function wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// The function's name.
    pub function: String,
    /// The text of the line, without the line end.
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
            // The listener may have been dropped.
            let _ = sender.send(LogLine { function: self.function.clone(), line: line.clone() });
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// Reads standard output and standard error until both end.
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
        // Keep reading after bytes that are not UTF-8: otherwise the process would block on a full pipe.
        while reader.read_until(b'\n', &mut bytes).await.is_ok_and(|read| read > 0) {
            self.push(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned());
            bytes.clear();
        }
    }
}
