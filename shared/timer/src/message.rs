//! The message of a timer.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The only key of a timer's message: `{"timer":{…}}`. A stored event has this key only if it also has an event name:
/// the ingress stores any other body with this key as unreadable.
pub const KEY: &str = "timer";

/// The message that comes back to a workflow when a timer fires. Before the caller sets the timer, it writes `key`,
/// `due` and `generation` into a document. A timer that does not match the document is out of date.
///
/// No two timers have the same message: a new decision increments `generation`, and a message that came early
/// increments `hops`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerMessage {
    /// The key of the document that the timer belongs to, such as `group#notify-slack#finance-data`.
    pub key: String,
    /// When the timer is due.
    pub due: Timestamp,
    /// The number of this timer among the document's timers: only the newest counts.
    pub generation: u64,
    /// How often the message arrived early and was sent again for the remaining time.
    pub hops: u32,
}

/// The error that a message looks like a timer's and cannot be read as one. Its texts do not repeat the message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotATimer {
    /// The message is not JSON.
    #[error("not JSON, at line {line}, column {column}")]
    NotJson {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A field is missing.
    #[error("{field}: missing")]
    Missing {
        /// The field's path.
        field: &'static str,
    },
    /// A field has a wrong type or format.
    #[error("{field}: expected {expected}, found {found}")]
    Unexpected {
        /// The field's path.
        field: &'static str,
        /// What the field must contain.
        expected: &'static str,
        /// The kind of value that was found.
        found: &'static str,
    },
}

/// Whether a queue message belongs to a timer and not to an event: an object with [`KEY`] and without `event_type`.
pub fn is_timer(body: &str) -> bool {
    // A quick text search first: almost all messages are events, and they need not be parsed here.
    body.contains(KEY)
        && serde_json::from_str(body).is_ok_and(|value: Value| {
            value.as_object().is_some_and(|body| {
                body.contains_key(KEY) && body.get("event_type").is_none_or(Value::is_null)
            })
        })
}

impl TimerMessage {
    /// Creates a timer whose message has not arrived early yet.
    pub fn new(key: impl Into<String>, due: Timestamp, generation: u64) -> Self {
        Self { key: key.into(), due, generation, hops: 0 }
    }

    /// The same timer with one more hop, to be set again after its message arrived early.
    #[must_use]
    pub fn again(&self) -> Self {
        Self { hops: self.hops.saturating_add(1), ..self.clone() }
    }

    /// The text of the timer's message: `{"timer":{"due":"…","generation":…,"hops":…,"key":"…"}}`.
    pub fn to_json(&self) -> String {
        let Self { key, due, generation, hops } = self;
        let fields = json!({ "key": key, "due": due.to_string(), "generation": generation, "hops": hops });
        // EventBridge Scheduler replaces `<aws.scheduler.…>` in a schedule's input, and SQS refuses U+FFFE and
        // U+FFFF. In JSON these can only be inside strings, where they may be escaped.
        //
        // Source: <https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html>
        let json = json!({ KEY: fields }).to_string();
        json.replace('<', "\\u003c").replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
    }

    /// Reads a timer's message. Unknown fields are ignored.
    ///
    /// # Errors
    /// [`NotATimer`], which names the field and does not repeat its value.
    pub fn parse(body: &str) -> Result<Self, NotATimer> {
        let value: Value = serde_json::from_str(body)
            .map_err(|error| NotATimer::NotJson { line: error.line(), column: error.column() })?;
        let body = object("body", &value)?;
        let timer = object("timer", body.get(KEY).ok_or(NotATimer::Missing { field: "timer" })?)?;
        let key = required(timer, "timer.key")?;
        let key = key.as_str().filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| unexpected("timer.key", "a string that is not empty", &timer["key"]))?;
        let due = required(timer, "timer.due")?;
        let due = due.as_str().and_then(|due| due.parse().ok());
        let due = due.ok_or_else(|| unexpected("timer.due", "a time with its offset", &timer["due"]))?;
        let generation = required(timer, "timer.generation")?.as_u64();
        let generation = generation.ok_or_else(|| {
            unexpected("timer.generation", "a whole number from 0 on", &timer["generation"])
        })?;
        let hops = required(timer, "timer.hops")?.as_u64().and_then(|hops| u32::try_from(hops).ok());
        let hops =
            hops.ok_or_else(|| unexpected("timer.hops", "a whole number below 2^32", &timer["hops"]))?;
        Ok(Self { key: key.to_owned(), due, generation, hops })
    }
}

fn object<'a>(field: &'static str, value: &'a Value) -> Result<&'a Map<String, Value>, NotATimer> {
    value.as_object().ok_or_else(|| unexpected(field, "a JSON object", value))
}

/// Returns a field by its path; the last part of the path is the field's name.
fn required<'a>(timer: &'a Map<String, Value>, field: &'static str) -> Result<&'a Value, NotATimer> {
    let name = field.rsplit('.').next().unwrap_or(field);
    timer.get(name).ok_or(NotATimer::Missing { field })
}

