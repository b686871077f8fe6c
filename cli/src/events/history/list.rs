//! `events list`.

use super::USUAL;
use super::causes;
use super::filter::Filter;
use super::record::{Facts, Outcome};
use super::store::{CLOCK_TOLERANCE, FURTHEST, Records};
use crate::events::dead_letters::{self, DeadLetter, Timer};
use crate::events::options::ListOptions;
use crate::events::table::{Column, Table, cell, event_id, message_id, name};
use crate::events::time_range::TimeRange;
use crate::out::{self, line, note, plain};
use crate::stack::Stack;
use deliveries::{KEPT, Record, State};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::process::ExitCode;
use workflow::BoxError;

/// The columns of the table. At a width of 80 every column is shown.
const COLUMNS: [Column; 7] = [
    Column::whole("SEEN (UTC)"),
    Column::cut("WORKFLOW", 10),
    Column::cut_in_the_middle("EVENT", 14),
    Column::cut("NAME", 8),
    Column::whole("OUTCOME").coloured(Outcome::style_of),
    Column::whole("EVENT ID"),
    Column::cut("REASON", 10),
];
/// The most records that one request reads.
const PAGE: u32 = 1_000;
/// If a workflow has more dead letters than this, its timers are listed only with `--outcome failed`.
const FEW_LETTERS: u64 = 100;

/// Lists records, and prints how many there were.
pub(in crate::events) async fn list(options: ListOptions) -> Result<ExitCode, BoxError> {
    let now = Timestamp::now();
    let time_range = options.time_range.at(now)?;
    let (since, until) = bounds(time_range, now);
    let stack = Stack::find(&options.target).await?;
    // Refuses a workflow that does not exist.
    stack.queues_of(options.workflow.as_deref())?;
    let records = Records::of(&stack)?;
    let filter = Filter {
        event: options.event.map(|event| event.as_str().to_owned()),
        workflow: options.workflow,
        outcomes: options.outcome,
        causes: options.cause,
        resource: options.resource,
    };
    let limit = usize::try_from(options.limit).unwrap_or(usize::MAX);
    let width = (!options.wide).then(out::width);
    let table = Table::new(COLUMNS, width);
    let mut shown = Shown { json: options.json, now, table, rows: Vec::new(), lines: 0 };
    let mut events = BTreeSet::new();
    // If every record is shown, one record more than the limit is read to know whether there are more.
    let page = if filter.is_open() { options.limit.saturating_add(1).min(PAGE) } else { PAGE };
    let page = i32::try_from(page).ok();
    let mut walk = records.back(since, until);
    let mut more = false;
    let mut notes = Vec::new();
    while !more && let Some(mut found) = walk.next(page).await? {
        found.retain(|record| filter.takes(record, now));
        if !filter.causes.is_empty() {
            causes::fill(&records, &mut found).await?;
            found.retain(|record| filter.takes_cause(record));
        }
        more = shown.lines + found.len() > limit;
        found.truncate(limit - shown.lines);
        // The list is worth having without the causes. One note is enough.
        if options.json
            && filter.causes.is_empty()
            && notes.is_empty()
            && let Err(error) = causes::fill(&records, &mut found).await
        {
            notes.push(format!("the causes are not shown: {error}"));
        }
        shown.add(&found)?;
        events.extend(found.into_iter().map(|record| record.event_id));
    }
    let records = shown.lines;
    let looked = TimeRange { since: Some(since), until: Some(until) };
    let (mut timers, notes_on_timers) = timers(&stack, &filter, looked).await;
    more |= records + timers.len() > limit;
    timers.truncate(limit - records);
    shown.add_timers(&timers)?;
    shown.print()?;
    let summary = match (records, timers.len()) {
        (0, 0) => nothing(&filter, since, time_range.until),
        (lines, timers) => summary(lines, events.len(), timers, more),
    };
    notes.iter().chain(&notes_on_timers).for_each(note);
    let gone = time_range
        .since
        .filter(|since| now.duration_since(*since) > KEPT)
        .map(|_| format!("records are kept for {} days after their last change", KEPT.as_hours() / 24));
    // The output for programs (JSON) has no summary.
    if options.json {
        more.then_some(summary).into_iter().chain(gone).for_each(note);
        return Ok(ExitCode::SUCCESS);
    }
    std::iter::once(summary).chain(gone).try_for_each(|text| line!("{text}"))?;
    Ok(ExitCode::SUCCESS)
}

