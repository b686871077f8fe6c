//! The way of events, as they go it.

use crate::out::{self, line, plain};
use local_aws::StackEvent;
use serde_json::Value;
use simulator::{SlackRecorder, render};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedReceiver;

/// Prints what happens to events.
pub(crate) struct Way {
    events: UnboundedReceiver<StackEvent>,
    slack: Option<SlackRecorder>,
    /// How many of Slack's messages have been shown.
    shown: usize,
    last: Instant,
    started: Instant,
}

/// After a pause this long the next event begins a way of its own.
const PAUSE: Duration = Duration::from_secs(3);

impl Way {
    pub(crate) fn new(events: UnboundedReceiver<StackEvent>, slack: Option<SlackRecorder>) -> Self {
        let now = Instant::now();
        Self { events, slack, shown: 0, last: now, started: now }
    }

    /// Prints until a workflow has sent a message, or has failed for good.
    pub(crate) async fn first(&mut self) -> Result<(), out::Error> {
        self.started = Instant::now();
        while let Some(event) = self.events.recv().await {
            let ended = ends_at_slack(&event);
            self.print(event)?;
            if ended {
                // The other workflows take a moment more.
                while let Ok(Some(event)) =
                    tokio::time::timeout(Duration::from_millis(200), self.events.recv()).await
                {
                    self.print(event)?;
                }
                break;
            }
        }
        Ok(())
    }

    /// Prints until the stack ends.
    pub(crate) async fn follow(&mut self) -> Result<(), out::Error> {
        while let Some(event) = self.events.recv().await {
            if self.last.elapsed() > PAUSE {
                self.started = Instant::now();
                line!()?;
            }
            self.print(event)?;
        }
        Ok(())
    }

    fn print(&mut self, event: StackEvent) -> Result<(), out::Error> {
        self.last = Instant::now();
        if let Some((who, what)) = what_happened(&event) {
            line!("  {:>7.3} s  {who:<16} {}", self.started.elapsed().as_secs_f64(), plain(&what))?;
        }
        self.print_messages()
    }

    fn print_messages(&mut self) -> Result<(), out::Error> {
        let Some(slack) = &self.slack else { return Ok(()) };
        let messages = slack.messages();
        for message in messages.iter().skip(self.shown) {
            line!(
                "\n  ┌─ Slack #{} {}",
                message.channel_name,
                "─".repeat(67usize.saturating_sub(message.channel_name.len()))
            )?;
            for part in render(message).lines() {
                line!("  │ {}", plain(part))?;
            }
            line!("  └{}\n", "─".repeat(78))?;
        }
        self.shown = messages.len();
        Ok(())
    }
}

/// Who did what, in a line; nothing for what people need not see.
fn what_happened(event: &StackEvent) -> Option<(String, String)> {
    let (who, what) = match event {
        StackEvent::Answered { route, function, status, duration } => {
            (function, format!("answers {status} to {route} in {} ms", duration.as_millis()))
        }
        StackEvent::Published { detail_type, targets, .. } => {
            let queues = if targets.is_empty() { "no rule takes it".to_owned() } else { targets.join(", ") };
            return Some(("event bus".to_owned(), format!("{detail_type} → {queues}")));
        }
        StackEvent::Failed { function, reason } => (function, format!("gave no answer: {reason}")),
        StackEvent::DeadLettered { queue } => (queue, "got a message that was tried too often".to_owned()),
        StackEvent::Log { function, line } => return logged(function, line),
        _ => return None,
    };
    Some((who.clone(), what))
}

/// A function's own line: what came of an event, and whatever is wrong. Metrics are not for this screen.
fn logged(function: &str, line: &str) -> Option<(String, String)> {
    let Ok(fields) = serde_json::from_str::<Value>(line) else {
        return Some((function.to_owned(), line.to_owned()));
    };
    let text = |name: &str| fields[name].as_str().unwrap_or_default();
    if fields.get("_aws").is_some() {
        return None;
    }
    let what = match text("message") {
        "event accepted" => {
            format!(
                "{} accepted, event {}",
                text("event.name"),
                text("event.id").get(..12).unwrap_or_default()
            )
        }
        "test request answered" => "a test request".to_owned(),
        message => {
            let outcome = match text("outcome") {
                "" => message,
                "transient" => "failed for now, and is tried again",
                "permanent" => "failed for good, and waits in the dead-letter queue",
                "duplicate" => "was handled before",
                outcome => outcome,
            };
            let name = fields["event.name"].as_str().map(|name| format!("{name} ")).unwrap_or_default();
            let took = fields["duration_ms"].as_u64().map(|ms| format!(" ({ms} ms)")).unwrap_or_default();
            let reason = Some(text("reason")).filter(|reason| !reason.is_empty());
            let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("{name}{outcome}{reason}{took}")
        }
    };
    Some((function.to_owned(), what))
}

fn ends_at_slack(event: &StackEvent) -> bool {
    let StackEvent::Log { function, line } = event else { return false };
    let ended = [r#""message":"event handled""#, r#""message":"event failed for good""#];
    function == "notify-slack" && ended.iter().any(|message| line.contains(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(line: &str) -> Option<String> {
        logged("notify-slack", line).map(|(_, what)| what)
    }

    #[test]
    fn a_log_line_becomes_what_happened() {
        let handled = r#"{"message":"event handled","event.name":"SiteUpdated","outcome":"skipped","reason":"no rule","duration_ms":7}"#;
        assert_eq!(log(handled).unwrap(), "SiteUpdated skipped: no rule (7 ms)");
        let accepted =
            r#"{"message":"event accepted","event.name":"SiteUpdated","event.id":"0123456789abcdef"}"#;
        assert_eq!(log(accepted).unwrap(), "SiteUpdated accepted, event 0123456789ab");
        assert_eq!(log(r#"{"_aws":{},"Attempts":1}"#), None);
        assert_eq!(log("thread 'main' panicked").unwrap(), "thread 'main' panicked");
    }
}
