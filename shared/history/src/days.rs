//! Reads delivery records day by day, all records of an event together.

use crate::error::Error;
use crate::event::{EventRecords, Happened};
use deliveries::{DeliveryKey, Record, Records, Walk};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;
use tableau::EventId;
use tokio::task::JoinHandle;

/// How many records one request reads whole.
pub(crate) const BATCH: usize = 100;
/// How many requests are under way at the same time.
const AT_ONCE: usize = 4;
/// How many times keys are asked for again that DynamoDB has left out, with a growing wait.
const TRIES: u32 = 8;
const WAIT: Duration = Duration::from_millis(100);

/// When a day begins in UTC.
pub(crate) fn begin(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::UTC).map_or(Timestamp::MIN, |zoned| zoned.timestamp())
}

/// The day in UTC.
pub fn day_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// How many days back all records are there: one less than they are kept after their last change.
pub(crate) const KEPT_DAYS: i64 = 29;

/// Whether all records since then are there at `now`.
pub fn is_kept(since: Timestamp, now: Timestamp) -> bool {
    now.duration_since(since) <= SignedDuration::from_hours(KEPT_DAYS * 24)
}

/// The day after.
pub(crate) fn next(day: Date) -> Date {
    day.saturating_add(1.day())
}

/// The events that workflows received in some time, by the index alone. Names of workflows are kept once: a day may have a million records.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// In the order in which the events came, each with the places of its workflows.
    events: Vec<(EventId, Vec<u8>)>,
    workflows: Vec<Cow<'static, str>>,
    /// How many records there are.
    pub(crate) records: usize,
    /// When one of them last changed.
    pub(crate) last_change: Option<Timestamp>,
}

impl Received {
    fn add(&mut self, key: &DeliveryKey, places: &mut HashMap<u128, usize>) {
        let known = self.workflows.iter().position(|known| *known == key.workflow);
        let workflow = known.unwrap_or_else(|| {
            self.workflows.push(key.workflow.clone());
            self.workflows.len() - 1
        });
        let place = *places.entry(number(&key.event)).or_insert_with(|| {
            self.events.push((key.event.clone(), Vec::new()));
            self.events.len() - 1
        });
        // No stack has more workflows than a byte can count.
        self.events[place].1.extend(u8::try_from(workflow));
        self.records += 1;
    }

    /// The ids of the events, as numbers.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u128> {
        self.events.iter().map(|(id, _)| number(id))
    }

    /// The keys for one request each: those of one event stay together.
    pub(crate) fn batches(&self) -> impl Iterator<Item = BTreeSet<DeliveryKey>> {
        let mut rest = self.events.iter().peekable();
        std::iter::from_fn(move || {
            let mut batch = BTreeSet::new();
            while let Some((id, workflows)) =
                rest.next_if(|(_, workflows)| batch.is_empty() || batch.len() + workflows.len() <= BATCH)
            {
                let name = |at: &u8| self.workflows[usize::from(*at)].clone();
                batch.extend(workflows.iter().map(|at| DeliveryKey::new(name(at), id.clone())));
            }
            (!batch.is_empty()).then_some(batch)
        })
    }
}

/// The first half of an event's id: enough to tell events apart, in 16 bytes.
pub(crate) fn number(id: &EventId) -> u128 {
    id.as_str().get(..32).and_then(|half| u128::from_str_radix(half, 16).ok()).unwrap_or_default()
}

/// Reads the events that came from `from` up to, but not including, `until`. `each` gets every record, as the index has it, in the order in
/// which they came.
///
/// # Errors
/// [`Error::Records`].
pub(crate) async fn received(
    records: &Records,
    from: Timestamp,
    until: Timestamp,
    mut each: impl FnMut(&Record),
) -> Result<Received, Error> {
    let mut received = Received::default();
    let mut places = HashMap::new();
    let mut pages = pages(records, from, until);
    while let Some(page) = pages.next(None).await.map_err(|error| refused("dynamodb:Query", &error))? {
        for record in page {
            let Some(key) = &record.key else { continue };
            received.add(key, &mut places);
            received.last_change = received.last_change.max(record.updated_at);
            each(&record);
        }
    }
    Ok(received)
}

fn pages(records: &Records, from: Timestamp, until: Timestamp) -> Walk<'_> {
    // The index has milliseconds.
    let last = until.checked_sub(1.millisecond()).unwrap_or(until);
    records.forward(from, last)
}

