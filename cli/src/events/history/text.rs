//! What happened to an event, as text for people. No I/O.

use super::attempts::{Attempt, End};
use super::record::Outcome;
use super::show::Delivery;
use crate::colour::paint;
use crate::out::plain;
use deliveries::{Content, Effect, EventFacts, Record, State};
use jiff::Timestamp;
use std::collections::BTreeSet;
use workflow::FoundCause;

/// The longest effect that is shown whole, in characters.
const LONGEST_EFFECT: usize = 100;

/// The width of the left column, enough for its longest word.
const LEFT: usize = 16;
/// How many characters of an unreadable body are shown.
const SHOWN: usize = 1_000;

pub(super) fn pair(indent: &str, name: &str, text: &str) -> String {
    let width = LEFT - indent.len();
    format!("{indent}{name:<width$}{}", plain(text))
}

pub(super) fn instant(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "unknown".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

fn duration(ms: i64) -> String {
    match ms.max(0) {
        ms @ 0..1_000 => format!("{ms} ms"),
        ms @ 1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        ms => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

/// The lines about the event that are the same for all workflows.
pub(super) fn event(delivery: &Delivery) -> Vec<String> {
    let Record { event_id, event, .. } = &delivery.record;
    let EventFacts { name: event_name, site, resource, resource_name, created_at, .. } = event;
    let happened = created_at.parse().ok().map_or_else(|| created_at.clone(), |at| instant(Some(at)));
    let mut lines = vec![pair("", "event", event_id), pair("", "name", event_name)];
    let facts = [("resource", resource_name), ("LUID", resource), ("site", site), ("happened", &happened)];
    let facts = facts.into_iter().filter(|(_, text)| !text.is_empty());
    lines.extend(facts.map(|(name, text)| pair("", name, text)));
    if let Ok(Content::Unreadable(unreadable)) = Content::stored(&delivery.payload.to_string()) {
        // Shown as text, because the payload below may contain the body in base64.
        let text: String = unreadable.text().chars().take(SHOWN).collect();
        lines.push(pair("", "body", &text));
    }
    let payload = serde_json::to_string_pretty(&delivery.payload).unwrap_or_default();
    lines.extend(payload.lines().enumerate().map(|(at, line)| {
        let name = if at == 0 { "payload" } else { "" };
        // The spaces at the beginning are added by this program.
        let text = plain(line);
        format!("{name:<LEFT$}{text}").trim_end().to_owned()
    }));
    lines
}

/// The lines about what one workflow did with the event.
pub(super) fn trace(delivery: &Delivery, now: Timestamp) -> Vec<String> {
    let record = &delivery.record;
    let outcome = Outcome::of(record, now);
    let tries =
        if record.attempts == 1 { "1 attempt".to_owned() } else { format!("{} attempts", record.attempts) };
    let how = match outcome {
        Outcome::Waiting => waits(record, now),
        Outcome::Working => "a worker is handling it".to_owned(),
        Outcome::Interrupted => "was interrupted; the next attempt takes over".to_owned(),
        Outcome::Done => "done".to_owned(),
        Outcome::Grouped if record.reason().starts_with("grouped ") => record.reason().to_owned(),
        Outcome::Grouped => format!("grouped: {}", record.reason()),
        Outcome::Skipped => format!("skipped: {}", record.reason()),
        Outcome::Ignored => format!("ignored: {}", record.reason()),
        Outcome::Failed => "failed permanently".to_owned(),
        Outcome::Dropped => "failed permanently; a person dropped it".to_owned(),
    };
    // The line up to the reason.
    let how = plain(&how);
    let (head, reason) = how.find(": ").map_or((how.as_str(), ""), |at| how.split_at(at));
    let head = paint(outcome.style(), head);
    let mut lines = vec![format!("{}: {head}{reason}, {tries}", plain(&record.workflow))];
    lines.push(pair("  ", "first seen", &instant(record.first_seen_at)));
    lines.push(pair("  ", "last change", &instant(record.updated_at)));
    if !record.cause.is_empty() {
        let cause = if record.cause == FoundCause::NOT_FOUND { "not found" } else { &record.cause };
        lines.push(pair("  ", "cause", cause));
    }
    lines.extend(attempts(&delivery.attempts));
    lines.extend(effects(&record.effects));
    lines.extend(delivery.shared.iter().map(|shared| shared.line(now)));
    if !record.damaged.is_empty() {
        lines.push(pair("  ", "damaged", &record.damaged.join(", ")));
    }
    if let Some(letters) = &delivery.dead_letters {
        let text = match letters {
            Ok(0) => "the workflow has none".to_owned(),
            // The message is sent by a timer, whose dead letter has another id than this event.
            Ok(count) if !delivery.shared.is_empty() => {
                format!("{count} in the workflow's queue; `events dead-letters list` shows them")
            }
            Ok(count) => format!(
                "{count} in the workflow's queue; `events dead-letters list {}` shows whether this is among them",
                record.event_id.get(..12).unwrap_or_default()
            ),
            Err(why) => format!("unknown: {why}"),
        };
        lines.push(pair("  ", "dead letters", &text));
    }
    lines
}

/// Until when an event waits, and why.
fn waits(record: &Record, now: Timestamp) -> String {
    let Some(next_at) = record.next_at() else { return "waits for its next attempt".to_owned() };
    let at = instant(Some(next_at));
    if record.state == Some(State::Misconfigured) {
        return format!(
            "waits until a person fixes this, for three days, next try at {at}: {}",
            record.reason()
        );
    }
    let when = match (record.state == Some(State::Deferred), next_at < now) {
        (true, false) => format!("waits until {at}"),
        (true, true) => format!("waited until {at}, and will be tried again within 15 minutes"),
        (false, false) => format!("failed temporarily, next try at {at}"),
        (false, true) => format!("failed temporarily, next try was due at {at}"),
    };
    format!("{when}: {}", record.reason())
}

/// The recorded effects in words. An effect that this version does not know is shown unchanged.
fn effects(effects: &BTreeSet<Effect>) -> Vec<String> {
    let mut notified = Vec::new();
    let mut overwritten = Vec::new();
    let mut others = Vec::new();
    for effect in effects {
        match effect {
            Effect::Notified { target } => notified.push(target.as_str()),
            Effect::Overwritten { view } => overwritten.push(view.as_str()),
            Effect::Other(other) => others.push(shortened(other.as_str())),
        }
    }
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    let lines = [("sent to", notified), ("overwritten", overwritten), ("effects", others)].into_iter();
    let lines = lines.filter(|(_, texts)| !texts.is_empty());
    lines.map(|(name, texts)| pair("  ", name, &texts.join(", "))).collect()
}

/// An effect may hold what a later attempt needs, in a form for programs. `--json` shows all of it.
fn shortened(effect: &str) -> String {
    let mut text: String = effect.chars().take(LONGEST_EFFECT).collect();
    if text.len() < effect.len() {
        text.push('…');
    }
    text
}

/// A line for each attempt, and one line for each range of attempts that the history does not keep.
fn attempts(attempts: &[Attempt]) -> Vec<String> {
    let mut lines = Vec::new();
    for run in attempts.chunk_by(|one, next| one.end == End::NotKept && next.end == End::NotKept) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        if first.number != last.number {
            let name = format!("{}–{}", first.number, last.number);
            lines.push(pair("  ", &name, "are not kept: the history has the first 100 attempts"));
            continue;
        }
        lines.push(pair("  ", &format!("attempt {}", first.number), &attempt(first)));
    }
    lines
}

fn attempt(attempt: &Attempt) -> String {
    let began = attempt.began_at.map(|at| format!("{}, ", instant(Some(at)))).unwrap_or_default();
    match &attempt.end {
        End::Ended { outcome, reason, next_at, .. } => {
            let took = attempt.duration_ms().map(|ms| format!("{}, ", duration(ms))).unwrap_or_default();
            let outcome = match outcome.as_str() {
                "released" => "failed temporarily",
                "misconfigured" => "waits for a person",
                "deferred" => "deferred",
                "failed" => "failed permanently",
                outcome => outcome,
            };
            let until = next_at.filter(|_| outcome == "deferred");
            let until = until.map(|at| format!(" until {}", instant(Some(at)))).unwrap_or_default();
            let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
            format!("{began}{took}{outcome}{until}{reason}")
        }
        End::Goes { until } => format!("{began}is running, until {} at the latest", instant(*until)),
        End::Unrecorded => format!("{began}no end was recorded: the process died or ran out of time"),
        End::NotKept => "is not kept: the history has the first 100 attempts".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(second: i64) -> Option<Timestamp> {
        Timestamp::from_second(1_764_000_000 + second).ok()
    }

    fn ended(number: u64, took: i64, outcome: &str, reason: &str) -> Attempt {
        let outcome = outcome.to_owned();
        let reason = reason.to_owned();
        let end = End::Ended { at: at(took), outcome, reason, next_at: at(900) };
        Attempt { number, began_at: at(0), end }
    }

    fn delivery() -> Delivery {
        let record = Record {
            event_id: "717bbc05a8f9aaaa".to_owned(),
            workflow: "notify-slack".to_owned(),
            event: EventFacts {
                name: "SiteUpdated".to_owned(),
                resource_name: "Mar\u{1b}[2Jketing".to_owned(),
                created_at: "2025-11-24T16:00:00Z".to_owned(),
                ..EventFacts::default()
            },
            first_seen_at: at(0),
            updated_at: at(75),
            state: Some(State::Failed),
            attempts: 3,
            effects: ["notified/a", "notified/b"].map(Effect::from).into(),
            ..Record::default()
        };
        let attempts = vec![
            ended(1, 2, "released", "Slack: 500\nno\u{9b}"),
            Attempt { number: 2, began_at: None, end: End::Unrecorded },
            ended(3, 75, "failed", "channel_not_found"),
        ];
        Delivery {
            record,
            attempts,
            payload: json!({ "event_type": "SiteUpdated", "text": "\u{9b}31m" }),
            shared: Vec::new(),
            dead_letters: Some(Ok(2)),
        }
    }

    #[test]
    fn a_way_has_a_line_for_each_attempt() {
        let expected = "\
notify-slack: failed permanently, 3 attempts
  first seen    2025-11-24 16:00:00 UTC
  last change   2025-11-24 16:01:15 UTC
  attempt 1     2025-11-24 16:00:00 UTC, 2.0 s, failed temporarily: Slack: 500 no
  attempt 2     no end was recorded: the process died or ran out of time
  attempt 3     2025-11-24 16:00:00 UTC, 1 min 15 s, failed permanently: channel_not_found
  sent to       a, b
  dead letters  2 in the workflow's queue; `events dead-letters list 717bbc05a8f9` shows whether this is among them";
        assert_eq!(trace(&delivery(), Timestamp::UNIX_EPOCH).join("\n"), expected);
    }

    #[test]
    fn the_cause_of_a_failed_refresh_stands_before_its_attempts() {
        for (cause, expected) in [("DriverMissing", "DriverMissing"), ("NotFound", "not found")] {
            let delivery = delivery();
            let record = Record { cause: cause.to_owned(), ..delivery.record };
            let lines = trace(&Delivery { record, ..delivery }, Timestamp::UNIX_EPOCH);
            assert_eq!(lines[3], format!("  cause         {expected}"));
            assert!(lines[4].starts_with("  attempt 1"), "{lines:?}");
        }
    }

    #[test]
    fn what_waits_says_until_when_and_why() {
        let now = at(0).unwrap();
        let first = |state: &str, deadline| {
            let mut delivery = delivery();
            let last_reason = "sent together with what else happens".to_owned();
            delivery.record = Record { state: Some(state.into()), deadline, last_reason, ..delivery.record };
            trace(&delivery, now).swap_remove(0)
        };
        let because = ": sent together with what else happens, 3 attempts";
        for (state, deadline, expected) in [
            ("deferred", at(60), "waits until 2025-11-24 16:01:00 UTC"),
            (
                "deferred",
                at(-60),
                "waited until 2025-11-24 15:59:00 UTC, and will be tried again within 15 minutes",
            ),
            ("released", at(60), "failed temporarily, next try at 2025-11-24 16:01:00 UTC"),
            (
                "misconfigured",
                at(60),
                "waits until a person fixes this, for three days, next try at 2025-11-24 16:01:00 UTC",
            ),
            ("released", at(-60), "failed temporarily, next try was due at 2025-11-24 15:59:00 UTC"),
        ] {
            assert_eq!(first(state, deadline), format!("notify-slack: {expected}{because}"));
        }
        assert_eq!(first("released", None), "notify-slack: waits for its next attempt, 3 attempts");
        let put_off = attempt(&ended(1, 0, "deferred", "not yet"));
        assert!(put_off.ends_with("deferred until 2025-11-24 16:15:00 UTC: not yet"), "{put_off}");
    }

    #[test]
    fn effects_are_in_the_words_of_the_people_they_are_for() {
        let all = ["notified/data-alerts", "notified/data-news", "broadcast/View 1", "other/x"];
        let expected =
            ["  sent to       data-alerts, data-news", "  overwritten   View 1", "  effects       other/x"];
        assert_eq!(effects(&all.map(Effect::from).into()), expected);
    }

    #[test]
    fn an_event_is_shown_with_its_payload_and_cannot_steer_the_terminal() {
        let expected = "\
event           717bbc05a8f9aaaa
name            SiteUpdated
resource        Marketing
happened        2025-11-24 16:00:00 UTC
payload         {
                  \"event_type\": \"SiteUpdated\",
                  \"text\": \"\"
                }";
        assert_eq!(event(&delivery()).join("\n"), expected);
    }

    #[test]
    fn attempts_that_are_not_kept_are_one_line() {
        let not_kept = |number| Attempt { number, began_at: None, end: End::NotKept };
        let lines = attempts(&[
            ended(100, 0, "released", ""),
            not_kept(101),
            not_kept(102),
            ended(103, 0, "done", ""),
        ]);
        assert_eq!(lines.len(), 3);
        assert!(lines[1].starts_with("  101–102"), "{}", lines[1]);
    }
}
