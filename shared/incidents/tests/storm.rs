//! Storms of failures, event by event in virtual time: what a channel is told of them.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use incidents::{Board, Burst, Digest, Entry, Holder, Member, Message, Next, Place, Recovery, Turn};
use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn at(millisecond: i64) -> Timestamp {
    Timestamp::from_millisecond(1_764_000_000_000 + millisecond).unwrap()
}

fn member(cause: &str, now: Timestamp) -> Member {
    Member::new("Sales", Some(cause), now)
}

/// What was said in a channel.
#[derive(Debug, Default)]
struct Channel {
    /// Objects with a message of their own.
    alone: BTreeSet<String>,
    /// Messages for many.
    posts: usize,
    /// The objects that messages for many have named.
    together: BTreeSet<String>,
    closed: usize,
    last: i64,
}

impl Channel {
    fn told(&self) -> usize {
        self.alone.union(&self.together).count()
    }
}

/// One channel, told through a board and its bursts.
struct World {
    board: Board,
    bursts: BTreeMap<String, Burst>,
    channel: Channel,
    changes: bool,
    holder: Holder,
}

impl World {
    fn new(changes: bool) -> Self {
        let holder = Holder::new(at(0));
        Self {
            board: Board::default(),
            bursts: BTreeMap::new(),
            channel: Channel::default(),
            changes,
            holder,
        }
    }

    fn burst_of(&mut self, luid: &str) -> Option<&mut Burst> {
        self.bursts.values_mut().find(|burst| burst.members.contains_key(luid))
    }

    /// One attempt at a failure's event: when to come again, if it is not told.
    fn fail(&mut self, luid: &str, now: i64) -> Option<i64> {
        if self.burst_of(luid).is_none() {
            let (id, first) = self.board.join(luid, None, at(now));
            let burst = self.bursts.entry(id).or_default();
            assert!(burst.admit(luid, member("Credentials refused", at(now)), first, at(now)));
        }
        let (changes, holder) = (self.changes, self.holder);
        let next = self.burst_of(luid).unwrap().next(luid, holder, at(now), changes);
        self.act(luid, next, now)
    }

    fn recover(&mut self, luid: &str, now: i64) -> Option<i64> {
        let (changes, holder) = (self.changes, self.holder);
        let burst = self.burst_of(luid).unwrap();
        if burst.recover(luid, at(now)) != Recovery::Together {
            return None;
        }
        let next = burst.next_of_recovery(luid, holder, at(now), changes);
        self.act(luid, next, now)
    }

    fn act(&mut self, luid: &str, next: Next, now: i64) -> Option<i64> {
        let (changes, holder) = (self.changes, self.holder);
        let burst = self.burst_of(luid).unwrap();
        let shown = burst.clone();
        match next {
            Next::Told => {}
            Next::Wait(until) => {
                return Some((until.as_millisecond() - at(0).as_millisecond()).max(now + 1));
            }
            Next::Alone => {
                self.channel.alone.insert(luid.to_owned());
            }
            Next::Close => {
                burst.closed(holder);
                self.channel.closed += 1;
            }
            Next::Tell => {
                let message = changes.then(|| Message { channel: "C".to_owned(), id: "1".to_owned() });
                burst.told(holder, &shown, at(now), message);
                if shown.message.is_some() {
                    assert!(now - self.channel.last >= 10_000, "changed too often");
                } else {
                    self.channel.posts += 1;
                }
                self.channel.last = now;
                let together = shown.members.iter().filter(|(_, member)| member.place == Place::Together);
                self.channel.together.extend(together.map(|(luid, _)| luid.clone()));
            }
        }
        None
    }

    /// Events that come at their times, and again when they are put off, until none is left. When the last was done.
    fn run(
        &mut self,
        mut events: Vec<(i64, String)>,
        step: impl Fn(&mut Self, &str, i64) -> Option<i64>,
    ) -> i64 {
        let (mut now, mut steps) = (0, 0);
        while !events.is_empty() {
            events.sort();
            let (due, luid) = events.remove(0);
            // Each takes a moment, so that those who come back at the same time come one after the other.
            now = now.max(due) + 20;
            events.extend(step(self, &luid, now).map(|again| (again, luid)));
            steps += 1;
            assert!(steps < 200_000, "it never ends");
        }
        now
    }

    /// Everything that is told together recovers.
    fn recover_all(&mut self, from: i64) {
        let together: Vec<_> = self.channel.together.iter().cloned().collect();
        self.run(
            together.into_iter().zip(0..).map(|(luid, n)| (from + n * 50, luid)).collect(),
            Self::recover,
        );
    }
}

fn luids(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("luid-{n:04}")).collect()
}

fn at_once(count: usize) -> Vec<(i64, String)> {
    luids(count).into_iter().map(|luid| (0, luid)).collect()
}

