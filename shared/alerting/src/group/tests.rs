use super::*;
use crate::capabilities::Capabilities;
use crate::lease::LeaseOwner;
use crate::notifier::Delivered;
use jiff::{SignedDuration, Timestamp};

const EDITS: Capabilities = Capabilities { edit: true, thread: true, idempotency_key: false, grouping: true };
const POSTS: Capabilities =
    Capabilities { edit: false, thread: false, idempotency_key: false, grouping: true };

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000 + second).unwrap()
}

fn member(n: i64) -> (String, Member) {
    (format!("object-{n}"), Member::new(&format!("e{n}"), "Sales", Some("Credentials refused"), at(n)))
}

fn joined(count: i64, capabilities: Capabilities) -> (GroupHead, Vec<(String, Member)>) {
    let mut head = GroupHead::default();
    for n in 0..count {
        head.changed(at(n), true, capabilities);
    }
    (head, (0..count).map(member).collect())
}

#[test]
fn one_or_two_are_announced_alone_and_more_together_after_they_have_waited() {
    for (count, is_many) in [(1, false), (2, false), (3, true), (20, true)] {
        let (head, members) = joined(count, EDITS);
        let due = head.pending.as_ref().unwrap().due;
        assert_eq!(due, at(10), "the timer is set when the first joins");
        let last = at(count - 1) + SignedDuration::from_secs(10);
        let ready = last.min(at(20));
        let expected =
            if ready > due { GroupStep::WaitUntil(ready) } else { head.step(&members, true, due, EDITS) };
        assert_eq!(head.step(&members, true, due, EDITS), expected);
        match head.step(&members, true, ready, EDITS) {
            GroupStep::Announce => assert!(is_many, "{count}"),
            GroupStep::Separate(keys) => assert_eq!((is_many, keys.len() as i64), (false, count)),
            step => panic!("{count}: {step:?}"),
        }
    }
}

#[test]
fn where_messages_cannot_be_edited_a_group_waits_until_it_is_calm_but_two_minutes_at_most() {
    let (mut head, members) = joined(5, POSTS);
    assert_eq!(head.step(&members, true, at(10), POSTS), GroupStep::WaitUntil(at(19)));
    assert_eq!(head.step(&members, true, at(19), POSTS), GroupStep::Announce);
    head.last_join = Some(at(119));
    assert_eq!(head.step(&members, true, at(119), POSTS), GroupStep::WaitUntil(at(120)));
    assert_eq!(head.step(&members, true, at(120), POSTS), GroupStep::Announce);
}

#[test]
fn what_is_resolved_before_the_announcement_is_not_announced() {
    let (head, mut members) = joined(3, EDITS);
    for (_, member) in &mut members {
        member.resolved_at = Some(at(5));
    }
    assert_eq!(head.step(&members, true, at(20), EDITS), GroupStep::Nothing);
    members[0].1.resolved_at = None;
    assert_eq!(head.step(&members, true, at(20), EDITS), GroupStep::Separate(vec!["object-0".to_owned()]));
}

fn announced(capabilities: Capabilities) -> (GroupHead, Vec<(String, Member)>) {
    let (mut head, members) = joined(5, capabilities);
    let owner = LeaseOwner::with_id(1, at(100));
    assert!(head.begin(owner, at(30)));
    assert_eq!(head.pending, None, "what changes from now on asks for a timer of its own");
    head.sent(owner, 5, &Delivered::default(), at(30));
    (head, members)
}

#[test]
fn an_announced_group_is_edited_every_ten_seconds_at_most_and_closed_once() {
    let (mut head, mut members) = announced(EDITS);
    head.changed(at(32), true, EDITS);
    members.push(member(32));
    assert_eq!(head.pending.as_ref().unwrap().due, at(40));
    assert_eq!(head.step(&members, true, at(40), EDITS), GroupStep::Announce);
    for (_, member) in &mut members {
        member.resolved_at = Some(at(60));
    }
    assert_eq!(head.step(&members, false, at(60), EDITS), GroupStep::Close);
    head.closed = true;
    assert_eq!(head.step(&members, false, at(60), EDITS), GroupStep::Nothing);
    head.changed(at(70), true, EDITS);
    assert!(!head.closed, "one more that fails opens it again");
}

#[test]
fn where_messages_cannot_be_edited_one_more_message_comes_after_five_minutes_and_only_for_new_members() {
    let (mut head, mut members) = announced(POSTS);
    head.changed(at(40), false, POSTS);
    members[0].1.resolved_at = Some(at(40));
    assert_eq!(head.step(&members, true, at(50), POSTS), GroupStep::Nothing, "a resolution alone is no news");
    head.pending = None;
    head.changed(at(60), true, POSTS);
    members.push(member(60));
    assert_eq!(head.pending.as_ref().unwrap().due, at(330));
    assert_eq!(head.step(&members, true, at(330), POSTS), GroupStep::Announce);
}

#[test]
fn a_change_while_the_message_is_on_its_way_sets_the_next_timer() {
    let (mut head, _) = joined(3, EDITS);
    let first = head.pending.clone().unwrap();
    head.armed(first.generation);
    let owner = LeaseOwner::with_id(1, at(100));
    assert!(head.begin(owner, at(12)));
    assert!(!head.begin(LeaseOwner::with_id(2, at(100)), at(13)), "one sends at a time");
    head.changed(at(13), true, EDITS);
    let second = head.pending.clone().unwrap();
    assert!(second.generation > first.generation && !second.armed);
    head.sent(owner, 3, &Delivered::default(), at(14));
    assert_eq!(head.pending, Some(second), "sending does not lose it");
}

#[test]
fn a_window_takes_members_while_they_come_within_a_minute_and_for_ten_minutes() {
    let mut window = Window::default();
    assert_eq!(window.current(at(0)), None);
    window.open("e0", "object-0", at(0));
    let mut last = 0;
    for second in (0..=600).step_by(50) {
        assert!(window.current(at(second)).is_some(), "{second}");
        window.joined(at(second));
        last = second;
    }
    assert_eq!(window.current(at(last + 50)), None, "what fails later is news");
    window.open("e1", "object-1", at(1_000));
    assert_eq!(window.current(at(1_061)), None);
    assert_eq!(window.current(at(900)).map(|group| group.id.as_str()), Some("e1"));
}

#[test]
fn a_target_is_reminded_of_incidents_that_fail_and_never_of_events() {
    let (mut head, _) = joined(3, EDITS);
    let owner = LeaseOwner::with_id(1, at(60));
    let posted = Delivered { message: None, audible: true, note: None, skipped: None };
    assert!(head.begin(owner, at(10)));
    head.sent(owner, 3, &posted, at(10));
    assert!(head.begin(owner, at(3_600)));
    head.sent(owner, 3, &Delivered::default(), at(3_600));
    let day = SignedDuration::from_hours(24);
    let retried = SignedDuration::from_hours(12);
    assert_eq!(head.due(), Some(at(3_600) + retried), "its timer has not done its work");
    head.done_generation = head.generation;
    assert_eq!(head.due(), Some(at(10) + day), "an edited message is no reminder");
    head.looks_again = Some(at(60) + day);
    assert_eq!(head.due(), head.looks_again);
    let mut of_events = head.clone();
    of_events.is_of_events = true;
    head.closed = true;
    assert_eq!((head.due(), of_events.due()), (None, None));
}
