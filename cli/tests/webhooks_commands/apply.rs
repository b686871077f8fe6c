//! `webhooks apply`: by the stack's function, whose real binary runs, and without it.

use crate::scene::{Stack, TABLE, app, password, pat, rules};
use crate::site::{APP, PASSWORD, PAT};
use crate::terminal::Asked;
use crate::{TOKEN, objects, stderr, stdout};
use serde_json::{Value, json};
use simulator::{Fault, SAMPLE_PAT, TableauSimulator, Webhook};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tableau::EventName;

/// Waits until this holds.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_credential_registers_what_the_rules_need_with_the_function_and_without() {
    for has_function in [true, false] {
        for credential in [pat(), password(), app()] {
            let stack = Stack::start(credential).await.with_function(has_function);
            stack.publish(&rules(&["DatasourceRefreshFailed", "SiteUpdated"], &[])).await;
            let output = stack.done(&["apply", "--yes"]).await;
            let name = |event: EventName| stack.identity().name(&event);
            let expected = format!(
                "created  DatasourceRefreshFailed    `{}`\ncreated  DatasourceRefreshSucceeded `{}`\ncreated  SiteUpdated                `{}`\n\
                 3 created, 0 unchanged\n",
                name(EventName::DatasourceRefreshFailed),
                name(EventName::DatasourceRefreshSucceeded),
                name(EventName::SiteUpdated),
            );
            let shown = stdout(&output);
            assert!(shown.ends_with(&expected) && shown.contains("3 steps; 0 webhooks"), "{shown}");
            assert_eq!(
                stack.events(),
                ["DatasourceRefreshFailed", "DatasourceRefreshSucceeded", "SiteUpdated"]
            );
            assert!(stack.tableau.webhooks().iter().all(|webhook| webhook.url.ends_with(TOKEN)));
            assert_eq!(stack.aws.calls("Lambda.Invoke"), usize::from(has_function));
            let document = stack.document();
            assert_eq!(document["lease"], Value::Null);
            assert_eq!(document["webhooks"].as_object().unwrap().len(), 3, "{document}");

            // Other rules: one goes, one comes.
            stack.publish(&rules(&["UserDeleted", "SiteUpdated"], &[])).await;
            let again = objects(&stack.done(&["apply", "--yes", "--json"]).await);
            let actions: Vec<&str> = again[0]["done"]
                .as_array()
                .unwrap()
                .iter()
                .map(|step| step["action"].as_str().unwrap())
                .collect();
            assert_eq!((again.len(), actions), (1, vec!["create", "delete", "delete"]));
            assert_eq!(stack.events(), ["SiteUpdated", "UserDeleted"]);
            let nothing = stack.done(&["apply"]).await;
            assert_eq!(stdout(&nothing), "nothing to do: 2 webhooks are as the rules need them\n");
            let nothing = objects(&stack.done(&["apply", "--json"]).await).remove(0);
            assert_eq!((&nothing["done"], &nothing["unchanged"]), (&json!([]), &json!(2)));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_asked_and_rules_that_change_meanwhile_stop_it() {
    for has_function in [true, false] {
        let stack = Stack::with_a_token().await.with_function(has_function);
        stack.publish(&rules(&["SiteUpdated"], &[])).await;
        let none = stack.run(&["apply"]).await;
        let expected = "error: cannot ask for confirmation without a terminal: add --yes to apply the plan without a question\n";
        assert_eq!((stderr(&none).as_str(), none.status.code()), (expected, Some(1)));
        let ask = async |arguments: &[&str]| {
            let command = stack.command(arguments);
            tokio::task::spawn_blocking(move || Asked::start(command)).await.unwrap()
        };
        let answer = async |asked: Asked, text: &'static str| {
            tokio::task::spawn_blocking(move || asked.answer(text)).await.unwrap()
        };
        let (shown, code) = answer(ask(&["apply"]).await, "n").await;
        assert!(shown.ends_with("nothing is changed\n") && code == Some(1), "{shown}");
        assert!(shown.contains("create   SiteUpdated"), "{shown}");
        let question =
            format!("Carry out this step at the site `marketing` at {}? [y/N]", stack.tableau.url());
        assert!(shown.contains(&question), "{shown}");

        for arguments in [&["apply"][..], &["apply", "--json"]] {
            let asked = ask(arguments).await;
            stack.publish(&rules(&["UserDeleted"], &[])).await;
            let (shown, code) = answer(asked, "y").await;
            let error = "error: nothing was done: the webhooks or the rules have changed since the plan was shown; run the command again to see \
                         what it would do now\n";
            assert!(shown.ends_with(error) && code == Some(1), "{shown}");
            assert!(shown.contains("create   SiteUpdated"), "the person sees the plan: {shown}");
            assert!(stack.tableau.webhooks().is_empty());
            stack.publish(&rules(&["SiteUpdated"], &[])).await;
        }
        let (shown, code) = answer(ask(&["apply"]).await, "y").await;
        assert!(shown.contains("\ncreated  SiteUpdated") && code == Some(0), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_cannot_be_registered_is_an_error_and_one_that_cannot_be_deleted_is_none() {
    for has_function in [true, false] {
        let stack = Stack::with_a_token().await.with_function(has_function);
        stack.publish(&rules(&["SiteUpdated", "UserDeleted"], &[])).await;
        stack.tableau.fail_next("POST /sites/*/webhooks", 1, Fault::Error("400110"));
        let output = stack.run(&["apply", "--yes"]).await;
        let name = stack.identity().name(&EventName::SiteUpdated);
        let error = stderr(&output);
        assert!(error.starts_with(&format!("error: cannot create `{name}` (SiteUpdated): ")), "{error}");
        assert!(error.contains("400110") && error.lines().count() == 1, "{error}");
        assert_eq!(output.status.code(), Some(1));
        assert!(stdout(&output).ends_with("1 created, 0 unchanged, 1 failed\n"), "{}", stdout(&output));
        assert_eq!(stack.events(), ["UserDeleted"], "the other one is there");

        stack.publish(&rules(&["SiteUpdated"], &[])).await;
        stack.tableau.fail_next("DELETE /sites/*/webhooks/*", 1, Fault::Error("400111"));
        let output = stack.run(&["apply", "--yes", "--json"]).await;
        let done = objects(&output).remove(0);
        assert_eq!((output.status.code(), &done["failed"][0]["action"]), (Some(0), &json!("delete")));
        assert!(done["failed"][0]["error"].as_str().unwrap().contains("400111"), "{done}");
        assert!(stderr(&output).contains("\nerror: cannot delete "), "{}", stderr(&output));

        stack.tableau.fail_always("GET /sites/*/webhooks", Fault::Error("403109"));
        let output = stack.run(&["apply", "--yes"]).await;
        assert!(stderr(&output).contains("403109") && output.status.code() == Some(1), "{}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_function_does_not_answer_is_said() {
    let stack = Stack::with_a_token().await.with_function(true);
    stack.publish(&rules(&["SiteUpdated"], &[])).await;
    stack.aws.fail_next("Lambda.Invoke", 1, local_aws::Fault::AccessDenied);
    let denied = stack.run(&["apply", "--yes"]).await;
    let error = stderr(&denied);
    assert!(
        error.starts_with("error: these AWS credentials have no permission for lambda:InvokeFunction"),
        "{error}"
    );
    assert_eq!(denied.status.code(), Some(1));
    assert!(stack.tableau.webhooks().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_webhook_is_enabled_unless_a_person_has_disabled_it() {
    for has_function in [true, false] {
        let stack = Stack::with_a_token().await.with_function(has_function);
        stack.publish(&rules(&["SiteUpdated", "UserDeleted"], &[])).await;
        stack.done(&["apply", "--yes"]).await;
        let name = |event: EventName| stack.identity().name(&event);
        stack.done(&["disable", &name(EventName::UserDeleted), "--reason", "moves"]).await;
        stack.api.fail_next(4, Fault::Status(503));
        stack.tableau.fire(&EventName::SiteUpdated, stack.tableau.site()).unwrap();
        stack.tableau.settled(Duration::from_secs(30)).await.unwrap();
        assert!(!stack.named(&name(EventName::SiteUpdated)).enabled);
        let output = stack.done(&["apply", "--yes"]).await;
        let shown = stdout(&output);
        assert!(
            shown.contains("enable   SiteUpdated ") && shown.contains("waits    UserDeleted "),
            "{shown}"
        );
        // What a person has disabled is counted as no failure.
        assert!(shown.ends_with("\n1 enabled again, 0 unchanged\n"), "{shown}");
        assert!(stack.named(&name(EventName::SiteUpdated)).enabled);
        assert_eq!(stack.named(&name(EventName::UserDeleted)).status_change_reason, "Keep disabled: moves");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_webhooks_of_another_site_are_registered_with_the_token_of_the_stack() {
    for variables in [PAT, PASSWORD, APP] {
        let stack = Stack::with_a_token().await.with_function(true);
        stack.publish(&rules(&["SiteUpdated"], &[])).await;
        let other = TableauSimulator::sample().start().await.unwrap();
        let url = other.url();
        let words = ["--server", &url, "--site", "marketing"];
        let of = |command: &[&'static str]| [command, &words[..]].concat();
        let plan = stack.run_with(&of(&["plan"]), variables).await;
        assert!(stdout(&plan).starts_with("create   SiteUpdated "), "{}{}", stdout(&plan), stderr(&plan));
        let applied = stack.run_with(&of(&["apply", "--yes"]), variables).await;
        assert_eq!(applied.status.code(), Some(0), "{}", stderr(&applied));
        let webhooks = other.webhooks();
        assert_eq!((webhooks.len(), &webhooks[0].url), (1, &stack.url(&format!("/webhook/{TOKEN}"))));
        assert_eq!(webhooks[0].name, stack.identity().name(&EventName::SiteUpdated));
        let again = stack.run_with(&of(&["apply", "--yes"]), variables).await;
        assert!(stdout(&again).starts_with("nothing to do: 1 webhook is "), "{}", stdout(&again));
        // The site of the stack, its function and its record are not touched, and the session is closed.
        assert!(stack.tableau.webhooks().is_empty() && stack.document() == Value::Null);
        assert_eq!((stack.aws.calls("Lambda.Invoke"), other.sessions(), stack.tableau.sessions()), (0, 0, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_that_is_being_deleted_registers_nothing_and_one_without_its_function_does() {
    let stack = Stack::with_a_token().await;
    stack.publish(&rules(&["SiteUpdated"], &[])).await;
    // As the function leaves it when it is switched off.
    let key = json!({ "pk": { "S": "webhook#stack" }, "sk": { "S": "-" } });
    let mut item = key;
    item["version"] = json!({ "N": "1" });
    item["document"] = json!({ "S": json!({ "is_removed": true }).to_string() });
    stack.aws.put_item(&TABLE.name, &item);
    stack.aws.set_stack_status("tableau-webhooks", "DELETE_IN_PROGRESS");
    for command in ["apply", "rotate"] {
        let output = stack.run(&[command, "--yes"]).await;
        let expected = "error: the stack `tableau-webhooks` is being deleted: nothing is changed\n";
        assert_eq!((stderr(&output).as_str(), output.status.code()), (expected, Some(1)), "{command}");
    }
    stack.aws.set_stack_status("tableau-webhooks", "UPDATE_COMPLETE");
    stack.done(&["apply", "--yes"]).await;
    assert_eq!(
        (stack.events(), &stack.document()["is_removed"]),
        (vec!["SiteUpdated".to_owned()], &json!(true))
    );
}

/// Sends Ctrl-C to a program.
pub(crate) fn interrupt(pid: u32) {
    let status = Command::new("kill").args(["-INT", &pid.to_string()]).stderr(Stdio::null()).status();
    assert!(status.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_gives_the_lease_back() {
    let stack = Stack::with_a_token().await;
    stack.publish(&rules(&["SiteUpdated", "UserDeleted"], &[])).await;
    stack.tableau.fail_next("POST /sites/*/webhooks", 1, Fault::Delay(Duration::from_secs(60)));
    let mut command = stack.command(&["apply", "--yes"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("the first webhook", || stack.tableau.held() > 0).await;
    assert!(stack.document()["lease"].is_object(), "{}", stack.document());
    interrupt(child.id());
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert_eq!(stderr(&output), "interrupted: what was done stays; run the command again for the rest\n");
    assert_eq!(stack.document()["lease"], Value::Null);
    let began = Instant::now();
    stack.done(&["apply", "--yes"]).await;
    assert!(began.elapsed() < Duration::from_secs(15), "nothing was waited for");
    assert_eq!(stack.events(), ["SiteUpdated", "UserDeleted"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_of_others_stay_as_they_are() {
    let stack = Stack::with_a_token().await.with_function(true);
    stack.publish(&rules(&["SiteUpdated"], &[])).await;
    stack.add(EventName::SiteUpdated, "made by hand", &format!("/webhook/{TOKEN}"));
    stack.tableau.add(Webhook::on(EventName::UserDeleted, "https://else.example/x").named("another tool"));
    stack.done(&["apply", "--yes"]).await;
    assert_eq!(stack.events(), ["SiteUpdated", "SiteUpdated", "UserDeleted"]);
    stack.publish("rules: []\n").await;
    stack.done(&["apply", "--yes"]).await;
    assert_eq!(stack.events(), ["SiteUpdated", "UserDeleted"]);
    stack.named("made by hand");
    stack.named("another tool");
    assert_eq!(stack.tableau.sign_ins(SAMPLE_PAT.0), 1, "one session for the function and the program");
}
