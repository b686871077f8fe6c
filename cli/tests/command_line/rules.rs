//! `rules check`, and rules that the local stack reads.

use crate::{command, rules_file, run, stderr, stdout};
use std::path::Path;

#[test]
fn sites_of_a_rules_file_with_a_byte_order_mark_are_seen() {
    let sites = "\u{feff}sites: []\r\nrules:\r\n  - name: a\r\n    on: [DatasourceRefreshFailed]\r\n    do: [{ notify-slack: { \
                 channel: data-alerts } }]\r\n";
    let (_folder, file) = rules_file(sites);
    let output = run(&["up", "--once", "--port", "0", "--rules", &file]);
    assert!(stdout(&output).contains("Slack #data-alerts"), "{}{}", stdout(&output), stderr(&output));
}

#[test]
fn the_shipped_rules_are_right_wherever_one_stands() {
    for folder in [".", "docs"] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let output = command(&["rules", "check"]).current_dir(root.join(folder)).output().unwrap();
        let said = (output.status.code(), stdout(&output), stderr(&output));
        let expected = "rules.yaml: 4 rules; events of every site are accepted\n";
        assert_eq!(said, (Some(0), expected.to_owned(), String::new()), "in {folder}");
    }
    let missing = run(&["rules", "check", "no-such.yaml"]);
    assert_eq!(stderr(&missing), "error: there is no no-such.yaml here or in a folder above\n");
}

#[test]
fn what_is_wrong_in_a_rules_file_is_named_with_file_and_line() {
    for (does, expected) in [
        (
            "on: [WorkbookCreatd], do: [{ notify-slack: { channel: a } }]",
            "line 2: `WorkbookCreatd` is no event name; did you mean `WorkbookCreated`?",
        ),
        (
            "on: [WorkbookCreated], do: [{ notify-slak: {} }]",
            "line 2: there is no workflow `notify-slak`; did you mean `notify-slack`?",
        ),
        (
            "on: [WorkbookCreated], do: [{ notify-slack: { chanel: data } }]",
            "line 2, rule `a`: unknown field `chanel`; did you mean `channel`?",
        ),
        ("on: [WorkbookCreated], do: [{ notify-slack: {} }]", "line 2, rule `a`: missing field `channel`"),
        (
            "on: [WorkbookUpdated], do: [{ update-broadcast: { tabs: 1 } }]",
            "line 2, rule `a`: tabs: write true or false, not `1`",
        ),
        (
            "on: [WorkbookCreated], do: [{ notify-slack: { channel: ' ' } }]",
            "line 2, rule `a`: channel: it is empty: write a channel's name, such as data-alerts",
        ),
        (
            "on: [SiteUpdated], do: [{ update-broadcast: {} }]",
            "line 2, rule `a`: update-broadcast never acts on SiteUpdated; it acts on WorkbookRefreshSucceeded and \
             WorkbookUpdated",
        ),
        (
            "quiet: {}, on: [WorkbookCreated], do: [{ notify-slack: { channel: a } }]",
            "line 2: rules[0].quiet: write both times: { from: 19:00, to: 08:00 }",
        ),
    ] {
        let (_folder, file) = rules_file(&format!("rules:\n  - {{ name: a, {does} }}\n"));
        let output = run(&["rules", "check", &file]);
        let said = (output.status.code(), stderr(&output));
        assert_eq!(said, (Some(1), format!("error: {file}, {expected}\n")));
        // The local stack prints the same errors before it starts.
        assert_eq!(stderr(&run(&["up", "--once", "--port", "0", "--rules", &file])), said.1);
    }
}

#[test]
fn every_mistake_of_a_rules_file_is_reported_at_once() {
    let text = "rules:\n  - { name: a, on: [SiteUpdatd], do: [{ notify-slack: { chanel: a } }] }\n  - { name: b, on: [], do: [] }\n";
    let (_folder, file) = rules_file(text);
    let expected = [
        "line 2: `SiteUpdatd` is no event name; did you mean `SiteUpdated`?",
        "line 2, rule `a`: unknown field `chanel`; did you mean `channel`?",
        "line 3: the rule `b` does nothing: fill in `on` and `do`",
    ];
    let expected = expected.map(|line| format!("error: {file}, {line}\n")).concat();
    let output = run(&["rules", "check", &file]);
    assert_eq!((output.status.code(), stdout(&output), stderr(&output)), (Some(1), String::new(), expected));
}

