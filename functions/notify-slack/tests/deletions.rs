//! Deletions: what the Recycle Bin says, what it costs, and what happens when it says nothing.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]

use serde_json::{Value, json};
use testkit::simulator::{Fault, User, Workbook, notes, render};
use testkit::{Batch, Function, Request, TestEnvironment};

/// Deletions in Finance, and those that no rule above matches.
const RULES: &str = "
rules:
  - name: finance
    on: [Deleted]
    where: { project: \"Finance/**\" }
    do: [{ notify-slack: { channel: data-alerts } }]
  - name: everything else
    on: [Deleted]
    otherwise: true
    do: [{ notify-slack: { channel: data-news } }]
";
const BINARY: &str = env!("CARGO_BIN_EXE_notify-slack");
const RECYCLE_BIN: &str = "GET */recyclebin/*";

fn queued(environment: &TestEnvironment) -> Function {
    environment.queued("notify-slack", BINARY)
}

fn readable(environment: &TestEnvironment) -> String {
    environment.slack.messages().iter().map(render).collect::<Vec<_>>().join("\n---\n")
}

/// Deletes a workbook of this name, and returns the event.
fn deleted(environment: &TestEnvironment, name: &str, by: &str) -> String {
    let workbook = environment.tableau.workbook(name).expect("there is one");
    let by = environment.tableau.user(by).expect("there is one");
    environment.tableau.delete_as(&by, workbook).unwrap().payload
}

async fn handle(function: &Function, event: &str) {
    let failures = function.failures(&Batch::default().message(event)).await;
    assert!(failures.is_empty(), "{}", function.logs().join("\n"));
}

/// The text of the channel's only message.
fn only(environment: &TestEnvironment, channel: &str) -> String {
    let messages = environment.slack.channel(channel);
    assert_eq!(messages.len(), 1, "{channel}: {}", readable(environment));
    render(&messages[0])
}

// 15-2
#[tokio::test]
async fn a_deletion_is_matched_by_where_the_object_was_and_the_message_says_who_deleted_it_and_where_it_was()
{
    let environment = TestEnvironment::with_rules(RULES).await;
    let function = queued(&environment);

    handle(&function, &deleted(&environment, "Month-End Close", "ana")).await;

    let text = only(&environment, "data-alerts");
    for part in
        ["Workbook deleted: Month-End Close", "Deleted by", "Ana Ferreira", "Was in", "Finance/Month End"]
    {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    assert!(text.contains("Owner") && !text.contains("not known"), "{text}");
    assert_eq!(environment.tableau.calls(RECYCLE_BIN), 1, "rule and notification ask together");
    let sign_in = environment.tableau.calls("POST /auth/*") + environment.tableau.calls("GET /serverinfo");
    assert_eq!(environment.tableau.calls("*") - sign_in, 1);

    handle(&function, &deleted(&environment, "Superstore", "ana")).await;
    assert!(only(&environment, "data-news").contains("Sales"));
    environment.assert_no_secret_in(&function.logs());
}

// 15-2
#[tokio::test]
async fn a_recycle_bin_that_says_nothing_suppresses_no_alert_and_the_message_says_what_is_missing_and_why() {
    for (fault, version, why) in [
        (None, "3.28", "the Recycle Bin needs REST API 3.29, and 3.28 is in use"),
        (
            Some(Fault::Error("403000")),
            "",
            "Tableau refused to show the Recycle Bin (403000); the token's user has to be a site administrator",
        ),
        (
            Some(Fault::Error("403004")),
            "",
            "Tableau refused to show the Recycle Bin (403004); the token's user has to be a site administrator",
        ),
        (Some(Fault::Error("404003")), "", "Tableau refused to show the Recycle Bin (404003)"),
        (Some(Fault::Error("400000")), "", "Tableau refused to show the Recycle Bin (400000)"),
        (Some(Fault::Status(503)), "", "Tableau did not answer"),
    ] {
        let environment = TestEnvironment::with_rules(RULES).await;
        let event = deleted(&environment, "Superstore", "ana");
        if let Some(fault) = fault {
            environment.tableau.fail_always(RECYCLE_BIN, fault);
        }
        // Inline mode waits for nothing.
        let settings = [("TABLEAU_API_VERSION", version)];
        let function = environment.function("notify-slack", BINARY.as_ref(), &settings);
        let answer = function.answer(&Request::post(event)).await;
        assert_eq!(answer.body["status"], json!("done"), "{why}: {:?}", function.logs());

        // It was not in Finance, but that is not known.
        let text = only(&environment, "data-alerts");
        let missing = format!("who deleted it and where it was is not known: {why}");
        for part in [missing.as_str(), "could not be looked up", "Workbook deleted: Superstore"] {
            assert!(text.contains(part), "no {part} in\n{text}");
        }
        assert!(!text.contains("Was in") && !text.contains("Deleted by"), "{text}");
        let asked = environment.tableau.calls(RECYCLE_BIN);
        assert_eq!(asked == 0, version == "3.28", "{why}: {asked}");
    }
}

// 15-2
#[tokio::test]
async fn a_recycle_bin_that_does_not_answer_for_a_moment_is_asked_again_with_the_event() {
    let environment = TestEnvironment::with_rules(RULES).await;
    let function = queued(&environment);
    let event = deleted(&environment, "Superstore", "ana");
    environment.tableau.fail_always(RECYCLE_BIN, Fault::Status(503));
    let failures = function.failures(&Batch::default().message(&event)).await;
    assert_eq!(failures, ["m-1"]);
    assert!(environment.slack.messages().is_empty());

    environment.tableau.clear_faults();
    handle(&function, &event).await;

    let text = only(&environment, "data-news");
    assert!(text.contains("Ana Ferreira") && text.contains("Sales"), "{text}");
}

// 15-2
#[tokio::test]
async fn what_is_not_in_the_recycle_bin_or_there_twice_is_not_guessed() {
    let environment = TestEnvironment::with_rules(RULES).await;
    let function = environment.inline("notify-slack", BINARY);
    let event = json!({
        "resource": "WORKBOOK", "event_type": "WorkbookDeleted", "resource_name": "Gone", "created_at": null,
        "site_luid": environment.tableau.site().as_str(), "resource_luid": "00000000-0000-4000-8000-000000000001",
    });
    function.answer(&Request::post(event.to_string())).await;
    assert!(only(&environment, "data-alerts").contains("the Recycle Bin does not show it"));

    // Two of one name, deleted by two people from two projects at one time; the event is about neither of them.
    for (project, by) in [("Finance", "ana"), ("Sales", "bea")] {
        environment.tableau.add(Workbook::named("Twins").in_project(project));
        deleted(&environment, "Twins", by);
    }
    let twins = event.to_string().replace("Gone", "Twins").replace("00001", "00002");
    function.answer(&Request::post(twins)).await;
    let last = render(&environment.slack.channel("data-alerts")[1]);
    assert!(last.contains("the Recycle Bin has several of this name"), "{last}");
}

// 15-2
#[tokio::test]
async fn a_name_in_the_recycle_bin_is_text_and_nothing_else() {
    for hostile in [
        "<!channel> *Bea*",
        "<https://evil.example|Bea>",
        "@here `x\u{202e}y`",
        "&lt;@U1&gt;\n\nApproved by Ana",
    ] {
        let environment = TestEnvironment::with_rules(RULES).await;
        let function = queued(&environment);
        let by = environment.tableau.add(User::named("mallory").called(hostile));
        let project = format!("Finance/{}", hostile.replace('/', "|"));
        let workbook = environment.tableau.add(Workbook::named("Sales").in_project(&project));
        let event = environment.tableau.delete_as(&by, workbook).unwrap().payload;

        handle(&function, &event).await;

        let message = &environment.slack.channel("data-alerts")[0];
        assert_eq!(message.mentions(), Vec::<String>::new(), "{hostile}");
        let blocks = serde_json::to_string(&message.blocks).unwrap();
        assert!(!blocks.contains("<!channel>") && !blocks.contains("<https://evil"), "{blocks}");
        assert!(!blocks.contains('\u{202e}'), "{blocks}");
        assert!(render(message).contains("Deleted by"), "{hostile}");
        assert_eq!(environment.slack.refusals(), []);
    }
}

// 15-2
#[tokio::test]
async fn a_rules_own_words_may_say_who_deleted_it_and_where_it_was() {
    let rules = "
rules:
  - name: finance
    on: [Deleted]
    message:
      title: \"{{ deleted_by }} has deleted {{ name }} from {{ project }}\"
      text: \"It was {{ owner }}'s.\"
    do: [{ notify-slack: { channel: data-alerts } }]
";
    let environment = TestEnvironment::with_rules(rules).await;
    let function = queued(&environment);
    handle(&function, &deleted(&environment, "Cash Flow Forecast", "ana")).await;
    let text = only(&environment, "data-alerts");
    assert!(text.contains("Ana Ferreira has deleted Cash Flow Forecast from Finance"), "{text}");
    assert!(text.contains("It was ") && !text.contains("It was 's"), "{text}");
    assert_eq!(environment.tableau.calls(RECYCLE_BIN), 1);
}

// 15-2
#[tokio::test]
async fn conditions_on_the_owner_of_what_is_deleted_hold_for_each_name_of_that_person() {
    for owner in ["ana@example.com", "Ana Ferreira"] {
        let rules = format!(
            "rules: [{{ name: a, on: [Deleted], where: {{ owner: {owner} }}, do: [{{ notify-slack: {{ channel: data-alerts }} }}] }}]"
        );
        let environment = TestEnvironment::with_rules(&rules).await;
        let function = queued(&environment);
        environment.tableau.add(Workbook::named("Hers").owned_by("ana"));
        environment.tableau.add(Workbook::named("His").owned_by("bea"));
        handle(&function, &deleted(&environment, "His", "ana")).await;
        assert!(environment.slack.messages().is_empty(), "{owner}: {}", readable(&environment));
        handle(&function, &deleted(&environment, "Hers", "bea")).await;
        assert!(only(&environment, "data-alerts").contains("Hers"), "{owner}");
    }
}

// 15-2
#[tokio::test]
async fn a_flood_of_deletions_asks_for_those_that_get_a_message_of_their_own_and_no_condition_means_no_more()
{
    let rules = "
rules: [{ name: a, on: [Deleted], do: [{ notify-slack: { channel: data-alerts } }] }]
";
    let environment = TestEnvironment::with_rules(rules).await;
    let function = queued(&environment);
    for n in 0..12 {
        let name = format!("Weekly {n}");
        environment.tableau.add(Workbook::named(&name));
        handle(&function, &deleted(&environment, &name, "ana")).await;
    }
    let alone = environment.slack.channel("data-alerts").len();
    assert!(alone < 12, "they are grouped");
    assert_eq!(environment.tableau.calls(RECYCLE_BIN) as usize, alone);
}

// 15-2
#[tokio::test]
async fn an_incident_that_a_deletion_ends_says_who_deleted_the_object() {
    let rules = "
rules: [{ name: a, on: [RefreshFailed], do: [{ notify-slack: { channel: data-alerts } }] }]
";
    let environment = TestEnvironment::with_rules(rules).await;
    let function = queued(&environment);
    let workbook = environment.tableau.add(Workbook::named("Sales").in_project("Finance"));
    environment.tableau.fail_refresh(&workbook, notes::SNOWFLAKE_LOGIN).unwrap();
    let created_at = environment.tableau.clock().now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let failed: Value = json!({
        "resource": "EXTRACTS", "event_type": "WorkbookRefreshFailed", "resource_name": "Sales",
        "site_luid": environment.tableau.site().as_str(), "resource_luid": workbook.as_str(),
        "created_at": created_at,
    });
    handle(&function, &failed.to_string()).await;
    handle(&function, &deleted(&environment, "Sales", "ana")).await;
    let text = readable(&environment);
    let last = text.rsplit("\n---\n").next().unwrap();
    for part in ["after the first failure", "Deleted by", "Ana Ferreira", "Was in", "Finance"] {
        assert!(last.contains(part), "no {part} in\n{text}");
    }
}

// 15-1: no one is called in the place of an owner whom no one has asked for.
#[tokio::test]
async fn members_of_a_group_of_deletions_have_no_owner_since_tableau_is_not_asked() {
    let rules = "
rules:
  - name: a
    on: [Deleted]
    do: [{ notify-slack: { channel: data-alerts, mention: owner, mention_if_unknown: here } }]
";
    let environment = TestEnvironment::with_rules(rules).await;
    let function = queued(&environment);
    for n in 0..4 {
        let name = format!("Weekly {n}");
        environment.tableau.add(Workbook::named(&name));
        handle(&function, &deleted(&environment, &name, "ana")).await;
    }
    let items = environment.aws.items("deliveries").into_iter();
    let members = items
        .filter(|item| item["pk"]["S"].as_str().unwrap().starts_with("group#") && item["sk"]["S"] != "head");
    let members: Vec<Value> = members
        .map(|member| serde_json::from_str(member["document"]["S"].as_str().unwrap()).unwrap())
        .collect();
    assert!(members.len() > 1, "{members:?}");
    assert!(members.iter().all(|member| member["owner"].is_null()), "{members:?}");
}
