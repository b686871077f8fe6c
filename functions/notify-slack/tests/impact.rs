//! Which workbooks use a failing data source: what it costs at Tableau, what the message says, and what happens without an
//! answer.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use testkit::simulator::{Datasource, Fault, Feature, User, Workbook, notes, render};
use testkit::{Batch, Function, Request, TestEnvironment};

const RULES: &str = "
rules: [{ name: failures, on: [RefreshFailed], do: [{ notify-slack: { channel: data-alerts } }] }]
";
const BINARY: &str = env!("CARGO_BIN_EXE_notify-slack");
const GRAPHQL: &str = "POST /graphql";
/// Slack's limit for the text of all blocks together.
const ALL_LIMIT: usize = 13_200;

fn queued(environment: &TestEnvironment) -> Function {
    environment.queued("notify-slack", BINARY)
}

fn readable(environment: &TestEnvironment) -> String {
    environment.slack.messages().iter().map(render).collect::<Vec<_>>().join("\n---\n")
}

/// A data source that this many workbooks use, which `owners` own in turn. `name` names each of them.
async fn used_by(workbooks: usize, owners: usize, name: impl Fn(usize) -> String) -> TestEnvironment {
    let environment = TestEnvironment::with_rules(RULES).await;
    for n in 0..owners {
        environment.tableau.add(User::named(&format!("owner-{n}")));
    }
    environment.tableau.add(Datasource::named("Orders Extract"));
    for n in 0..workbooks {
        let owner = format!("owner-{}", n % owners);
        environment.tableau.add(Workbook::named(&name(n)).using("Orders Extract").owned_by(&owner));
    }
    environment
}

/// The n-th failed refresh.
fn failed(environment: &TestEnvironment, name: &str, kind: &str, luid: &str, n: i64) -> Value {
    environment.tableau.fail_refresh(luid, notes::SNOWFLAKE_LOGIN).unwrap();
    let at = environment.tableau.clock().now() - jiff::SignedDuration::from_secs(60 - n);
    json!({
        "resource": "EXTRACTS", "event_type": format!("{kind}RefreshFailed"), "resource_name": name,
        "site_luid": environment.tableau.site().as_str(), "resource_luid": luid,
        "created_at": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    })
}

fn orders(environment: &TestEnvironment, n: i64) -> Value {
    let luid = environment.tableau.datasource("Orders Extract").unwrap();
    failed(environment, "Orders Extract", "Datasource", luid.as_str(), n)
}

async fn handle(function: &Function, event: &Value) {
    let failures = function.failures(&Batch::default().message(&event.to_string())).await;
    assert!(failures.is_empty(), "{}", function.logs().join("\n"));
}

fn text_length(value: &Value) -> usize {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| match value.as_str() {
                Some(text) if key == "text" => text.chars().count(),
                _ => text_length(value),
            })
            .sum(),
        Value::Array(items) => items.iter().map(text_length).sum(),
        _ => 0,
    }
}

// 16, item 5: what must be shown.
#[tokio::test]
async fn two_hundred_workbooks_cost_three_calls_at_most_and_stay_within_slacks_limits() {
    // 250 characters each.
    let environment = used_by(200, 5, |n| format!("Board {n:04} {}", "&".repeat(239))).await;
    let function = queued(&environment);
    handle(&function, &orders(&environment, 0)).await;

    let calls = environment.tableau.calls(GRAPHQL);
    assert!((1..=3).contains(&calls), "{calls}");
    assert_eq!(calls, 2);
    let text = readable(&environment);
    assert!(text.contains("200 workbooks of 5 owners use it: Board 0000"), "{text}");
    let line = text.lines().find(|line| line.contains("workbooks of")).unwrap();
    let named = line.matches("Board").count();
    assert!(named > 1 && line.ends_with(&format!(" … and {} more", 200 - named)), "{line}");
    assert_eq!(environment.slack.refusals(), []);
    assert_eq!(environment.slack.calls(), 1, "Slack took the first form of the message");
    let blocks = Value::Array(environment.slack.messages()[0].blocks.clone());
    assert!(text_length(&blocks) <= ALL_LIMIT);
    environment.assert_no_secret_in(&function.logs());

    // Not again with each failure of the incident.
    for n in 1..4 {
        handle(&function, &orders(&environment, n)).await;
    }
    assert_eq!(environment.tableau.calls(GRAPHQL), 2);
    let last = render(environment.slack.messages().last().unwrap());
    assert!(last.contains("200 workbooks of 5 owners use it"), "{last}");
    let documents = environment.aws.items("deliveries").into_iter().filter_map(|item| {
        let is_incident = item["pk"]["S"].as_str().is_some_and(|key| key.starts_with("incident#"));
        is_incident.then(|| item["document"]["S"].as_str().unwrap_or_default().to_owned())
    });
    let documents: Vec<String> = documents.collect();
    assert_eq!(documents.len(), 1);
    assert!(documents[0].contains("Board 0000") && !documents[0].contains("owner-"), "{}", documents[0]);
    assert!(documents[0].len() < 5_000, "{}", documents[0].len());
}

