use super::*;
use crate::incident::{Incident, MessageRef, RefreshKind, Signal};

const EDITS: Capabilities = Capabilities { edit: true, thread: true, idempotency_key: false, grouping: true };
const POSTS: Capabilities = Capabilities { edit: false, ..EDITS };
const SINGLE: Capabilities = Capabilities { grouping: false, ..EDITS };

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000 + minute * 60).unwrap()
}

fn open(failures: u32) -> Open {
    let mut incident = Incident::default();
    for n in 0..failures {
        incident.apply(&format!("e{n}"), Signal::Failed(at(i64::from(n)), RefreshKind::Unknown));
    }
    incident.open.unwrap()
}

fn entry(route: Route, notified_failures: u32, message: bool) -> LogEntry {
    let message = message.then(|| MessageRef { conversation: "C".to_owned(), id: "1".to_owned() });
    LogEntry { notified_failures, message, ..LogEntry::new(route) }
}

fn situation<'a>(incident: &'a Open, entry: Option<&'a LogEntry>) -> Situation<'a> {
    Situation {
        transition: if incident.failures == 1 { Transition::Opened } else { Transition::FailedAgain },
        incident,
        entry,
        window: None,
        digest: DigestState::Waiting,
        schedule: Schedule::Now,
        capabilities: EDITS,
        sends_updates: true,
        ends_by_key: false,
        suspends_after: Some(5),
        has_timers: true,
        owner: LeaseOwner::with_id(1, at(10)),
        now: at(9),
    }
}

fn window() -> OpenGroup {
    OpenGroup { id: "first".to_owned(), first: "luid".to_owned(), opened_at: at(8), last_join: at(8) }
}

const POST: Decision = Decision::Send { operation: Operation::Post, audible: true };
const EDIT: Decision = Decision::Send { operation: Operation::Edit, audible: true };
const QUIET_EDIT: Decision = Decision::Send { operation: Operation::Edit, audible: false };
const CLOSE: Decision = Decision::Send { operation: Operation::Close, audible: true };
const CLOSE_IN_PLACE: Decision = Decision::Send { operation: Operation::Close, audible: false };

#[test]
fn the_first_failure_is_announced_at_once_and_those_after_it_join_its_group() {
    let incident = open(1);
    let group = window();
    assert_eq!(plan(&situation(&incident, None)), [POST]);
    let followed = Situation { window: Some(&group), ..situation(&incident, None) };
    assert_eq!(plan(&followed), [Decision::Group { id: "first".to_owned() }]);
    for alone in [Situation { capabilities: SINGLE, ..followed }, Situation { has_timers: false, ..followed }]
    {
        assert_eq!(plan(&alone), [POST], "no groups for such a destination, none without timers");
    }
}

#[test]
fn a_message_is_edited_at_each_failure_or_posted_anew_when_failures_have_doubled() {
    for (failures, notified, message, expected) in [
        (2, 1, true, EDIT),
        (2, 2, true, Decision::Suppress(Suppression::AlreadyAnnounced)),
        (2, 1, false, POST),
        (3, 2, false, Decision::Suppress(Suppression::AlreadyAnnounced)),
        (4, 2, false, POST),
        (2, 0, false, POST),
    ] {
        let incident = open(failures);
        let entry = entry(Route::Alone, notified, message);
        let capabilities = if message { EDITS } else { POSTS };
        let situation = Situation { capabilities, ..situation(&incident, Some(&entry)) };
        assert_eq!(plan(&situation), [expected], "{failures} failures, {notified} notified");
    }
}

// 16, item 5
#[test]
fn where_messages_cannot_be_edited_one_more_says_that_the_schedule_is_probably_suspended() {
    let suppressed = Decision::Suppress(Suppression::AlreadyAnnounced);
    for (failures, notified, suspends_after, expected) in [
        (5, 4, Some(5), POST),
        (6, 4, Some(5), POST),
        (6, 5, Some(5), suppressed.clone()),
        (5, 4, Some(10), suppressed.clone()),
        (5, 4, None, suppressed),
    ] {
        let incident = open(failures);
        let entry = entry(Route::Alone, notified, false);
        let situation =
            Situation { capabilities: POSTS, suspends_after, ..situation(&incident, Some(&entry)) };
        assert_eq!(plan(&situation), [expected], "{failures} {notified} {suspends_after:?}");
    }
}

