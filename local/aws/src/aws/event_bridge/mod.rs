//! EventBridge: buses, rules with event patterns, and queues as their targets.

mod entry;
mod pattern;

use super::names::last_part;
use super::{Input, Refusal};
use crate::Error;
use entry::{Entry, Rejected};
use pattern::Pattern;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A target of a rule: a queue, and the part of the event to send there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The name of the target's queue.
    pub queue: String,
    /// The input path, such as `$.detail`: the part of the event to send. `None` sends the whole event.
    pub input_path: Option<String>,
}

/// All event buses.
#[derive(Debug, Default)]
pub(super) struct Buses(BTreeMap<String, Bus>);

#[derive(Debug, Default)]
struct Bus {
    rules: BTreeMap<String, Rule>,
    archive: Vec<Value>,
}

#[derive(Debug)]
struct Rule {
    pattern: Pattern,
    targets: Vec<(String, Vec<String>)>,
}

/// A published event, and the messages that rules send for it.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) bus: String,
    pub(super) detail_type: String,
    /// Queue name and message body, one per matching target.
    pub(super) deliveries: Vec<(String, String)>,
}

/// The steps of an input path: `$.detail.site` gives `detail` and `site`.
fn steps(path: &str) -> Option<Vec<String>> {
    let rest = path.strip_prefix('$')?;
    let mut parts = rest.split('.');
    if parts.next() != Some("") {
        return None;
    }
    let plain = |part: &str| !part.is_empty() && !part.contains(['[', ']', '*', '\'', '"', '?', '@']);
    parts.map(|part| plain(part).then(|| part.to_owned())).collect()
}

impl Buses {
    pub(super) fn create(&mut self, name: &str) {
        self.0.entry(name.to_owned()).or_default();
    }

    pub(super) fn archive(&self, bus: &str) -> Vec<Value> {
        self.0.get(bus).map(|bus| bus.archive.clone()).unwrap_or_default()
    }

    pub(super) fn put_rule(
        &mut self,
        bus: &str,
        name: &str,
        pattern: &Value,
        targets: Vec<Target>,
    ) -> Result<(), Error> {
        let refuse = |reason: String| Error::Rule { rule: name.to_owned(), reason };
        let found = self.0.get_mut(bus).ok_or_else(|| refuse(format!("there is no bus `{bus}`")))?;
        let pattern = Pattern::read(pattern).map_err(refuse)?;
        let targets = targets.into_iter().map(|target| {
            let path = target.input_path.as_deref().unwrap_or("$");
            let steps = steps(path)
                .ok_or_else(|| refuse(format!("the input path `{path}` is not supported here")))?;
            Ok((target.queue, steps))
        });
        let rule = Rule { pattern, targets: targets.collect::<Result<_, Error>>()? };
        found.rules.insert(name.to_owned(), rule);
        Ok(())
    }

    /// Publishes the entries of a `PutEvents`. Returns the answer and the messages to deliver.
    pub(super) fn put_events(
        &mut self,
        body: &Value,
        fail: bool,
    ) -> Result<(Value, Vec<Published>), Refusal> {
        let input = Input::new("PutEvents", body, &["Entries"])?;
        let entries = input.list("Entries")?;
        check_request(entries)?;
        let mut published = Vec::new();
        let outcome = |entry: &Value| {
            let outcome = if fail { Err(Rejected::internal()) } else { Entry::read(entry) };
            match outcome {
                Err(rejected) => json!({ "ErrorCode": rejected.code, "ErrorMessage": rejected.message }),
                Ok(entry) => {
                    published.extend(self.publish(&entry));
                    json!({ "EventId": entry.id })
                }
            }
        };
        let results: Vec<Value> = entries.iter().map(outcome).collect();
        let failed = results.iter().filter(|result| result.get("ErrorCode").is_some()).count();
        Ok((json!({ "FailedEntryCount": failed, "Entries": results }), published))
    }

    /// Publishes an event. An event for a bus that does not exist is accepted and lost, as on AWS.
    ///
    /// Source: <https://github.com/aws/aws-sdk/issues/186>
    fn publish(&mut self, entry: &Entry) -> Option<Published> {
        let name = last_part(&entry.bus);
        let bus = self.0.get_mut(name)?;
        let event = entry.event();
        let taken = bus.rules.values().filter(|rule| rule.pattern.matches(&event));
        let deliveries = taken.flat_map(|rule| &rule.targets).filter_map(|(queue, steps)| {
            // An input path that matches nothing in the event sends no message.
            Some((queue.clone(), entry.part(&event, steps)?))
        });
        let deliveries = deliveries.collect();
        bus.archive.push(event);
        Some(Published { bus: name.to_owned(), detail_type: entry.detail_type.clone(), deliveries })
    }
}

/// The errors that fail a whole `PutEvents` request.
///
/// Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html>
fn check_request(entries: &[Value]) -> Result<(), Refusal> {
    const SIZE_LIMIT_BYTES: usize = 262_144;
    let refuse = |message: &str| Err(Refusal::new("ValidationException", message));
    if !(1..=10).contains(&entries.len()) {
        let end = if entries.is_empty() { "greater than or equal to 1" } else { "less than or equal to 10" };
        let message = format!(
            "1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must \
             have length {end}"
        );
        return refuse(&message);
    }
    if entries.iter().map(entry::size_bytes).sum::<usize>() >= SIZE_LIMIT_BYTES {
        return refuse("Total size of the entries in the request is over the limit.");
    }
    Ok(())
}
