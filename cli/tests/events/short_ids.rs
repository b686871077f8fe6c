//! Event ids shortened to their first digits.

use crate::delivery::{Delivery, HOUR, ago, failed};
use crate::environment::{Environment, body, id, stderr, stdout};
use crate::history::record;
use std::collections::BTreeMap;

/// Two event bodies whose ids begin with the same four digits, sorted by id; found by trying.
fn alike() -> [String; 2] {
    let mut seen = BTreeMap::new();
    let pair = (0..10_000).find_map(|n| {
        let body = body(&format!("site {n}"));
        let start = id(&body).as_str()[..4].to_owned();
        seen.insert(start, body.clone()).map(|earlier| [earlier, body])
    });
    let mut pair = pair.unwrap();
    pair.sort_by_key(|body| id(body).as_str().to_owned());
    pair
}

fn start(body: &str) -> String {
    id(body).as_str()[..4].to_owned()
}

/// The error that lists both ids and says how many digits are needed.
fn names_both(error: &str, bodies: &[String; 2]) {
    let beginning = start(&bodies[0]);
    assert!(error.starts_with(&format!("error: 2 ids begin with {beginning}: ")), "{error}");
    assert!(error.ends_with("; write more digits\n") && error.lines().count() == 1, "{error}");
    for body in bodies {
        let name = body.split('"').rev().nth(1).unwrap();
        assert!(error.contains(&format!("{} (SiteUpdated of {name})", id(body).short())), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn four_digits_name_an_event_in_every_command_where_they_are_unique() {
    let environment = Environment::start().await;
    let body = body("Marketing");
    Delivery::of(&environment, "notify-slack", &body).attempt(HOUR, failed()).await;
    environment.dead_letter("NotifySlackDeadLetters", &body, "no").await;
    let four = start(&body);
    for (arguments, expected) in [
        (&["events", "show", &four][..], "Marketing"),
        (&["events", "show", &four.to_uppercase()], "Marketing"),
        (&["events", "dead-letters", "list", &four], "\n1 dead letter\n"),
        (&["events", "replay", &four, "--dry-run"], "\n1 event would be replayed\n"),
        (&["events", "dead-letters", "redrive", &four], "\n1 event replayed\n"),
    ] {
        let output = environment.run(arguments).await;
        assert!(stdout(&output).contains(expected), "{arguments:?}: {}{}", stdout(&output), stderr(&output));
    }
    assert_eq!(environment.bodies("NotifySlackQueue"), [body.as_str()]);
    environment.dead_letter("NotifySlackDeadLetters", &body, "no").await;
    let dropped = environment.run(&["events", "dead-letters", "drop", &four, "--yes"]).await;
    assert!(stdout(&dropped).ends_with("\n1 dead letter dropped\n"), "{}", stderr(&dropped));
}

#[tokio::test(flavor = "multi_thread")]
async fn digits_of_several_ids_name_the_candidates_and_change_nothing() {
    let environment = Environment::start().await;
    let bodies = alike();
    let four = start(&bodies[0]);
    for body in &bodies {
        Delivery::of(&environment, "notify-slack", body).attempt(HOUR, failed()).await;
    }
    // The second event belongs to another workflow.
    environment.dead_letter("NotifySlackDeadLetters", &bodies[0], "no").await;
    environment.dead_letter("UpdateBroadcastDeadLetters", &bodies[1], "no").await;
    for arguments in [
        &["events", "show", &four][..],
        &["events", "replay", &four],
        &["events", "replay", &four, "--dry-run"],
        &["events", "dead-letters", "redrive", &four, id(&bodies[0]).as_str()],
        &["events", "dead-letters", "drop", &four, "--yes"],
    ] {
        let output = environment.run(arguments).await;
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", stdout(&output));
        names_both(&stderr(&output), &bodies);
    }
    assert_eq!(environment.bodies("NotifySlackDeadLetters"), bodies[..1]);
    assert_eq!(environment.bodies("UpdateBroadcastDeadLetters"), bodies[1..]);
    assert!(
        environment.bodies("NotifySlackQueue").is_empty()
            && environment.bodies("UpdateBroadcastQueue").is_empty()
    );

    // The digits are unique within the selected workflow.
    let one = environment.replay(&[&four, "--workflow", "notify-slack"]).await;
    assert!(stdout(&one).ends_with("\n1 event replayed\n"), "{}{}", stdout(&one), stderr(&one));
    assert_eq!(environment.bodies("NotifySlackQueue"), bodies[..1]);
    // The list contains both events.
    let listed = stdout(&environment.run(&["events", "dead-letters", "list", &four]).await);
    assert!(listed.ends_with("\n1 dead letter\n"), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn digits_that_are_unique_in_what_is_listed_are_enough_and_older_events_are_found_by_them_too() {
    let environment = Environment::start().await;
    let of = |end: &str| format!("3f2a{}{end}", "0".repeat(59));
    record(&environment, &of("1"), ago(HOUR)).await;
    record(&environment, &of("2"), ago(48 * HOUR)).await;
    record(&environment, &format!("3f2b{}", "0".repeat(60)), ago(48 * HOUR)).await;
    let shown = stdout(&environment.run(&["events", "show", "3f2a"]).await);
    assert!(shown.contains(&of("1")) && !shown.contains(&of("2")), "{shown}");
    let older = stdout(&environment.run(&["events", "show", "3f2b"]).await);
    assert!(older.contains("3f2b0000"), "{older}");
    record(&environment, &of("3"), ago(2 * HOUR)).await;
    let error = stderr(&environment.run(&["events", "show", "3f2a"]).await);
    assert!(error.starts_with("error: 2 ids begin with 3f2a: ") && !error.contains(&of("2")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fewer_than_four_digits_are_refused_everywhere_with_what_to_write() {
    let environment = Environment::start().await;
    for command in [
        &["show"][..],
        &["replay"],
        &["dead-letters", "list"],
        &["dead-letters", "redrive"],
        &["dead-letters", "drop"],
    ] {
        let output = environment.run(&[&["events"], command, &["3f2"]].concat()).await;
        let error = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(
            error.contains("3 digits are too few: write the first 4 digits of the id, or more"),
            "{error}"
        );
    }
}