#[test]
fn a_member_of_a_group_that_fails_again_is_not_announced_again() {
    let incident = open(2);
    let entry = entry(Route::Group("first".to_owned()), 0, false);
    let already = Decision::Suppress(Suppression::AlreadyAnnounced);
    for schedule in [Schedule::Now, Schedule::DeferUntil(at(60))] {
        assert_eq!(
            plan(&Situation { schedule, ..situation(&incident, Some(&entry)) }),
            std::slice::from_ref(&already)
        );
    }
}

#[test]
fn nobody_is_called_in_quiet_hours() {
    let until = at(600);
    let incident = open(2);
    let quiet = |entry| Situation { schedule: Schedule::DeferUntil(until), ..situation(&incident, entry) };
    let digest = Decision::Digest { until };
    assert_eq!(plan(&quiet(None)), std::slice::from_ref(&digest));
    let shown = entry(Route::Alone, 1, true);
    assert_eq!(plan(&quiet(Some(&shown))), [QUIET_EDIT]);
    let posted = entry(Route::Alone, 1, false);
    assert_eq!(plan(&quiet(Some(&posted))), std::slice::from_ref(&digest));
    let resolved = Situation { transition: Transition::Resolved, ..quiet(Some(&shown)) };
    assert_eq!(plan(&resolved), [CLOSE_IN_PLACE, digest.clone()]);
    let resolved = Situation { transition: Transition::Resolved, ..quiet(Some(&posted)) };
    assert_eq!(plan(&resolved), [digest]);
}

#[test]
fn a_critical_rule_is_announced_in_quiet_hours_and_of_an_object_that_flaps() {
    let incident = Open { nth: 9, ..open(1) };
    let critical = Situation { schedule: Schedule::Critical, now: at(0), ..situation(&incident, None) };
    assert_eq!(plan(&critical), [POST]);
}

#[test]
fn an_incident_of_a_flapping_object_is_suppressed_and_announced_if_it_lasts() {
    let incident = Open { nth: 5, ..open(1) };
    let first = Situation { now: at(0), ..situation(&incident, None) };
    let look_again = Decision::LookAgain { at: at(60) };
    assert_eq!(plan(&first), [Decision::Suppress(Suppression::Flapping(5)), look_again]);
    assert_eq!(plan(&Situation { now: at(60), ..first }), [POST]);
}

#[test]
fn a_muted_rule_sends_nothing_new_and_leaves_no_message_red() {
    let incident = open(1);
    let muted = |entry| Situation { schedule: Schedule::Muted(at(99)), ..situation(&incident, entry) };
    let suppressed = Decision::Suppress(Suppression::Muted(at(99)));
    assert_eq!(plan(&muted(None)), std::slice::from_ref(&suppressed));
    let shown = entry(Route::Alone, 1, true);
    assert_eq!(
        plan(&Situation { transition: Transition::Resolved, ..muted(Some(&shown)) }),
        [CLOSE_IN_PLACE]
    );
    let posted = entry(Route::Alone, 1, false);
    assert_eq!(plan(&Situation { transition: Transition::Resolved, ..muted(Some(&posted)) }), [suppressed]);
}

#[test]
fn a_resolution_reaches_those_that_the_failure_reached_or_may_have_reached() {
    let incident = open(1);
    let resolved = |entry| Situation { transition: Transition::Resolved, ..situation(&incident, entry) };
    let not_announced = Decision::Suppress(Suppression::NotAnnounced);
    assert_eq!(plan(&resolved(None)), std::slice::from_ref(&not_announced));
    let unsent = LogEntry::new(Route::Alone);
    assert_eq!(plan(&resolved(Some(&unsent))), [not_announced]);
    let maybe = LogEntry { maybe_sent: true, ..LogEntry::new(Route::Alone) };
    assert_eq!(plan(&resolved(Some(&maybe))), [CLOSE]);
    let notified = entry(Route::Alone, 1, true);
    assert_eq!(plan(&resolved(Some(&notified))), [CLOSE]);
    let ended = LogEntry { resolution_sent: true, ..notified.clone() };
    assert_eq!(plan(&resolved(Some(&ended))), [Decision::Suppress(Suppression::AlreadyAnnounced)]);
}

#[test]
fn an_incident_in_a_digest_goes_on_as_the_digest_was_sent() {
    let until = at(8);
    let incident = open(2);
    let in_digest = entry(Route::Digest(until), 0, false);
    for (digest, failed, resolved) in [
        (DigestState::Waiting, Decision::Digest { until }, Decision::Digest { until }),
        (DigestState::Sent, POST, CLOSE),
        (
            DigestState::SentAsGroup { generation: 1 },
            Decision::Suppress(Suppression::AlreadyAnnounced),
            Decision::Group { id: digest_group(until, 1) },
        ),
    ] {
        let failure = Situation { digest, ..situation(&incident, Some(&in_digest)) };
        assert_eq!(plan(&failure), [failed], "{digest:?}");
        assert_eq!(
            plan(&Situation { transition: Transition::Resolved, ..failure }),
            [resolved],
            "{digest:?}"
        );
    }
}

