//! `test` against the local stack.

use crate::{Home, stderr, stdout};
use serde_json::Value;

#[test]
fn a_test_message_reaches_each_channel_of_the_rules_and_the_answer_is_slacks() {
    let home = Home::new();
    let mut up = home.coming_up(&["--slack", "bot"]);
    up.show("Routes of the API");

    let all = home.run(&["test", "notify-slack", "--local"]);
    let text = stdout(&all);
    assert_eq!(all.status.code(), Some(0), "{text}{}", stderr(&all));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    for (line, channel) in lines.iter().zip(["data-alerts", "data-news"]) {
        let (name, answer) = line.split_once("  ").unwrap();
        assert_eq!(name.trim(), channel);
        assert!(answer.trim().starts_with("accepted as message ") && answer.contains(" in C"), "{line}");
    }

    let one = home.run(&["test", "notify-slack", "--to", "#data-news", "--local", "--json"]);
    let answer: Value = serde_json::from_str(&stdout(&one)).unwrap();
    assert_eq!((&answer["target"], &answer["outcome"]), (&"data-news".into(), &"accepted".into()));

    let unknown = home.run(&["test", "notify-slack", "--to", "hunter2", "--local"]);
    assert_eq!(unknown.status.code(), Some(1));
    let text = stderr(&unknown);
    assert!(text.contains("no rule names this target") && text.contains("data-alerts, data-news"), "{text}");

    let other = home.run(&["test", "update-broadcast", "--local"]);
    assert_eq!(other.status.code(), Some(1));
    assert!(stderr(&other).contains("there is nothing to test"), "{}", stderr(&other));
    let nothing = home.run(&["test", "notify-fax", "--local"]);
    assert!(stderr(&nothing).contains("has no workflow `notify-fax`"), "{}", stderr(&nothing));
}
