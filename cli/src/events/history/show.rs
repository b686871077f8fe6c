//! `events show`.

use super::USUAL;
use super::attempts::{Attempt, AttemptFacts, attempts};
use super::record::{Facts, Outcome};
use super::shared::{Shared, SharedFacts};
use super::store::{CLOCK_TOLERANCE, FURTHEST, Records};
use super::text;
use crate::events::dead_letters;
use crate::events::ids::{self, Candidates};
use crate::events::options::ShowOptions;
use crate::events::table::{cell, name};
use crate::out::{self, line};
use crate::stack::Stack;
use deliveries::{DeliveryKey, Effect, EventFacts, KEPT, Record};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::process::ExitCode;
use tableau::EventId;
use workflow::BoxError;

/// Everything that is known about one event in one workflow.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) record: Record,
    pub(super) attempts: Vec<Attempt>,
    pub(super) payload: Value,
    /// The messages of groups and digests that the event's reason names.
    pub(super) shared: Vec<Shared>,
    /// How many dead letters the workflow has, or why that is unknown; `None` if this event cannot have one.
    pub(super) dead_letters: Option<Result<u64, String>>,
}

/// Prints what happened to an event.
pub(in crate::events) async fn show(options: ShowOptions) -> Result<ExitCode, BoxError> {
    let now = Timestamp::now();
    let stack = Stack::find(&options.target).await?;
    let records = Records::of(&stack)?;
    let found = find(&stack, &records, &options.id, now).await?;
    let mut deliveries = Vec::with_capacity(found.len());
    for record in found {
        deliveries.push(delivery(&stack, record, now).await);
    }
    deliveries.sort_by(|one, other| order(&one.record).cmp(&order(&other.record)));
    if options.json {
        deliveries.iter().try_for_each(|delivery| line!("{}", out::json(&delivery.facts(now))))?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(first) = deliveries.first() {
        text::event(first).iter().try_for_each(|part| line!("{part}"))?;
    }
    for delivery in &deliveries {
        line!()?;
        text::trace(delivery, now).iter().try_for_each(|part| line!("{part}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The payload of the event whose id begins like this, as the stack has recorded it.
///
/// # Errors
/// When it is no id, or the one event is not found: what to do.
pub(crate) async fn payload_of(stack: &Stack, id: &str) -> Result<String, BoxError> {
    let id = ids::event_id(id)?;
    let found = find(stack, &Records::of(stack)?, &id, Timestamp::now()).await?;
    let first = found.into_iter().next();
    first
        .map(|record| record.event.payload)
        .ok_or_else(|| format!("there is no record of an event {id}").into())
}

/// In which order workflows are shown: as the event came to them.
fn order(record: &Record) -> (Option<Timestamp>, &str) {
    (record.first_seen_at, &record.workflow)
}

/// The event's delivery records, one for each workflow that has one.
async fn find(
    stack: &Stack,
    records: &Records<'_>,
    id: &str,
    now: Timestamp,
) -> Result<Vec<Record>, BoxError> {
    let mut keys = Vec::new();
    if let Ok(id) = id.parse::<EventId>() {
        let of = |workflow: &str| DeliveryKey::new(workflow.to_owned(), id.clone());
        keys.extend(stack.workflows.iter().map(|queues| of(&queues.workflow)));
    }
    let found = get(records, &keys).await?;
    if !found.is_empty() {
        return Ok(found);
    }
    // Includes records of workflows that no longer exist.
    let found = get(records, &beginning_with(records, id, now).await?).await?;
    if found.is_empty() {
        return Err(format!(
            "there is no record of an event {id}; records are kept for {} days after their last change. An event that did not \
             reach its workflow has none: `events dead-letters list` shows it",
            KEPT.as_hours() / 24
        )
        .into());
    }
    Ok(found)
}

async fn get(records: &Records<'_>, keys: &[DeliveryKey]) -> Result<Vec<Record>, BoxError> {
    let mut found = Vec::new();
    for key in keys {
        found.extend(records.get(key).await?);
    }
    Ok(found)
}

/// The keys of the only event whose id begins with these digits: among the events of the last day, or else among all.
async fn beginning_with(
    records: &Records<'_>,
    beginning: &str,
    now: Timestamp,
) -> Result<Vec<DeliveryKey>, BoxError> {
    let until = now.checked_add(CLOCK_TOLERANCE).unwrap_or(now);
    for back in [USUAL, FURTHEST] {
        let since = now.checked_sub(back).unwrap_or(now);
        let mut walk = records.back(since, until).beginning_with(beginning);
        let mut candidates = Candidates::new();
        let mut keys = Vec::new();
        while let Some(found) = walk.next(None).await? {
            for record in found {
                let EventFacts { name: event, resource_name, .. } = &record.event;
                let what = format!("{} of {}", cell(event), name(resource_name));
                candidates.entry(record.event_id.clone()).or_insert(what);
                keys.extend(record.key);
            }
        }
        match candidates.len() {
            0 => {}
            1 => return Ok(keys),
            _ => return Err(ids::ambiguous(beginning, &candidates).into()),
        }
    }
    Ok(Vec::new())
}

async fn delivery(stack: &Stack, record: Record, now: Timestamp) -> Delivery {
    let payload = &record.event.payload;
    let payload = serde_json::from_str(payload).unwrap_or_else(|_| Value::String(payload.clone()));
    let queues = stack.workflows.iter().find(|queues| queues.workflow == record.workflow);
    let shared = Shared::of(stack, &record, now).await;
    let is_over = Outcome::of(&record, now).is_final() && !shared.iter().any(Shared::is_unfinished);
    let dead_letters = match queues.filter(|_| !is_over) {
        // To find out whether this event is among the dead letters, all of them would have to be read, which hides
        // them from other programs for a while. So only their number is shown.
        Some(queues) => {
            Some(dead_letters::count(&stack.account, queues).await.map_err(|error| error.to_string()))
        }
        None => None,
    };
    Delivery { attempts: attempts(&record, now), record, payload, shared, dead_letters }
}

/// One event in one workflow as a JSON object: the fields of `events list`, and more.
#[derive(Debug, Serialize)]
struct DeliveryFacts<'a> {
    #[serde(flatten)]
    record: Facts<'a>,
    history: Vec<AttemptFacts<'a>>,
    effects: Vec<String>,
    shared_messages: Vec<SharedFacts>,
    /// The number of all dead letters of the workflow; `None` if it does not matter or is unknown.
    dead_letters_of_workflow: Option<u64>,
    payload: &'a Value,
}

impl Delivery {
    fn facts(&self, now: Timestamp) -> DeliveryFacts<'_> {
        let mut effects: Vec<String> = self.record.effects.iter().map(Effect::to_string).collect();
        effects.sort_unstable();
        DeliveryFacts {
            record: Facts::of(&self.record, now),
            history: self.attempts.iter().map(Attempt::facts).collect(),
            effects,
            shared_messages: self.shared.iter().map(Shared::facts).collect(),
            dead_letters_of_workflow: self
                .dead_letters
                .as_ref()
                .and_then(|count| count.as_ref().ok().copied()),
            payload: &self.payload,
        }
    }
}