#[test]
fn a_destination_that_tells_no_updates_gets_the_beginning_and_the_end() {
    let known = Decision::Suppress(Suppression::AlreadyAnnounced);
    let of = |failures, notified, schedule, transition| {
        let incident = open(failures);
        let entry = entry(Route::Alone, notified, false);
        plan(&Situation {
            transition,
            schedule,
            capabilities: POSTS,
            sends_updates: false,
            ..situation(&incident, Some(&entry))
        })
    };
    let again = Transition::FailedAgain;
    for failures in [2, 4, 5, 8, 100] {
        assert_eq!(of(failures, 1, Schedule::Now, again), std::slice::from_ref(&known), "{failures}");
        assert_eq!(of(failures, 1, Schedule::Critical, again), std::slice::from_ref(&known), "{failures}");
    }
    let quiet = Schedule::DeferUntil(at(60));
    assert_eq!(of(2, 1, quiet, again), [known]);
    // The beginning may be told late: a rule waits for the third failure, or the first text was not sent.
    assert_eq!(of(3, 0, Schedule::Now, again), [POST]);
    assert_eq!(of(3, 0, quiet, again), [Decision::Digest { until: at(60) }]);
    assert_eq!(of(3, 1, Schedule::Now, Transition::Resolved), [CLOSE]);
    assert_eq!(of(3, 1, quiet, Transition::Resolved), [Decision::Digest { until: at(60) }]);
}

#[test]
fn an_end_that_finds_its_message_by_its_key_is_sent_in_quiet_hours_too() {
    let incident = open(2);
    let until = at(60);
    // A digest has announced it: until its next reminder, no document says so.
    let announced = entry(Route::Digest(at(0)), 0, false);
    let of = |ends_by_key| {
        plan(&Situation {
            transition: Transition::Resolved,
            schedule: Schedule::DeferUntil(until),
            digest: DigestState::Sent,
            capabilities: EDITS,
            ends_by_key,
            ..situation(&incident, Some(&announced))
        })
    };
    let silent = Decision::Send { operation: Operation::Close, audible: false };
    assert_eq!(of(false), [Decision::Digest { until }]);
    assert_eq!(of(true), [silent, Decision::Digest { until }]);
}

#[test]
fn while_another_worker_sends_it_sends_this_too() {
    let incident = open(2);
    let mut sending = entry(Route::Alone, 0, false);
    assert!(sending.acquire(LeaseOwner::with_id(2, at(10)), at(9)));
    let being_sent = Decision::Suppress(Suppression::BeingSent);
    let situation = situation(&incident, Some(&sending));
    assert_eq!(plan(&situation), std::slice::from_ref(&being_sent));
    assert_eq!(plan(&Situation { transition: Transition::Resolved, ..situation }), [being_sent]);
    assert_eq!(plan(&Situation { now: at(11), ..situation }), [POST], "its sender timed out");
}

#[test]
fn a_target_is_reminded_once_a_day_outside_quiet_hours() {
    let day = 24 * 60;
    let is_due = |entry: LogEntry, minute, schedule| {
        let mut incident = open(1);
        incident.log.insert("target".to_owned(), entry);
        is_reminder_due(&incident, "target", schedule, LeaseOwner::with_id(1, at(minute)), at(minute))
    };
    let notified = || LogEntry { last_audible: Some(at(0)), ..entry(Route::Alone, 1, true) };
    assert!(!is_due(notified(), day - 1, Schedule::Now));
    assert!(is_due(notified(), day, Schedule::Now));
    assert!(!is_due(notified(), day, Schedule::DeferUntil(at(day + 60))));
    assert!(!is_due(notified(), day, Schedule::Muted(at(day + 60))));
    assert!(!is_due(LogEntry::new(Route::Alone), day, Schedule::Now), "nothing was sent");
    let group = LogEntry { route: Route::Group("g".to_owned()), ..notified() };
    assert!(!is_due(group, day, Schedule::Now), "the group reminds");
    let mut sending = notified();
    assert!(sending.acquire(LeaseOwner::with_id(2, at(day + 5)), at(day)));
    assert!(!is_due(sending, day, Schedule::Now));
}