#[test]
fn a_storm_of_five_hundred_is_three_messages_and_names_each() {
    for changes in [true, false] {
        let mut world = World::new(changes);
        let storm = luids(500).into_iter().zip(0..).map(|(luid, n)| (n * 120, luid)).collect();
        let end = world.run(storm, World::fail);
        assert_eq!((world.channel.alone.len(), world.channel.posts, world.channel.told()), (1, 1, 500));
        assert!(end < 150_000, "{end}");
        world.recover_all(end + 600_000);
        assert_eq!((world.channel.posts, world.channel.closed), (1, 1), "{changes}");
    }
}

#[test]
fn a_storm_after_a_failure_by_itself_is_no_more_messages() {
    for changes in [true, false] {
        for pause in [15_000, 30_000, 55_000] {
            let mut world = World::new(changes);
            assert_eq!(world.fail("one", 0), None);
            let storm = luids(100).into_iter().zip(0..).map(|(luid, n)| (pause + n * 120, luid)).collect();
            let end = world.run(storm, World::fail);
            assert_eq!((world.channel.alone.len(), world.channel.posts, world.channel.told()), (1, 1, 101));
            world.recover_all(end + 600_000);
            assert_eq!((world.channel.posts, world.channel.closed), (1, 1));
        }
    }
}

#[test]
fn few_failures_are_told_one_by_one_and_the_first_at_once() {
    for changes in [true, false] {
        let mut world = World::new(changes);
        assert_eq!(world.fail("one", 0), None);
        let again = world.fail("two", 1_000).unwrap();
        assert!((10_000..=20_000).contains(&again), "{again}");
        assert_eq!(world.fail("two", again), None);
        assert_eq!((world.channel.alone.len(), world.channel.posts), (2, 0));
    }
}

#[test]
fn failures_far_apart_are_each_a_message_at_once() {
    let mut world = World::new(true);
    for n in 0..10 {
        assert_eq!(world.fail(&format!("luid-{n}"), n * 120_000), None);
    }
    assert_eq!((world.channel.alone.len(), world.channel.posts), (10, 0));
}

#[test]
fn what_fails_again_after_it_recovered_is_shown_again() {
    let mut world = World::new(true);
    let end = world.run(at_once(6), World::fail);
    let one = "luid-0001";
    world.run(vec![(end + 60_000, one.to_owned())], World::recover);
    assert!(world.burst_of(one).unwrap().members[one].recovered.is_some());
    let again = member("Schema", at(end + 120_000));
    assert!(world.burst_of(one).unwrap().admit(one, again, false, at(end + 120_000)));
    assert!(!world.burst_of(one).unwrap().members[one].shown);
    world.run(vec![(end + 130_000, one.to_owned())], World::fail);
    let burst = world.burst_of(one).unwrap();
    assert_eq!((burst.members[one].recovered, burst.members[one].shown), (None, true));
}

#[test]
fn a_burst_that_is_over_takes_no_more() {
    let mut world = World::new(true);
    let end = world.run(at_once(6), World::fail);
    world.recover_all(end);
    let burst = world.bursts.values_mut().next().unwrap();
    assert!(!burst.admit("later", member("x", at(end)), false, at(end)));
    let (id, first) = world.board.join("later", Some("luid-0000"), at(end));
    assert_eq!((id.as_str(), first), ("later", true));
}

/// Six objects of which five are told together, and one whose process died before it told.
fn one_still_waits() -> (World, i64) {
    let mut world = World::new(true);
    let end = world.run(at_once(6), World::fail);
    let burst = world.bursts.values_mut().next().unwrap();
    assert!(burst.admit("waits", member("x", at(end)), false, at(end)));
    (world, end)
}

#[test]
fn a_burst_is_not_over_while_somebody_waits_to_be_told_in_it() {
    let (mut world, end) = one_still_waits();
    world.recover_all(end + 60_000);
    assert_eq!(world.channel.closed, 0);
    let burst = world.bursts.values_mut().next().unwrap();
    assert!(!burst.is_to_be_closed());
    // It was told nowhere; but its recovery is the last.
    assert_eq!(burst.recover("waits", at(end + 120_000)), Recovery::Alone);
    assert!(burst.is_to_be_closed());
}

#[test]
fn whoever_goes_leaves_nothing_to_wait_for() {
    let (mut world, end) = one_still_waits();
    world.recover_all(end + 60_000);
    let burst = world.bursts.values_mut().next().unwrap();
    burst.leave("luid-0001");
    assert!(burst.members.contains_key("luid-0001"), "it is told here");
    burst.leave("waits");
    assert!(burst.is_to_be_closed());
}

