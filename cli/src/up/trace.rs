//! Prints what happens to events while it happens.

use super::documents::Documents;
use super::frames::Frames;
use crate::out::{self, line, plain};
use crate::timer_words;
use alerting::TimerSubject;
use jiff::Zoned;
use jiff::tz::TimeZone;
use local_aws::{Aws, StackEvent};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedReceiver;
use workflow::SharedMessage;

/// Finds the names of events' objects in the delivery records. The functions' log lines do not contain names.
pub(crate) struct Names {
    pub(crate) aws: Aws,
    pub(crate) table: String,
    /// When messages of groups and digests are due; nothing where that cannot be read.
    pub(crate) documents: Option<Documents>,
    /// The workflows that the rules name.
    pub(crate) workflows: BTreeSet<String>,
}

/// Prints what happens to events.
pub(crate) struct Trace {
    events: UnboundedReceiver<StackEvent>,
    names: Names,
    frames: Frames,
    last: Instant,
}

/// The result of the first event.
#[derive(Debug, PartialEq)]
pub(crate) enum First {
    /// Its message was sent, or no message will be sent.
    Ended,
    /// The event is part of a group or digest, whose message comes later. The text names it.
    Grouped(String),
}

/// The time of day in the lines, in the time zone of this machine.
const CLOCK: &str = "%H:%M:%S%.3f";
/// When a message is due, to the second.
const DUE: &str = "%H:%M:%S";

/// How long the workflows that the rules name may take after another one has skipped the event.
const LONGEST_WORK: Duration = Duration::from_secs(10);

/// An empty line is printed after a pause this long.
const PAUSE: Duration = Duration::from_secs(3);

impl Trace {
    pub(crate) fn new(events: UnboundedReceiver<StackEvent>, names: Names, frames: Frames) -> Self {
        Self { events, names, frames, last: Instant::now() }
    }

    /// Prints until the event's message was sent, a group or digest has it, or it has failed permanently.
    pub(crate) async fn first(&mut self) -> Result<First, out::Error> {
        let mut longest = Duration::MAX;
        while let Ok(Some(event)) = tokio::time::timeout(longest, self.events.recv()).await {
            let is_idle = self.names.is_idle(&event);
            let end = end(&event);
            self.print(event).await?;
            if is_idle {
                // Those that the rules name take longer. If they do not get this event, nothing else comes.
                longest = LONGEST_WORK;
            } else if let Some(end) = end {
                // The other workflows need a moment more.
                while let Ok(Some(event)) =
                    tokio::time::timeout(Duration::from_millis(200), self.events.recv()).await
                {
                    self.print(event).await?;
                }
                return Ok(end);
            }
        }
        Ok(First::Ended)
    }

    /// Prints until the stack stops.
    pub(crate) async fn follow(&mut self) -> Result<(), out::Error> {
        while let Some(event) = self.events.recv().await {
            if self.last.elapsed() > PAUSE {
                line!()?;
            }
            self.print(event).await?;
        }
        Ok(())
    }

    async fn print(&mut self, event: StackEvent) -> Result<(), out::Error> {
        self.last = Instant::now();
        let at = Zoned::now().strftime(CLOCK);
        if self.names.is_idle(&event) {
            return self.print_frames();
        }
        if let Some((who, what)) = what_happened(&event, &|function, id| self.names.of(function, id)) {
            let due = self.names.due(&event).await.unwrap_or_default();
            line!("  {at}  {who:<16} {}{due}", plain(&what))?;
        }
        self.print_frames()
    }

    fn print_frames(&mut self) -> Result<(), out::Error> {
        for (title, text) in self.frames.fresh() {
            frame(&title, &text)?;
        }
        Ok(())
    }
}

impl Names {
    /// The name of the object that an event is about, from the workflow's delivery record.
    fn of(&self, workflow: &str, event_id: &str) -> Option<String> {
        let key = json!({ "pk": { "S": format!("delivery#{workflow}#{event_id}") }, "sk": { "S": "-" } });
        let item = self.aws.item(&self.table, &key)?;
        item["resource_name"]["S"].as_str().filter(|name| !name.is_empty()).map(str::to_owned)
    }

