//! `rules` against the local stack.

use crate::{Home, stderr, stdout};
use serde_json::Value;
use std::path::Path;

/// The commands in a section of the docs that need no AWS account, as printed.
fn commands() -> Vec<String> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let (_, section) = docs.split_once("## Change the rules\n").expect("the section");
    let (section, _) = section.split_once("\n## ").expect("its end");
    let section = section.replace("\\\n", " ");
    let lines = section.lines().filter_map(|line| line.strip_prefix("tableau-webhooks "));
    lines.filter(|line| line.contains("--local") || line.contains("--rules ")).map(str::to_owned).collect()
}

// 15, item 4
#[test]
fn the_commands_of_the_docs_work_as_printed_and_an_event_is_explained_by_its_id() {
    let home = Home::new();
    let mut up = home.coming_up(&[]);
    up.show("everything is up after");
    let commands = commands();
    assert!(commands.len() >= 7, "{commands:?}");
    for command in commands {
        let words: Vec<&str> = command.split_whitespace().collect();
        let output = home.run(&words);
        assert_eq!(output.status.code(), Some(0), "{command}: {}{}", stdout(&output), stderr(&output));
        assert!(!stdout(&output).is_empty(), "{command}");
    }
    up.show("Routes of the API");
    let listed = home.run(&["events", "list", "--local", "--event", "DatasourceRefreshFailed", "--json"]);
    let first = stdout(&listed).lines().next().map(str::to_owned).expect("an event");
    let event: Value = serde_json::from_str(&first).unwrap();
    let id = event["event_id"].as_str().unwrap();
    let explained = home.run(&["rules", "explain", &id[..12], "--local"]);
    let shown = stdout(&explained);
    let start = format!("DatasourceRefreshFailed of \"Sales Orders\", event {}, at ", &id[..12]);
    assert!(shown.starts_with(&start), "{shown}{}", stderr(&explained));
    // The name and time zone of the sample site, which the rules do not list.
    assert!(shown.contains(" Europe/Berlin\n") && shown.contains("\nrefresh failures: matched\n"), "{shown}");
    let unknown = home.run(&["rules", "explain", "0000000000", "--local"]);
    assert!(
        stderr(&unknown).starts_with("error: there is no record of an event 0000000000"),
        "{}",
        stderr(&unknown)
    );
}
