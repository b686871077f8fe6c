//! `rules explain`.

use crate::stack::{Stack, rules};
use crate::{objects, run, stderr, stdout};
use serde_json::json;

/// Two rules with conditions, one for what is left, and one for other events.
const RULES: &str = "\
sites:
  - { luid: 8b2a95d8-52b9-40a4-8712-cd6da771bd1b, name: Marketing, timezone: Europe/Berlin }
maintenance:
  - { name: sunday morning, days: [Sun], from: 06:00, to: 10:00 }
rules:
  - name: finance
    on: [RefreshFailed]
    where: { project: \"Finance/**\", tags: { any: [critical] } }
    message: { title: \"{{ name }} of {{ owner_email }}: {{ cause_class }}\" }
    do: [{ notify-slack: { channel: \"#finance-data\" } }]
  - name: owners
    on: [RefreshFailed]
    where: { owner: ana@example.com }
    quiet: { from: 22:00, to: 08:00 }
    do: [{ notify-slack: { channel: data-owners } }]
  - name: everything else
    on: [RefreshFailed]
    otherwise: true
    do: [{ notify-slack: { channel: data-alerts } }]
  - name: broadcasts
    on: [WorkbookUpdated]
    do: [{ update-broadcast: {} }]
";

// 15, item 4
#[tokio::test(flavor = "multi_thread")]
async fn each_rule_is_matched_or_names_the_first_condition_that_failed_and_the_value_it_saw() {
    let stack = Stack::start().await;
    stack.deploy(RULES).await;
    let explain = ["explain", "DatasourceRefreshFailed", "--at", "2026-11-25T10:00:00Z"];
    let output = stack.run(&explain).await;
    let shown = stdout(&output);
    for part in [
        "DatasourceRefreshFailed of \"Sales Orders\", event ",
        ", at Wed 2026-11-25 11:00 Europe/Berlin\n",
        "rules: version 1, in force at the stack `tableau-webhooks` since 20",
        "\nfinance: not matched: where.project: \"Sales\" does not match \"Finance/**\"\n",
        "\nowners: matched\n  notify-slack { channel: data-owners }: at once\n",
        "\neverything else: not matched: `otherwise`, and the rule \"owners\" above matches\n",
        "\nbroadcasts: not matched: `on` does not name the event\n",
        "\n  project    Sales\n",
        "\n  owner      ana@example.com, Ana Ferreira\n",
    ] {
        assert!(shown.contains(part), "{part}: {shown}{}", stderr(&output));
    }
    let rules = objects(&stack.run(&[&explain[..], &["--json"]].concat()).await);
    let of = |name: &str| rules.iter().find(|rule| rule["rule"] == name).unwrap();
    assert_eq!(
        (&of("finance")["condition"], &of("finance")["found"], &of("finance")["matched"]),
        (&json!("project"), &json!("\"Sales\""), &json!(false))
    );
    assert_eq!(of("owners")["actions"][0]["settings"], json!({ "channel": "data-owners" }));
    assert_eq!(of("owners")["actions"][0]["when"], "now");
}

// 15, item 4
#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_is_not_asked_and_decides() {
    let stack = Stack::start().await;
    stack.deploy(RULES).await;
    let given = [
        "--fact",
        "project=Finance/Reports",
        "--fact",
        "tags=critical,finance",
        "--fact",
        "owner=kai@example.com",
        "--fact",
        "cause=Credentials",
    ];
    let event = testkit::repository::root()
        .join("events/tableau/datasource-refresh-failed.json")
        .display()
        .to_string();
    let explain = [&["explain", &event, "--at", "2026-11-29T07:00:00Z"], &given[..]].concat();
    let output = stack.run(&explain).await;
    let shown = stdout(&output);
    for part in [
        "\nfinance: matched\n  notify-slack { channel: #finance-data }: not sent, maintenance until Sun 2026-11-29 10:00 \
         Europe/Berlin; a recovery is sent at once\n    title: ",
        " of kai@example.com: Credentials\n",
        "\nowners: not matched: where.owner: \"kai@example.com\" does not match \"ana@example.com\"\n",
    ] {
        assert!(shown.contains(part), "{part}: {shown}{}", stderr(&output));
    }
    assert_eq!(stack.tableau.calls("*"), 0);
    // The rest is asked: only what is not given.
    let some = stack.run(&["explain", &event, "--fact", "tags=finance"]).await;
    assert!(
        stdout(&some)
            .contains("\nfinance: not matched: where.tags.any: \"finance\" does not match \"critical\"\n"),
        "{}",
        stdout(&some)
    );
    assert!(stack.tableau.calls("*") > 0);
}

// 15, item 2 and 4
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_known_counts_as_matched_and_is_said() {
    let stack = Stack::start().await;
    stack.write("mine.yaml", RULES);
    let event = ["explain", "WorkbookRefreshFailed", "--rules", "mine.yaml", "--at", "2026-11-25T22:30:00Z"];
    let offline = stack.run(&[&event[..], &["--offline"]].concat()).await;
    let shown = stdout(&offline);
    for part in [
        "\nfinance: matched; could not be looked up and counts as matched: tags and certification (no --fact gives it), project \
         (no --fact gives it)\n",
        "\n  notify-slack { channel: data-owners }: when the quiet hours end, Thu 2026-11-26 08:00 Europe/Berlin\n",
        // What is not known for certain keeps no rule below it from matching.
        "\neverything else: matched\n",
    ] {
        assert!(shown.contains(part), "{part}: {shown}{}", stderr(&offline));
    }
    assert_eq!(stack.tableau.calls("*"), 0);
    // A Tableau that does not answer is the same.
    stack.tableau.fail_always("*", simulator::Fault::Status(503));
    let output = stack.run(&event).await;
    assert!(
        stdout(&output).contains("\nfinance: matched; could not be looked up"),
        "{}{}",
        stdout(&output),
        stderr(&output)
    );
    assert!(output.status.success());
}

// 15, item 4
#[test]
fn an_event_comes_from_a_file_from_standard_input_or_by_its_name_and_else_it_is_said_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.yaml").display().to_string();
    std::fs::write(&file, rules("data-alerts")).unwrap();
    for event in [
        "events/tableau/workbook-refresh-failed.json",
        "events/sqs/one-message.json",
        "WorkbookRefreshFailed",
    ] {
        let output = run(&["rules", "explain", event, "--rules", &file]);
        assert!(stdout(&output).contains("refresh failures: matched\n"), "{event}: {}", stderr(&output));
    }
    for (event, expected) in [
        (
            "WorkbookRefreshFaild",
            "error: there is no file WorkbookRefreshFaild, and `WorkbookRefreshFaild` is not an event name; did you mean \
             `WorkbookRefreshFailed`?\n",
        ),
        ("no/such.json", "error: there is no file no/such.json"),
        ("Cargo.toml", "error: this is no JSON: line 1, column "),
        ("717b", "error: no AWS region is set: "),
    ] {
        let output = run(&["rules", "explain", event, "--rules", &file]);
        assert!(stderr(&output).starts_with(expected), "{event}: {}", stderr(&output));
        assert_eq!(output.status.code(), Some(1), "{event}");
    }
    let asked = run(&["rules", "explain", "WorkbookRefreshFailed", "--rules", &file, "--fact", "projekt=a"]);
    assert!(
        stderr(&asked).contains("there is no fact `projekt`; did you mean `project`?"),
        "{}",
        stderr(&asked)
    );
    assert_eq!(asked.status.code(), Some(2));
    std::fs::write(&file, RULES).unwrap();
    let asked = run(&["rules", "explain", "WorkbookRefreshFailed", "--rules", &file]);
    let expected = "error: the rules ask for the tags and certification, which Tableau has to say, and no stack was found: ";
    assert!(
        stderr(&asked).starts_with(expected) && stderr(&asked).contains("add --offline"),
        "{}",
        stderr(&asked)
    );
}

// 15-2
#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_is_explained_with_what_the_recycle_bin_says() {
    let stack = Stack::start().await;
    let rules = "\
rules:
  - name: finance
    on: [Deleted]
    where: { project: \"Finance/**\", owner: \"*@example.com\" }
    message: { title: \"{{ deleted_by }} has deleted {{ name }} from {{ project }}\" }
    do: [{ notify-slack: { channel: data-finance } }]
  - name: critical
    on: [Deleted]
    where: { tags: { any: [critical] } }
    do: [{ notify-slack: { channel: data-alerts } }]
  - name: everything else
    on: [Deleted]
    otherwise: true
    do: [{ notify-slack: { channel: data-news } }]
";
    stack.deploy(rules).await;
    let ana = stack.tableau.user("ana").unwrap();
    let workbook = stack.tableau.workbook("Cash Flow Forecast").unwrap();
    let event = stack.tableau.delete_as(&ana, workbook).unwrap().payload;
    stack.write("deleted.json", &event);

    let output = stack.run(&["explain", "deleted.json"]).await;
    let shown = stdout(&output);
    for part in [
        "\nfinance: matched\n  notify-slack { channel: data-finance }: at once\n    title: Ana Ferreira has deleted Cash Flow \
         Forecast from Finance\n",
        "\ncritical: matched; could not be looked up and counts as matched: tags and certification (Tableau does not have it any \
         more)\n",
        "\neverything else: not matched: ",
        "\n  deleted_by  Ana Ferreira\n",
        "\n  project     Finance\n",
    ] {
        assert!(shown.contains(part), "{part}: {shown}{}", stderr(&output));
    }
    assert_eq!(stack.tableau.calls("GET */recyclebin/*"), 1);

    let given = ["--fact", "project=HR", "--fact", "owner=ana@example.com", "--fact", "deleted_by=Kim"];
    let other = stack.run(&[&["explain", "deleted.json"], &given[..]].concat()).await;
    assert!(stdout(&other).contains("\nfinance: not matched: where.project: \"HR\""), "{}", stdout(&other));

    stack.tableau.fail_always("GET */recyclebin/*", simulator::Fault::Error("403000"));
    let refused = stdout(&stack.run(&["explain", "deleted.json"]).await);
    for part in [
        "\nfinance: matched; could not be looked up and counts as matched: project (Tableau refused to show the Recycle Bin \
         (403000); the token's user has to be a site administrator)",
        // What is not known for certain keeps no rule below it from matching.
        "\neverything else: matched\n",
    ] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
}

#[test]
fn the_body_that_would_be_forwarded_is_shown_with_sample_values_and_given_facts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.yaml");
    let rules = "rules:\n  - name: a\n    on: [RefreshFailed]\n    do:\n      - forward-event:\n          target: a\n          template: |\n            {\"what\": {{ title }}, \"project\": {{ project.name }}, \"owner\": {{ owner.name }}, \"rule\": {{ rule }}}\n      - forward-event: { target: b, body: raw }\n";
    std::fs::write(&file, rules).unwrap();
    let file = file.display().to_string();
    let explain = [
        "rules",
        "explain",
        "DatasourceRefreshFailed",
        "--offline",
        "--rules",
        &file,
        "--fact",
        "project=Finance/Reports",
    ];
    let output = run(&[&explain[..], &["--body"]].concat());
    let shown = stdout(&output);
    assert!(shown.contains("    body:\n"), "{shown}{}", stderr(&output));
    assert!(shown.contains("\"event_type\": \"DatasourceRefreshFailed\""), "{shown}");
    assert!(!stdout(&run(&explain)).contains("    body:\n"));
    let output = run(&[&explain[..], &["--body", "--json"]].concat());
    let object = &objects(&output)[0];
    assert_eq!(object["actions"][0]["body"]["what"], "Extract refresh failed: Sales Orders");
    assert_eq!(object["actions"][0]["body"]["owner"], "Ana Pereira");
    assert_eq!(object["actions"][0]["body_problem"], json!(null));
    assert_eq!(object["actions"][1]["body"]["event_type"], "DatasourceRefreshFailed");
}
