//! The state machine of the circuit breaker, with clocks that the test sets.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use circuit::{Ask, Change, Circuit, End, FAILURES, FIRST_OPEN, LEASE, LONGEST_OPEN, Ticket, WINDOW};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000).unwrap() + SignedDuration::from_millis(ms)
}

fn failed() -> End {
    End::Failed { reason: "500".to_owned(), answered: None }
}

fn go(circuit: &mut Circuit, call: u64, at: Timestamp) -> Ticket {
    match circuit.ask(call, at) {
        Ask::Go(ticket) => ticket,
        Ask::Wait { until, why } => panic!("open until {until}: {why}"),
    }
}

fn waits(circuit: &mut Circuit, call: u64, at: Timestamp) -> bool {
    matches!(circuit.ask(call, at), Ask::Wait { .. })
}

/// A circuit opened by failures, and the end of its open time.
fn opened() -> (Circuit, Timestamp) {
    let mut circuit = Circuit::default();
    for call in 0..FAILURES as u64 {
        let ticket = go(&mut circuit, call, at(0));
        circuit.ended(ticket, at(0), failed(), 0.0);
    }
    let until = circuit.open_until().unwrap();
    (circuit, until)
}

#[test]
fn failures_in_a_row_open_it_and_nothing_is_called_until_its_time_is_over() {
    let mut circuit = Circuit::default();
    for call in 0..FAILURES as u64 {
        assert!(circuit.open_until().is_none());
        let ticket = go(&mut circuit, call, at(0));
        circuit.ended(ticket, at(0), failed(), 0.0);
    }
    assert_eq!(circuit.open_until(), Some(at(0) + FIRST_OPEN));
    let before = at(0) + FIRST_OPEN - SignedDuration::from_millis(1);
    let Ask::Wait { until, why } = circuit.ask(99, before) else { panic!("a call was let through") };
    assert_eq!(
        (until, why.as_str()),
        (at(0) + FIRST_OPEN, "10 calls in a row failed, the last one with: 500")
    );
}

const YEARS: i64 = 2 * 365 * 24 * 60 * 60 * 1_000;

#[test]
fn a_circuit_that_a_clock_years_ahead_has_opened_keeps_no_call_back() {
    let far = |circuit: &mut Circuit, end: End| {
        for call in 0..FAILURES as u64 {
            let ticket = Ticket { call, opening: None };
            circuit.ended(ticket, at(YEARS), end.clone(), 0.0);
        }
    };
    let asked = End::RetryAfter(SignedDuration::from_mins(30));
    let throttled = End::Throttled(SignedDuration::from_mins(30));
    for end in [failed(), asked, throttled] {
        let mut circuit = Circuit::default();
        far(&mut circuit, end);
        let probe = go(&mut circuit, 99, at(0));
        circuit.ended(probe, at(0), End::Answered, 0.0);
        assert!(circuit.is_clean());
    }
    // A probe by that clock does not count either.
    let (mut circuit, _) = opened();
    go(&mut circuit, 50, at(YEARS));
    go(&mut circuit, 51, at(60_000));
    // Failures by that clock do not count together with ours.
    let mut circuit = Circuit::default();
    for call in 0..FAILURES as u64 - 1 {
        circuit.ended(Ticket { call, opening: None }, at(YEARS), failed(), 0.0);
    }
    let ours = go(&mut circuit, 99, at(0));
    circuit.ended(ours, at(0), failed(), 0.0);
    assert!(circuit.open_until().is_none());
}

#[test]
fn an_answer_in_between_begins_the_count_anew_whichever_instance_got_it() {
    let mut circuit = Circuit::default();
    let fail = |circuit: &mut Circuit, call: u64, answered: Option<Timestamp>| {
        let end = End::Failed { reason: "500".to_owned(), answered };
        let ticket = Ticket { call, opening: None };
        circuit.ended(ticket, at(call.cast_signed() * 10), end, 0.0);
    };
    for call in 1..FAILURES as u64 {
        fail(&mut circuit, call, None);
    }
    circuit.ended(Ticket { call: 50, opening: None }, at(500), End::Answered, 0.0);
    for call in 101..100 + FAILURES as u64 {
        fail(&mut circuit, call, None);
    }
    assert_eq!(circuit.open_until(), None, "an answer that the table has");
    fail(&mut circuit, 200, Some(at(1_999)));
    for call in 201..200 + FAILURES as u64 - 1 {
        fail(&mut circuit, call, None);
    }
    assert_eq!(circuit.open_until(), None, "an answer that only its instance knows");
    fail(&mut circuit, 300, None);
    assert!(circuit.open_until().is_some());
}

