//! When Amazon SES or the settings fail.

use crate::support::{BINARY, STEWARD, environment, handle, queued, refreshed};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::local_aws::{Fault, SesAccount};
use testkit::{Batch, Request};

// D053: what SES calls too many in a second goes back to the queue, and nothing is sent meanwhile.
#[tokio::test]
async fn a_throttle_and_an_outage_are_tried_again_and_the_mail_goes_out_once() {
    let environment = environment(STEWARD).await;
    let function = queued(&environment);
    let batch = Batch::of_fixture("workbook-created");
    for fault in [Fault::InternalError, Fault::InternalError] {
        environment.aws.fail_next("SES.SendEmail", 1, fault);
        let calls = environment.aws.calls("SES.SendEmail");
        assert_eq!(function.failures(&batch).await, ["m-1"]);
        assert_eq!(environment.aws.calls("SES.SendEmail"), calls + 1, "nothing is repeated within a call");
    }
    assert!(function.failures(&batch).await.is_empty(), "{}", function.logs().join("\n"));
    assert_eq!(environment.aws.mails().len(), 1);

    environment.aws.fail_next("SES.SendEmail", 1, Fault::Throttled);
    let other = Batch::default().message(&refreshed(&environment, "Sales Orders", "Failed").to_string());
    assert_eq!(function.failures(&other).await, ["m-1"]);
    let calls = environment.aws.calls("SES.SendEmail");
    assert_eq!(function.failures(&other).await, ["m-1"], "the circuit of the account is open");
    assert_eq!(environment.aws.calls("SES.SendEmail"), calls);
    let log = function.logs().join("\n");
    assert!(log.contains("more recipients a second than the account may have"), "{log}");
}

#[tokio::test]
async fn an_answer_that_is_lost_is_not_repeated_within_the_call() {
    let environment = environment(STEWARD).await;
    let function = queued(&environment);
    environment.aws.fail_next("SES.SendEmail", 1, Fault::Hang(Duration::from_secs(12)));
    let batch = Batch::of_fixture("workbook-created");
    assert_eq!(function.failures(&batch).await, ["m-1"]);
    assert_eq!(environment.aws.calls("SES.SendEmail"), 1);
    let log = function.logs().join("\n");
    assert!(log.contains("Amazon SES gave no answer in us-east-1, and may have taken the mail"), "{log}");
    assert!(function.failures(&batch).await.is_empty());
}

#[tokio::test]
async fn while_ses_is_down_it_is_not_called() {
    let environment = environment(STEWARD).await;
    let variables = [("TABLE_NAME", "deliveries"), ("EMAIL_RECIPIENTS_PER_SECOND", "1000")];
    let function = environment.function("send-email", BINARY.as_ref(), &variables);
    environment.aws.fail_next("SES.SendEmail", 100, Fault::InternalError);
    let created = |n: usize| {
        json!({
            "resource": "WORKBOOK", "event_type": "WorkbookCreated", "resource_name": format!("Weekly {n}"),
            "site_luid": environment.tableau.site().as_str(), "resource_luid": format!("00000000-0000-4000-8000-{n:012}"),
            "created_at": "2025-01-15T17:14:45Z",
        })
    };
    let mut last = Value::Null;
    for n in 0..14 {
        last = handle(&function, &created(n)).await;
    }
    assert_eq!(environment.aws.calls("SES.SendEmail"), 10);
    let reason = last["reason"].as_str().unwrap();
    assert!(reason.starts_with("circuit open, SES is not called until"), "{reason}");
}

#[tokio::test]
async fn a_daily_quota_that_is_used_up_waits_in_the_queue_and_tells_the_operator() {
    let environment = environment(STEWARD).await;
    environment.aws.set_ses_account(SesAccount { daily_quota: Some(0), ..SesAccount::default() });
    let function = queued(&environment);
    assert_eq!(function.failures(&Batch::of_fixture("workbook-created")).await, ["m-1"]);
    let log = function.logs().join("\n");
    assert!(log.contains("the account has reached its quota of recipients within 24 hours"), "{log}");
    assert!(log.contains("circuit open"), "{log}");
}

#[tokio::test]
async fn a_rule_without_a_sender_keeps_its_events_and_says_what_is_missing() {
    let environment = environment(STEWARD).await;
    for (from, expected) in
        [("", "EMAIL_FROM"), ("Alerts <a@example.com>", "EMAIL_FROM: write the address alone")]
    {
        let function = environment.queued_with("send-email", BINARY, &[("EMAIL_FROM", from)]);
        assert_eq!(function.answer(&Request::of_fixture("workbook-created")).await.status, 202);
        assert_eq!(function.failures(&Batch::of_fixture("workbook-created")).await, ["m-1"]);
        let log = function.logs().join("\n");
        assert!(log.contains(expected), "{log}");
    }
}
