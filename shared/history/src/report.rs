//! The report of a week.

use crate::days::{BATCH, Reads, begin, day_of, is_kept, next, number, received};
use crate::error::Error;
use crate::event::{EventRecords, Happened};
use crate::incidents::{Change, Object, PastIncident, Timeline};
use crate::owners::{OwnerLookup, Owners};
use crate::row::done_at;
use crate::week::Week;
use alerting::incident::FLAPPING;
use deliveries::{DeliveryKey, Record, Records, State};
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use tableau::{
    Action, CauseFigures, FailingObject, FlappingObject, LongIncident, OwnerFigures, ReportedObject,
    SlowRefresh, WeekFigures, WeeklyReport,
};
use workflow::{MESSAGE_OBJECTIVE, counts_for_objective};

/// How many places a list has.
const PLACES: usize = 5;
/// A refresh whose end comes later than this after its start belongs to another start.
const LONGEST_REFRESH: SignedDuration = SignedDuration::from_hours(24);
/// How many days before the two weeks incidents may have opened: older records are gone.
const LOOK_BACK_DAYS: i64 = 14;

/// Makes reports from delivery records.
#[derive(Debug)]
pub struct Reporter<'a> {
    /// The delivery records.
    pub records: &'a Records,
}

impl Reporter<'_> {
    /// Counts the week, and the week before, of each of these sites. Needs `dynamodb:Query` on the index and `dynamodb:BatchGetItem`.
    ///
    /// # Errors
    /// [`Error::Records`].
    pub async fn tallies(&self, weeks: Vec<(String, Week)>) -> Result<Vec<Tally>, Error> {
        let mut tallies: Vec<Tally> = weeks.into_iter().map(|(site, week)| Tally::new(site, week)).collect();
        let from = tallies.iter().map(|tally| tally.before.begins()).min();
        let until = tallies.iter().map(|tally| tally.week.ends()).max();
        let (Some(from), Some(until)) = (from, until) else { return Ok(tallies) };
        let look_back = from.checked_sub((LOOK_BACK_DAYS * 24).hours()).unwrap_or(from);
        let mut day = day_of(look_back);
        // Day by day, so that a large site needs no more memory than two days of it.
        while begin(day) < until {
            let (begins, ends) = (begin(day).max(look_back), begin(next(day)).min(until));
            self.day(begins, ends, from, &mut tallies).await?;
            day = next(day);
        }
        Ok(tallies)
    }

    /// The index says nearly all. Only what it lacks is read from whole records.
    async fn day(
        &self,
        begins: Timestamp,
        ends: Timestamp,
        from: Timestamp,
        tallies: &mut [Tally],
    ) -> Result<(), Error> {
        let mut wanted: BTreeSet<DeliveryKey> = BTreeSet::new();
        received(self.records, begins, ends, |record| {
            let Some(happened) = Happened::of(record) else { return };
            for tally in &mut *tallies {
                tally.record(record, &happened);
                tally.event(&happened);
            }
            let is_counted = happened.received_at >= from && tallies.iter().any(|of| of.is_about(&happened));
            if is_counted && has_more(record, &happened) {
                wanted.extend(record.key.clone());
            }
        })
        .await?;
        tallies.iter_mut().for_each(Tally::end_day);
        let mut batches = Vec::new();
        while !wanted.is_empty() {
            let rest = wanted.iter().nth(BATCH).cloned().map(|first| wanted.split_off(&first));
            batches.push(std::mem::replace(&mut wanted, rest.unwrap_or_default()));
        }
        let mut reads = Reads::new(self.records, batches.into_iter());
        while let Some(events) = reads.next().await? {
            for event in &events {
                tallies.iter_mut().for_each(|tally| tally.details(event));
            }
        }
        Ok(())
    }
}

/// Whether a record has something for the report that the index does not contain: the time of a message, a cause, a webhook.
fn has_more(record: &Record, happened: &Happened) -> bool {
    let is_message = matches!(record.state, Some(State::Done | State::Failed | State::Dropped))
        && counts_for_objective(&record.workflow, &happened.name, record.deferrals);
    is_message || matches!(happened.name.action(), Some(Action::RefreshFailed | Action::Disabled))
}