    /// Whether a workflow that the rules do not name skipped an event. People need not see this for each event.
    fn is_idle(&self, event: &StackEvent) -> bool {
        let StackEvent::Log { function, line } = event else { return false };
        if self.workflows.contains(function) {
            return false;
        }
        serde_json::from_str::<Value>(line).is_ok_and(|fields| {
            let reason = fields["reason"].as_str().unwrap_or_default();
            fields["outcome"] == "skipped" && reason.starts_with("no rule ")
        })
    }

    /// When the message of a group or digest is due, as the end of a line about an event of it, or about its timer.
    async fn due(&self, event: &StackEvent) -> Option<String> {
        let StackEvent::Log { function, line } = event else { return None };
        let fields =
            serde_json::from_str::<Value>(line).ok().filter(|fields| fields["outcome"] == "skipped")?;
        let messages = match fields["timer.key"].as_str().map(TimerSubject::of_key) {
            Some(Some(TimerSubject::Message(message))) => vec![message],
            Some(_) => return None,
            None if is_grouped(&fields) => SharedMessage::named_in(fields["reason"].as_str()?),
            None => return None,
        };
        let due = self.documents.as_ref()?.due(function, &messages).await?;
        Some(format!("; its message is due at {}", due.to_zoned(TimeZone::system()).strftime(DUE)))
    }
}

/// Prints a message in a frame.
fn frame(title: &str, text: &str) -> Result<(), out::Error> {
    line!("\n  ┌─ {title} {}", "─".repeat(74usize.saturating_sub(title.chars().count())))?;
    for part in text.lines() {
        line!("  │ {}", plain(part))?;
    }
    line!("  └{}\n", "─".repeat(78))
}

/// A function that finds the name of an event's object by workflow and event id.
type NameOf<'a> = &'a dyn Fn(&str, &str) -> Option<String>;

/// What happened, as one line with its source; `None` for what people need not see.
fn what_happened(event: &StackEvent, name_of: NameOf<'_>) -> Option<(String, String)> {
    let (who, what) = match event {
        StackEvent::Answered { route, function, status, duration } => {
            (function, format!("answers {status} to {route} in {} ms", duration.as_millis()))
        }
        StackEvent::Published { detail_type, targets, .. } => {
            let queues =
                if targets.is_empty() { "no rule matches it".to_owned() } else { targets.join(", ") };
            return Some(("event bus".to_owned(), format!("{detail_type} → {queues}")));
        }
        StackEvent::Failed { function, reason } => (function, format!("gave no answer: {reason}")),
        StackEvent::RecursionStopped { function } => {
            (function, "not invoked: it invoked itself 16 times, and has no RecursiveLoop: Allow".to_owned())
        }
        StackEvent::DeadLettered { queue } => (queue, "received a message".to_owned()),
        StackEvent::Log { function, line } => return logged(function, line, name_of),
        _ => return None,
    };
    Some((who.clone(), what))
}

/// A function's log line about the outcome of an event, or about an error. Metrics are not printed.
fn logged(function: &str, line: &str, name_of: NameOf<'_>) -> Option<(String, String)> {
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
        "rules read" => {
            let (version, rules) = (&fields["rules.version"], &fields["rules"]);
            format!("follows version {version} of the rules: {rules} in all")
        }
        "the rules of the deploy are in force" => {
            format!("version {} of the rules is in force", fields["rules.version"])
        }
        // A metric's own line.
        "counted" => return None,
        "test request answered" => "a test request".to_owned(),
        "sweep ended" if text("outcome") == "skipped" => "hourly sweep: nothing is overdue".to_owned(),
        "sweep ended" => "hourly sweep done".to_owned(),
        message => {
            let outcome = match text("outcome") {
                "" => message,
                "transient" => "failed temporarily and will be tried again",
                "permanent" => "failed permanently; it is in the dead-letter queue",
                "duplicate" => "duplicate, handled before",
                outcome => outcome,
            };
            let outcome = if is_grouped(&fields) { "grouped" } else { outcome };
            let about = about(function, &fields, name_of);
            let took = fields["duration_ms"].as_u64().map(|ms| format!(" ({ms} ms)")).unwrap_or_default();
            let end = match text("reason") {
                "" => outcome.to_owned(),
                reason if outcome == "grouped" && reason.starts_with("grouped ") => reason.to_owned(),
                reason => format!("{outcome}: {reason}"),
            };
            format!("{about}{end}{took}")
        }
    };
    Some((function.to_owned(), what))
}

