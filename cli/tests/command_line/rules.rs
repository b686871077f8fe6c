//! `rules check`, and rules that the local stack reads.

use crate::{command, rules_file, run, stderr, stdout};
use std::path::Path;

const HINT: &str = "not checked: whether webhooks at Tableau send these events; --webhooks asks Tableau, and `webhooks apply` registers \
                    what is missing\n";

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
        let expected = "rules.yaml: 6 rules; events of every site are accepted\n";
        assert_eq!(said, (Some(0), format!("{expected}{HINT}"), String::new()), "in {folder}");
    }
    let missing = run(&["rules", "check", "no-such.yaml"]);
    assert_eq!(stderr(&missing), "error: there is no no-such.yaml here or in a folder above\n");
}

// 15, item 4
#[test]
fn what_is_wrong_in_a_rules_file_is_named_with_file_line_and_column_and_shown_with_a_caret() {
    for (does, at, expected) in [
        (
            "on: [WorkbookCreatd], do: [{ notify-slack: { channel: a } }]",
            "WorkbookCreatd",
            "`WorkbookCreatd` is not an event; did you mean `WorkbookCreated`?",
        ),
        (
            "on: [WorkbookCreated], do: [{ notify-slak: {} }]",
            "{ notify-slak",
            "there is no workflow `notify-slak`; did you mean `notify-slack`?",
        ),
        (
            "on: [WorkbookCreated], do: [{ notify-slack: { chanel: data } }]",
            "chanel",
            "rule `a`: unknown field `chanel`; did you mean `channel`?",
        ),
        (
            "on: [WorkbookCreated], do: [{ notify-slack: {} }]",
            "{ notify-slack",
            "rule `a`: missing field `channel`",
        ),
        (
            "on: [WorkbookUpdated], do: [{ update-broadcast: { tabs: 1 } }]",
            "1 }",
            "rule `a`: tabs: write true or false, not `1`",
        ),
        (
            "on: [WorkbookCreated], do: [{ notify-slack: { channel: ' ' } }]",
            "' '",
            "rule `a`: channel: it is empty: write a channel's name, such as data-alerts",
        ),
        (
            "on: [SiteUpdated], do: [{ update-broadcast: {} }]",
            "{ update-broadcast",
            "rule `a`: update-broadcast never acts on SiteUpdated; it acts on WorkbookRefreshSucceeded and \
             WorkbookUpdated",
        ),
    ] {
        let line = format!("  - {{ name: a, {does} }}");
        let column = line.find(at).unwrap() + 1;
        let (_folder, file) = rules_file(&format!("rules:\n{line}\n"));
        let output = run(&["rules", "check", &file]);
        let said = (output.status.code(), stderr(&output));
        let lines: Vec<&str> = said.1.lines().collect();
        assert_eq!(said.0, Some(1), "{}", said.1);
        assert_eq!(lines[0], format!("{file}:2:{column}: error: {expected}"), "{}", said.1);
        assert!(lines[2].starts_with("2 |   - { name: a, on: "), "{}", said.1);
        let caret = lines[3].find('^').unwrap() - "  | ".len();
        assert_eq!(caret + 1, column, "{}", said.1);
        assert_eq!(lines[4..], [format!("error: {file} has 1 mistake")], "{}", said.1);
        // The local stack says the same before it starts.
        assert_eq!(stderr(&run(&["up", "--once", "--port", "0", "--rules", &file])), said.1);
        // In colours only where they are asked for.
        let coloured = stderr(&run(&["rules", "check", &file, "--color", "always"]));
        assert!(coloured.contains("\u{1b}[1m\u{1b}[31m^\u{1b}[0m"), "{coloured:?}");
        assert!(!said.1.contains('\u{1b}'), "{}", said.1);
    }
}

#[test]
fn every_mistake_of_a_rules_file_is_reported_at_once() {
    let text = "rules:\n  - { name: a, on: [SiteUpdatd], do: [{ notify-slack: { chanel: a } }] }\n  - { name: b, on: [], do: [] }\n";
    let (_folder, file) = rules_file(text);
    let output = run(&["rules", "check", &file]);
    let said = stderr(&output);
    let titles: Vec<&str> = said.lines().filter(|line| line.contains("error: ")).collect();
    let expected = [
        format!("{file}:2:21: error: `SiteUpdatd` is not an event; did you mean `SiteUpdated`?"),
        format!("{file}:2:57: error: rule `a`: unknown field `chanel`; did you mean `channel`?"),
    ];
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), ""));
    assert_eq!(titles[..2], expected, "{said}");
    assert!(titles[2].starts_with(&format!("{file}:3:")), "{said}");
    let last = said.lines().last().unwrap();
    assert_eq!(last, format!("error: {file} has {} mistakes", titles.len() - 1), "{said}");
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
        "error: {path} has no workflow `update-broadcast`; it has: forward-event, notify-slack, notify-teams, page-on-call, publish-pdf, refresh-extract, request-certification, send-email, send-sms, set-quality-warning, tag-workbook, track-servicenow-incident"
    );
    let first = stderr(&output).lines().next().unwrap_or_default().to_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(first.starts_with(&format!("{file}:1:")) && first.ends_with(&expected), "{first}");
}

#[test]
fn targets_of_the_forward_secret_are_said_to_be_unchecked() {
    for (does, expected) in [
        (
            "[{ forward-event: { target: opsgenie } }]",
            "not checked: whether the forward secret has the target `opsgenie`; tableau-webhooks test forward-event --to opsgenie sends a request to it\n",
        ),
        (
            "[{ forward-event: { target: own } }, { forward-event: { target: jira, body: raw } }]",
            "not checked: whether the forward secret has the targets `jira`, `own`; tableau-webhooks test forward-event sends a request to each\n",
        ),
        ("[{ forward-event: { topic: \"arn:aws:sns:eu-central-1:123456789012:a\" } }]", ""),
    ] {
        let (_folder, file) = rules_file(&format!("rules: [{{ name: a, on: [SiteUpdated], do: {does} }}]\n"));
        let output = run(&["rules", "check", &file]);
        let summary = format!("{file}: 1 rule; events of every site are accepted\n");
        assert_eq!(stdout(&output), format!("{summary}{HINT}{expected}"), "{}", stderr(&output));
    }
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
        assert_eq!((output.status.code(), stdout(&output)), (Some(0), format!("{file}: {expected}\n{HINT}")));
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
    let finding = |column: u64, rule: serde_json::Value, message: &str| serde_json::json!({ "file": file, "severity": "error", "line": 2, "column": column, "rule": rule, "message": message });
    let expected = [
        finding(21, serde_json::Value::Null, "`SiteUpdatd` is not an event; did you mean `SiteUpdated`?"),
        finding(57, "a".into(), "unknown field `chanel`; did you mean `channel`?"),
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