/// The timers among the dead letters that the filter accepts, with their workflows, and notes to print.
async fn timers(
    stack: &Stack,
    filter: &Filter,
    time_range: TimeRange,
) -> (Vec<(String, DeadLetter)>, Vec<String>) {
    let mut found = Vec::new();
    let mut notes = Vec::new();
    let is_asked = filter.outcomes.contains(&Outcome::Failed);
    let is_about_events = filter.event.is_some() || !filter.causes.is_empty();
    if is_about_events || !(is_asked || filter.outcomes.is_empty()) {
        return (found, notes);
    }
    let most = if is_asked { u64::MAX } else { FEW_LETTERS };
    let of_workflow = |workflow: &str| filter.workflow.as_ref().is_none_or(|wanted| wanted == workflow);
    for queues in stack.workflows.iter().filter(|queues| of_workflow(&queues.workflow)) {
        let workflow = &queues.workflow;
        match dead_letters::timers(stack, queues, time_range, most).await {
            Ok(Some(timers)) => {
                let timers = timers.into_iter().filter(|letter| filter.takes_timer(letter));
                found.extend(timers.map(|letter| (workflow.clone(), letter)));
            }
            Ok(None) => notes.push(format!(
                "{workflow} has more than {FEW_LETTERS} dead letters: --outcome failed also looks for timers among them"
            )),
            Err(error) => notes.push(format!("timers among the dead letters of {workflow} are not listed: {error}")),
        }
    }
    (found, notes)
}

/// The time range to read, limited to times at which records can exist.
fn bounds(time_range: TimeRange, now: Timestamp) -> (Timestamp, Timestamp) {
    let back = |from: Timestamp, time| from.checked_sub(time).unwrap_or(from);
    let latest = now.checked_add(CLOCK_TOLERANCE).unwrap_or(now);
    let until = time_range.until.map_or(latest, |until| until.min(latest));
    // If only the end is given: the day before it.
    let since = time_range.since.unwrap_or_else(|| back(now, USUAL).min(back(until, USUAL)));
    (since.max(back(now, FURTHEST)), until)
}

/// The sentence when nothing was found. It repeats the filter, so that the user sees what to leave out.
fn nothing(filter: &Filter, since: Timestamp, until: Option<Timestamp>) -> String {
    let until = until.map(|until| format!("until {until:.0}"));
    let time_range = [format!("since {since:.0}")].into_iter().chain(until);
    if filter.is_open() {
        return format!("no event {}", time_range.collect::<Vec<_>>().join(" "));
    }
    let asked: Vec<String> = filter.words().into_iter().chain(time_range).collect();
    format!("no event matches: {}", asked.join(", "))
}

/// The line below the table.
fn summary(lines: usize, events: usize, timers: usize, more: bool) -> String {
    let timers = match timers {
        0 => String::new(),
        timers => out::counted(timers, "timer"),
    };
    let what = match (lines, events) {
        (0, _) => String::new(),
        (1, _) => "1 event".to_owned(),
        (lines, events) if lines == events => format!("{events} events"),
        (lines, 1) => format!("{lines} deliveries of 1 event"),
        (lines, events) => format!("{lines} deliveries of {events} events"),
    };
    let more = if more { "; there are more: take a larger --limit, or an earlier --until" } else { "" };
    let and = if what.is_empty() || timers.is_empty() { "" } else { " and " };
    format!("{what}{and}{timers}{more}")
}

/// The rows shown so far.
#[derive(Debug)]
struct Shown {
    json: bool,
    now: Timestamp,
    table: Table<7>,
    /// The rows of a table, kept until all are known, because the columns' widths depend on all rows.
    rows: Vec<[String; 7]>,
    lines: usize,
}

impl Shown {
    fn add(&mut self, records: &[Record]) -> Result<(), out::Error> {
        self.lines += records.len();
        if self.json {
            let facts = |record| out::json(&Facts::of(record, self.now));
            return records.iter().try_for_each(|record| line!("{}", facts(record)));
        }
        let is_narrow = self.table.is_narrow();
        self.rows.extend(records.iter().map(|record| row(record, self.now, is_narrow)));
        Ok(())
    }

    fn add_timers(&mut self, timers: &[(String, DeadLetter)]) -> Result<(), out::Error> {
        self.lines += timers.len();
        if self.json {
            let facts =
                |(workflow, letter): &(String, DeadLetter)| out::json(&Facts::of_timer(workflow, letter));
            return timers.iter().try_for_each(|timer| line!("{}", facts(timer)));
        }
        let is_narrow = self.table.is_narrow();
        self.rows.extend(timers.iter().map(|(workflow, letter)| timer_row(workflow, letter, is_narrow)));
        Ok(())
    }

    /// Prints the table, if it has rows.
    fn print(mut self) -> Result<(), out::Error> {
        if self.rows.is_empty() {
            return Ok(());
        }
        self.table.fit(&self.rows);
        line!("{}", self.table.head())?;
        self.rows.iter().try_for_each(|row| line!("{}", self.table.line(row)))
    }
}