fn unexpected(field: &'static str, expected: &'static str, value: &Value) -> NotATimer {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "another number",
        Value::String(text) if text.is_empty() => "an empty string",
        Value::String(_) => "another string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    NotATimer::Unexpected { field, expected, found }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;
    use proptest::prelude::*;

    const BODY: &str = r#"{"timer":{"due":"2026-11-28T22:00:00Z","generation":7,"hops":0,"key":"group#notify-slack#finance"}}"#;

    fn timer() -> TimerMessage {
        TimerMessage::new("group#notify-slack#finance", "2026-11-28T22:00:00Z".parse().unwrap(), 7)
    }

    #[test]
    fn a_timer_is_written_as_documented() {
        assert_eq!(timer().to_json(), BODY);
        assert!(is_timer(BODY));
    }

    #[test]
    fn each_arming_has_another_body() {
        let timer = timer();
        let bodies = [
            timer.to_json(),
            timer.again().to_json(),
            timer.again().again().to_json(),
            TimerMessage { generation: 8, ..timer.clone() }.to_json(),
        ];
        let different: std::collections::BTreeSet<&String> = bodies.iter().collect();
        assert_eq!(different.len(), bodies.len());
    }

    #[test]
    fn fields_of_a_later_version_are_left_out() {
        let body = r#"{"later":1,"timer":{"due":"2026-11-28T23:00:00+01:00","generation":7,"hops":0,"key":"group#notify-slack#finance","zone":"x"}}"#;
        assert_eq!(TimerMessage::parse(body), Ok(timer()));
    }

    #[test]
    fn an_error_names_the_field_and_does_not_repeat_its_value() {
        let with = |field: &str, value: Value| {
            let mut body: Value = serde_json::from_str(BODY).unwrap();
            match value {
                Value::Null => drop(body["timer"].as_object_mut().unwrap().remove(field)),
                value => body["timer"][field] = value,
            }
            body.to_string()
        };
        for (body, expected) in [
            ("hunter2".to_owned(), "not JSON, at line 1, column 1"),
            ("[\"hunter2\"]".to_owned(), "body: expected a JSON object, found an array"),
            ("{\"hunter2\":1}".to_owned(), "timer: missing"),
            (r#"{"timer":"hunter2"}"#.to_owned(), "timer: expected a JSON object, found another string"),
            (with("key", Value::Null), "timer.key: missing"),
            (with("key", json!("")), "timer.key: expected a string that is not empty, found an empty string"),
            (
                with("key", json!(["hunter2"])),
                "timer.key: expected a string that is not empty, found an array",
            ),
            (
                with("due", json!(1_795_000_000)),
                "timer.due: expected a time with its offset, found another number",
            ),
            (
                with("due", json!("2026-11-28T22:00:00")),
                "timer.due: expected a time with its offset, found another string",
            ),
            (with("generation", Value::Null), "timer.generation: missing"),
            (
                with("generation", json!("7")),
                "timer.generation: expected a whole number from 0 on, found another string",
            ),
            (
                with("generation", json!(-1)),
                "timer.generation: expected a whole number from 0 on, found another number",
            ),
            (
                with("generation", json!(7.5)),
                "timer.generation: expected a whole number from 0 on, found another number",
            ),
            (
                with("hops", json!(4_294_967_296_u64)),
                "timer.hops: expected a whole number below 2^32, found another number",
            ),
            (with("hops", json!(true)), "timer.hops: expected a whole number below 2^32, found a boolean"),
        ] {
            assert_eq!(TimerMessage::parse(&body).unwrap_err().to_string(), expected, "{body}");
        }
    }

    #[test]
    fn an_event_is_no_timer_whatever_else_it_has() {
        for body in [
            r#"{"event_type":"SiteUpdated","timer":{}}"#,
            r#"{"resource_name":"timer"}"#,
            r#"[{"timer":{}}]"#,
            r#"{"detail":{"timer":{}}}"#,
            "timer",
            "",
        ] {
            assert!(!is_timer(body), "{body}");
        }
        for body in [r#"{"timer":1}"#, r#"{"event_type":null,"timer":{}}"#, r#"{"\u0074imer":1}"#] {
            assert_eq!(is_timer(body), body.contains("timer"), "{body}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            key in "\\PC{1,80}|[<>\u{0}-\u{1f}\u{fffe}\u{ffff}]{1,20}",
            seconds in -62_000_000_000i64..253_000_000_000,
            nanoseconds in 0i64..1_000_000_000,
            generation: u64,
            hops: u32,
        ) {
            let due = Timestamp::from_second(seconds).unwrap() + SignedDuration::from_nanos(nanoseconds);
            let timer = TimerMessage { key, due, generation, hops };
            let body = timer.to_json();
            let refused = |c: char| c == '<' || c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}');
            prop_assert_eq!(body.chars().find(|c| refused(*c)), None);
            prop_assert!(is_timer(&body));
            prop_assert_eq!(TimerMessage::parse(&body), Ok(timer));
        }

        #[test]
        fn no_body_makes_the_reading_panic(body: String) {
            let _ = TimerMessage::parse(&body);
            let _ = is_timer(&body);
        }
    }
}
