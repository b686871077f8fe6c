//! Reads delivery records day by day, all records of an event together.

use crate::error::Error;
use crate::event::{EventRecords, Happened};
use deliveries::{DeliveryKey, Record, Records};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use tableau::EventId;

/// How many records one request reads whole.
const BATCH: usize = 100;
/// How many times keys are asked for again that DynamoDB has left out, with a growing wait.
const TRIES: u32 = 8;
const WAIT: Duration = Duration::from_millis(100);

/// When a day begins in UTC.
pub fn begin(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::UTC).map_or(Timestamp::MIN, |zoned| zoned.timestamp())
}

/// The day in UTC.
pub fn day_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// The events that workflows received in some time, by the index alone.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// For each event its keys, in the order in which the events came.
    events: Vec<Vec<DeliveryKey>>,
    /// How many records there are.
    pub(crate) records: usize,
    /// When one of them last changed.
    pub(crate) last_change: Option<Timestamp>,
}

impl Received {
    /// The ids of the events.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &EventId> {
        self.events.iter().filter_map(|keys| Some(&keys.first()?.event))
    }

    /// The keys for one request each: those of one event stay together.
    pub(crate) fn batches(&self) -> impl Iterator<Item = BTreeSet<DeliveryKey>> {
        let mut rest = self.events.iter().peekable();
        std::iter::from_fn(move || {
            let mut batch = BTreeSet::new();
            while let Some(keys) = rest.next_if(|keys| batch.is_empty() || batch.len() + keys.len() <= BATCH)
            {
                batch.extend(keys.iter().cloned());
            }
            (!batch.is_empty()).then_some(batch)
        })
    }
}

/// Reads the events that came from `from` up to, but not including, `until`. `each` gets the first record of each event, as the index has it.
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
    let mut places: HashMap<EventId, usize> = HashMap::new();
    // The index has milliseconds.
    let last = until.checked_sub(1.millisecond()).unwrap_or(until);
    let mut walk = records.forward(from, last);
    while let Some(page) = walk.next(None).await.map_err(|error| refused("dynamodb:Query", &error))? {
        for record in page {
            let Some(key) = record.key.clone() else { continue };
            received.records += 1;
            received.last_change = received.last_change.max(record.updated_at);
            let place = *places.entry(key.event.clone()).or_insert_with(|| {
                each(&record);
                received.events.push(Vec::new());
                received.events.len() - 1
            });
            received.events[place].push(key);
        }
    }
    Ok(received)
}

/// Reads the records of a batch. Events come in the order in which they were received.
///
/// # Errors
/// [`Error::Records`].
pub(crate) async fn whole(
    records: &Records,
    batch: BTreeSet<DeliveryKey>,
) -> Result<Vec<EventRecords>, Error> {
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
    Err(Error::Records(format!("DynamoDB leaves out {} records again and again: it is too busy", left.len())))
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
        let events = |sizes: &[usize]| Received {
            events: sizes
                .iter()
                .enumerate()
                .map(|(event, size)| (0..*size).map(|w| key(event as u8, w)).collect())
                .collect(),
            ..Received::default()
        };
        let sizes = |received: &Received| received.batches().map(|batch| batch.len()).collect::<Vec<_>>();
        assert_eq!(sizes(&events(&[60, 40, 1])), [100, 1]);
        assert_eq!(sizes(&events(&[60, 41, 59])), [60, 100]);
        assert_eq!(sizes(&events(&[])), [0_usize; 0]);
        assert_eq!(sizes(&events(&[16; 20])), [96, 96, 96, 32]);
    }

    #[test]
    fn a_day_begins_at_midnight_in_utc() {
        let day: Date = "2026-11-29".parse().unwrap();
        assert_eq!(begin(day).to_string(), "2026-11-29T00:00:00Z");
        assert_eq!(day_of(begin(day)), day);
    }
}