#[test]
fn failures_far_apart_do_not_open_it() {
    let mut circuit = Circuit::default();
    let apart = WINDOW.as_millis() as i64 / FAILURES as i64 + 2_000;
    for call in 0..100 {
        let ticket = go(&mut circuit, call, at(call.cast_signed() * apart));
        circuit.ended(ticket, at(call.cast_signed() * apart), failed(), 0.0);
    }
    assert_eq!(circuit.open_until(), None);
}

#[test]
fn a_failure_that_is_written_twice_counts_once() {
    let mut circuit = Circuit::default();
    for _ in 0..FAILURES * 2 {
        circuit.ended(Ticket { call: 7, opening: None }, at(0), failed(), 0.0);
    }
    assert_eq!(circuit.open_until(), None);
}

#[test]
fn a_wait_that_is_asked_for_opens_it_at_once_and_for_no_less() {
    for (asked_s, least_s, most_s) in [(0, 1, 1), (30, 30, 30), (600, 600, 600), (86_400, 3_600, 3_600)] {
        for chance in [0.0, 1.0] {
            let mut circuit = Circuit::default();
            let ticket = go(&mut circuit, 1, at(0));
            circuit.ended(ticket, at(0), End::RetryAfter(SignedDuration::from_secs(asked_s)), chance);
            let open = circuit.open_until().unwrap().duration_since(at(0)).as_secs();
            assert!((least_s..=most_s).contains(&open), "{asked_s}: {open}");
        }
    }
}

#[test]
fn a_throttle_is_over_with_its_time_and_needs_no_probe() {
    let mut circuit = Circuit::default();
    let late = Ticket { call: 9, opening: None };
    let wait = SignedDuration::from_secs(30);
    let ticket = go(&mut circuit, 1, at(0));
    let change = circuit.ended(ticket, at(0), End::Throttled(wait), 0.0);
    assert_eq!(change, Change::Opened { until: at(30_000), why: "it asked callers to wait 30 s".to_owned() });
    assert_eq!(circuit.ended(late, at(5_000), End::Throttled(wait), 0.0), Change::Nothing);
    assert!(waits(&mut circuit, 2, at(34_999)), "as the later one asked");
    for call in [2, 3] {
        assert_eq!(go(&mut circuit, call, at(35_000)), Ticket { call, opening: None });
    }
    assert!(circuit.is_clean());
}

#[test]
fn one_probes_at_a_time_and_an_answer_closes_it() {
    let (mut circuit, until) = opened();
    let probe = go(&mut circuit, 100, until);
    assert!(waits(&mut circuit, 101, until));
    assert_eq!(circuit.ended(probe, until, End::Answered, 0.0), Change::Closed);
    assert!(circuit.is_clean());
    assert_eq!(go(&mut circuit, 101, until).opening, None);
}

#[test]
fn a_probe_that_fails_opens_it_for_longer_up_to_a_limit() {
    let (mut circuit, mut until) = opened();
    let mut waits = Vec::new();
    for call in 100..107 {
        let probe = go(&mut circuit, call, until);
        let Change::Opened { until: next, .. } = circuit.ended(probe, until, failed(), 0.0) else {
            panic!("it is not open");
        };
        waits.push(next.duration_since(until).as_secs());
        until = next;
    }
    assert_eq!(waits, [30, 60, 120, 240, 300, 300, 300]);
    assert_eq!(LONGEST_OPEN.as_secs(), 300);
}

#[test]
fn a_probe_that_died_is_replaced_after_its_lease_and_one_that_was_not_called_at_once() {
    let (mut circuit, until) = opened();
    let gone = go(&mut circuit, 100, until);
    let probe = go(&mut circuit, 101, until + LEASE);
    circuit.ended(gone, until + LEASE, End::Unknown, 0.0);
    assert!(waits(&mut circuit, 102, until + LEASE), "the lease is another's");
    circuit.ended(probe, until + LEASE, End::Unknown, 0.0);
    let late = go(&mut circuit, 102, until + LEASE);
    assert_eq!(circuit.ended(gone, until + LEASE, End::Answered, 0.0), Change::Closed, "late, and well");
    assert_eq!(circuit.ended(late, until + LEASE, failed(), 0.0), Change::Nothing, "one of ten");
    assert_eq!(circuit.open_until(), None);
}

