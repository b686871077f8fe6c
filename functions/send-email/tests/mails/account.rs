//! What the account at Amazon SES refuses or silently drops.

use crate::support::{BINARY, DEAD_LETTERS, STEWARD, dead_letter, environment, inline, queued, recipients};
use serde_json::json;
use testkit::local_aws::{Fault, SesAccount};
use testkit::{Batch, Request, TestEnvironment};

/// What the account or the request has, and what an operator reads.
async fn refused(
    prepare: impl Fn(&TestEnvironment),
    variables: &[(&str, &str)],
    settings: &str,
) -> (TestEnvironment, String) {
    let environment = environment(settings).await;
    prepare(&environment);
    let function = environment.queued_with("send-email", BINARY, variables);
    assert!(
        function.failures(&Batch::of_fixture("workbook-created")).await.is_empty(),
        "{}",
        function.logs().join("\n")
    );
    let reason = dead_letter(&environment);
    environment.assert_no_secret_in(&function.logs());
    (environment, reason)
}

// D138
#[tokio::test]
async fn a_sender_that_is_not_verified_is_told_from_a_recipient_in_the_sandbox() {
    // A person has to verify the sender, and every mail waits for that.
    let environment = environment(STEWARD).await;
    let function = environment.queued_with("send-email", BINARY, &[("EMAIL_FROM", "alerts@example.net")]);
    assert_eq!(function.failures(&Batch::of_fixture("workbook-created")).await, ["m-1"]);
    let log = function.logs().join("\n");
    assert!(log.contains("the sender alerts@example.net is not verified in us-east-1"), "{log}");
    assert!(log.contains("The recipients are not the problem") && log.contains("misconfigured"), "{log}");
    assert!(environment.aws.messages("dead-letters").is_empty());

    let sandbox = |environment: &TestEnvironment| {
        environment.aws.set_ses_account(SesAccount { is_in_sandbox: true, ..SesAccount::default() });
    };
    let (_, reason) = refused(sandbox, &[], STEWARD).await;
    assert!(reason.contains("the account is in the sandbox of SES in us-east-1"), "{reason}");
    assert!(
        reason.contains("s…@example.com is not one") && reason.contains("The sender is not the problem"),
        "{reason}"
    );
    assert!(!reason.contains("steward@"), "a whole address in {reason}");
}

// D033
#[tokio::test]
async fn a_configuration_set_that_is_not_there_is_named_with_its_region() {
    let (environment, reason) = refused(|_| {}, &[("EMAIL_CONFIGURATION_SET", "alerts")], STEWARD).await;
    assert!(reason.contains("there is no configuration set `alerts` in us-east-1"), "{reason}");
    environment.aws.create_configuration_set("alerts");
    let function =
        environment.function("send-email", BINARY.as_ref(), &[("EMAIL_CONFIGURATION_SET", "alerts")]);
    assert_eq!(function.answer(&Request::of_fixture("workbook-created")).await.body["status"], "done");
    assert_eq!(environment.aws.mails()[0].configuration_set.as_deref(), Some("alerts"));
}

// D069: the role has no secret that could be replaced; a new permission counts with the next attempt, without a restart.
#[tokio::test]
async fn a_missing_permission_waits_for_a_person_names_what_is_missing_and_counts_once_it_is_there() {
    let environment = environment(STEWARD).await;
    let function = queued(&environment);
    let batch = Batch::of_fixture("workbook-created");
    for (account, expected) in [
        (
            SesAccount { denied: Some("configuration-set/alerts".to_owned()), ..SesAccount::default() },
            "the function's role may not use the configuration-set/alerts: put alerts into EmailConfigurationSet of the stack",
        ),
        (
            SesAccount { denied: Some("identity/example.com".to_owned()), ..SesAccount::default() },
            "the function's role may not send for identity/example.com",
        ),
        (SesAccount { is_paused: true, ..SesAccount::default() }, "sending is paused in us-east-1"),
        (
            SesAccount { is_suspended: true, ..SesAccount::default() },
            "the account may not send any more in us-east-1",
        ),
    ] {
        environment.aws.set_ses_account(account);
        assert_eq!(function.failures(&batch).await, ["m-1"], "{expected}");
        let log = function.logs().join("\n");
        assert!(log.contains(expected), "{expected}\n{log}");
    }
    let misconfigured = function
        .logs()
        .iter()
        .filter(|line| line.contains("\"Attempts\":1") && line.contains("misconfigured"))
        .count();
    assert_eq!(misconfigured, 4, "the alarm counts these");
    environment.aws.set_ses_account(SesAccount::default());
    assert!(function.failures(&batch).await.is_empty());
    assert_eq!(environment.aws.mails().len(), 1);
    assert!(environment.aws.messages(DEAD_LETTERS).is_empty());
}

// D006
#[tokio::test]
async fn a_recipient_on_the_suppression_list_is_taken_and_gets_nothing() {
    let environment = environment("{ to: [lee@example.com, s@example.com] }").await;
    environment.aws.suppress("lee@example.com");
    let function = inline(&environment);
    assert_eq!(function.answer(&Request::of_fixture("workbook-created")).await.body["status"], "done");
    let mails = environment.aws.mails();
    assert_eq!(recipients(&environment), [["lee@example.com", "s@example.com"]]);
    assert_eq!(
        (mails[0].suppressed.as_slice(), mails[0].delivered_to.len()),
        (["lee@example.com".to_owned()].as_slice(), 1)
    );
}

// D006
#[tokio::test]
async fn a_test_says_which_recipients_are_on_the_suppression_list() {
    let environment = environment("{ to: [lee@example.com, s@example.com] }").await;
    let function = queued(&environment);
    let answer = async || {
        let answer = function.invoke(&json!({ "test": {} })).await.unwrap();
        assert_eq!(answer["targets"][0]["outcome"], "accepted", "{answer}");
        answer["targets"][0]["answer"].as_str().unwrap().to_owned()
    };
    let said = answer().await;
    assert!(said.ends_with("No recipient is on the account's suppression list"), "{said}");

    environment.aws.suppress("lee@example.com");
    let said = answer().await;
    assert!(said.contains("sends nothing to l…@example.com (after a bounce): on the account's"), "{said}");

    environment.aws.fail_next("SES.GetSuppressedDestination", 1, Fault::AccessDenied);
    let said = answer().await;
    assert!(said.contains("could not be looked up: ses:GetSuppressedDestination"), "{said}");
    assert_eq!(environment.aws.mails().len(), 3);
}
