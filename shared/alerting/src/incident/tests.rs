use super::*;
use crate::lease::LeaseOwner;
use Signal::{Deleted, Failed, Started, Succeeded};
use Transition::{FailedAgain, Opened, Outdated, Resolved as Ended, Unchanged};

const ANY: RefreshKind = RefreshKind::Unknown;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000 + minute * 60).unwrap()
}

fn owner(id: u64, minute: i64) -> LeaseOwner {
    LeaseOwner::with_id(id, at(minute + 1))
}

fn applied(signals: &[Signal]) -> (Incident, Vec<Transition>) {
    let mut incident = Incident::default();
    let transitions = signals.iter().enumerate().map(|(n, signal)| incident.apply(&format!("e{n}"), *signal));
    let transitions = transitions.collect();
    (incident, transitions)
}

#[test]
fn an_incident_goes_from_the_first_failure_to_the_success() {
    let signals = [
        Failed(at(0), ANY),
        Failed(at(10), ANY),
        Failed(at(20), ANY),
        Succeeded(at(30), ANY),
        Succeeded(at(40), ANY),
    ];
    let (incident, transitions) = applied(&signals);
    assert_eq!(transitions, [Opened, FailedAgain, FailedAgain, Ended, Unchanged]);
    let resolved = incident.resolved_by("e3").unwrap();
    assert_eq!((resolved.incident.failures, resolved.incident.since, resolved.at), (3, at(0), at(30)));
    assert_eq!(resolved.incident.lasted(resolved.at), SignedDuration::from_mins(30));
}

#[test]
fn a_redelivered_event_counts_once_and_gives_the_same_answer() {
    let mut incident = Incident::default();
    for _ in 0..3 {
        assert_eq!(incident.apply("a", Failed(at(0), ANY)), Opened);
    }
    assert_eq!(incident.open.as_ref().unwrap().failures, 1);
    for _ in 0..2 {
        assert_eq!(incident.apply("b", Succeeded(at(1), ANY)), Ended);
    }
    assert_eq!(incident.apply("a", Failed(at(0), ANY)), Outdated, "its incident is over");
    assert_eq!(incident.apply("c", Failed(at(2), ANY)), Opened);
    assert_eq!(incident.apply("a", Failed(at(0), ANY)), Outdated, "another incident has opened since");
}

#[test]
fn a_failure_older_than_the_last_success_opens_no_incident() {
    let (incident, transitions) = applied(&[Succeeded(at(10), ANY), Failed(at(9), ANY)]);
    assert_eq!(transitions, [Unchanged, Outdated]);
    assert_eq!(incident.open, None);
    let (_, transitions) = applied(&[Succeeded(at(10), ANY), Failed(at(10), ANY)]);
    assert_eq!(transitions[1], Opened, "in the same second an alert too many is better than none");
}

#[test]
fn a_success_older_than_the_last_failure_resolves_nothing() {
    let (incident, transitions) = applied(&[Failed(at(0), ANY), Failed(at(10), ANY), Succeeded(at(5), ANY)]);
    assert_eq!(transitions[2], Outdated);
    assert_eq!(incident.open.unwrap().failures, 2);
}

#[test]
fn a_success_that_comes_late_is_the_last_one_before_the_incident() {
    let last_success = |signals: &[Signal]| applied(signals).0.open.unwrap().last_success;
    assert_eq!(
        last_success(&[Succeeded(at(1), ANY), Failed(at(9), ANY), Succeeded(at(5), ANY)]),
        Some(at(5))
    );
    assert_eq!(
        last_success(&[Succeeded(at(6), ANY), Failed(at(9), ANY), Succeeded(at(5), ANY)]),
        Some(at(6))
    );
    let between = [Succeeded(at(1), ANY), Failed(at(9), ANY), Failed(at(12), ANY), Succeeded(at(10), ANY)];
    assert_eq!(last_success(&between), Some(at(1)), "it is not before the incident");
}

#[test]
fn a_start_before_the_last_end_is_outdated() {
    for end in [Succeeded(at(5), ANY), Failed(at(5), ANY)] {
        let before = applied(&[end]).0;
        let (after, transitions) = applied(&[end, Started(at(4)), Started(at(5))]);
        assert_eq!((after, &transitions[1..]), (before, &[Outdated, Outdated][..]));
    }
    assert_eq!(applied(&[Succeeded(at(5), ANY), Started(at(6))]).1[1], Unchanged);
}

#[test]
fn a_success_resolves_only_the_kind_of_refresh_that_failed() {
    use RefreshKind::{Full, Incremental, Unknown};
    for (failed, succeeded, expected) in [
        (Full, Full, Ended),
        (Full, Incremental, Unchanged),
        (Incremental, Full, Unchanged),
        (Unknown, Full, Ended),
        (Full, Unknown, Ended),
    ] {
        let (incident, transitions) = applied(&[Failed(at(0), failed), Succeeded(at(5), succeeded)]);
        assert_eq!(transitions[1], expected, "{failed:?}, {succeeded:?}");
        assert_eq!(incident.open.is_some(), expected == Unchanged);
    }
    let both = [
        Failed(at(0), Full),
        Failed(at(1), Incremental),
        Succeeded(at(2), Full),
        Succeeded(at(3), Incremental),
    ];
    let (incident, transitions) = applied(&both);
    assert_eq!(transitions, [Opened, FailedAgain, Unchanged, Ended]);
    assert_eq!(incident.resolved_by("e3").unwrap().at, at(3));
    assert_eq!(applied(&[Failed(at(0), Full), Deleted(at(1))]).1[1], Ended, "a deleted object fails no more");
}

