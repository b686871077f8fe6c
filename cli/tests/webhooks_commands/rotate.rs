//! `webhooks rotate`.

use crate::apply::{interrupt, until};
use crate::scene::{SITE, Stack, pat, rules};
use crate::site::{APP, PAT};
use crate::terminal::Asked;
use crate::{TOKEN, finish, objects, stderr, stdout};
use serde_json::{Value, json};
use simulator::{Fault, RestVersion, TableauSimulator, Webhook};
use std::process::Stdio;
use std::time::Duration;
use tableau::EventName;

const NOW: [&str; 4] = ["rotate", "--yes", "--wait", "0s"];
/// Where another service takes webhooks.
const ELSEWHERE: &str = "https://else.example/webhook/a-secret-of-another-service";
/// Another site.
const OTHER: &str = "3f1c2b7a-0d4e-4a5b-9c8d-7e6f5a4b3c2d";

/// A stack with webhooks of its own, webhooks that were made by hand, and others.
async fn with_webhooks(stack: Stack) -> Stack {
    stack.publish(&rules(&["DatasourceRefreshFailed", "SiteUpdated"], &[])).await;
    stack.done(&["apply", "--yes"]).await;
    add_by_hand(&stack);
    stack
}

fn add_by_hand(stack: &Stack) {
    stack.add(EventName::UserDeleted, "by hand", &format!("/webhook/{TOKEN}"));
    stack.add(EventName::UserDeleted, "in the query", &format!("/webhook?a=1&token={TOKEN}"));
    stack.add(EventName::UserDeleted, "of a workflow", &format!("/webhooks/notify-slack/{TOKEN}"));
    stack.add(EventName::UserDeleted, "of another token", "/webhook/another-token-0123456789-0123456789");
    stack.tableau.add(Webhook::on(EventName::UserDeleted, ELSEWHERE).named("elsewhere"));
}