#[test]
fn calls_that_began_before_it_opened_neither_close_it_nor_open_it_for_longer() {
    let (circuit, until) = opened();
    let late = Ticket { call: 50, opening: None };
    for end in [End::Answered, failed(), End::Unknown] {
        let mut after = circuit.clone();
        assert_eq!(after.ended(late, at(9_000), end, 0.0), Change::Nothing);
        assert_eq!(after, circuit);
    }
    let mut after = circuit.clone();
    after.ended(late, at(9_000), End::RetryAfter(SignedDuration::from_secs(60)), 0.0);
    assert_eq!(after.open_until(), Some(at(69_000)), "but what it asks for it gets");
    after.ended(late, at(9_000), End::RetryAfter(SignedDuration::from_secs(1)), 0.0);
    assert_eq!(after.open_until(), Some(at(69_000)));

    let mut again = circuit;
    let first = go(&mut again, 100, until);
    again.ended(first, until, failed(), 0.0);
    let second = again.clone();
    assert_eq!(again.ended(first, until, End::Answered, 0.0), Change::Nothing, "of an earlier opening");
    assert_eq!(again, second);
}

/// A step: an instance whose clock differs asks to call, and the call ends after some time.
#[derive(Clone, Debug)]
struct Step {
    skew_ms: i64,
    pause_ms: i64,
    lasts_ms: i64,
    end: End,
}

fn step() -> impl Strategy<Value = Step> {
    let end = prop_oneof![
        3 => Just(End::Answered),
        6 => Just(failed()),
        1 => (0_i64..100_000).prop_map(|s| End::RetryAfter(SignedDuration::from_secs(s))),
        1 => Just(End::Unknown),
    ];
    (-3_000_i64..=3_000, 0_i64..20_000, 1_i64..20_000, end)
        .prop_map(|(skew_ms, pause_ms, lasts_ms, end)| Step { skew_ms, pause_ms, lasts_ms, end })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_one_probes_at_a_time_and_a_destination_that_is_well_is_called_again(
        steps in prop::collection::vec(step(), 1..200),
    ) {
        let mut circuit = Circuit::default();
        let mut now = 0;
        let mut under_way: Vec<(i64, Ticket, Step)> = Vec::new();
        for (call, step) in steps.into_iter().enumerate() {
            now += step.pause_ms;
            under_way.sort_by_key(|(ends, ..)| *ends);
            while under_way.first().is_some_and(|(ends, ..)| *ends <= now) {
                let (ends, ticket, step) = under_way.remove(0);
                let opening = circuit.open_until();
                let change = circuit.ended(ticket, at(ends + step.skew_ms), step.end.clone(), fastrand::f64());
                match change {
                    Change::Closed => prop_assert!(ticket.opening.is_some() && step.end == End::Answered),
                    Change::Opened { until, .. } => {
                        prop_assert!(!matches!(step.end, End::Answered | End::Unknown));
                        let open = until.duration_since(at(ends + step.skew_ms));
                        prop_assert!(open <= SignedDuration::from_secs(4_500), "{open}");
                    }
                    Change::Nothing => prop_assert_eq!(opening.is_some(), circuit.open_until().is_some()),
                }
            }
            let open = circuit.open_until();
            match circuit.ask(call as u64, at(now + step.skew_ms)) {
                Ask::Go(ticket) => {
                    prop_assert_eq!(ticket.opening.is_some(), open.is_some());
                    prop_assert!(open.is_none_or(|until| until <= at(now + step.skew_ms)));
                    // A probe takes at most 20 s and clocks differ by 6 s, which together is less than the lease.
                    let others = under_way.iter().filter(|(_, other, _)| other.opening.is_some());
                    let others = others.filter(|(_, other, _)| other.opening == ticket.opening).count();
                    prop_assert!(ticket.opening.is_none() || others == 0, "{others} probes");
                    under_way.push((now + step.lasts_ms, ticket, step));
                }
                Ask::Wait { until, .. } => prop_assert!(open.is_some() && until > at(now + step.skew_ms)),
            }
        }
        // Once the destination answers, the circuit closes.
        let later = circuit.open_until().unwrap_or(at(now)).max(at(now)) + LEASE + SignedDuration::from_secs(6);
        let ticket = go(&mut circuit, 1_000_000, later);
        circuit.ended(ticket, later, End::Answered, 0.0);
        prop_assert!(circuit.is_clean());
    }
}