/// The figures of a week, event by event.
#[derive(Debug)]
pub struct Tally {
    site: String,
    week: Week,
    before: Week,
    timeline: Timeline,
    this: Figures,
    earlier: Figures,
    /// Whether something is known from before the week before, so that this week is whole.
    reaches_back: bool,
    /// The events that were counted, and those whose details were.
    seen: RecentIds,
    detailed: RecentIds,
    /// What failed, by LUID.
    objects: BTreeMap<String, OfObject>,
    causes: BTreeMap<String, u64>,
    longest: Vec<(PastIncident, Timestamp)>,
    slowest: Vec<(Object, SignedDuration, Timestamp)>,
    starts: BTreeMap<String, Timestamp>,
}

/// One of the two weeks.
#[derive(Debug, Default)]
struct Figures {
    week: WeekFigures,
    recoveries: Vec<i64>,
    /// Milliseconds from events to their messages; a wait of more than 49 days is one of 49 days.
    waits: Vec<u32>,
    /// Messages that failed for good: they are late too.
    never_sent: u64,
    outages: BTreeSet<(String, Timestamp)>,
}

/// What an object did in the week.
#[derive(Debug)]
struct OfObject {
    /// With the name of the last event.
    object: Object,
    failures: u64,
    incidents: u64,
    is_flapping: bool,
    causes: BTreeMap<String, u64>,
}

impl Tally {
    fn new(site: String, week: Week) -> Self {
        Self {
            site,
            before: week.before(),
            week,
            timeline: Timeline::default(),
            this: Figures::default(),
            earlier: Figures::default(),
            reaches_back: false,
            seen: RecentIds::default(),
            detailed: RecentIds::default(),
            objects: BTreeMap::new(),
            causes: BTreeMap::new(),
            longest: Vec::new(),
            slowest: Vec::new(),
            starts: BTreeMap::new(),
        }
    }

    /// The figures that a time belongs to.
    fn figures(&mut self, at: Timestamp) -> Option<&mut Figures> {
        if self.week.contains(at) {
            Some(&mut self.this)
        } else if self.before.contains(at) {
            Some(&mut self.earlier)
        } else {
            None
        }
    }

    fn is_about(&self, happened: &Happened) -> bool {
        self.site.eq_ignore_ascii_case(&happened.site)
    }

    /// All events of a day were counted.
    fn end_day(&mut self) {
        self.seen.end_day();
        self.detailed.end_day();
    }

    /// Counts what a workflow did about an event.
    fn record(&mut self, record: &Record, happened: &Happened) {
        if !self.is_about(happened) || !matches!(record.state, Some(State::Failed | State::Dropped)) {
            return;
        }
        if let Some(figures) = self.figures(happened.received_at) {
            figures.week.given_up += 1;
        }
    }

    /// Counts an event, once.
    fn event(&mut self, happened: &Happened) {
        if !self.is_about(happened) || !self.seen.insert(number(&happened.id)) {
            return;
        }
        let at = happened.received_at;
        // Another site's week may end later.
        if at >= self.week.ends() {
            return;
        }
        let is_this = self.week.contains(at);
        self.reaches_back |= at < self.before.begins();
        self.refresh(happened, is_this);
        let change = self.timeline.apply(happened, None);
        let Some(figures) = self.figures(at) else { return };
        figures.event(happened);
        match &change {
            Some(Change::Opened(_)) => figures.week.opened += 1,
            Some(Change::Ended(incident)) => figures.ended(incident),
            None => {}
        }
        if !is_this {
            return;
        }
        let object = self.object(happened);
        if happened.name.action() == Some(Action::RefreshFailed) {
            let of_object = self.of_object(object);
            of_object.failures += 1;
            if let Some(Change::Opened(nth)) = change {
                of_object.incidents += 1;
                of_object.is_flapping |= nth >= FLAPPING;
            }
        }
        if let Some(Change::Ended(incident)) = change {
            let end = incident.end.map_or(at, |end| end.at);
            self.longest.push((*incident, end));
            keep(&mut self.longest, |(incident, end)| Reverse(incident.seconds(*end)));
        }
    }

    fn of_object(&mut self, object: Object) -> &mut OfObject {
        let of_object = self.objects.entry(object.luid.clone()).or_insert_with(|| OfObject {
            object: object.clone(),
            failures: 0,
            incidents: 0,
            is_flapping: false,
            causes: BTreeMap::new(),
        });
        of_object.object = object;
        of_object
    }

    fn object(&self, happened: &Happened) -> Object {
        Object {
            site: self.site.clone(),
            kind: happened.kind.clone(),
            luid: happened.luid.clone(),
            name: happened.object_name.clone(),
        }
    }

