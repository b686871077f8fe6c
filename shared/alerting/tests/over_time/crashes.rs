//! Workers die between any two steps: every notification arrives, without a later event.

use crate::environment::{EDITS, Environment, FAILED, FOR_EVER, POSTS, SUCCEEDED, at, event, names_failing};
use alerting::Capabilities;
use alerting::notification::Kind;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use tableau::Event;

pub(crate) type Deaths = BTreeMap<usize, (u32, bool)>;

fn run(environment: &mut Environment, events: Vec<(i64, Event)>, deaths: &Deaths) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(environment.run(events, deaths, at(FOR_EVER)));
}

/// Runs the hourly sweeps of the next days, and the timers that they arm.
fn sweep(environment: &mut Environment) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        for hour in 3..60 {
            environment.sweep(hour * 3_600).await.unwrap();
            environment.run(Vec::new(), &Deaths::new(), at(hour * 3_600 + 1_800)).await;
        }
    });
}

/// The final state at Tableau: the objects whose last refresh failed.
fn failing(events: &[(i64, Event)]) -> BTreeSet<String> {
    let mut last: BTreeMap<String, (jiff::Timestamp, bool)> = BTreeMap::new();
    for (_, event) in events {
        let at = event.created_at.unwrap();
        let failed = event.name.as_str() == FAILED;
        let known = last.entry(event.subject.luid().to_owned()).or_insert((at, failed));
        if (known.0, known.1) < (at, failed) {
            *known = (at, failed);
        }
    }
    last.into_iter().filter(|(_, (_, failed))| *failed).map(|(object, _)| object).collect()
}

/// The objects that failed and succeeded within the same second, and had no later event.
fn ties(events: &[(i64, Event)]) -> BTreeSet<String> {
    let last = |object: &str, name: &str| {
        let of_object = events.iter().map(|(_, event)| event).filter(|event| event.subject.luid() == object);
        of_object.filter(|event| event.name.as_str() == name).filter_map(|event| event.created_at).max()
    };
    let objects = events.iter().map(|(_, event)| event.subject.luid());
    objects.filter(|object| last(object, FAILED) == last(object, SUCCEEDED)).map(str::to_owned).collect()
}

/// Every object that any message has named.
fn named(environment: &Environment) -> BTreeSet<String> {
    let messages = environment.messages();
    let lists = messages.iter().flat_map(|message| &message.shown.lists).flat_map(|list| &list.items);
    let subjects = messages.iter().filter_map(|message| message.shown.subject.clone());
    lists.map(|item| item.name.clone()).chain(subjects).collect()
}

/// The invariants when no work is left. `deaths` is the number of workers that died.
pub(crate) fn check(environment: &Environment, events: &[(i64, Event)], deaths: usize, context: &str) {
    let failing = failing(events);
    // Where messages cannot be edited, a second message about many objects follows only when all have recovered.
    let shown = environment.shown_failing(|names| {
        !environment.capabilities().edit && names.iter().any(|name| failing.contains(name))
    });
    let named = named(environment);
    for object in &failing {
        assert!(
            named.contains(object),
            "{context}: {object} fails, and no message says so: {:?}",
            environment.headlines()
        );
    }
    // No document knows a message whose answer was lost, so the message stays as it is.
    let orphans: Vec<_> = environment.messages().into_iter().filter(|message| message.is_orphan).collect();
    let is_orphaned = |object: &String| {
        orphans.iter().any(|message| {
            message.shown.subject.as_ref() == Some(object)
                || message.shown.lists.iter().flat_map(|list| &list.items).any(|item| item.name == *object)
        })
    };
    let red: Vec<&String> =
        shown.iter().filter(|object| !failing.contains(*object) && !is_orphaned(object)).collect();
    assert!(
        red.is_empty(),
        "{context}: {red:?} recovered, and a message is still red: {:?}",
        environment.headlines()
    );
    let openings: Vec<String> = environment
        .messages()
        .iter()
        .filter(|message| matches!(message.shown.kind, Kind::Opened | Kind::Digest | Kind::GroupOpened))
        .map(|message| format!("{:?}", message.shown))
        .collect();
    let distinct: BTreeSet<&String> = openings.iter().collect();
    assert!(
        openings.len() <= distinct.len() + deaths,
        "{context}: a message is doubled without a death: {openings:?}"
    );
}

fn scenario(name: &str, capabilities: Capabilities) -> (Environment, Vec<(i64, Event)>) {
    let environment = Environment::new(capabilities);
    let events = events_of(name, &environment);
    (environment, events)
}

