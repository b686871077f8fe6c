//! A progress bar for a long replay, on standard error if that is a terminal.

use super::queue::count;
use crate::stack::{Stack, WorkflowQueues};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, stderr};

/// The progress bar is shown if there are more dead letters than this.
const LONG: u64 = 20;

/// A progress bar, or none.
#[derive(Debug)]
pub(super) struct Progress(Option<ProgressBar>);

impl Progress {
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Creates a bar for the dead letters of these workflows, if there are many and standard error is a terminal.
    pub(super) async fn over(stack: &Stack, workflows: &[&WorkflowQueues]) -> Self {
        if !stderr().is_terminal() {
            return Self::none();
        }
        let mut letters = 0;
        for queues in workflows {
            // Without the permission to count, the replay runs without a bar.
            letters += count(&stack.account, queues).await.unwrap_or_default();
        }
        Self::of(letters)
    }

    fn of(letters: u64) -> Self {
        if letters <= LONG {
            return Self::none();
        }
        let bar = ProgressBar::new(letters);
        let style = ProgressStyle::with_template("{wide_bar} {pos} of about {len}, {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self(Some(bar))
    }

    /// Adds dead letters that were processed to the bar.
    pub(super) fn add(&self, letters: usize) {
        if let Some(bar) = &self.0 {
            bar.inc(u64::try_from(letters).unwrap_or_default());
            // SQS updates its count only from time to time, so the bar's length may be too small.
            bar.set_length(bar.position().max(bar.length().unwrap_or_default()));
        }
    }

    /// Prints something above the bar.
    pub(super) fn beside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    pub(super) fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_replay_has_no_bar() {
        assert!(Progress::of(20).0.is_none());
        assert!(Progress::of(21).0.is_some());
    }

    #[test]
    fn a_bar_never_has_less_than_was_looked_at() {
        let progress = Progress::of(30);
        progress.add(10);
        assert_eq!(progress.0.as_ref().and_then(ProgressBar::length), Some(30));
        progress.add(25);
        assert_eq!(progress.0.as_ref().and_then(ProgressBar::length), Some(35));
    }
}
