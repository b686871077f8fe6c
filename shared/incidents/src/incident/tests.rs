use super::*;
use crate::telling::{Holder, Message, Next};
use Observation::{Failed, Started, Succeeded};

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000 + minute * 60).unwrap()
}

fn by(id: u64, minute: i64) -> Holder {
    Holder::numbered(id, at(minute))
}

fn observed(observations: &[Observation]) -> (Incident, Vec<Change>) {
    let mut incident = Incident::default();
    let changes = observations.iter().enumerate();
    let changes = changes.map(|(n, observation)| incident.observe(&format!("e{n}"), *observation));
    let changes = changes.collect();
    (incident, changes)
}

#[test]
fn a_streak_goes_from_the_first_failure_to_the_success() {
    let (incident, changes) =
        observed(&[Failed(at(0)), Failed(at(10)), Failed(at(20)), Succeeded(at(30)), Succeeded(at(40))]);
    use Change::{Failing, Nothing, Recovered};
    assert_eq!(changes, [Failing, Failing, Failing, Recovered, Nothing]);
    let closed = incident.closed_by("e3").unwrap();
    assert_eq!((closed.streak.failures, closed.streak.since, closed.at), (3, at(0), at(30)));
    assert_eq!(closed.streak.lasted(closed.at), SignedDuration::from_mins(30));
}

#[test]
fn an_event_that_comes_again_counts_once_and_answers_alike() {
    let mut incident = Incident::default();
    for _ in 0..3 {
        assert_eq!(incident.observe("a", Failed(at(0))), Change::Failing);
    }
    assert_eq!(incident.streak.as_ref().unwrap().failures, 1);
    for _ in 0..2 {
        assert_eq!(incident.observe("b", Succeeded(at(1))), Change::Recovered);
    }
    assert_eq!(incident.observe("a", Failed(at(0))), Change::Late, "the streak is over");
}

#[test]
fn a_failure_older_than_the_last_success_opens_nothing() {
    let (incident, changes) = observed(&[Succeeded(at(10)), Failed(at(9))]);
    assert_eq!(changes, [Change::Nothing, Change::Late]);
    assert_eq!(incident.streak, None);
    let (_, changes) = observed(&[Succeeded(at(10)), Failed(at(10))]);
    assert_eq!(changes[1], Change::Failing, "in the same second an alert is better than none");
}

#[test]
fn a_success_older_than_the_last_failure_closes_nothing() {
    let (incident, changes) = observed(&[Failed(at(0)), Failed(at(10)), Succeeded(at(5))]);
    assert_eq!(changes[2], Change::Late);
    assert_eq!(incident.streak.unwrap().failures, 2);
}

#[test]
fn a_start_after_its_end_changes_nothing() {
    for end in [Succeeded(at(5)), Failed(at(5))] {
        let (before, _) = observed(&[end]);
        let (after, changes) = observed(&[end, Started(at(4)), Started(at(5))]);
        assert_eq!((after, &changes[1..]), (before, &[Change::Late, Change::Late][..]));
    }
    assert_eq!(observed(&[Succeeded(at(5)), Started(at(6))]).1[1], Change::Nothing);
}

#[test]
fn the_fourth_streak_of_a_day_begins_to_flap_and_those_after_it_are_damped() {
    let mut incident = Incident::default();
    for n in 0..6 {
        incident.observe(&format!("f{n}"), Failed(at(n * 60)));
        let streak = incident.streak.clone().unwrap();
        assert_eq!((streak.begins_to_flap(), streak.is_damped()), (n == 3, n > 3), "streak {n}");
        incident.observe(&format!("s{n}"), Succeeded(at(n * 60 + 1)));
    }
    incident.observe("fifth", Failed(at(6 * 60)));
    assert!(incident.streak.as_ref().unwrap().is_damped());
    incident.observe("still", Failed(at(7 * 60)));
    assert!(!incident.streak.as_ref().unwrap().is_damped(), "what lasts is no flapping");
    incident.observe("s", Succeeded(at(7 * 60 + 1)));
    incident.observe("f", Failed(at(40 * 60)));
    assert_eq!(incident.streak.unwrap().nth, 1, "a quiet day later it is told again");
}

#[test]
fn a_message_that_can_be_changed_follows_each_failure_and_others_come_when_failures_double() {
    for (changes, expected) in [(true, vec![1, 2, 3, 4, 5, 6, 7, 8]), (false, vec![1, 2, 4, 8])] {
        let (mut incident, mut told) = (Incident::default(), Vec::new());
        for n in 0..8 {
            incident.observe(&format!("e{n}"), Failed(at(n)));
            incident.settle("c", How::Alone, None);
            if incident.next("c", by(7, n), at(n), changes) == Next::Tell {
                let failures = incident.streak.as_ref().unwrap().failures;
                told.push(failures);
                let message = changes.then(|| Message { channel: "C".to_owned(), id: "1".to_owned() });
                incident.told("c", by(7, 0), failures, message);
            }
        }
        assert_eq!(told, expected);
    }
}

#[test]
fn one_tells_at_a_time_and_whoever_died_over_it_is_followed() {
    let mut incident = Incident::default();
    incident.observe("a", Failed(at(0)));
    incident.settle("c", How::Alone, None);
    assert_eq!(incident.next("c", by(1, 0), at(0), true), Next::Tell);
    assert!(matches!(incident.next("c", by(2, 0), at(0), true), Next::Wait(_)));
    assert_eq!(incident.next("c", by(2, 2), at(2), true), Next::Tell);
}