#[test]
fn the_fourth_incident_of_a_day_begins_to_flap_and_those_after_it_are_suppressed_unless_they_last() {
    let mut incident = Incident::default();
    for n in 0..6 {
        incident.apply(&format!("f{n}"), Failed(at(n * 60), ANY));
        let open = incident.open.clone().unwrap();
        assert_eq!((open.begins_to_flap(), open.is_flapping(at(n * 60))), (n == 3, n > 3), "incident {n}");
        incident.apply(&format!("s{n}"), Succeeded(at(n * 60 + 1), ANY));
    }
    incident.apply("fifth", Failed(at(6 * 60), ANY));
    let open = incident.open.clone().unwrap();
    assert!(open.is_flapping(at(6 * 60 + 59)));
    assert!(
        !open.is_flapping(at(7 * 60)),
        "an incident that lasts is announced, without another failure too"
    );
    incident.apply("s", Succeeded(at(7 * 60 + 1), ANY));
    incident.apply("f", Failed(at(40 * 60), ANY));
    assert_eq!(incident.open.unwrap().nth, 1, "a day later it counts anew");
}

fn notified(incident: &mut Incident, target: &str) {
    let open = incident.open.as_mut().unwrap();
    let entry = open.log.entry(target.to_owned()).or_insert_with(|| LogEntry::new(Route::Alone));
    assert!(entry.acquire(owner(1, 0), at(0)));
}

#[test]
fn a_receipt_finds_its_incident_after_the_resolution_too() {
    let mut incident = Incident::default();
    incident.apply("a", Failed(at(0), ANY));
    notified(&mut incident, "c");
    incident.apply("b", Succeeded(at(1), ANY));
    let message = Some(MessageRef { conversation: "C".to_owned(), id: "1".to_owned() });
    let receipt =
        Receipt::Sent { failures: 1, resolution: false, message: message.clone(), audible_at: Some(at(0)) };
    assert!(incident.record("a", "c", owner(1, 0), &receipt));
    assert!(!incident.record("a", "c", owner(2, 0), &receipt), "only the owner of the lease writes");
    let entry = &incident.resolved_by("b").unwrap().incident.log["c"];
    assert_eq!((entry.notified_failures, &entry.message), (1, &message));
}

#[test]
fn a_sender_that_timed_out_may_have_sent() {
    let mut incident = Incident::default();
    incident.apply("a", Failed(at(0), ANY));
    notified(&mut incident, "c");
    let entry = incident.open.as_mut().unwrap().log.get_mut("c").unwrap();
    assert!(!entry.acquire(owner(2, 0), at(0)));
    assert!(entry.acquire(owner(2, 2), at(2)));
    assert!(entry.maybe_sent && !entry.is_certainly_unsent());
}

#[test]
fn a_resolved_incident_is_not_forgotten_while_a_target_is_to_be_notified_of_its_end() {
    let mut incident = Incident::default();
    for n in 0..40 {
        incident.apply(&format!("f{n}"), Failed(at(n * 10), ANY));
        if n == 0 {
            notified(&mut incident, "c");
        }
        incident.apply(&format!("s{n}"), Succeeded(at(n * 10 + 5), ANY));
    }
    assert!(incident.resolved_by("s0").is_some() && incident.resolved_by("s39").is_some());
    assert!(incident.resolved_by("s1").is_none());
}

const YEAR: i64 = 365 * 24 * 60;

#[test]
fn an_instant_that_a_wrong_clock_wrote_makes_no_failure_outdated() {
    let mut incident = Incident::default();
    incident.apply("a", Succeeded(at(2 * YEAR), ANY));
    incident.sanitize(at(0));
    assert_eq!(incident.apply("b", Failed(at(1), ANY)), Opened);
    incident.apply("c", Failed(at(2 * YEAR), ANY));
    incident.sanitize(at(2));
    assert_eq!(incident.apply("d", Succeeded(at(3), ANY)), Ended);
}

#[test]
fn a_success_that_is_delivered_again_does_not_change_when_the_end_was_noted() {
    let mut incident = Incident::default();
    incident.apply("failure", Failed(at(0), ANY));
    for minute in [5, 90] {
        assert_eq!(
            incident.apply("end", Signal::Succeeded(at(4), RefreshKind::Unknown)),
            Transition::Resolved
        );
        incident.note_resolved_at(at(minute));
        assert_eq!(incident.resolved()[0].noted_at, Some(at(5)));
    }
}

#[test]
fn an_end_that_is_found_by_its_key_is_due_until_it_is_sent_although_a_digest_announces_it() {
    let mut entry = LogEntry::new(Route::Digest(at(60)));
    entry.notified_failures = 1;
    entry.resolution_handed_over = true;
    assert!(!entry.awaits_resolution());
    entry.closes_by_key = true;
    assert!(entry.awaits_resolution());
    entry.resolution_sent = true;
    assert!(!entry.awaits_resolution());
}