// 16, item 5
#[tokio::test]
async fn none_one_and_a_thousand_workbooks_are_counted_right() {
    for (workbooks, owners, calls, expected) in [
        (0, 1, 1, "No workbook uses it, as far as Tableau knows."),
        (1, 1, 1, "1 workbook of 1 owner uses it: Board 0000"),
        (
            1_000,
            37,
            3,
            "1000 workbooks of at least 37 owners use it: Board 0000, Board 0001, Board 0002, Board 0003, \
             Board 0004 … and 995 more",
        ),
    ] {
        let environment = used_by(workbooks, owners, |n| format!("Board {n:04}")).await;
        handle(&queued(&environment), &orders(&environment, 0)).await;
        let text = readable(&environment);
        assert!(text.contains(expected), "{text}");
        assert_eq!(environment.tableau.calls(GRAPHQL), calls, "{workbooks}");
        assert_eq!(environment.slack.refusals(), []);
    }
}

// 16, item 5
#[tokio::test]
async fn without_an_answer_the_message_goes_out_at_once_and_says_why() {
    let no_api = "Tableau has no Metadata API at its address (status 404); on Tableau Server an administrator has to switch it on";
    for (fault, why) in [
        (None, "Tableau's Metadata API is switched off on this Tableau Server (FEATURE_DISABLED)"),
        (Some(Fault::Html(404)), no_api),
        (Some(Fault::Error("404000")), no_api),
        (Some(Fault::Error("403004")), "Tableau refused (403004)"),
        (Some(Fault::Status(503)), "Tableau did not answer"),
        (Some(Fault::TooManyRequests { retry_after: Some(600) }), "Tableau refused (429000)"),
        (Some(Fault::Reset), "Tableau did not answer"),
        (Some(Fault::Delay(Duration::from_secs(60))), "Tableau did not answer"),
    ] {
        let environment = used_by(3, 1, |n| format!("Board {n}")).await;
        match &fault {
            Some(fault) => environment.tableau.fail_always(GRAPHQL, fault.clone()),
            None => environment.tableau.allow(Feature::MetadataApi, false),
        }
        let function = queued(&environment);
        let began = Instant::now();
        handle(&function, &orders(&environment, 0)).await;

        assert!(began.elapsed() < Duration::from_secs(12), "{fault:?}: {:?}", began.elapsed());
        let text = readable(&environment);
        assert!(text.contains(&format!("which workbooks use it is not known: {why}")), "{fault:?}: {text}");
        assert!(text.contains("Cause –") && !text.contains("use it:"), "{text}");
        // The simulator does not count a call whose client has gone.
        let calls = environment.tableau.calls(GRAPHQL);
        assert!(
            (u32::from(!matches!(fault, Some(Fault::Delay(_))))..=8).contains(&calls),
            "{fault:?}: {calls}"
        );
        let began = Instant::now();
        handle(&function, &orders(&environment, 1)).await;
        let again = environment.tableau.calls(GRAPHQL) - calls;
        match fault {
            // A person has to change something first.
            None | Some(Fault::Html(404) | Fault::Error("404000" | "403004")) => {
                assert_eq!(again, 0, "it is not asked again: {fault:?}");
                assert!(began.elapsed() < Duration::from_secs(4), "{fault:?}: {:?}", began.elapsed());
            }
            Some(Fault::Delay(_)) => {}
            _ => assert!(again > 0, "it is asked again: {fault:?}"),
        }
    }
}

