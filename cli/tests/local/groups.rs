//! An alert group in the local stack, from its failures to its message, as a new user sees it.

use crate::{Home, SOON, Up, asked_at, stderr, stdout};
use serde_json::Value;
use std::time::{Duration, Instant};

/// The outcome that `events list` shows for each event.
fn listed(home: &Home, outcome: &str) -> Vec<Value> {
    let output = home.run(&["events", "list", "--local", "--outcome", outcome, "--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Polls until there is a value.
fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(started.elapsed() < SOON, "no {what}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[test]
fn a_groups_message_is_found_from_its_events_and_its_timer_is_sent_again_when_it_failed() {
    let home = Home::new();
    let mut up = home.up(&[]);
    let slack = up.value("  Slack      ");
    asked_at(&slack, "POST", "/simulator/faults?fault=archived", "");
    let sent = home.run(&["send", "DatasourceRefreshFailed", "--count", "6"]);
    assert!(sent.status.success() && stdout(&sent).matches("\n202 ").count() == 6, "{}", stderr(&sent));

    // While the group waits, the terminal, the list and the filter use the same outcome name, and the list says when
    // the group is due.
    let grouped =
        wait_for("grouped events", || Some(listed(&home, "grouped")).filter(|events| events.len() == 5));
    // Each failure has its cause, which the list can filter by.
    let causes = |cause: &str| {
        let output = home.run(&["events", "list", "--local", "--cause", cause, "--json"]);
        stdout(&output).lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>()
    };
    for cause in grouped.iter().filter_map(|event| event["cause"].as_str()) {
        let of_cause = causes(cause);
        assert!(!of_cause.is_empty() && of_cause.iter().all(|event| event["cause"] == cause), "{of_cause:?}");
    }
    assert!(grouped.iter().all(|event| event["cause"].is_string()), "{grouped:?}");
    // The oldest event: the terminal prints it before the timer fires, however slow the other events are.
    let oldest = grouped.last().unwrap();
    let event = oldest["event_id"].as_str().unwrap();
    let show = || stdout(&home.run(&["events", "show", &event[..12], "--local"]));
    let shown = show();
    assert!(shown.contains("notify-slack: grouped with other incidents of the same time: group "), "{shown}");
    // Looking up five causes takes some seconds, in which the timer may fire.
    let texts =
        [": its message is due at ", ": its message was due at ", ": the timer for its message has fired"];
    assert!(texts.iter().any(|text| shown.contains(text)), "{shown}");
    let name = oldest["resource_name"].as_str().unwrap();
    up.show(&format!("DatasourceRefreshFailed of {name}, event {}: grouped with ", &event[..12]));
    // The time of day, and when the message comes.
    let line = up.shown.lines().last().unwrap();
    let is_time = |text: &str, form: &str| jiff::civil::Time::strptime(form, text).is_ok();
    assert!(is_time(line.split_whitespace().next().unwrap(), "%H:%M:%S%.3f"), "{line}");
    let (_, due) = line.rsplit_once("; its message is due at ").unwrap_or_else(|| panic!("{line}"));
    assert!(is_time(due, "%H:%M:%S"), "{line}");

    // Slack refuses the message: the timer is a dead letter.
    up.show("in data-alerts: failed permanently; it is in the dead-letter queue");
    let timer = wait_for("timer", || {
        listed(&home, "failed").into_iter().find(|event| event["event_name"] == "timer")
    });
    let words = timer["resource_name"].as_str().unwrap();
    assert!(words.starts_with("timer of group ") && words.ends_with(" in data-alerts"), "{words}");
    assert!(show().contains("the timer for its message has fired, and its work is not done"), "{}", show());

    asked_at(&slack, "DELETE", "/simulator/faults", "");
    let replayed = home.run(&["events", "replay", "--local"]);
    assert!(stdout(&replayed).contains("1 timer replayed"), "{}{}", stdout(&replayed), stderr(&replayed));
    // The terminal's line about the timer, and the message about all failures. Which is printed first depends on how soon the
    // function's log arrives.
    up.show_all(&[&format!("{words}: done"), "extract refreshes failed"]);
    let shown = wait_for("message", || Some(show()).filter(|shown| shown.contains("its message was sent")));
    assert!(!shown.contains("its work is not done"), "{shown}");
    assert_eq!(listed(&home, "failed"), Vec::<Value>::new());
}

#[test]
fn the_hints_make_a_group_at_the_addresses_of_this_stack() {
    let home = Home::new();
    let up: Up = home.up(&[]);
    let hint = format!(
        "tableau-webhooks send DatasourceRefreshFailed --count 5 --local --endpoint-url {}\n",
        up.aws()
    );
    assert!(up.shown.contains(&hint), "{}", up.shown);
}
