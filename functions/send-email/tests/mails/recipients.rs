//! Who gets a mail, at the real binary.

use crate::support::{
    BINARY, dead_letter, environment, handle, inline, message, queued, recipients, refreshed, wait_for_mails,
};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;
use testkit::local_aws::SesAccount;
use testkit::simulator::{Datasource, Fault, User};
use testkit::{Batch, Request, TestEnvironment};

#[tokio::test]
async fn the_owner_and_the_project_leader_get_mails_of_their_own() {
    let environment = environment("{ to: [s@example.com, owner, project-leader], reply_to: owner }").await;
    let function =
        environment.function("send-email", BINARY.as_ref(), &[("EMAIL_RECIPIENTS_PER_SECOND", "1000")]);
    assert_eq!(handle(&function, &refreshed(&environment, "Sales Orders", "Failed")).await["status"], "done");
    let mails = environment.aws.mails();
    let to: BTreeSet<String> = mails.iter().flat_map(|mail| mail.to.clone()).collect();
    let expected = ["ana@example.com", "bea@example.com", "s@example.com"].map(str::to_owned);
    assert_eq!((mails.len(), to), (3, BTreeSet::from(expected)));
    for mail in &mails {
        let why = match mail.to[0].as_str() {
            "ana@example.com" => "you own the content in Tableau",
            "bea@example.com" => "you own the project of the content in Tableau",
            _ => "a rule of tableau-webhooks names your address",
        };
        assert!(mail.text.contains(why), "{}", mail.text);
        assert_eq!(mail.reply_to, ["ana@example.com"]);
    }
}

#[tokio::test]
async fn a_person_who_is_on_the_list_or_named_twice_gets_one_mail() {
    let environment = environment("{ to: [Ana@example.com, s@example.com, owner, project-leader] }").await;
    environment.tableau.add(Datasource::named("Returns").owned_by("bea"));
    let fast = [("EMAIL_RECIPIENTS_PER_SECOND", "1000")];
    let function = environment.function("send-email", BINARY.as_ref(), &fast);
    for (name, people) in [("Sales Orders", 2), ("Returns", 2)] {
        let before = environment.aws.mails().len();
        assert_eq!(handle(&function, &refreshed(&environment, name, "Failed")).await["status"], "done");
        assert_eq!(environment.aws.mails().len() - before, people, "{name}: {:?}", recipients(&environment));
    }
}

#[tokio::test]
async fn a_recovery_goes_to_those_who_got_the_failure_and_each_owner_learns_of_their_own_objects() {
    let environment = environment("{ to: owner }").await;
    environment.tableau.add(Datasource::named("Returns").owned_by("ana"));
    environment.tableau.add(Datasource::named("Refunds").owned_by("ana"));
    let function = environment.queued_with("send-email", BINARY, &[("EMAIL_RECIPIENTS_PER_SECOND", "1000")]);
    let names = ["Sales Orders", "Returns", "Refunds", "Shipments"];
    for name in names {
        let failures = function.failures(&message(&refreshed(&environment, name, "Failed"))).await;
        assert!(failures.is_empty(), "{}", function.logs().join("\n"));
    }
    // Sales Orders at once, Shipments at once to its own owner, then one mail for Ana's three.
    let mails = wait_for_mails(&environment, &function, 3, Duration::from_secs(60)).await;
    for mail in &mails {
        let is_anas = mail.to == ["ana@example.com"];
        assert_eq!(mail.text.contains("Shipments"), !is_anas, "{}", mail.to_text());
    }
    for name in names {
        assert!(function.failures(&message(&refreshed(&environment, name, "Succeeded"))).await.is_empty());
    }
    let mails = wait_for_mails(&environment, &function, 5, Duration::from_secs(60)).await;
    let recovered: BTreeSet<String> = mails
        .iter()
        .filter(|mail| mail.shown_subject().contains("ecovered"))
        .flat_map(|mail| mail.to.clone())
        .collect();
    assert_eq!(recovered, BTreeSet::from(["ana@example.com", "marcus@example.com"].map(str::to_owned)));
}

// D020
#[tokio::test]
async fn an_owner_whose_address_cannot_be_used_is_left_out_and_the_others_learn_why() {
    let environment = environment("{ to: [s@example.com, owner], to_if_unknown: bi@example.com }").await;
    environment.tableau.add(User::named("pat").with_plain_name("pat").with_email("pat smith@example.com"));
    environment.tableau.add(Datasource::named("Returns").owned_by("pat"));
    let function =
        environment.function("send-email", BINARY.as_ref(), &[("EMAIL_RECIPIENTS_PER_SECOND", "1000")]);
    let outcome = handle(&function, &refreshed(&environment, "Returns", "Failed")).await;
    assert_eq!(outcome["status"], "done", "{outcome}");
    let to: BTreeSet<Vec<String>> = recipients(&environment).into_iter().collect();
    assert_eq!(to, BTreeSet::from([vec!["bi@example.com".to_owned()], vec!["s@example.com".to_owned()]]));
    for mail in environment.aws.mails() {
        let why = "Not sent to the owner: the address that Tableau has is none that mail can be sent to.";
        assert!(mail.text.contains(why), "{}", mail.text);
    }
}