/// The events of a scenario. The environment gets the scenario's quiet hours.
pub(crate) fn events_of(name: &str, environment: &Environment) -> Vec<(i64, Event)> {
    let object = |n: i64| format!("object-{n}");
    let failed = |n: i64, second| (second, event(FAILED, &object(n), second));
    let succeeded = |n: i64, second| (second, event(SUCCEEDED, &object(n), second));
    match name {
        "one" => vec![failed(0, 0), failed(0, 600), succeeded(0, 1_200)],
        "two" => vec![failed(0, 0), failed(1, 2), succeeded(0, 900), succeeded(1, 901)],
        "storm" => (0..6).map(|n| failed(n, n)).collect(),
        "storm that ends" => {
            (0..5).map(|n| failed(n, n)).chain((0..5).map(|n| succeeded(n, 600 + n))).collect()
        }
        "night" => {
            environment.rules(|rules| rules.quiet = Some((at(0), at(36_000))));
            (0..4).map(|n| failed(n, 60 + n * 90)).chain([succeeded(0, 700)]).collect()
        }
        "morning" => {
            environment.rules(|rules| rules.quiet = Some((at(0), at(36_000))));
            (0..4).map(|n| failed(n, 60 + n)).chain((0..4).map(|n| succeeded(n, 40_000 + n))).collect()
        }
        _ => {
            // One flapping object whose fifth incident persists, and no other event.
            let turns = (0..4).flat_map(|n| [failed(0, n * 600), succeeded(0, n * 600 + 300)]);
            turns.chain([failed(0, 2_400)]).collect()
        }
    }
}

const SCENARIOS: [&str; 7] = ["one", "two", "storm", "storm that ends", "night", "morning", "flapping"];

// A worker dies between any two of write, arm, send and receipt; no later event comes; the notification arrives.
#[test]
fn a_worker_that_dies_between_any_two_steps_loses_nothing() {
    let mut runs = 0;
    for name in SCENARIOS {
        for capabilities in [EDITS, POSTS] {
            for arrival in 0..16 {
                for calls in 0..10 {
                    for (happens, survives) in [(false, false), (false, true), (true, false), (true, true)] {
                        let (mut environment, events) = scenario(name, capabilities);
                        environment.survives = survives;
                        run(&mut environment, events.clone(), &Deaths::from([(arrival, (calls, happens))]));
                        let context = format!(
                            "{name}, edit: {}, arrival {arrival} dies after {calls} calls, happens: {happens}, survives: \
                             {survives}",
                            capabilities.edit
                        );
                        check(&environment, &events, 1, &context);
                        runs += 1;
                    }
                }
            }
        }
    }
    println!("{runs} runs, each with a death at another step");
}

fn history() -> impl Strategy<Value = Vec<(i64, Event)>> {
    let happened = (0_i64..6, any::<bool>(), 0_i64..4_000, 0_i64..120);
    prop::collection::vec(happened, 1..25).prop_map(|all| {
        let event = |(object, failed, second, late): (i64, bool, i64, i64)| {
            let name = if failed { FAILED } else { SUCCEEDED };
            (second + late, event(name, &format!("object-{object}"), second))
        };
        all.into_iter().map(event).collect()
    })
}

proptest! {
    // For random histories with crashes, every announced incident is later resolved or still open.
    #[test]
    fn every_announced_incident_is_later_resolved_or_still_open(
        events in history(),
        edit in any::<bool>(),
        survives in any::<bool>(),
        quiet in prop::option::of((0_i64..2_000, 500_i64..4_000)),
        deaths in prop::collection::btree_map(0_usize..60, (0_u32..12, any::<bool>()), 0..8),
    ) {
        let mut environment = Environment::new(if edit { EDITS } else { POSTS });
        environment.survives = survives;
        if let Some((from, lasts)) = quiet {
            environment.rules(|rules| rules.quiet = Some((at(from), at(from + lasts))));
        }
        run(&mut environment, events.clone(), &deaths);
        let history: Vec<_> = events.iter().map(|(arrives, event)| {
            let failed = if event.name.as_str() == FAILED { "failed" } else { "succeeded" };
            let at = event.created_at.unwrap().as_second() - at(0).as_second();
            format!("{} {failed} at {at}, arrives at {arrives}", event.subject.luid())
        }).collect();
        let context = format!("edit: {edit}, survives: {survives}, quiet: {quiet:?}, deaths: {deaths:?}, {history:#?}");
        check(&environment, &events, deaths.len(), &context);
        let before = environment.messages().len();
        sweep(&mut environment);
        let reminders = environment.messages().split_off(before);
        let named = reminders.iter().flat_map(|reminder| names_failing(&reminder.shown));
        // For events of the same second the one that arrives last counts, and the order of arrival is unknown.
        let is_certain = |name: &String| !ties(&events).contains(name);
        let reminded: BTreeSet<_> = named.filter(is_certain).collect();
        let failing: BTreeSet<_> = failing(&events).into_iter().filter(is_certain).collect();
        prop_assert_eq!(reminded, failing, "{}", context);
    }
}