// 16, item 5: on most Tableau Servers the Metadata API is off, and the circuit of the REST API has to stay closed.
#[tokio::test]
async fn a_metadata_api_that_is_not_there_keeps_no_call_of_the_rest_api_back() {
    let environment = TestEnvironment::with_rules(RULES).await;
    environment.tableau.fail_always(GRAPHQL, Fault::Html(404));
    let function = environment.inline("notify-slack", BINARY);
    for n in 0..15 {
        let name = format!("Extract {n}");
        let luid = environment.tableau.add(Datasource::named(&name));
        let event = failed(&environment, &name, "Datasource", luid.as_str(), 0);
        let answer = function.answer(&Request::post(event.to_string())).await;
        assert_eq!(answer.body["status"], json!("done"), "{:?}", function.logs());
    }
    assert_eq!(environment.tableau.calls(GRAPHQL), 15);
    assert!(!function.logs().iter().any(|line| line.contains("circuit open")));
    let last = render(environment.slack.messages().last().unwrap());
    assert!(last.contains("Owner") && last.contains("(status 404)"), "{last}");
}

// 16, item 5
#[tokio::test]
async fn an_answer_that_is_cut_short_says_at_least_and_a_page_that_is_missing_costs_no_other() {
    for (first, later, expected) in [
        (
            Some(Fault::Partial("TIME_LIMIT_EXCEEDED")),
            None,
            "At least 250 workbooks of at least 4 owners use it",
        ),
        (
            Some(Fault::Partial("NODE_LIMIT_EXCEEDED")),
            None,
            "At least 250 workbooks of at least 4 owners use it",
        ),
        (
            Some(Fault::Delay(Duration::ZERO)),
            Some(Fault::Html(404)),
            "At least 250 workbooks of at least 4 owners use it",
        ),
        (
            Some(Fault::Delay(Duration::ZERO)),
            Some(Fault::Delay(Duration::from_secs(60))),
            "At least 250 workbooks",
        ),
    ] {
        let environment = used_by(250, 4, |n| format!("Board {n:04}")).await;
        first.iter().for_each(|fault| environment.tableau.fail_next(GRAPHQL, 1, fault.clone()));
        later.iter().for_each(|fault| environment.tableau.fail_always(GRAPHQL, fault.clone()));
        handle(&queued(&environment), &orders(&environment, 0)).await;
        let text = readable(&environment);
        assert!(text.contains(expected) && text.contains("Board 0000"), "{text}");
    }
}

// 16, item 5
#[tokio::test]
async fn names_of_workbooks_are_text_and_nothing_else() {
    for hostile in [
        "<!channel> *Bea*",
        "<https://evil.example|Bea>",
        "@here `x\u{202e}y`",
        "&lt;@U1&gt;\n\nApproved",
        "*_~",
    ] {
        let environment = used_by(3, 1, |_| hostile.to_owned()).await;
        handle(&queued(&environment), &orders(&environment, 0)).await;
        let message = &environment.slack.messages()[0];
        assert_eq!(message.mentions(), Vec::<String>::new(), "{hostile}");
        let blocks = serde_json::to_string(&message.blocks).unwrap();
        assert!(!blocks.contains("<!channel>") && !blocks.contains("<https://evil"), "{blocks}");
        assert!(!blocks.contains('\u{202e}') && blocks.contains("3 workbooks of 1 owner use it"), "{blocks}");
        assert_eq!(environment.slack.refusals(), []);
    }
}

// 16, item 5
#[tokio::test]
async fn a_workbook_that_fails_and_a_group_ask_nothing() {
    let environment = TestEnvironment::with_rules(RULES).await;
    let function = queued(&environment);
    let workbook = environment.tableau.workbook("Superstore").unwrap();
    handle(&function, &failed(&environment, "Superstore", "Workbook", workbook.as_str(), 0)).await;
    assert_eq!(environment.tableau.calls(GRAPHQL), 0);
    assert!(!readable(&environment).contains("use it"));

    // The window of the workbook's incident is open: these join its group.
    let mut batch = Batch::default();
    for n in 0..5 {
        let name = format!("Extract {n}");
        let luid = environment.tableau.add(Datasource::named(&name));
        batch = batch.message(&failed(&environment, &name, "Datasource", luid.as_str(), 1).to_string());
    }
    assert!(function.failures(&batch).await.is_empty(), "{:?}", function.logs());
    assert_eq!(environment.tableau.calls(GRAPHQL), 0);
}
