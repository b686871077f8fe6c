//! Compares one event with 200 rules, for counting what it costs:
//!
//! ```text
//! cargo build --release -p rules --example evaluate
//! valgrind --tool=callgrind --collect-atstart=no --toggle-collect='evaluate::evaluate*' target/release/examples/evaluate
//! ```
//!
//! The bound is a million instructions. The release profile strips symbols: set `CARGO_PROFILE_RELEASE_STRIP=none` for the build.
//! `evaluate N` compares with N rules.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "an example for measurements")]

use jiff::Timestamp;
use rules::{Fact, Facts, Matched, Rules};
use std::fmt::Write as _;
use std::hint::black_box;
use tableau::{Event, Payload};

const SITE: &str = "8b2a95d8-52b9-40a4-8712-cd6da771bd1b";

/// Rules with every condition. One in ten matches the event.
fn file(count: usize) -> String {
    let mut text = format!("sites: [{{ luid: {SITE}, name: Marketing, timezone: Europe/Berlin }}]\nrules:\n");
    for number in 0..count {
        let conditions = match number % 10 {
            0 => "{ project: \"Finance/**\", tags: { any: [critical, gold] } }",
            1 => "{ project: [\"Sales/**\", \"**/Sandbox/**\"], owner: \"*@example.org\" }",
            2 => "{ name: [\"Weekly*Report\", \"Monthly*\"], site: Marketing }",
            3 => "{ tags: { all: [critical, weekly], none: [sandbox] } }",
            4 => "{ time: { days: [Sat, Sun], timezone: America/New_York } }",
            5 => "{ owner_group: [\"Finance Team\", \"BI*\"], certified: true, cause: [Credentials] }",
            6 => "{ failures_in_a_row: 5, project: \"*/Reports\" }",
            7 => "{ time: { days: [Mon-Fri], from: 08:00, to: 18:00 }, cause: [Schema, TimeLimit] }",
            8 => "{ owner: [bo@example.com, \"C*\"], name: \"*sales*\" }",
            _ => "{ project: \"Finance/*/Archive\" }",
        };
        writeln!(
            text,
            "  - {{ name: rule {number}, on: [RefreshFailed, Published], where: {conditions}, unless: {{ tags: {{ any: [muted] }} }}, \
             do: [{{ notify-slack: {{ channel: channel-{number} }} }}] }}"
        )
        .unwrap();
    }
    text
}

fn facts() -> Facts {
    let mut facts = Facts::default();
    facts.set_content(Fact::Known((vec!["critical".to_owned(), "daily".to_owned()], false)));
    facts.set_project(Fact::Known("Finance/Reports/2026".to_owned()));
    facts.set_owner(Fact::Known(vec!["ana@example.com".to_owned(), "ana".to_owned(), "Ana".to_owned()]));
    facts.set_owner_groups(Fact::Known(vec!["Finance Team".to_owned(), "All Users".to_owned()]));
    facts.set_cause(Fact::Known("Credentials".to_owned()));
    facts.set_failures_in_a_row(Fact::Known(2));
    facts
}

#[inline(never)]
fn evaluate(rules: &Rules, event: &Event, facts: &Facts, at: Timestamp) -> Matched {
    rules.matching("notify-slack", event, facts, at).unwrap()
}

fn main() {
    let count = std::env::args().nth(1).map_or(200, |count| count.parse().unwrap());
    let rules = Rules::of_json(&Rules::to_json(&file(count)).unwrap()).unwrap();
    let payload = Payload {
        event_type: Some("WorkbookRefreshFailed".to_owned()),
        resource_name: Some("Regional sales, first half of the year".to_owned()),
        site_luid: Some(SITE.to_owned()),
        resource_luid: Some("11111111-1111-1111-1111-111111111111".to_owned()),
        ..Payload::default()
    };
    let event = Event::try_from(&payload).unwrap();
    let facts = facts();
    let at = "2026-11-25T11:00:00Z".parse().unwrap();
    let matched = evaluate(black_box(&rules), black_box(&event), black_box(&facts), at);
    println!("{} of {count} rules match", matched.rules.len());
}
