//! Whom messages mention: the real binary, with Tableau and Slack at the wire.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]

#[allow(dead_code, reason = "each test file uses some of it")]
mod support;

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::{inline, message, queued, readable};
use testkit::simulator::{Datasource, SlackFault, SlackMessage, User, notes};
use testkit::{Function, Request, TestEnvironment};

const ANA: &str = "ana@example.com";

/// A rule for failed refreshes with these settings besides the channel.
fn rule(name: &str, settings: &str) -> String {
    format!(
        "  - name: {name}\n    on: [RefreshFailed]\n    do:\n      - notify-slack: {{ channel: data-alerts{settings} }}\n"
    )
}

/// An environment with these rules, in which the Slack secret has a bot token.
async fn with_token(rules: &[String]) -> TestEnvironment {
    let environment = TestEnvironment::with_rules(&format!("rules:\n{}", rules.concat())).await;
    environment.aws.create_secret("slack", json!({ "bot_token": environment.slack.token() }));
    environment
}

async fn calling_the_owner() -> TestEnvironment {
    with_token(&[rule("finance", ", mention: owner, mention_if_unknown: here")]).await
}

/// An event about a data source, whose job has failed; or has succeeded.
fn event(environment: &TestEnvironment, name: &str, kind: &str) -> Value {
    let luid = environment.tableau.datasource(name).unwrap();
    if kind == "Failed" {
        environment.tableau.fail_refresh(&luid, notes::SNOWFLAKE_LOGIN).unwrap();
    }
    json!({
        "resource": "EXTRACTS", "event_type": format!("DatasourceRefresh{kind}"), "resource_name": name,
        "site_luid": environment.tableau.site().as_str(), "resource_luid": luid.as_str(),
        "created_at": environment.tableau.clock().now().to_string(),
    })
}

async fn fail(environment: &TestEnvironment, function: &Function, name: &str) {
    let event = event(environment, name, "Failed");
    let answer = function.answer(&Request::post(event.to_string())).await;
    assert_eq!(answer.body["status"], "done", "{}", function.logs().join("\n"));
}

fn mentions(environment: &TestEnvironment) -> Vec<Vec<String>> {
    environment.slack.messages().iter().map(SlackMessage::mentions).collect()
}

fn id(environment: &TestEnvironment, email: &str) -> String {
    format!("@{}", environment.slack.person(email).unwrap())
}

// 15, item 1; D077: the mention is in a block and not in an attachment, where it would notify no one.
#[tokio::test]
async fn the_owner_is_mentioned_in_an_incidents_first_message_and_in_no_edit_or_recovery() {
    let environment = calling_the_owner().await;
    let function = queued(&environment);
    for kind in ["Failed", "Failed", "Succeeded"] {
        let batch = message(&event(&environment, "Sales Orders", kind));
        assert!(function.failures(&batch).await.is_empty(), "{}", function.logs().join("\n"));
        tokio::time::sleep(Duration::from_millis(1_100)).await;
    }
    let mentions = mentions(&environment);
    assert!(mentions.len() >= 3, "{}", readable(&environment));
    assert_eq!(mentions[0], [id(&environment, ANA)]);
    let first = environment.slack.messages().remove(0);
    let mention = id(&environment, ANA);
    assert!(first.blocks.iter().any(|block| block.to_string().contains(&mention)), "{:?}", first.blocks);
    assert!(mentions[1..].iter().all(Vec::is_empty), "{mentions:?}");
    assert_eq!(environment.slack.lookups(), [ANA]);
    environment.assert_no_secret_in(&function.logs());
}

// 15, item 1
#[tokio::test]
async fn an_owner_who_has_left_slack_is_named_and_others_are_mentioned() {
    type Leave = fn(&TestEnvironment);
    let leaves: [(Leave, &str); 2] = [
        (|environment| environment.slack.remove_person(ANA), "owner Ana Ferreira: not found in Slack"),
        (|environment| environment.slack.deactivate_person(ANA), "owner Ana Ferreira: deactivated in Slack"),
    ];
    for (leave, words) in leaves {
        let environment = calling_the_owner().await;
        leave(&environment);
        let function = inline(&environment);
        fail(&environment, &function, "Sales Orders").await;
        assert_eq!(mentions(&environment), [["!here"]]);
        assert!(readable(&environment).contains(words), "{}", readable(&environment));
    }
    // Without others, the message names the owner.
    let environment = with_token(&[rule("finance", ", mention: owner")]).await;
    environment.slack.remove_person(ANA);
    let function = inline(&environment);
    fail(&environment, &function, "Sales Orders").await;
    assert_eq!(mentions(&environment), [Vec::<String>::new()]);
    assert!(readable(&environment).contains("owner Ana Ferreira: not found in Slack"));
}