/// Reads batches, some at the same time, and gives them back in their order.
#[derive(Debug)]
pub(crate) struct Reads<'r, I> {
    records: &'r Records,
    batches: I,
    under_way: VecDeque<JoinHandle<Result<Vec<EventRecords>, Error>>>,
}

impl<'r, I: Iterator<Item = BTreeSet<DeliveryKey>>> Reads<'r, I> {
    pub(crate) fn new(records: &'r Records, batches: I) -> Self {
        Self { records, batches, under_way: VecDeque::new() }
    }

    /// The events of the next batch; `None` after the last one.
    ///
    /// # Errors
    /// [`Error::Records`].
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<EventRecords>>, Error> {
        while self.under_way.len() < AT_ONCE {
            let Some(batch) = self.batches.next() else { break };
            let records = self.records.clone();
            self.under_way.push_back(tokio::spawn(async move { whole(&records, batch).await }));
        }
        let Some(first) = self.under_way.pop_front() else { return Ok(None) };
        let events = first.await.map_err(|error| Error::Records(error.to_string()))?;
        events.map(Some)
    }
}

/// Reads the records of a batch. Events come in the order in which they were received.
///
/// # Errors
/// [`Error::Records`].
async fn whole(records: &Records, batch: BTreeSet<DeliveryKey>) -> Result<Vec<EventRecords>, Error> {
    let mut left = batch;
    let mut found: Vec<Record> = Vec::new();
    for attempt in 0..TRIES {
        let answer = records.whole(&left).await.map_err(|error| refused("dynamodb:BatchGetItem", &error))?;
        found.extend(answer.records);
        left = answer.left_out;
        if left.is_empty() {
            return Ok(by_event(found));
        }
        tokio::time::sleep(WAIT * 2_u32.pow(attempt)).await;
    }
    Err(Error::Records(format!(
        "DynamoDB is too busy, and has left out {} records {TRIES} times; the next run tries again",
        left.len()
    )))
}

fn by_event(mut found: Vec<Record>) -> Vec<EventRecords> {
    found.sort_by_key(|record| (record.first_seen_at, record.workflow.clone()));
    let mut events: Vec<EventRecords> = Vec::new();
    for record in found {
        let Some(happened) = Happened::of(&record) else { continue };
        match events.iter_mut().find(|event| event.happened.id == happened.id) {
            Some(event) => event.records.push(record),
            None => events.push(EventRecords { happened, records: vec![record] }),
        }
    }
    events
}

fn refused<E>(action: &str, error: &aws_sdk_dynamodb::error::SdkError<E>) -> Error
where
    E: std::error::Error + aws_smithy_types::error::metadata::ProvideErrorMetadata + 'static,
{
    Error::Records(aws_http::reason(action, error))
}

/// So much before and after each other records of one event may come: a workflow may be behind the others.
pub(crate) const APART: SignedDuration = SignedDuration::from_hours(24);

#[cfg(test)]
mod tests {
    use super::*;

    fn key(event: u8, workflow: usize) -> DeliveryKey {
        DeliveryKey::new(format!("w{workflow}"), EventId::of_bytes(&[event]))
    }

    #[test]
    fn the_records_of_an_event_are_in_one_batch() {
        let events = |sizes: &[usize]| {
            let mut received = Received::default();
            let mut places = HashMap::new();
            for (event, size) in sizes.iter().enumerate() {
                (0..*size).for_each(|workflow| received.add(&key(event as u8, workflow), &mut places));
            }
            received
        };
        let sizes = |received: &Received| received.batches().map(|batch| batch.len()).collect::<Vec<_>>();
        assert_eq!(sizes(&events(&[60, 40, 1])), [100, 1]);
        assert_eq!(sizes(&events(&[60, 41, 59])), [60, 100]);
        assert_eq!(sizes(&events(&[])), [0_usize; 0]);
        assert_eq!(sizes(&events(&[16; 20])), [96, 96, 96, 32]);
        let all: BTreeSet<_> = events(&[2, 1]).batches().flatten().collect();
        assert_eq!(all, BTreeSet::from([key(0, 0), key(0, 1), key(1, 0)]));
    }

    #[test]
    fn a_day_begins_at_midnight_in_utc() {
        let day: Date = "2026-11-29".parse().unwrap();
        assert_eq!(begin(day).to_string(), "2026-11-29T00:00:00Z");
        assert_eq!(day_of(begin(day)), day);
    }
}
