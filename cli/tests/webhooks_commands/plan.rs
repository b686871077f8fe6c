//! `webhooks plan`.

use crate::scene::{Stack, rules};
use crate::{TOKEN, objects, stderr, stdout};
use serde_json::{Value, json};
use simulator::Webhook;
use tableau::EventName;

/// A stack that has registered three webhooks.
async fn applied() -> Stack {
    let stack = Stack::with_a_token().await;
    stack.publish(&rules(&["DatasourceRefreshFailed", "SiteUpdated"], &[])).await;
    stack.done(&["apply", "--yes"]).await;
    stack
}

#[tokio::test(flavor = "multi_thread")]
async fn it_shows_what_is_to_be_created_and_changes_nothing() {
    let stack = Stack::with_a_token().await;
    stack.publish(&rules(&["DatasourceRefreshFailed", "SiteUpdated"], &[])).await;
    let output = stack.done(&["plan"]).await;
    let expected = "create   DatasourceRefreshFailed    rule `one`\n\
                    create   DatasourceRefreshSucceeded recovery of failed refreshes\n\
                    create   SiteUpdated                rule `one`\n\
                    3 steps; 0 webhooks are as the rules need them\n";
    assert_eq!((stdout(&output).as_str(), stderr(&output).as_str()), (expected, ""));
    let plan = objects(&stack.done(&["plan", "--json"]).await).remove(0);
    let step = json!({
        "action": "create", "event": "SiteUpdated", "name": stack.identity().name(&EventName::SiteUpdated),
        "luid": null, "reason": "rule `one`",
    });
    assert_eq!((plan["steps"].as_array().unwrap().len(), &plan["steps"][2]), (3, &step));
    for (member, expected) in [
        ("stack", json!("tableau-webhooks")),
        ("server", json!(stack.tableau.url())),
        ("site", json!("marketing")),
        ("waiting", json!([])),
        ("foreign", json!([])),
        ("unchanged", json!(0)),
    ] {
        assert_eq!(plan[member], expected, "{plan}");
    }
    assert!(stack.tableau.webhooks().is_empty() && stack.document() == Value::Null);
    // The session is the one of the functions.
    assert_eq!((stack.tableau.sign_ins(simulator::SAMPLE_PAT.0), stack.tableau.sessions()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn refreshes_by_name_need_webhooks_of_their_own() {
    let stack = Stack::with_a_token().await;
    stack.publish("rules: []\n").await;
    let none = stack.done(&["plan"]).await;
    assert_eq!(stdout(&none), "nothing to do: 0 webhooks are as the rules need them\n");
    let mut parameters = std::collections::BTreeMap::from([
        ("TableauServerUrl".to_owned(), stack.tableau.url()),
        ("TableauSite".to_owned(), "marketing".to_owned()),
    ]);
    parameters.insert("RefreshExtractEnabled".to_owned(), "true".to_owned());
    stack.aws.set_stack_parameters("tableau-webhooks", parameters);
    let plan = objects(&stack.done(&["plan", "--json"]).await).remove(0);
    let reasons: Vec<&Value> = plan["steps"].as_array().unwrap().iter().map(|step| &step["reason"]).collect();
    assert_eq!(reasons, vec!["refreshes by name"; 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_and_what_others_have_made_is_said_and_nothing_to_do_is_too() {
    let stack = applied().await;
    let nothing = stack.done(&["plan"]).await;
    assert_eq!(stdout(&nothing), "nothing to do: 3 webhooks are as the rules need them\n");
    let own = stack.identity().name(&EventName::SiteUpdated);
    stack.done(&["disable", &own, "--reason", "moves"]).await;
    stack.add(EventName::UserDeleted, "made by hand", &format!("/webhook/{TOKEN}"));
    stack.tableau.add(Webhook::on(EventName::UserDeleted, "https://else.example/x").named("another tool"));
    let output = stack.done(&["plan"]).await;
    let expected = format!(
        "waits    SiteUpdated                `{own}`: a person has disabled it; `tableau-webhooks webhooks enable` enables it\n\
         left alone, because others have made them for this stack: `made by hand`\n\
         nothing to do: 2 webhooks are as the rules need them\n"
    );
    assert_eq!(stdout(&output), expected);
    let plan = objects(&stack.done(&["plan", "--json"]).await).remove(0);
    assert_eq!((&plan["waiting"][0]["name"], &plan["foreign"]), (&json!(own), &json!(["made by hand"])));
    assert_eq!(plan["steps"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_tableau_and_people_have_written_shows_no_token_and_steers_no_terminal() {
    let stack = applied().await;
    let webhooks = stack.tableau.webhooks();
    let url = &webhooks[0].url;
    let foreign = format!("by hand \u{1b}[2J {url}");
    stack.add(EventName::UserDeleted, &foreign, &format!("/webhook?token={TOKEN}"));
    let own = stack.named(&stack.identity().name(&EventName::SiteUpdated));
    stack.disable_with(&own.luid, &format!("POST to {url} failed \u{1b}[31m")).await;
    for command in [&["plan"][..], &["plan", "--json"]] {
        let output = stack.done(command).await;
        let shown = stdout(&output) + &stderr(&output);
        assert!(shown.contains("Tableau has disabled it") && shown.contains("by hand"), "{shown}");
        assert!(!shown.contains('\u{1b}') && !shown.contains("/webhook"), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_rules_it_says_what_to_do() {
    let stack = Stack::with_a_token().await;
    let output = stack.run(&["plan"]).await;
    let expected =
        "error: the rules in force cannot be read: none are published: run `tableau-webhooks rules deploy`\n";
    assert_eq!((stderr(&output).as_str(), output.status.code()), (expected, Some(1)));
}
