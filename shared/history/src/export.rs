//! The export: one file for each kind and day.

use crate::column::Kind;
use crate::days::{APART, Reads, Received, begin, day_of, next, number, received};
use crate::erase::names;
use crate::error::Error;
use crate::files::{Files, Lines, key};
use crate::incidents::{Change, PastIncident, Timeline};
use crate::owners::Owners;
use crate::row::{DeliveryRow, EventRow, IncidentRow};
use deliveries::{Record, Records};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use store::{Document, Documents};
use tokio::time::Instant;

/// The key of [`Exports`].
const DOCUMENT: &str = "export";
/// How many days back the first export begins: delivery records are kept for 30 days after their last change.
const REACH_DAYS: i64 = 29;
/// How many past days are compared again: an event may wait for three days, and a message for a weekend.
const CHANGING_DAYS: i64 = 5;
/// A record may have changed this long before it could be read.
const SETTLING: SignedDuration = SignedDuration::from_mins(5);

/// Which days were exported, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Exports {
    days: BTreeMap<Date, Done>,
}

/// The last export of a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Done {
    at: Timestamp,
    records: usize,
}

impl Document for Exports {
    const KIND: &'static str = "history";
    const KEPT_DAYS: i64 = 400;
}

/// One exported day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExportedDay {
    /// The day.
    pub day: Date,
    /// Its rows of each kind.
    pub deliveries: u64,
    /// Its events.
    pub events: u64,
    /// Its incidents.
    pub incidents: u64,
    /// The packed size of the three files, in bytes.
    pub bytes: usize,
}

/// What a run has done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// The days that were written.
    pub days: Vec<ExportedDay>,
    /// How many days are as they were.
    pub unchanged: usize,
    /// How many days are left for the next run, for want of time.
    pub left: usize,
}

/// Exports the history.
#[derive(Debug)]
pub struct Exporter<'a> {
    /// The delivery records.
    pub records: &'a Records,
    /// What is known about the export.
    pub documents: &'a Documents,
    /// Where the files go.
    pub files: &'a Files,
}

impl Exporter<'_> {
    /// Exports each day up to `last` that is new or has changed. Begins no day after `until`. A day that is not over is exported as it is,
    /// and again later. `only_with_new_days`: looks for changes only if a day is new, which is once a day.
    ///
    /// # Errors
    /// [`Error`]. Days that were written stay so, and the next run goes on.
    pub async fn run(
        &self,
        now: Timestamp,
        last: Date,
        until: Instant,
        owners: &mut Owners<'_>,
        only_with_new_days: bool,
    ) -> Result<Exported, Error> {
        let exports: Exports = self.documents.read(DOCUMENT).await?;
        let mut exported = Exported::default();
        let days = candidates(&exports, day_of(now), last);
        // A day that was exported before it was over is new too.
        let is_old = |day: Date, done: Option<Done>| done.is_some_and(|done| done.at >= begin(next(day)));
        if only_with_new_days && days.iter().all(|(day, done)| is_old(*day, *done)) {
            exported.unchanged = days.len();
            return Ok(exported);
        }
        let mut days = days.into_iter();
        // What changed on a day changes the incidents of each day after it.
        let mut timeline = None;
        while let Some((day, done)) = days.next() {
            if Instant::now() >= until {
                exported.left = 1 + days.len();
                break;
            }
            let received = received(self.records, begin(day), begin(next(day)), |_| {}).await?;
            let is_same = done.is_some_and(|done| {
                done.records == received.records
                    && received.last_change.is_none_or(|change| later(change, SETTLING) < done.at)
            });
            if is_same && timeline.is_none() {
                exported.unchanged += 1;
                continue;
            }
            let before = match timeline.take() {
                Some(timeline) => timeline,
                None => self.files.state(previous(day)).await?.unwrap_or_default(),
            };
            let known = self.known_before(day).await?;
            let (written, after) = self.day(day, &received, before, &known, owners).await?;
            let entry = Done { at: now, records: received.records };
            self.documents
                .change(DOCUMENT, now, |exports: &mut Exports| {
                    exports.days.insert(day, entry);
                    let oldest = previous_by(day, REACH_DAYS * 2);
                    exports.days.retain(|day, _| *day >= oldest);
                })
                .await?;
            exported.days.push(written);
            timeline = Some(after);
        }
        Ok(exported)
    }

    /// The events of the last hours of the day before: a workflow that received one of them later has its record on this day, and the event
    /// its row on the day before.
    async fn known_before(&self, day: Date) -> Result<HashSet<u128>, Error> {
        let from = begin(day).checked_sub(APART).unwrap_or(begin(day));
        let before = received(self.records, from, begin(day), |_| {}).await?;
        Ok(before.numbers().collect())
    }

    async fn day(
        &self,
        day: Date,
        received: &Received,
        mut timeline: Timeline,
        known: &HashSet<u128>,
        owners: &mut Owners<'_>,
    ) -> Result<(ExportedDay, Timeline), Error> {
        let mut deliveries = Lines::default();
        let mut events = Lines::default();
        let mut ended: Vec<PastIncident> = Vec::new();
        let mut reads = Reads::new(self.records, received.batches());
        while let Some(read) = reads.next().await? {
            for event in read {
                for record in &event.records {
                    if let Some(row) = DeliveryRow::of(record, &event.happened) {
                        deliveries.push(&row);
                    }
                }
                if known.contains(&number(&event.happened.id)) {
                    continue;
                }
                events.push(&EventRow::of(&event));
                if let Some(Change::Ended(incident)) = timeline.apply(&event.happened, event.class()) {
                    ended.push(*incident);
                }
            }
        }
        let mut incidents = Lines::default();
        for incident in ended.into_iter().chain(timeline.open()) {
            let owned = owners.of(&incident.object.kind, &incident.object.luid).await;
            incidents.push(&IncidentRow::of(&incident, owned.owner()));
        }
        timeline.forget(begin(next(day)));
        let mut written = ExportedDay {
            day,
            deliveries: deliveries.rows(),
            events: events.rows(),
            incidents: incidents.rows(),
            bytes: 0,
        };
        for (kind, lines) in
            [(Kind::Deliveries, deliveries), (Kind::Events, events), (Kind::Incidents, incidents)]
        {
            let file = lines.finish();
            written.bytes += file.len();
            self.files.put(&key(kind, day), file).await?;
        }
        self.files.put_state(day, &timeline).await?;
        Ok((written, timeline))
    }
}

