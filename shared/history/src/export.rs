//! The export: one file for each kind and day.

use crate::column::Kind;
use crate::days::{APART, KEPT_DAYS, Reads, Received, begin, day_of, next, number, received};
use crate::erase::{json_names, names};
use crate::erased_people::ErasedPeople;
use crate::error::Error;
use crate::files::{Files, Lines, key};
use crate::incidents::{Change, PastIncident, Timeline};
use crate::owners::Owners;
use crate::row::{DeliveryRow, EventRow, IncidentRow};
use deliveries::{DeliveryKey, Record, Records};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use store::{Document, Documents};
use tokio::time::Instant;

/// The key of [`Exports`].
const DOCUMENT: &str = "export";
/// How many past days are compared again: an event may wait for three days, and a message for a weekend.
const CHANGING_DAYS: i64 = 5;
/// A record may have changed this long before it could be read.
const SETTLING: SignedDuration = SignedDuration::from_mins(5);

/// Which days were exported, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Exports {
    /// The bucket that has the days. Another bucket begins anew.
    bucket: String,
    days: BTreeMap<Date, ExportOfDay>,
    /// Days from this one on were written with incidents that are no longer right: an earlier day was written again.
    outdated_from: Option<Date>,
}

/// The last export of a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct ExportOfDay {
    at: Timestamp,
    records: usize,
}

impl Document for Exports {
    const KIND: &'static str = "history";
    const KEPT_DAYS: i64 = 400;
}

/// One exported day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    /// The days that were written.
    pub days: Vec<ExportedDay>,
    /// How many days are as they were.
    pub unchanged: usize,
    /// How many days are left for the next run, for want of time.
    pub left: usize,
}

/// A file that was written.
#[derive(Clone, Copy, Debug)]
struct Written {
    rows: u64,
    /// Packed.
    bytes: usize,
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
        let read: Exports = self.documents.read(DOCUMENT).await?;
        let bucket = self.files.bucket();
        let exports = if read.bucket == bucket { read } else { Exports::default() };
        let mut exported = Exported::default();
        let days: Vec<Date> = exports.days_to_look_at(day_of(now), last);
        if only_with_new_days && days.iter().all(|day| exports.is_complete(*day)) {
            exported.unchanged = days.len();
            return Ok(exported);
        }
        // What is known at the end of the last day that was written.
        let mut carried: Option<(Date, Timeline)> = None;
        for (at, day) in days.iter().copied().enumerate() {
            if Instant::now() >= until {
                exported.left = days.len() - at;
                break;
            }
            // What changed on a day changes the incidents of each day after it.
            let before = carried.take().filter(|(written, _)| *written == previous(day));
            if before.is_none() && exports.is_final(day, day_of(now)) {
                continue;
            }
            let received = received(self.records, begin(day), begin(next(day)), |_| {}).await?;
            if before.is_none() && exports.is_same(day, &received) {
                exported.unchanged += 1;
                if !exports.is_complete(day) && day < day_of(now) {
                    let renew = |exports: &mut Exports| exports.renew(bucket, day, now);
                    self.documents.change(DOCUMENT, now, renew).await?;
                }
                continue;
            }
            let timeline = match before {
                Some((_, timeline)) => timeline,
                None => self.before(&exports, day).await?,
            };
            let known = self.known_before(day).await?;
            let (written, after) = self.day(day, &received, timeline, &known, owners).await?;
            let entry = ExportOfDay { at: now, records: received.records };
            let note = |exports: &mut Exports| exports.note(bucket, day, entry);
            self.documents.change(DOCUMENT, now, note).await?;
            exported.days.push(written);
            carried = Some((day, after));
        }
        Ok(exported)
    }

    /// What was known at the end of the day before.
    async fn before(&self, exports: &Exports, day: Date) -> Result<Timeline, Error> {
        let kept = self.files.state(previous(day)).await?;
        if kept.is_none() && exports.days.contains_key(&previous(day)) {
            tracing::warn!(%day, "the bucket has lost what was known of incidents: those that were open begin anew");
        }
        Ok(kept.unwrap_or_default())
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
        let deliveries = self.put(Kind::Deliveries, day, deliveries).await?;
        let events = self.put(Kind::Events, day, events).await?;
        let incidents: Vec<PastIncident> = ended.into_iter().chain(timeline.open()).collect();
        let incidents = self.put_incidents(day, &incidents, owners).await?;
        timeline.forget(begin(next(day)));
        self.files.put_state(day, &timeline).await?;
        let written = ExportedDay {
            day,
            deliveries: deliveries.rows,
            events: events.rows,
            incidents: incidents.rows,
            bytes: deliveries.bytes + events.bytes + incidents.bytes,
        };
        Ok((written, timeline))
    }

    /// Writes the incidents of a day, again if a person was erased meanwhile: who erases a person says so first and reads the files then, so
    /// that one of the two finds the other's work.
    async fn put_incidents(
        &self,
        day: Date,
        incidents: &[PastIncident],
        owners: &mut Owners<'_>,
    ) -> Result<Written, Error> {
        loop {
            let mut lines = Lines::default();
            for incident in incidents {
                let owner = owners.of(&incident.object).await;
                lines.push(&IncidentRow::of(incident, owner.found()));
            }
            let written = self.put(Kind::Incidents, day, lines).await?;
            if incidents.is_empty() || !owners.forget(self.documents.read(ErasedPeople::KEY).await?) {
                return Ok(written);
            }
        }
    }

    async fn put(&self, kind: Kind, day: Date, lines: Lines) -> Result<Written, Error> {
        let rows = lines.rows();
        let file = lines.finish();
        let bytes = file.len();
        self.files.put(&key(kind, day), file).await?;
        Ok(Written { rows, bytes })
    }
}