/// The cells of a failed timer's row.
fn timer_row(workflow: &str, letter: &DeadLetter, is_narrow: bool) -> [String; 7] {
    let (what, place) = letter.timer().map(Timer::words).unwrap_or_default();
    [
        seen(letter.sent_at, is_narrow),
        cell(workflow),
        cell(&what),
        name(&place),
        Outcome::Failed.as_str().to_owned(),
        message_id(&letter.message_id, is_narrow),
        plain(&letter.why()),
    ]
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// When an event was first seen. Records are kept for less than a year, so the year can be left out.
fn seen(at: Option<Timestamp>, is_narrow: bool) -> String {
    let form = if is_narrow { "%m-%d %H:%M" } else { "%Y-%m-%d %H:%M" };
    at.map_or_else(|| "–".to_owned(), |at| at.strftime(form).to_string())
}

fn row(record: &Record, now: Timestamp, is_narrow: bool) -> [String; 7] {
    let outcome = Outcome::of(record, now);
    let reason = match (outcome, record.next_at()) {
        (Outcome::Interrupted, _) => "no end was recorded".to_owned(),
        (_, Some(next_at)) => {
            let word = match record.state {
                Some(State::Deferred) => "until",
                Some(State::Misconfigured) => "waits for a person, next try",
                _ => "next try",
            };
            format!("{word} {}: {}", minute(next_at), record.reason())
        }
        _ => record.reason().to_owned(),
    };
    [
        seen(record.first_seen_at, is_narrow),
        cell(&record.workflow),
        cell(&record.event.name),
        name(&record.event.resource_name),
        outcome.as_str().to_owned(),
        event_id(&record.event_id, is_narrow),
        plain(&reason),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use deliveries::EventFacts;

    #[test]
    fn a_row_says_what_became_of_the_event_and_cannot_steer_the_terminal() {
        let record = Record {
            event_id: "717bbc05a8f9aaaa".to_owned(),
            workflow: "notify-slack".to_owned(),
            event: EventFacts {
                name: "SiteUpdated".to_owned(),
                resource_name: "\u{1b}[31mMarketing".to_owned(),
                ..EventFacts::default()
            },
            first_seen_at: "2026-11-22T14:44:03Z".parse().ok(),
            state: Some(State::Failed),
            last_reason: "Slack:\u{7} no".to_owned(),
            ..Record::default()
        };
        let expected = [
            "2026-11-22 14:44",
            "notify-slack",
            "SiteUpdated",
            "Marketing",
            "failed",
            "717bbc05a8f9",
            "Slack: no",
        ];
        let row = |record: &Record| row(record, Timestamp::UNIX_EPOCH, false);
        assert_eq!(row(&record), expected);
        let narrow = super::row(&record, Timestamp::UNIX_EPOCH, true);
        assert_eq!([&narrow[0], &narrow[5]], ["11-22 14:44", "717bbc05"]);
        let left = Record { state: Some(State::Claimed), ..record };
        assert_eq!(row(&left)[4..], ["interrupted", "717bbc05a8f9", "no end was recorded"]);
        let deadline = "2026-11-22T17:54:00Z".parse().ok();
        let waits = Record { state: Some(State::Deferred), deadline, ..left };
        let until = "until 2026-11-22 17:54: Slack: no";
        assert_eq!(row(&waits)[4..], ["waiting", "717bbc05a8f9", until]);
        let again = Record { state: Some(State::Released), ..waits };
        assert_eq!(row(&again)[6], "next try 2026-11-22 17:54: Slack: no");
    }

    #[test]
    fn a_list_looks_only_where_there_can_be_records() {
        let now: Timestamp = "2026-11-22T14:00:00Z".parse().unwrap();
        let bounds = |since: &str, until: &str| {
            let time_range = TimeRange { since: since.parse().ok(), until: until.parse().ok() };
            let (since, until) = bounds(time_range, now);
            format!("{since} {until}")
        };
        assert_eq!(bounds("", ""), "2026-11-21T14:00:00Z 2026-11-22T14:15:00Z");
        assert_eq!(bounds("", "2026-11-20T00:00:00Z"), "2026-11-19T00:00:00Z 2026-11-20T00:00:00Z");
        assert_eq!(
            bounds("2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"),
            "2026-09-23T14:00:00Z 2026-11-22T14:15:00Z"
        );
    }

    #[test]
    fn where_nothing_is_stands_all_that_was_asked_for() {
        let since = Timestamp::UNIX_EPOCH;
        let until = since.checked_add(USUAL).ok();
        assert_eq!(nothing(&Filter::default(), since, None), "no event since 1970-01-01T00:00:00Z");
        let filter = Filter {
            event: Some("SiteUpdated".to_owned()),
            workflow: Some("notify-slack".to_owned()),
            outcomes: vec![Outcome::Failed, Outcome::Waiting],
            causes: vec!["Quota".to_owned(), "NotFound".to_owned()],
            resource: Some("sa\u{1b}les".to_owned()),
        };
        let expected = "no event matches: outcome failed or waiting, cause Quota or NotFound, event SiteUpdated, workflow notify-slack, \
                        resource sales, since 1970-01-01T00:00:00Z, until 1970-01-02T00:00:00Z";
        assert_eq!(nothing(&filter, since, until), expected);
    }

    #[test]
    fn the_last_line_counts_events_and_says_when_there_are_more() {
        assert_eq!(summary(1, 1, 0, false), "1 event");
        assert_eq!(summary(4, 2, 0, false), "4 deliveries of 2 events");
        assert_eq!(summary(4, 2, 1, false), "4 deliveries of 2 events and 1 timer");
        assert_eq!(summary(0, 0, 2, false), "2 timers");
        assert!(summary(2, 2, 0, true).starts_with("2 events; there are more: "));
    }
}