/// What a log line is about: an event with its object's name and its id, or a timer.
fn about(function: &str, fields: &Value, name_of: NameOf<'_>) -> String {
    let text = |name: &str| fields[name].as_str().filter(|text| !text.is_empty());
    if let Some(key) = text("timer.key") {
        return format!("{}: ", timer_words::sentence(key));
    }
    let Some(event) = text("event.name") else { return String::new() };
    let Some(id) = text("event.id") else { return format!("{event} ") };
    let of = name_of(function, id).map(|name| format!(" of {}", plain(&name))).unwrap_or_default();
    format!("{event}{of}, event {}: ", id.get(..12).unwrap_or(id))
}

/// Whether an event's last log line says that a group or digest contains the event. Its message comes later.
fn is_grouped(fields: &Value) -> bool {
    let reason = fields["reason"].as_str().unwrap_or_default();
    fields["outcome"] == "skipped" && SharedMessage::has_event(reason)
}

/// How an event ended, if this is its end.
fn end(event: &StackEvent) -> Option<First> {
    let StackEvent::Log { function, line } = event else { return None };
    let fields = serde_json::from_str::<Value>(line).ok().filter(|_| function == "notify-slack")?;
    let text = |name: &str| fields[name].as_str().unwrap_or_default();
    match text("message") {
        "event handled" if is_grouped(&fields) => Some(First::Grouped(text("reason").to_owned())),
        "event handled" | "event failed permanently" => Some(First::Ended),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::vendors::Vendors;
    use super::*;

    fn log(line: &str) -> Option<String> {
        let name_of = |workflow: &str, id: &str| {
            let is_known = workflow == "notify-slack" && id.starts_with("0123");
            is_known.then(|| "Sales\u{1b}[2J Orders".to_owned())
        };
        logged("notify-slack", line, &name_of).map(|(_, what)| what)
    }

    #[test]
    fn a_log_line_becomes_what_happened() {
        let handled = r#"{"message":"event handled","event.name":"SiteUpdated","event.id":"ffff456789abcdef","outcome":"skipped","reason":"no rule","duration_ms":7}"#;
        assert_eq!(log(handled).unwrap(), "SiteUpdated, event ffff456789ab: skipped: no rule (7 ms)");
        let accepted =
            r#"{"message":"event accepted","event.name":"SiteUpdated","event.id":"0123456789abcdef"}"#;
        assert_eq!(log(accepted).unwrap(), "SiteUpdated accepted, event 0123456789ab");
        assert_eq!(log(r#"{"_aws":{},"Attempts":1}"#), None);
        assert_eq!(log("thread 'main' panicked").unwrap(), "thread 'main' panicked");
    }

    #[test]
    fn a_line_names_the_events_object_and_its_id_and_a_timers_group_and_channel() {
        let line = |reason: &str| {
            let fields = r#""event.name":"SiteUpdated","event.id":"0123456789abcdef","outcome":"skipped""#;
            log(&format!(r#"{{"message":"event handled",{fields},"reason":"{reason}","duration_ms":7}}"#))
                .unwrap()
        };
        let event = "SiteUpdated of Sales Orders, event 0123456789ab: ";
        let grouped = "grouped with other events of its kind: group 64c87bd200d1 in data-news";
        assert_eq!(line(grouped), format!("{event}{grouped} (7 ms)"));
        let digest = "in the digest of the quiet hours until 2026-11-29T07:00:00Z in data-news";
        assert_eq!(line(digest), format!("{event}grouped: {digest} (7 ms)"));
        let timer = r#"{"message":"timer handled","timer.key":"group#notify-slack#data-news#0123456789ab","outcome":"done","reason":"","duration_ms":7}"#;
        assert_eq!(log(timer).unwrap(), "timer of group 0123456789ab in data-news: done (7 ms)");
        let sweep = r#"{"message":"sweep ended","outcome":"skipped"}"#;
        assert_eq!(log(sweep).unwrap(), "hourly sweep: nothing is overdue");
    }

    #[test]
    fn an_event_ends_with_its_message_or_is_grouped() {
        let end =
            |line: &str| end(&StackEvent::Log { function: "notify-slack".to_owned(), line: line.to_owned() });
        assert_eq!(end(r#"{"message":"event handled","outcome":"done"}"#), Some(First::Ended));
        assert_eq!(
            end(r#"{"message":"event failed permanently","outcome":"permanent"}"#),
            Some(First::Ended)
        );
        for reason in
            ["grouped with its failure: group 1 in c", "in the digest of the quiet hours until 07:00"]
        {
            let grouped = format!(r#"{{"message":"event handled","outcome":"skipped","reason":"{reason}"}}"#);
            assert_eq!(end(&grouped), Some(First::Grouped(reason.to_owned())));
        }
        let known = "recorded with its incident, which needs no new message now";
        let known = format!(r#"{{"message":"event handled","outcome":"skipped","reason":"{known}"}}"#);
        assert_eq!(end(&known), Some(First::Ended));
        assert_eq!(end(r#"{"message":"event failed temporarily","outcome":"transient"}"#), None);
        assert_eq!(
            end(r#"{"message":"another worker handles the event; its message comes back","outcome":"busy"}"#),
            None
        );
        assert_eq!(end(r#"{"message":"timer handled","outcome":"done"}"#), None);
    }

    #[tokio::test]
    async fn an_event_that_a_workflow_skips_is_told_only_where_the_rules_name_the_workflow() {
        let aws = Aws::start().await.unwrap();
        let workflows = BTreeSet::from(["notify-slack".to_owned()]);
        let names = Names { aws: aws.clone(), table: String::new(), documents: None, workflows };
        let line = |function: &str, reason: &str| StackEvent::Log {
            function: function.to_owned(),
            line: json!({ "message": "event handled", "outcome": "skipped", "reason": reason }).to_string(),
        };
        assert!(names.is_idle(&line("send-email", "no rule matches this SiteUpdated")));
        assert!(!names.is_idle(&line("notify-slack", "no rule matches this SiteUpdated")));
        assert!(!names.is_idle(&line("send-email", "the event is too old")));

        let (sender, events) = tokio::sync::mpsc::unbounded_channel();
        let nothing = Vendors {
            slack: None,
            teams: None,
            servicenow: None,
            pagerduty: None,
            twilio: None,
            graph: None,
            receivers: None,
        };
        let mut trace = Trace::new(events, names, Frames::new(nothing, aws));
        let grouped = "grouped with its failure: group 1 in c";
        sender.send(line("send-email", "no rule matches this SiteUpdated")).unwrap();
        sender.send(line("notify-slack", grouped)).unwrap();
        assert_eq!(trace.first().await.unwrap(), First::Grouped(grouped.to_owned()));
    }

    #[test]
    fn a_dead_letter_is_not_said_to_have_been_tried_often() {
        let refused = StackEvent::DeadLettered { queue: "NotifySlackDeadLetters".to_owned() };
        assert_eq!(what_happened(&refused, &|_, _| None).unwrap().1, "received a message");
    }
}