/// How many delivery records name a person that a later export may write: those of the days that are compared again.
///
/// # Errors
/// [`Error::Records`].
pub async fn records_that_name(records: &Records, person: &str, now: Timestamp) -> Result<usize, Error> {
    let from = begin(previous_by(day_of(now), CHANGING_DAYS));
    let received = received(records, from, later(now, SETTLING), |_| {}).await?;
    let mut found = 0;
    let mut reads = Reads::new(records, received.batches());
    while let Some(events) = reads.next().await? {
        let all = events.iter().flat_map(|event| &event.records);
        found += all.filter(|record| record_names(record, person)).count();
    }
    Ok(found)
}

fn record_names(record: &Record, person: &str) -> bool {
    let attempts = record.history.iter().map(|entry| entry.reason.as_str());
    let effects: Vec<String> = record.effects.iter().map(ToString::to_string).collect();
    let own = [record.event.payload.as_str(), &record.event.resource_name, &record.last_reason];
    own.into_iter().chain(attempts).chain(effects.iter().map(String::as_str)).any(|text| names(text, person))
}

/// The days to look at, oldest first, each with its last export.
fn candidates(exports: &Exports, today: Date, last: Date) -> Vec<(Date, Option<Done>)> {
    let first = previous_by(today, REACH_DAYS);
    let changing = previous_by(today, CHANGING_DAYS);
    let days = first.series(1.day()).take_while(|day| *day <= last);
    let days = days.map(|day| (day, exports.days.get(&day).copied()));
    days.filter(|(day, done)| done.is_none() || *day >= changing).collect()
}

fn previous(day: Date) -> Date {
    previous_by(day, 1)
}

fn previous_by(day: Date, days: i64) -> Date {
    day.saturating_sub(days.days())
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn new_days_and_those_that_may_still_change_are_looked_at() {
        let today = date("2026-11-29");
        let of = |exports: &Exports, last| {
            candidates(exports, today, date(last))
                .into_iter()
                .map(|(day, _)| day.to_string())
                .collect::<Vec<_>>()
        };
        let all = of(&Exports::default(), "2026-11-28");
        assert_eq!((all.len(), all[0].as_str(), all[28].as_str()), (29, "2026-10-31", "2026-11-28"));
        let mut exports = Exports::default();
        for day in &all {
            if day != "2026-11-10" {
                exports.days.insert(date(day), Done::default());
            }
        }
        let again = of(&exports, "2026-11-28");
        assert_eq!(
            again,
            ["2026-11-10", "2026-11-24", "2026-11-25", "2026-11-26", "2026-11-27", "2026-11-28"]
        );
        assert_eq!(of(&exports, "2026-11-29").last().unwrap(), "2026-11-29");
    }
}