/// The delivery records that name a person and that a later export may write.
///
/// # Errors
/// [`Error::Records`].
pub async fn records_that_name(
    records: &Records,
    person: &str,
    now: Timestamp,
) -> Result<Vec<DeliveryKey>, Error> {
    // All that any export reads: a day may have been left out so far, and another bucket begins anew.
    let from = begin(previous_by(day_of(now), KEPT_DAYS));
    let received = received(records, from, later(now, SETTLING), |_| {}).await?;
    let mut found = Vec::new();
    let mut reads = Reads::new(records, received.batches());
    while let Some(events) = reads.next().await? {
        let all = events.into_iter().flat_map(|event| event.records);
        found.extend(all.filter(|record| record_names(record, person)).filter_map(|record| record.key));
    }
    Ok(found)
}

fn record_names(record: &Record, person: &str) -> bool {
    let attempts = record.history.iter().map(|entry| entry.reason.as_str());
    let effects: Vec<String> = record.effects.iter().map(ToString::to_string).collect();
    let own = [record.event.resource_name.as_str(), &record.last_reason];
    json_names(&record.event.payload, person)
        || own
            .into_iter()
            .chain(attempts)
            .chain(effects.iter().map(String::as_str))
            .any(|text| names(text, person))
}

impl Exports {
    /// The days that may have to be written, oldest first: from the first one that is new, outdated, or may still change.
    fn days_to_look_at(&self, today: Date, last: Date) -> Vec<Date> {
        let days = previous_by(today, KEPT_DAYS).series(1.day()).take_while(|day| *day <= last);
        days.skip_while(|day| self.is_final(*day, today)).collect()
    }

    /// Whether nothing can change the day any more.
    fn is_final(&self, day: Date, today: Date) -> bool {
        self.is_complete(day) && day < previous_by(today, CHANGING_DAYS)
    }

    /// Whether the day was exported after it was over, with incidents that are right.
    fn is_complete(&self, day: Date) -> bool {
        self.days.get(&day).is_some_and(|done| done.at >= begin(next(day))) && !self.is_outdated(day)
    }

    fn is_outdated(&self, day: Date) -> bool {
        self.outdated_from.is_some_and(|from| day >= from)
    }

    /// Whether the day's records are those that were exported.
    fn is_same(&self, day: Date, received: &Received) -> bool {
        let is_same = |done: &ExportOfDay| {
            done.records == received.records
                && received.last_change.is_none_or(|change| later(change, SETTLING) < done.at)
        };
        self.days.get(&day).is_some_and(is_same) && !self.is_outdated(day)
    }

    /// The day is over, and as it was when it was written before its end.
    fn renew(&mut self, bucket: &str, day: Date, now: Timestamp) {
        if self.bucket == bucket
            && let Some(done) = self.days.get_mut(&day)
        {
            done.at = done.at.max(now);
        }
    }

    /// The day was written to the bucket. Each later day that is there has to follow.
    fn note(&mut self, bucket: &str, day: Date, entry: ExportOfDay) {
        if self.bucket != bucket {
            *self = Self { bucket: bucket.to_owned(), ..Self::default() };
        }
        self.days.insert(day, entry);
        let oldest = previous_by(day, KEPT_DAYS * 2);
        self.days.retain(|day, _| *day >= oldest);
        self.outdated_from = Some(next(day));
    }
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

    fn exported(days: &[&str]) -> Exports {
        let entry = |day: &&str| (date(day), ExportOfDay { at: begin(date("2026-11-29")), records: 1 });
        Exports { bucket: "b".to_owned(), days: days.iter().map(entry).collect(), outdated_from: None }
    }

    #[test]
    fn days_are_looked_at_from_the_first_one_that_is_new_or_may_still_change() {
        let today = date("2026-11-29");
        let of = |exports: &Exports, last| exports.days_to_look_at(today, date(last));
        let all: Vec<String> = of(&Exports::default(), "2026-11-28").iter().map(Date::to_string).collect();
        assert_eq!((all.len(), all[0].as_str(), all[28].as_str()), (29, "2026-10-31", "2026-11-28"));
        let names: Vec<&str> = all.iter().map(String::as_str).collect();
        let first = |exports: &Exports| of(exports, "2026-11-28")[0].to_string();
        assert_eq!(first(&exported(&names)), "2026-11-24");
        let without: Vec<&str> = names.iter().copied().filter(|day| *day != "2026-11-10").collect();
        assert_eq!(first(&exported(&without)), "2026-11-10");
        let outdated = Exports { outdated_from: Some(date("2026-11-15")), ..exported(&names) };
        assert_eq!(first(&outdated), "2026-11-15");
        assert!(!exported(&["2026-11-29"]).is_complete(today), "it was exported before it was over");
    }

    #[test]
    fn a_day_that_is_written_makes_the_later_ones_outdated_and_another_bucket_begins_anew() {
        let mut exports = exported(&["2026-11-25", "2026-11-26", "2026-11-27"]);
        let entry = ExportOfDay { at: begin(date("2026-11-29")), records: 2 };
        exports.note("b", date("2026-11-25"), entry);
        let complete = |exports: &Exports| {
            ["2026-11-25", "2026-11-26", "2026-11-27"].map(|day| exports.is_complete(date(day)))
        };
        assert_eq!(complete(&exports), [true, false, false]);
        exports.note("b", date("2026-11-26"), entry);
        exports.note("b", date("2026-11-27"), entry);
        assert_eq!(complete(&exports), [true, true, true]);
        exports.note("other", date("2026-11-27"), entry);
        assert_eq!(complete(&exports), [false, false, true]);
    }
}