#[test]
fn a_workflow_that_the_template_does_not_have_is_named() {
    let (folder, file) =
        rules_file("rules: [{ name: a, on: [WorkbookUpdated], do: [{ update-broadcast: {} }] }]\n");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let template = std::fs::read_to_string(root.join("template.yaml")).unwrap();
    // Replaces the workflow's name in the part of the template that `rules check` reads.
    let other = template.replace("Binary: update-broadcast", "Binary: tag-workbook");
    let other = other.replace("update-broadcast", "tag-workbook").replace("UpdateBroadcast", "TagWorkbook");
    let path = folder.path().join("template.yaml");
    std::fs::write(&path, other).unwrap();
    let path = path.display().to_string();
    let output = run(&["rules", "check", &file, "--template", &path]);
    let expected = format!(
        "error: {file}, line 1: {path} has no workflow `update-broadcast`; it has: notify-slack, tag-workbook\n"
    );
    assert_eq!((output.status.code(), stderr(&output)), (Some(1), expected));
}

#[test]
fn what_is_right_in_a_rules_file_and_may_surprise_is_a_note() {
    let muted = "rules:\n  - name: a\n    mute_until: 2026-01-01T00:00:00Z\n    on: [SiteUpdated]\n    do: [{ notify-slack: { channel: a } }]\n";
    let rule = "rules:\n  - name: a\n    quiet: { from: 19:00, to: 08:00 }\n    on: [SiteUpdated]\n    do: [{ notify-slack: { channel: a } }]\n";
    for (text, expected, note) in [
        (rule, "1 rule; events of every site are accepted", "note: the quiet hours of rule `a` are in UTC"),
        (
            muted,
            "1 rule; events of every site are accepted",
            "note: the rule `a` is no longer muted: its `mute_until` was 2026-01-01T00:00:00Z; remove it, or write a later time",
        ),
        (
            "",
            "0 rules; events of every site are accepted",
            "note: there are no rules, so no event leads to a message or an action",
        ),
        (
            "sites: []\nrules:\n  - { name: a, on: [SiteUpdated], do: [{ notify-slack: { channel: a } }] }\n",
            "1 rule; events of every site are accepted",
            "note: `sites` is empty, so events of every site are accepted, as without `sites`: list the sites whose events you want\n",
        ),
    ] {
        let (_folder, file) = rules_file(text);
        let output = run(&["rules", "check", &file]);
        assert_eq!((output.status.code(), stdout(&output)), (Some(0), format!("{file}: {expected}\n")));
        assert!(stderr(&output).starts_with(note), "{}", stderr(&output));
    }
}

#[test]
fn mistakes_and_notes_are_objects_for_programs_with_documented_fields() {
    let wrong = "rules:\n  - { name: a, on: [SiteUpdatd], do: [{ notify-slack: { chanel: a } }] }\n";
    let (_folder, file) = rules_file(wrong);
    let output = run(&["rules", "check", &file, "--json"]);
    let findings: Vec<serde_json::Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let finding = |rule: serde_json::Value, message: &str| serde_json::json!({ "file": file, "severity": "error", "line": 2, "rule": rule, "message": message });
    let expected = [
        finding(serde_json::Value::Null, "`SiteUpdatd` is no event name; did you mean `SiteUpdated`?"),
        finding("a".into(), "unknown field `chanel`; did you mean `channel`?"),
    ];
    assert_eq!((output.status.code(), findings.as_slice()), (Some(1), &expected[..]));
    assert_eq!(stderr(&output), "");

    let (_folder, file) = rules_file("");
    let output = run(&["rules", "check", &file, "--json"]);
    let note: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(
        (output.status.code(), &note["severity"], &note["line"]),
        (Some(0), &"note".into(), &().into())
    );
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let operations = std::fs::read_to_string(root.join("docs/operations.md")).unwrap();
    for field in note.as_object().unwrap().keys() {
        assert!(operations.contains(&format!("`{field}`")), "docs/operations.md lacks `{field}`");
    }
}