#[test]
fn a_recovery_is_told_to_those_who_were_told_of_the_failure_and_once() {
    let mut incident = Incident::default();
    incident.observe("a", Failed(at(0)));
    for channel in ["told", "untold"] {
        incident.settle(channel, How::Alone, None);
    }
    assert_eq!(incident.next("told", by(1, 0), at(0), true), Next::Tell);
    // The success comes before the message is noted.
    incident.observe("b", Succeeded(at(1)));
    incident.told("told", by(1, 0), 1, None);
    assert_eq!(incident.next_of_recovery("b", "untold", by(2, 1), at(1)), Next::Told);
    assert_eq!(incident.next_of_recovery("b", "told", by(2, 1), at(1)), Next::Close);
    incident.recovery_told("b", "told", by(2, 0));
    assert_eq!(incident.next_of_recovery("b", "told", by(3, 2), at(2)), Next::Told);
}

#[test]
fn a_recovery_waits_for_a_failure_that_is_being_told_and_closes_one_that_may_have_been() {
    for died in [true, false] {
        let mut incident = Incident::default();
        incident.observe("a", Failed(at(0)));
        incident.settle("c", How::Alone, None);
        assert_eq!(incident.next("c", by(1, 0), at(0), true), Next::Tell);
        incident.observe("b", Succeeded(at(0)));
        assert!(matches!(incident.next_of_recovery("b", "c", by(2, 0), at(0)), Next::Wait(_)));
        if !died {
            incident.untold("c", by(1, 0), true);
        }
        assert_eq!(incident.next_of_recovery("b", "c", by(2, 2), at(2)), Next::Close);
    }
}

#[test]
fn each_streak_has_its_own_end() {
    let mut incident = Incident::default();
    for n in 0..2 {
        incident.observe(&format!("f{n}"), Failed(at(n * 10)));
        incident.settle("c", How::Alone, None);
        assert_eq!(incident.next("c", by(1, n * 10), at(n * 10), false), Next::Tell);
        incident.told("c", by(1, 0), 1, None);
        incident.observe(&format!("s{n}"), Succeeded(at(n * 10 + 5)));
    }
    for n in 0..2 {
        assert_eq!(incident.next_of_recovery(&format!("s{n}"), "c", by(2, 30), at(30)), Next::Close);
        incident.recovery_told(&format!("s{n}"), "c", by(2, 0));
    }
}

#[test]
fn a_message_that_had_to_be_posted_anew_takes_the_place_of_the_one_that_is_gone() {
    let mut incident = Incident::default();
    let message = |id: &str| Some(Message { channel: "C".to_owned(), id: id.to_owned() });
    for (n, id) in [(0, "1"), (1, "2")] {
        incident.observe(&format!("e{n}"), Failed(at(n)));
        incident.settle("c", How::Alone, None);
        assert_eq!(incident.next("c", by(1, n), at(n), true), Next::Tell);
        incident.told("c", by(1, 0), u32::try_from(n).unwrap() + 1, message(id));
    }
    assert_eq!(incident.streak.unwrap().told["c"].message, message("2"));
}

#[test]
fn whoever_died_over_a_lease_may_have_told_even_if_the_next_one_was_turned_away() {
    let mut incident = Incident::default();
    incident.observe("a", Failed(at(0)));
    incident.settle("c", How::Alone, None);
    assert_eq!(incident.next("c", by(1, 0), at(0), true), Next::Tell);
    assert_eq!(incident.next("c", by(2, 2), at(2), true), Next::Tell);
    incident.untold("c", by(2, 2), false);
    incident.observe("b", Succeeded(at(3)));
    assert_eq!(incident.next_of_recovery("b", "c", by(3, 3), at(3)), Next::Close);
}

#[test]
fn a_streak_whose_end_is_not_told_yet_is_not_forgotten_for_those_that_nobody_waits_for() {
    let mut incident = Incident::default();
    for n in 0..40 {
        incident.observe(&format!("f{n}"), Failed(at(n * 10)));
        if n == 0 {
            incident.settle("c", How::Alone, None);
        }
        incident.observe(&format!("s{n}"), Succeeded(at(n * 10 + 5)));
    }
    assert!(incident.closed_by("s0").is_some() && incident.closed_by("s39").is_some());
    assert!(incident.closed_by("s1").is_none());
}

const YEAR: i64 = 365 * 24 * 60;

// 11-B4
#[test]
fn an_instant_that_a_wrong_clock_wrote_does_not_make_every_failure_an_old_one() {
    let mut incident = Incident::default();
    incident.observe("a", Succeeded(at(2 * YEAR)));
    incident.forget_future(at(0));
    assert_eq!(incident.observe("b", Failed(at(1))), Change::Failing);
    incident.forget_future(at(1));
    incident.observe("c", Failed(at(2 * YEAR)));
    incident.forget_future(at(2));
    assert_eq!(incident.observe("d", Succeeded(at(3))), Change::Recovered);
}

// 11-B4
#[test]
fn a_lease_that_a_wrong_clock_took_keeps_nobody_out() {
    let mut incident = Incident::default();
    incident.observe("a", Failed(at(0)));
    incident.settle("c", How::Alone, None);
    assert_eq!(incident.next("c", by(1, 2 * YEAR), at(2 * YEAR), true), Next::Tell);
    assert_eq!(incident.next("c", by(2, 0), at(0), true), Next::Tell);
}