// D020
#[tokio::test]
async fn a_recipient_because_of_whom_ses_refuses_a_mail_is_left_out_and_the_others_get_it() {
    let environment = environment("{ to: [a@example.com, b@example.org, c@example.com] }").await;
    environment.aws.verify_identity("example.com");
    environment.aws.set_ses_account(SesAccount { is_in_sandbox: true, ..SesAccount::default() });
    let function =
        environment.function("send-email", BINARY.as_ref(), &[("EMAIL_RECIPIENTS_PER_SECOND", "1000")]);
    assert_eq!(function.answer(&Request::of_fixture("workbook-created")).await.body["status"], "done");
    assert_eq!(recipients(&environment), [["a@example.com", "c@example.com"]]);
    let log = function.logs().join("\n");
    assert!(
        log.contains("recipients were left out of a mail; the others get it")
            && log.contains("b…@example.org"),
        "{log}"
    );
    assert!(!log.contains("b@example.org"), "a whole address in the log");
}

#[tokio::test]
async fn without_anyone_to_send_to_the_event_is_a_dead_letter_with_what_to_do() {
    let environment = environment("{ to: owner }").await;
    environment.tableau.add(User::named("kim").with_plain_name("CORP\\kim"));
    environment.tableau.add(Datasource::named("On premises").owned_by("CORP\\kim"));
    let function = queued(&environment);
    assert!(function.failures(&message(&refreshed(&environment, "On premises", "Failed"))).await.is_empty());
    let reason = dead_letter(&environment);
    assert!(
        reason.starts_with("no one to send a mail to: of the owner, Tableau has no address of this person"),
        "{reason}"
    );
    assert!(
        reason.ends_with("Add `to_if_unknown` with an address to the rule, or an address to `to`"),
        "{reason}"
    );
    assert!(environment.aws.mails().is_empty());
}

#[tokio::test]
async fn a_tableau_that_is_down_delays_the_mail_and_then_it_goes_to_whom_is_known() {
    let environment = environment("{ to: owner, to_if_unknown: bi@example.com }").await;
    let function = queued(&environment);
    let event = refreshed(&environment, "Sales Orders", "Failed");
    environment.tableau.fail_next("*", 1_000, Fault::Html(503));
    assert_eq!(function.failures(&message(&event)).await, ["m-1"]);
    assert_eq!(function.failures(&message(&event)).await, ["m-1"]);
    assert!(function.failures(&message(&event)).await.is_empty(), "{}", function.logs().join("\n"));
    assert_eq!(recipients(&environment), [["bi@example.com"]]);
}

// D011
#[tokio::test]
async fn fifty_one_recipients_are_two_mails() {
    let many: Vec<String> = (0..51).map(|n| format!("p{n}@example.com")).collect();
    let environment = environment(&format!("{{ to: [{}] }}", many.join(", "))).await;
    let function =
        environment.function("send-email", BINARY.as_ref(), &[("EMAIL_RECIPIENTS_PER_SECOND", "1000")]);
    assert_eq!(function.answer(&Request::of_fixture("workbook-created")).await.body["status"], "done");
    let mut sizes: Vec<usize> = recipients(&environment).iter().map(Vec::len).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 50]);
}

// D053
#[tokio::test]
async fn five_recipients_at_one_a_second_hold_the_next_mail_for_five_seconds() {
    let environment =
        environment("{ to: [a@example.com, b@example.com, c@example.com, d@example.com, e@example.com] }")
            .await;
    let rate = SesAccount { recipients_a_second: Some(1), ..SesAccount::default() };
    environment.aws.set_ses_account(rate);
    let function = inline(&environment);
    assert_eq!(function.answer(&Request::of_fixture("workbook-created")).await.body["status"], "done");
    let began = std::time::Instant::now();
    let outcome = handle(&function, &refreshed(&environment, "Sales Orders", "Failed")).await;
    assert_eq!(outcome["status"], "done", "{outcome}");
    let waited = began.elapsed();
    assert!(waited > Duration::from_secs(2), "{waited:?}");
    assert_eq!((environment.aws.mails().len(), environment.aws.calls("SES.SendEmail")), (2, 2));
}

// D086
#[tokio::test]
async fn a_domain_with_other_letters_is_sent_in_punycode() {
    let environment = environment("{ to: ana@exämple.org }").await;
    let function = inline(&environment);
    assert_eq!(function.answer(&Request::of_fixture("workbook-created")).await.body["status"], "done");
    assert_eq!(recipients(&environment), [["ana@xn--exmple-cua.org"]]);
}

#[tokio::test]
async fn a_rule_that_is_removed_gets_no_recovery_and_no_other_address_does() {
    let environment = environment("{ to: s@example.com }").await;
    let variables = [("TABLE_NAME", "deliveries")];
    let function = environment.function("send-email", BINARY.as_ref(), &variables);
    assert_eq!(handle(&function, &refreshed(&environment, "Sales Orders", "Failed")).await["status"], "done");
    environment.write_rules("rules: []\n");
    let other = environment.function("send-email", BINARY.as_ref(), &variables);
    handle(&other, &refreshed(&environment, "Sales Orders", "Succeeded")).await;
    assert_eq!(environment.aws.mails().len(), 1);
}

// 15-B6: a mistake in what a rule says keeps the events of that rule.
#[tokio::test]
async fn a_wrong_address_in_the_rules_keeps_the_event_and_is_not_repeated_in_the_log() {
    let environment = TestEnvironment::start().await;
    let form = json!({ "rules": [
        { "name": "wrong", "on": ["WorkbookCreated"], "do": [{ "send-email": { "to": "zoë.hunter2@example.org" } }] },
    ] });
    environment.write_form("", &form.to_string());
    let function = queued(&environment);
    assert_eq!(function.failures(&Batch::of_fixture("workbook-created")).await, ["m-1"]);
    let log = function.logs().join("\n");
    assert!(log.contains("has a letter that Amazon SES takes in no address"), "{log}");
    assert!(!log.contains("hunter2"), "{log}");
}