    /// Counts what only whole records say.
    fn details(&mut self, event: &EventRecords) {
        let happened = &event.happened;
        if !self.is_about(happened) {
            return;
        }
        let is_this = self.week.contains(happened.received_at);
        let Some(figures) = self.figures(happened.received_at) else { return };
        event.records.iter().for_each(|record| figures.message(record, happened));
        if happened.name.action() == Some(Action::Disabled)
            && let Some(webhook) = event.event().and_then(|event| event.webhook)
        {
            figures.outages.insert((webhook.webhook.to_string(), webhook.found));
        }
        // Records of one event may be in two batches, and one of them may know no cause.
        if let Some(class) = event.class()
            && is_this
            && self.detailed.insert(number(&happened.id))
        {
            let object = self.object(happened);
            let of_object = self.of_object(object);
            *of_object.causes.entry(class.to_owned()).or_default() += 1;
            *self.causes.entry(class.to_owned()).or_default() += 1;
        }
    }

    /// How long a refresh took.
    fn refresh(&mut self, happened: &Happened, is_this: bool) {
        let at = happened.time();
        match happened.name.action() {
            Some(Action::RefreshStarted) => {
                self.starts.insert(happened.luid.clone(), at);
            }
            Some(Action::RefreshSucceeded) => {
                let Some(start) = self.starts.remove(&happened.luid) else { return };
                let took = at.duration_since(start);
                if is_this && (SignedDuration::ZERO..=LONGEST_REFRESH).contains(&took) {
                    let object = self.object(happened);
                    self.slowest.push((object, took, at));
                    keep(&mut self.slowest, |(_, took, _)| Reverse(*took));
                }
            }
            Some(Action::RefreshFailed) => {
                self.starts.remove(&happened.luid);
            }
            _ => {}
        }
    }

    /// The report at `now`, which may be before the week is over. Asks for the owners of what failed.
    pub async fn finish(mut self, owners: &mut Owners<'_>, now: Timestamp) -> WeeklyReport {
        let ends = self.week.ends().min(now);
        let is_whole = self.reaches_back && is_kept(self.before.begins(), now);
        for incident in self.timeline.open() {
            self.longest.push((incident, ends));
        }
        keep(&mut self.longest, |(incident, end)| Reverse(incident.seconds(*end)));
        let mut failing: Vec<OfObject> = std::mem::take(&mut self.objects).into_values().collect();
        failing.sort_by_key(|of| (Reverse(of.failures), of.object.name.clone()));
        let mut by_owner: BTreeMap<String, OwnerFigures> = BTreeMap::new();
        let mut without_owner = Vec::new();
        for figures in &failing {
            let object = &figures.object;
            match owners.of(object).await {
                OwnerLookup::Found(owner) => {
                    let entry = by_owner.entry(owner.login.clone()).or_default();
                    entry.owner = owner.name;
                    entry.failures += figures.failures;
                    entry.objects += 1;
                }
                OwnerLookup::NotShown => without_owner.push(reported(object, None)),
                OwnerLookup::Unknown => {}
            }
        }
        without_owner.truncate(PLACES);
        let mut of_owners: Vec<OwnerFigures> = by_owner.into_values().collect();
        of_owners.sort_by_key(|owner| (Reverse(owner.failures), owner.owner.clone()));
        of_owners.truncate(PLACES);
        let mut flapping: Vec<&OfObject> = failing.iter().filter(|of| of.is_flapping).collect();
        flapping.sort_by_key(|of| (Reverse(of.incidents), of.object.name.clone()));
        let mut report = WeeklyReport {
            first_day: self.week.first_day,
            timezone: self.week.timezone.iana_name().unwrap_or("UTC").to_owned(),
            week: self.this.finish(),
            week_before: is_whole.then(|| self.earlier.finish()),
            causes: causes(&self.causes),
            owners: of_owners,
            without_owner,
            ..WeeklyReport::default()
        };
        for figures in failing.iter().take(PLACES) {
            let cause = causes(&figures.causes).into_iter().next().map(|most| most.cause);
            let object = with_owner(&figures.object, owners).await;
            report.failed_most.push(FailingObject { object, failures: figures.failures, cause });
        }
        for figures in flapping.into_iter().take(PLACES) {
            let object = with_owner(&figures.object, owners).await;
            report.flapping.push(FlappingObject { object, incidents: figures.incidents });
        }
        for (incident, end) in &self.longest {
            report.longest_incidents.push(LongIncident {
                object: with_owner(&incident.object, owners).await,
                since: incident.opened_at,
                seconds: u64::try_from(incident.seconds(*end)).unwrap_or_default(),
                is_open: incident.end.is_none(),
            });
        }
        for (object, took, ended_at) in &self.slowest {
            report.slowest_refreshes.push(SlowRefresh {
                object: reported(object, None),
                seconds: u64::try_from(took.as_secs()).unwrap_or_default(),
                ended_at: *ended_at,
            });
        }
        report.owners_unknown = owners.problem().map(str::to_owned);
        report
    }
}