/// How many webhooks carry a token.
fn carry(tableau: &TableauSimulator, token: &str) -> usize {
    tableau.webhooks().iter().filter(|webhook| webhook.url.contains(token)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_webhook_of_the_stack_gets_the_new_token_and_the_old_one_goes() {
    let stack = with_webhooks(Stack::with_a_token().await).await;
    stack.done(&["disable", "in the query", "--reason", "later"]).await;
    let output = stack.done(&NOW).await;
    let (current, previous) = stack.tokens();
    assert!(current.len() == 43 && current.bytes().all(|byte| byte.is_ascii_alphanumeric()), "the new token");
    assert!(current != TOKEN && previous.is_empty());
    assert_eq!((carry(&stack.tableau, &current), carry(&stack.tableau, TOKEN)), (6, 0));
    for (name, url) in [
        ("by hand", format!("/webhook/{current}")),
        ("in the query", format!("/webhook?a=1&token={current}")),
        ("of a workflow", format!("/webhooks/notify-slack/{current}")),
        ("of another token", "/webhook/another-token-0123456789-0123456789".to_owned()),
    ] {
        assert_eq!(stack.named(name).url, stack.url(&url), "{name}");
    }
    assert_eq!(stack.named("elsewhere").url, ELSEWHERE);
    let disabled = stack.named("in the query");
    assert_eq!((disabled.enabled, disabled.status_change_reason.as_str()), (false, "Keep disabled: later"));
    let shown = stdout(&output);
    assert_eq!(shown.lines().filter(|line| line.starts_with("moved    `")).count(), 6, "{shown}");
    assert!(shown.ends_with(
        "the old token is taken away; functions that still know it forget it within five minutes\n"
    ));
    assert!(
        stderr(&output).starts_with("a new token is stored; the old one stays valid until all"),
        "{}",
        stderr(&output)
    );
    assert_eq!(stack.document()["lease"], Value::Null);
    // The stack's own are as its function wants them.
    assert!(
        stdout(&stack.done(&["plan"]).await)
            .ends_with("nothing to do: 3 webhooks are as the rules need them\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn json_says_what_was_done() {
    let stack = with_webhooks(Stack::with_a_token().await.with_function(true)).await;
    let done = objects(&stack.done(&[&NOW[..], &["--json"]].concat()).await);
    assert_eq!(done.len(), 1);
    let moved = done[0]["moved"].as_array().unwrap();
    let is_by_hand = |webhook: &&Value| webhook["name"] == "by hand";
    let by_hand = json!({ "luid": stack.named("by hand").luid, "name": "by hand", "event": "UserDeleted" });
    assert_eq!((moved.len(), moved.iter().find(is_by_hand)), (6, Some(&by_hand)));
    for (member, expected) in [
        ("stack", json!("tableau-webhooks")),
        ("begun", json!(true)),
        ("continued", json!(false)),
        ("finished", json!(true)),
        ("failed", json!([])),
        ("left_for", json!([])),
    ] {
        assert_eq!(done[0][member], expected, "{}", done[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_asked_first() {
    let stack = with_webhooks(Stack::with_a_token().await).await;
    let none = stack.run(&["rotate"]).await;
    assert!(
        stderr(&none).ends_with("add --yes to rotate the token without a question\n"),
        "{}",
        stderr(&none)
    );
    let command = stack.command(&["rotate"]);
    let asked = tokio::task::spawn_blocking(move || Asked::start(command).answer("n"));
    let (shown, code) = asked.await.unwrap();
    let question = format!(
        "Replace the token in the webhook URLs of the stack `tableau-webhooks`? 6 webhooks at the site `marketing` at {} will get a new \
         URL. [y/N]",
        stack.tableau.url()
    );
    assert!(shown.contains(&question) && shown.ends_with("nothing is changed\n"), "{shown}");
    assert_eq!((code, stack.tokens()), (Some(1), (TOKEN.to_owned(), String::new())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_was_not_finished_goes_on_without_another_token() {
    let stack = with_webhooks(Stack::with_a_token().await).await;
    let new = TOKEN.chars().rev().collect::<String>();
    stack.set_tokens(&new, TOKEN);
    let output = stack.done(&[&NOW[..], &["--json"]].concat()).await;
    let done = objects(&output).remove(0);
    assert_eq!((&done["begun"], &done["continued"]), (&json!(false), &json!(true)));
    assert!(
        stderr(&output).starts_with("an earlier rotation is not finished: it goes on\n"),
        "{}",
        stderr(&output)
    );
    assert_eq!(stack.tokens(), (new.clone(), String::new()));
    assert_eq!((carry(&stack.tableau, &new), carry(&stack.tableau, TOKEN)), (6, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_leak_nothing_is_waited_for_and_a_token_of_an_unfinished_rotation_goes_too() {
    let stack = with_webhooks(Stack::with_a_token().await).await;
    stack.done(&["rotate", "--leaked", "--yes"]).await;
    let (first, previous) = stack.tokens();
    assert!(first != TOKEN && previous.is_empty());
    // Half a rotation, whose new token may be the one that has leaked.
    let half = "H".repeat(43);
    stack.set_tokens(&half, &first);
    let done = objects(&stack.done(&["rotate", "--leaked", "--yes", "--json"]).await).remove(0);
    assert_eq!(
        (&done["begun"], &done["continued"], &done["finished"]),
        (&json!(true), &json!(true), &json!(true))
    );
    let (current, previous) = stack.tokens();
    assert!(![TOKEN, &first, &half].contains(&current.as_str()) && previous.is_empty());
    assert_eq!(carry(&stack.tableau, &current), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_rules_name_other_sites_the_old_token_stays_until_a_person_says_that_they_were_moved() {
    let stack = with_webhooks(Stack::with_a_token().await).await;
    stack.publish(&rules(&["DatasourceRefreshFailed", "SiteUpdated"], &[SITE, OTHER])).await;
    let output = stack.done(&["rotate", "--yes"]).await;
    let expected = format!(
        "the old token stays valid, because the rules name sites whose webhooks may still have it:\n  Site 1 ({OTHER})\n\
         move the webhooks of each, with a credential in environment variables:\n  \
         tableau-webhooks webhooks rotate --server URL --site SITE\nwhen all are moved, take the old token away:\n  \
         tableau-webhooks webhooks rotate --finish\n"
    );
    assert!(stdout(&output).ends_with(&expected), "{}", stdout(&output));
    let (current, previous) = stack.tokens();
    assert_eq!((previous.as_str(), carry(&stack.tableau, &current)), (TOKEN, 6));

    // Once more: nothing new.
    let again = objects(&stack.done(&["rotate", "--yes", "--json"]).await).remove(0);
    assert_eq!((&again["left_for"][0]["luid"], &again["finished"]), (&json!(OTHER), &json!(false)));
    assert_eq!(stack.tokens(), (current.clone(), previous));
    // A leak cannot be answered before it is finished.
    let leaked = stack.run(&["rotate", "--yes", "--leaked"]).await;
    assert!(
        stderr(&leaked)
            .ends_with("error: no new token was made: the earlier rotation has to be finished first\n"),
        "{}",
        stderr(&leaked)
    );
    assert_eq!((leaked.status.code(), stack.tokens().0), (Some(1), current.clone()));

    for variables in [PAT, APP] {
        let other = TableauSimulator::sample().start().await.unwrap();
        for path in [format!("/webhook/{TOKEN}"), format!("/webhook?token={TOKEN}")] {
            other.add(Webhook::on(EventName::SiteUpdated, &stack.url(&path)).named("of another site"));
        }
        let url = other.url();
        let words = ["rotate", "--yes", "--server", &url, "--site", "marketing"];
        let moved = stack.run_with(&words, variables).await;
        assert_eq!(moved.status.code(), Some(0), "{}", stderr(&moved));
        assert!(
            stdout(&moved).ends_with(&format!(
                "no webhook at the site `marketing` at {url} has the old token any more\n"
            ))
        );
        assert_eq!((carry(&other, &current), other.sessions()), (2, 0));
        let again = stack.run_with(&words, variables).await;
        let nothing = "has the old token of the stack `tableau-webhooks`: nothing to do\n";
        assert!(stdout(&again).ends_with(nothing), "{}", stdout(&again));
        assert_eq!(stack.tokens().1, TOKEN, "it never takes the old token away");
    }
    stack.done(&["rotate", "--finish", "--yes", "--wait", "0s"]).await;
    assert_eq!(stack.tokens(), (current, String::new()));
    let nothing = stack.done(&["rotate", "--finish"]).await;
    assert_eq!(stdout(&nothing), "no rotation is under way, so there is nothing to finish\n");
    let url = stack.tableau.url();
    let elsewhere = stack.run_with(&["rotate", "--server", &url, "--site", "marketing"], PAT).await;
    assert!(
        stdout(&elsewhere).ends_with("nothing to move: `tableau-webhooks webhooks rotate` begins one\n"),
        "{}",
        stdout(&elsewhere)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_with_the_old_token_at_another_address_may_lead_to_the_stack() {
    let stack = with_webhooks(Stack::with_a_token().await).await;
    let proxy = format!("https://proxy.example/tableau?key={TOKEN}");
    let luid = stack.tableau.add(Webhook::on(EventName::SiteUpdated, &proxy).named("through a proxy"));
    let output = stack.done(&NOW).await;
    let expected = format!(
        "the old token stays valid, because webhooks at other addresses have it, and may lead to this stack:\n  \
         `through a proxy` (SiteUpdated, {luid}) at https://proxy.example\n\
         if they do, change their URLs; WEBHOOK_URL has the new one:\n  \
         tableau-webhooks webhooks update WEBHOOK --url env\nwhen all are moved, take the old token away:\n  \
         tableau-webhooks webhooks rotate --finish\n"
    );
    assert!(stdout(&output).ends_with(&expected), "{}", stdout(&output));
    let (current, previous) = stack.tokens();
    assert_eq!((previous.as_str(), stack.named("through a proxy").url), (TOKEN, proxy));
    let left = objects(&stack.done(&[&NOW[..], &["--json"]].concat()).await).remove(0);
    assert_eq!(
        (&left["elsewhere"][0]["destination"], &left["finished"]),
        (&json!("https://proxy.example"), &json!(false))
    );
    stack.done(&[&NOW[..], &["--finish"]].concat()).await;
    assert_eq!(stack.tokens(), (current, String::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_with_this_site_alone_and_rules_with_one_other_site_differ() {
    for (sites, is_left) in [(&[SITE][..], false), (&[OTHER], true)] {
        let stack = Stack::with_a_token().await;
        stack.publish(&rules(&["SiteUpdated"], sites)).await;
        stack.done(&NOW).await;
        assert_eq!(stack.tokens().1.is_empty(), !is_left, "{sites:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_cannot_be_moved_is_named_and_keeps_the_old_token_valid() {
    let stack = with_webhooks(Stack::with_a_token().await).await;
    let luid = stack.named("by hand").luid;
    stack.tableau.fail_always(&format!("PUT /sites/*/webhooks/{luid}"), Fault::Error("400118"));
    let output = stack.run(&NOW).await;
    let error = stderr(&output);
    assert!(
        error.contains(&format!("error: `by hand` (UserDeleted, {luid}) keeps the old token: the site ")),
        "{error}"
    );
    assert!(error.contains("400118"), "{error}");
    let end = "error: the old token stays valid, because webhooks still have it: run the command again when this is mended\n";
    assert!(error.ends_with(end) && output.status.code() == Some(1), "{error}");
    let (current, previous) = stack.tokens();
    assert_eq!(
        (previous.as_str(), carry(&stack.tableau, &current), carry(&stack.tableau, TOKEN)),
        (TOKEN, 5, 1)
    );
    let failed = stack.run(&[&NOW[..], &["--json"]].concat()).await;
    let done = objects(&failed).remove(0);
    assert_eq!((done["failed"][0]["name"].as_str(), failed.status.code()), (Some("by hand"), Some(1)));
    stack.tableau.clear_faults();
    stack.done(&NOW).await;
    assert_eq!((stack.tokens(), carry(&stack.tableau, &current)), ((current.clone(), String::new()), 6));

    // While Tableau is away nothing is changed.
    stack.tableau.fail_always("GET /sites/*/webhooks", Fault::Error("403109"));
    let away = stack.run(&NOW).await;
    assert!(stderr(&away).contains("403109") && away.status.code() == Some(1), "{}", stderr(&away));
    assert_eq!(stack.tokens(), (current, String::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn before_rest_3_8_webhooks_are_copied_with_the_new_url_and_a_copy_is_not_made_twice() {
    let old = RestVersion { major: 3, minor: 6 };
    let stack = Stack::at(TableauSimulator::sample().max_version(old), pat()).await;
    let stack = with_webhooks(stack).await;
    let before = stack.named("by hand").luid;
    let of_workflow = stack.named("of a workflow").luid;
    stack.tableau.fail_always(&format!("DELETE /sites/*/webhooks/{of_workflow}"), Fault::Error("400111"));
    let failed = stack.run(&NOW).await;
    let error = stderr(&failed);
    assert!(
        error.contains(&format!("`of a workflow` (UserDeleted, {of_workflow}) keeps the old token: ")),
        "{error}"
    );
    let (current, _) = stack.tokens();
    assert_ne!(stack.named("by hand").luid, before);
    assert_eq!((carry(&stack.tableau, &current), carry(&stack.tableau, TOKEN)), (6, 1), "the copy is there");
    stack.tableau.clear_faults();
    stack.done(&NOW).await;
    assert_eq!((carry(&stack.tableau, &current), carry(&stack.tableau, TOKEN)), (6, 0), "one copy");
    assert_eq!(stack.tokens(), (current, String::new()));
    assert!(
        stdout(&stack.done(&["plan"]).await)
            .ends_with("nothing to do: 3 webhooks are as the rules need them\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_changes_meanwhile_stops_it() {
    let stack = with_webhooks(Stack::with_a_token().await).await;
    let mut command = stack.command(&["rotate", "--yes", "--wait", "5s"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("all are moved", || carry(&stack.tableau, TOKEN) == 0).await;
    let (current, _) = stack.tokens();
    stack.set_tokens(&current, &"P".repeat(43));
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    let expected = "error: the secret `WebhookSecret` of the stack `tableau-webhooks` was changed meanwhile, by another person or process: \
                    run the command again, which goes on from what the secret has now\n";
    assert!(stderr(&output).ends_with(expected), "{}", stderr(&output));
    assert_eq!((output.status.code(), stack.tokens()), (Some(1), (current, "P".repeat(43))));
    assert_eq!(stack.document()["lease"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_rotations_at_once_one_makes_the_token() {
    let twice = async || {
        let stack = with_webhooks(Stack::with_a_token().await).await;
        let both = [stack.command(&NOW), stack.command(&NOW)].map(|command| tokio::spawn(finish(command)));
        for one in both {
            let output = one.await.unwrap();
            let shown = stderr(&output);
            // The other one may see it as a rotation to go on with.
            let is_late = shown.contains("was changed meanwhile") && output.status.code() == Some(1);
            assert!(output.status.success() || is_late, "{shown}{}", stdout(&output));
        }
        stack.done(&NOW).await;
        let (current, previous) = stack.tokens();
        assert!(previous.is_empty());
        assert_eq!(carry(&stack.tableau, &current), 6);
    };
    tokio::join!(twice(), twice(), twice(), twice());
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_while_it_waits_is_safe_and_the_same_command_goes_on() {
    let stack = with_webhooks(Stack::with_a_token().await).await;
    let mut command = stack.command(&["rotate", "--yes"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("all are moved", || carry(&stack.tableau, TOKEN) == 0).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    interrupt(child.id());
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    let shown = stderr(&output);
    assert!(shown.contains("\nwaiting until 20") && shown.contains("Ctrl-C is safe"), "{shown}");
    assert!(shown.ends_with("\ninterrupted: the same command goes on from here\n"), "{shown}");
    let (current, previous) = stack.tokens();
    assert_eq!((output.status.code(), previous.as_str()), (Some(130), TOKEN));
    stack.done(&NOW).await;
    assert_eq!(stack.tokens(), (current, String::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_gets_the_old_token_while_it_waits_is_moved_before_the_end() {
    let stack = with_webhooks(Stack::with_a_token().await).await;
    let mut command = stack.command(&["rotate", "--yes", "--wait", "4s"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("all are moved", || carry(&stack.tableau, TOKEN) == 0).await;
    stack.add(EventName::SiteUpdated, "late", &format!("/webhook/{TOKEN}"));
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let (current, previous) = stack.tokens();
    assert_eq!(
        (previous.as_str(), carry(&stack.tableau, &current), carry(&stack.tableau, TOKEN)),
        ("", 7, 0)
    );
}
