//! `rules test`, and the schema.

use crate::{objects, run, stderr, stdout};
use serde_json::json;
use std::process::Output;
use testkit::repository::root;

const RULES: &str = "\
sites:
  - { luid: 8b2a95d8-52b9-40a4-8712-cd6da771bd1b, name: Marketing, timezone: Europe/Berlin }
maintenance:
  - { name: sunday morning, days: [Sun], from: 06:00, to: 10:00 }
rules:
  - name: finance
    on: [RefreshFailed]
    where: { project: \"Finance/**\", tags: { any: [critical] } }
    quiet: { from: 22:00, to: 08:00 }
    do: [{ notify-slack: { channel: \"#finance-data\" } }]
  - name: everything else
    on: [RefreshFailed]
    otherwise: true
    do: [{ notify-slack: { channel: data-alerts } }]
";

/// What `rules test` says of these cases.
fn test(cases: &str, options: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.yaml").display().to_string();
    let file = folder.path().join("cases.yaml").display().to_string();
    std::fs::write(&rules, RULES).unwrap();
    std::fs::write(&file, cases).unwrap();
    run(&[&["rules", "test", &file, "--rules", &rules], options].concat())
}

// 15, item 4
#[test]
fn cases_say_which_actions_come_of_an_event_and_when() {
    let cases = "\
cases:
  - name: critical failures in Finance
    event: { name: DatasourceRefreshFailed, resource: Ledger }
    facts: { project: Finance/Reports, tags: [critical] }
    expect: [{ rule: finance, workflow: notify-slack, settings: { channel: finance-data }, when: now }]
  - name: everything else, from a file
    event: { fixture: events/tableau/workbook-refresh-failed.json }
    facts: { tags: [] }
    expect: [{ settings: { channel: data-alerts } }]
  - name: at night they wait
    event: { name: WorkbookRefreshFailed, at: 2026-11-25T23:00 }
    facts: { project: Finance, tags: [critical] }
    expect: [{ rule: finance, when: deferred }]
  - name: on sunday morning there is maintenance
    event: { name: WorkbookRefreshFailed, at: 2026-11-29T07:00:00+01:00, site: Marketing }
    facts: { project: Sales, tags: [critical] }
    expect: [{ rule: everything else, when: maintenance }]
  - name: what cannot be looked up suppresses nothing
    event: { name: WorkbookRefreshFailed }
    facts: { missing: [project, tags] }
    expect: [{ rule: finance }, { rule: everything else }]
  - name: other events
    event: { name: WorkbookUpdated }
    expect: []
  - name: other sites
    event: { name: WorkbookRefreshFailed, site: 11111111-1111-1111-1111-111111111111 }
    facts: { project: Sales, tags: [] }
    expect: []
";
    let output = test(cases, &[]);
    assert_eq!(
        (stdout(&output).as_str(), output.status.code()),
        ("7 cases: all passed\n", Some(0)),
        "{}",
        stderr(&output)
    );
}

// 15, item 4
#[test]
fn a_case_that_fails_shows_what_was_expected_and_what_was_found() {
    let cases = "\
cases:
  - name: wrong channel
    event: { name: WorkbookRefreshFailed }
    facts: { project: Sales, tags: [] }
    expect: [{ workflow: notify-slack, settings: { channel: sales }, when: now }]
  - name: nothing expected
    event: { name: WorkbookRefreshFailed }
    facts: { project: Sales, tags: [] }
    expect: []
  - name: nothing found
    event: { name: WorkbookUpdated }
    expect: [{ rule: finance }]
  - name: not said
    event: { name: WorkbookRefreshFailed }
    facts: { tags: [critical] }
    expect: []
  - name: passes
    event: { name: WorkbookUpdated }
    expect: []
";
    let output = test(cases, &[]);
    let shown = stdout(&output);
    for part in [
        "cases.yaml:2: failed: wrong channel\n  expected  notify-slack { channel: sales }, now\n  found     notify-slack { \
         channel: data-alerts } of rule `everything else`, now\n",
        "cases.yaml:6: failed: nothing expected\n  expected  nothing more\n  found     notify-slack ",
        "cases.yaml:10: failed: nothing found\n  expected  an action of rule `finance`\n  found     nothing else\n",
        "cases.yaml:13: failed: not said\n  error     a rule asks for the project: say it under `facts`, or list it under \
         `missing`\n",
    ] {
        assert!(shown.contains(part), "{part}: {shown}{}", stderr(&output));
    }
    assert!(shown.ends_with("\n5 cases: 4 failed, 1 passed\n"), "{shown}");
    assert_eq!(output.status.code(), Some(1));
    let output = test(cases, &["--json"]);
    let all = objects(&output);
    let passed: Vec<_> = all.iter().map(|case| case["passed"].as_bool().unwrap()).collect();
    assert_eq!((passed, output.status.code()), (vec![false, false, false, false, true], Some(1)));
    assert_eq!(all[0]["missing"][0]["settings"], json!({ "channel": "sales" }));
    assert_eq!(all[0]["unexpected"][0]["rule"], "everything else");
    assert_eq!((&all[1]["line"], &all[1]["case"]), (&json!(6), &json!("nothing expected")));
}

// 15, item 4
#[test]
fn a_mistake_in_a_file_of_cases_is_an_error_with_its_line() {
    let of = |line: &str| {
        format!("cases:\n  - name: a\n    event: {{ name: WorkbookUpdated }}\n    expect: []\n{line}\n")
    };
    for (cases, place, expected) in [
        (of("    expct: []"), ":5:", "unknown field `expct`"),
        (of("    facts: { projekt: a }"), ":5:", "unknown field `projekt`"),
        (of("more: 1"), ":5:", "unknown field `more`"),
        (of("  - name: b"), ":5:", "missing field"),
        (
            of("  - { name: b, event: {}, expect: [{ when: later }] }"),
            ":5:",
            "`later` is not a time of an alert: write now, deferred, muted or maintenance",
        ),
        (of("    expect: ["), ":", ""),
        (of("    name: b"), ":5:", "`name` stands here twice"),
        (of("    facts: { owner: 5 }"), ":5:", "write a text, or a list of texts"),
        (of("    facts: { failures_in_a_row: three }"), ":5:", "write a number"),
        ("cases:\n  name: a\n".to_owned(), ":2:", "write a list: each of its entries begins with `- `"),
        ("cases:\n\t- name: a\n".to_owned(), ":2:", "a tab: YAML indents with spaces"),
        ("cases: []\n".to_owned(), "", " has no cases"),
        // 15-16
        (
            "cases:\n  - { name: a, event: { name: WorkbookUpdated }, expect: [{ when: later }] }\n"
                .to_owned(),
            ":2:",
            "`later` is not a time of an alert: write now, deferred, muted or maintenance",
        ),
        (String::new(), ":1:", "the file has no `cases`"),
    ] {
        let output = test(&cases, &[]);
        let said = stderr(&output);
        assert!(
            said.contains(&format!("cases.yaml{place}")) && said.contains(expected),
            "{expected}: {said}"
        );
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), ""), "{expected}");
    }
    for (event, expected) in [
        ("event: { name: WorkbookUpdatd }", "did you mean `WorkbookUpdated`?"),
        (
            "event: { name: WorkbookUpdated }\n    expect: [{ rule: finanse }]",
            "there is no rule `finanse`; did you mean `finance`?",
        ),
        ("event: {}", "`event` needs a `fixture` or a `name`"),
        ("event: { fixture: no.json }", "there is no no.json"),
        ("event: { name: WorkbookUpdated, at: noon }", "at: `noon` is not a time"),
        ("event: { name: WorkbookUpdated, site: Sales }", "site: `Sales` is neither a LUID nor a name"),
        ("event: { name: WorkbookUpdated }\n    facts: { cause: Credential }", "did you mean `Credentials`?"),
        ("event: { name: WorkbookUpdated }\n    facts: { missing: [projekt] }", "did you mean `project`?"),
    ] {
        let expect = if event.contains("expect") { "" } else { "    expect: []\n" };
        let output = test(&format!("cases:\n  - name: a\n    {event}\n{expect}"), &[]);
        let shown = stdout(&output);
        assert!(
            shown.contains("cases.yaml:2: failed: a\n  error     ") && shown.contains(expected),
            "{expected}: {shown}{}",
            stderr(&output)
        );
    }
}

// 15, item 4
#[test]
fn the_schema_is_the_published_one_and_knows_every_workflow() {
    let output = run(&["rules", "schema"]);
    let published = std::fs::read_to_string(root().join("docs/rules.schema.json")).unwrap();
    assert_eq!(stdout(&output), published, "run `tableau-webhooks rules schema > docs/rules.schema.json`");
    assert!(published.contains("\"notify-slack\"") && published.contains("\"update-broadcast\""));
}

// 15, item 4
#[test]
fn the_cases_of_the_docs_pass_with_the_rules_of_the_repository() {
    let docs = std::fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let (_, cases) = docs.split_once("```yaml\ncases:\n").expect("cases");
    let (cases, _) = cases.split_once("```").expect("their end");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cases.yaml");
    std::fs::write(&file, format!("cases:\n{cases}")).unwrap();
    let output = run(&["rules", "test", &file.display().to_string()]);
    assert_eq!(stdout(&output), "2 cases: all passed\n", "{}", stderr(&output));
}

// 15, item 4
#[test]
fn the_first_line_of_the_rules_file_names_the_schema_for_editors() {
    let rules = std::fs::read_to_string(root().join("rules.yaml")).unwrap();
    let first = rules.lines().next().unwrap_or_default();
    assert_eq!(first, "# yaml-language-server: $schema=docs/rules.schema.json");
}