impl Figures {
    /// Counts how long a message took.
    fn message(&mut self, record: &Record, happened: &Happened) {
        if !counts_for_objective(&record.workflow, &happened.name, record.deferrals) {
            return;
        }
        if matches!(record.state, Some(State::Failed | State::Dropped)) {
            self.never_sent += 1;
        }
        if let (Some(done), Some(at)) = (done_at(record), happened.at) {
            let wait = (done.as_millisecond() - at.as_millisecond()).max(0);
            self.waits.push(u32::try_from(wait).unwrap_or(u32::MAX));
        }
    }

    /// Counts an event.
    fn event(&mut self, happened: &Happened) {
        self.week.events += 1;
        match happened.name.action() {
            Some(Action::RefreshFailed) => self.week.failed += 1,
            Some(Action::RefreshSucceeded) => self.week.succeeded += 1,
            _ => {}
        }
    }

    fn ended(&mut self, incident: &PastIncident) {
        self.week.resolved += 1;
        if let Some(end) = incident.end.filter(|end| !end.is_deletion) {
            self.recoveries.push(incident.seconds(end.at));
        }
    }

    fn finish(&mut self) -> WeekFigures {
        let mut week = self.week.clone();
        let total: i64 = self.recoveries.iter().sum();
        let mean = i64::try_from(self.recoveries.len()).ok().and_then(|count| total.checked_div(count));
        week.recovery_seconds = mean.and_then(|mean| u64::try_from(mean).ok());
        self.waits.sort_unstable();
        week.messages = self.waits.len() as u64 + self.never_sent;
        let objective = u32::try_from(MESSAGE_OBJECTIVE.as_millis()).unwrap_or(u32::MAX);
        week.messages_in_time = self.waits.iter().filter(|wait| **wait <= objective).count() as u64;
        week.message_p99_ms = percentile(&self.waits, week.messages, 99).map(u64::from);
        week.webhook_outages = self.outages.len() as u64;
        week
    }
}

/// The smallest of the sorted values that so many of 100 do not exceed; `None` if it is among those of `count` that have no value.
fn percentile(sorted: &[u32], count: u64, percent: u64) -> Option<u32> {
    let rank = usize::try_from((count * percent).div_ceil(100)).ok()?;
    sorted.get(rank.checked_sub(1)?).copied()
}

/// The ids of a day's events and of those of the day before: records of one event are not further apart.
#[derive(Debug, Default)]
struct RecentIds {
    today: HashSet<u128>,
    before: HashSet<u128>,
}

impl RecentIds {
    /// Returns whether the id is new.
    fn insert(&mut self, id: u128) -> bool {
        !self.before.contains(&id) && self.today.insert(id)
    }

    fn end_day(&mut self) {
        self.before = std::mem::take(&mut self.today);
    }
}

/// Keeps the first places.
fn keep<T, K: Ord>(list: &mut Vec<T>, key: impl Fn(&T) -> K) {
    list.sort_by_key(key);
    list.truncate(PLACES);
}

fn causes(counted: &BTreeMap<String, u64>) -> Vec<CauseFigures> {
    let figures =
        counted.iter().map(|(cause, failures)| CauseFigures { cause: cause.clone(), failures: *failures });
    let mut figures: Vec<_> = figures.collect();
    keep(&mut figures, |of| (Reverse(of.failures), of.cause.clone()));
    figures
}

async fn with_owner(object: &Object, owners: &mut Owners<'_>) -> ReportedObject {
    let owner = owners.of(object).await;
    reported(object, owner.found().map(|owner| owner.name.clone()))
}

fn reported(object: &Object, owner: Option<String>) -> ReportedObject {
    ReportedObject { kind: object.kind.clone(), luid: object.luid.clone(), name: object.name.clone(), owner }
}

#[cfg(test)]
mod tests;