// 15, item 1
#[tokio::test]
async fn an_owner_who_has_left_tableau_is_not_known_and_others_are_mentioned() {
    let environment = calling_the_owner().await;
    environment.tableau.delete(environment.tableau.user("ana").unwrap()).unwrap();
    let function = inline(&environment);
    fail(&environment, &function, "Sales Orders").await;
    assert_eq!(mentions(&environment), [["!here"]]);
    assert!(readable(&environment).contains("owner: not known"), "{}", readable(&environment));
    assert!(environment.slack.lookups().is_empty());
}

// 15, item 1
#[tokio::test]
async fn a_lookup_that_slack_does_not_answer_keeps_no_message_back() {
    for fault in [
        SlackFault::ServerError,
        SlackFault::Html(200),
        SlackFault::Empty(204),
        SlackFault::Reset,
        SlackFault::Hang,
        SlackFault::RateLimited { retry_after: 30 },
        SlackFault::Revoked,
    ] {
        let environment = calling_the_owner().await;
        let function = inline(&environment);
        environment.slack.fail_next(1, fault.clone());
        let began = Instant::now();
        fail(&environment, &function, "Sales Orders").await;
        assert!(began.elapsed() < Duration::from_secs(10), "{fault:?}: {:?}", began.elapsed());
        assert_eq!(mentions(&environment), [["!here"]], "{fault:?}");
        let text = readable(&environment);
        assert!(text.contains("owner Ana Ferreira: Slack did not answer the lookup"), "{fault:?}: {text}");
        // Slack is not asked again at once.
        environment.tableau.add(Datasource::named("Returns").owned_by("ana"));
        fail(&environment, &function, "Returns").await;
        assert!(environment.slack.lookups().is_empty(), "{fault:?}");
        let logs = function.logs().join("\n");
        assert!(logs.contains("an owner was not looked up in Slack"), "{logs}");
        assert!(!logs.contains(ANA), "{fault:?}: an address in the log");
        environment.assert_no_secret_in(&function.logs());
    }
}

// 15, item 1
#[tokio::test]
async fn a_missing_scope_is_said_in_the_message_and_once_in_the_log() {
    let environment = calling_the_owner().await;
    environment.slack.allow_lookups(false);
    let function = inline(&environment);
    for name in ["Sales Orders", "General Ledger", "Shipments"] {
        fail(&environment, &function, name).await;
    }
    assert_eq!(mentions(&environment), [["!here"], ["!here"], ["!here"]]);
    let text = readable(&environment);
    for owner in ["Ana Ferreira", "Jonas Weber", "Marcus O'Brien"] {
        let words =
            format!("owner {owner}: not looked up, since the Slack app has no scope users:read.email");
        assert!(text.contains(&words), "{text}");
    }
    let warnings =
        function.logs().iter().filter(|line| line.contains("has no scope users:read.email")).count();
    assert_eq!(warnings, 1, "{}", function.logs().join("\n"));
    assert_eq!(environment.slack.lookups().len(), 1);
}

// 15, item 1
#[tokio::test]
async fn webhook_urls_look_no_one_up_and_mention_the_others() {
    let rules = format!("rules:\n{}", rule("finance", ", mention: owner, mention_if_unknown: S0615G0KT"));
    let environment = TestEnvironment::with_rules(&rules).await;
    let function = inline(&environment);
    fail(&environment, &function, "Sales Orders").await;
    assert_eq!(mentions(&environment), [["!subteam^S0615G0KT"]]);
    let text = readable(&environment);
    assert!(text.contains("owner Ana Ferreira: not looked up, since that needs a bot token"), "{text}");
    assert!(environment.slack.lookups().is_empty());
}