#[test]
fn a_recovery_older_than_the_last_failure_ends_nothing() {
    let mut world = World::new(true);
    let end = world.run(at_once(6), World::fail);
    let burst = world.bursts.values_mut().next().unwrap();
    assert!(burst.admit("luid-0001", member("x", at(end + 5_000)), false, at(end + 6_000)));
    assert_eq!(burst.recover("luid-0001", at(end + 2_000)), Recovery::FailsAgain);
    assert_eq!(burst.members["luid-0001"].recovered, None);
    assert_eq!(burst.recover("luid-0001", at(end + 9_000)), Recovery::Together);
}

#[test]
fn a_message_that_may_have_arrived_is_ended() {
    let holder = |second: i64| Holder::new(at(second * 1_000));
    for dies in [true, false] {
        let mut burst = Burst::default();
        for luid in luids(5) {
            assert!(burst.admit(&luid, member("x", at(0)), false, at(0)));
        }
        let first = holder(60);
        assert_eq!(burst.next("luid-0000", first, at(20_000), true), Next::Tell);
        if !dies {
            burst.not_told(first, true);
        }
        // Another tries when the first must be dead, and is turned away.
        let second = holder(200);
        assert_eq!(burst.next("luid-0001", second, at(100_000), true), Next::Tell);
        burst.not_told(second, false);
        for luid in luids(5) {
            assert_eq!(burst.recover(&luid, at(110_000)), Recovery::Together, "{dies}");
        }
        assert_eq!(burst.next_of_recovery("luid-0000", holder(300), at(120_000), true), Next::Close);
    }
}

#[test]
fn a_full_document_is_one_that_dynamodb_takes() {
    const ITEM_LIMIT: usize = 400 * 1024;
    for letter in ["\"", "ю", "日", "🌅"] {
        let name = letter.repeat(200);
        let luid = |n: usize| format!("00000000-0000-0000-0000-{n:012}");
        let (mut burst, mut members) = (Burst::default(), 0);
        let began = Member::new(&name, Some("Data source file or schema changed"), at(1));
        while burst.admit(&luid(members), began.clone(), false, at(1)) {
            members += 1;
        }
        for n in 0..members {
            let again = Member::new(&name, Some("Data source file or schema changed"), at(2));
            assert!(burst.admit(&luid(n), again, false, at(2)));
            burst.recover(&luid(n), at(3));
        }
        let written = serde_json::to_string(&burst).unwrap().len();
        assert!(members > 400 && written < ITEM_LIMIT, "{letter}: {members} take {written} bytes");

        let mut digest = Digest::default();
        for n in 0..6_000 {
            let entry = Entry {
                what: "Extract refresh failed".to_owned(),
                object: luid(n),
                name: letter.repeat(120),
                at: at(1),
                cause: Some("Data source file or schema changed".to_owned()),
                turn: Turn::Failed,
                told: false,
            };
            digest.add(&format!("{n:012}"), entry.clone());
            digest.add(&format!("{n:012}"), entry);
        }
        let written = serde_json::to_string(&digest).unwrap().len();
        assert!(written < ITEM_LIMIT, "{letter}: {} take {written} bytes", digest.entries.len());
        // Also those beyond what is named are counted once.
        let counted = digest.entries.len() + digest.unnamed();
        assert!(digest.entries.len() > 300 && counted <= 6_000, "{} {counted}", digest.entries.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_comes_when_each_object_is_told_and_the_channel_is_not_flooded(
        arrivals in prop::collection::vec(0_i64..90_000, 1..80),
        changes: bool,
    ) {
        let mut world = World::new(changes);
        let count = arrivals.len();
        let end = world.run(arrivals.into_iter().zip(luids(count)).collect(), World::fail);
        prop_assert_eq!(world.channel.told(), count, "each is told");
        prop_assert!(end < 600_000, "within {} ms", end);
        // Bursts that do not become many are told one by one, four at most each.
        let bursts = world.bursts.len();
        prop_assert!(world.channel.alone.len() <= bursts * 4, "{} of {bursts}", world.channel.alone.len());
        prop_assert!(world.channel.posts <= bursts * 2);
        world.recover_all(end + 600_000);
        let many = world.bursts.values().filter(|burst| burst.tellings > 0).count();
        prop_assert_eq!(world.channel.closed, many, "each ends once");
    }
}

// 11-B4
#[test]
fn what_a_wrong_clock_has_written_makes_nothing_wait_for_years() {
    const YEARS: i64 = 2 * 365 * 24 * 60 * 60 * 1_000;
    let mut board = Board::default();
    board.join("first", None, at(YEARS));
    assert_eq!(board.join("second", None, at(0)), ("second".to_owned(), true));

    let mut burst = Burst::default();
    for n in 0..3 {
        burst.admit(&n.to_string(), member("cause", at(YEARS)), false, at(YEARS));
    }
    let Next::Wait(until) = burst.next("0", Holder::new(at(0)), at(0), true) else { return };
    assert!(until <= at(60_000), "{until}");
}