// 15, item 1
#[tokio::test]
async fn a_hostile_name_of_an_owner_mentions_no_one() {
    let hostile = "<!channel> <@U0000000001> @here <!subteam^S0615G0KT>\n*x*";
    for (name, full_name, email) in [
        ("m1@example.com", hostile, None),
        ("<!channel>@example.com", hostile, None),
        ("<!channel>", "<!everyone|x>", Some("<!here>@example.com")),
        ("@channel", "\u{202e}<!channel>", None),
    ] {
        let environment =
            with_token(&[rule("finance", ", mention: owner, mention_if_unknown: U0000000002")]).await;
        let user = User::named("m").with_plain_name(name).called(full_name);
        environment.tableau.add(match email {
            Some(email) => user.with_email(email),
            None => user,
        });
        environment.tableau.add(Datasource::named("Owned by them").owned_by(name));
        let function = inline(&environment);
        fail(&environment, &function, "Owned by them").await;
        assert_eq!(mentions(&environment), [["@U0000000002"]], "{}", readable(&environment));
        let raw = environment.slack.messages()[0].raw.to_string();
        assert_eq!(raw.matches("<!").count(), raw.matches("<!date").count(), "{raw}");
        assert!(environment.slack.lookups().iter().all(|address| !address.contains('<')));
    }
}

// 15, item 1
#[tokio::test]
async fn an_owner_without_an_address_is_named() {
    let environment = calling_the_owner().await;
    environment.tableau.add(User::named("kim").with_plain_name("CORP\\kim").called("Kim Park"));
    environment.tableau.add(Datasource::named("On premises").owned_by("Kim Park"));
    let function = inline(&environment);
    fail(&environment, &function, "On premises").await;
    assert_eq!(mentions(&environment), [["!here"]]);
    assert!(readable(&environment).contains("owner Kim Park: Tableau has no e-mail address"));
    assert!(environment.slack.lookups().is_empty());
}

// 15, item 1
#[tokio::test]
async fn two_rules_for_one_channel_are_one_message_that_mentions_each_once() {
    let environment = with_token(&[
        rule("one", ", mention: owner, mention_if_unknown: U0000000009"),
        rule("two", ", mention: here"),
        rule("three", ", mention: here"),
        rule("four", ""),
    ])
    .await;
    let function = inline(&environment);
    fail(&environment, &function, "Sales Orders").await;
    let ana = id(&environment, ANA);
    assert_eq!(mentions(&environment), [[ana.as_str(), "!here"]]);
}

// 15, item 1
#[tokio::test]
async fn a_muted_rule_calls_no_one_through_another_rule_for_its_channel() {
    let muted =
        rule("one", ", mention: owner").replace("    on:", "    mute_until: 2099-01-01T00:00:00Z\n    on:");
    let environment = with_token(&[muted, rule("two", "")]).await;
    let function = inline(&environment);
    fail(&environment, &function, "Sales Orders").await;
    assert_eq!(mentions(&environment), [Vec::<String>::new()]);
    assert!(environment.slack.lookups().is_empty());
}

// 15, item 1
#[tokio::test]
async fn slack_is_asked_only_for_owners_that_a_rule_mentions_and_once_for_each() {
    for settings in ["", ", mention: here", ", mention: U0000000001", ", mention: channel"] {
        let environment = with_token(&[rule("finance", settings)]).await;
        let function = inline(&environment);
        fail(&environment, &function, "Sales Orders").await;
        assert!(environment.slack.lookups().is_empty(), "{settings}");
        assert_eq!(mentions(&environment)[0].len(), usize::from(!settings.is_empty()), "{settings}");
    }
    // A rule that does not match looks no one up.
    let elsewhere =
        rule("finance", ", mention: owner").replace("    do:", "    where: { project: Nowhere }\n    do:");
    let environment = with_token(&[elsewhere, rule("two", "")]).await;
    let function = inline(&environment);
    fail(&environment, &function, "Sales Orders").await;
    assert!(environment.slack.lookups().is_empty());

    let environment = calling_the_owner().await;
    let function = inline(&environment);
    for name in ["General Ledger", "Budget", "Sales Orders"] {
        fail(&environment, &function, name).await;
    }
    assert_eq!(environment.slack.lookups(), ["jonas@example.com", ANA]);
}
