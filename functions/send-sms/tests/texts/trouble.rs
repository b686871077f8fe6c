//! What the real binary does when Twilio does not take a text.

use crate::support::{
    BINARY, DANA, NAME, ONE, assert_private, dead_letter, failed, hand, last_reason, message, queued, reason,
    start, texts,
};
use serde_json::json;
use std::time::Duration;
use testkit::Request;
use testkit::simulator::TwilioFault;

#[tokio::test]
async fn too_many_requests_and_trouble_of_the_service_come_again_and_the_text_is_sent_once() {
    for fault in [
        TwilioFault::TooManyRequests { retry_after: None },
        TwilioFault::TooManyRequests { retry_after: Some(1) },
        TwilioFault::ServerError,
        TwilioFault::Html(503),
        TwilioFault::Html(302),
        TwilioFault::Reset,
    ] {
        let environment = start(ONE).await;
        let function = queued(&environment);
        let event = failed(&environment);
        environment.twilio.fail_next(1, fault.clone());
        reason(&environment, &function, &message(&event)).await;
        assert!(texts(&environment, DANA).is_empty(), "{fault:?}");
        assert_eq!(
            environment.twilio.calls(),
            1,
            "{fault:?}: no redirect is followed, and nothing is repeated at once"
        );
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        assert!(
            function.failures(&message(&event).received(2)).await.is_empty(),
            "{fault:?}: {}",
            function.logs().join("\n")
        );
        assert_eq!(texts(&environment, DANA).len(), 1, "{fault:?}");
        assert!(environment.aws.messages("dead-letters").is_empty());
    }
}

// D050
#[tokio::test]
async fn the_daily_limit_of_the_account_is_told_at_once_and_waits_although_it_is_a_429() {
    let environment = start(ONE).await;
    let function = queued(&environment);
    environment.twilio.fail_next(1, TwilioFault::Code(429, 63_038));
    let event = failed(&environment);
    let said = reason(&environment, &function, &message(&event)).await;
    assert!(said.contains("429 (63038): the account has sent all that it may send today"), "{said}");
    let counted = function.logs().iter().any(|line| line.contains(r#""outcome":"misconfigured""#));
    assert!(counted, "the operator has an alarm at once");
    // The next day.
    assert!(function.failures(&message(&event).received(2)).await.is_empty());
    assert_eq!(texts(&environment, DANA).len(), 1);
}

// D050
#[tokio::test]
async fn a_full_queue_of_the_sender_comes_again_later() {
    let environment = start(ONE).await;
    let function = queued(&environment);
    environment.twilio.fail_next(1, TwilioFault::Code(429, 21_611));
    let event = failed(&environment);
    let said = reason(&environment, &function, &message(&event)).await;
    assert!(said.contains("(21611): the queue of the sender is full"), "{said}");
    let said = reason(&environment, &function, &message(&event).received(2)).await;
    assert!(said.starts_with("circuit open, Twilio (`account`) is not called until"), "{said}");
    assert_eq!(environment.twilio.calls(), 1, "no text makes the queue longer");
}

// D073
#[tokio::test]
async fn a_recipient_who_has_answered_stop_gets_no_retry_and_the_operator_learns_of_it() {
    let environment = start(ONE).await;
    let function = queued(&environment);
    environment.twilio.stop(DANA);
    let event = failed(&environment);
    let said = dead_letter(&environment, &function, &event).await;
    assert!(said.contains("400 (21610)") && said.contains("text START to the sender"), "{said}");
    assert_eq!(environment.twilio.calls(), 1);
    // The person texts START, and the operator replays the event.
    environment.twilio.allow(DANA);
    hand(&function, &event).await;
    assert_eq!((environment.twilio.calls(), texts(&environment, DANA).len()), (2, 1));
}

// D074, D142
#[tokio::test]
async fn a_trial_account_a_country_a_wrong_number_and_a_wrong_sender_are_final_with_what_to_do() {
    for (code, expected) in [
        (21_608, "a trial account sends to verified numbers only"),
        (21_408, "allow the country in Messaging"),
        (21_211, "correct it in the rule"),
        (21_606, "the sender cannot be used"),
        (21_659, "the sender cannot be used"),
        (21_617, "Twilio does not take the text"),
        (29_999, "look the code up at twilio.com/docs/api/errors"),
    ] {
        let environment = start(ONE).await;
        let function = queued(&environment);
        match code {
            21_608 => environment.twilio.trial(&["+4915100000000"]),
            21_408 => environment.twilio.countries(&["+1"]),
            _ => environment.twilio.fail_next(1, TwilioFault::Code(400, code)),
        }
        let said = dead_letter(&environment, &function, &failed(&environment)).await;
        assert!(said.contains(&format!("400 ({code})")) && said.contains(expected), "{said}");
        assert_eq!(environment.twilio.calls(), 1, "{code}");
    }
}

// D142
#[tokio::test]
async fn a_400_is_not_tried_again_and_does_not_delay_other_texts() {
    let environment = start(crate::support::ALL).await;
    let function = queued(&environment);
    environment.twilio.fail_next(1, TwilioFault::Code(400, 21_606));
    dead_letter(
        &environment,
        &function,
        &crate::support::event(&environment, "DatasourceUpdated", "Sales Orders"),
    )
    .await;
    hand(&function, &crate::support::event(&environment, "DatasourceCreated", "Sales Orders")).await;
    assert_eq!((environment.twilio.calls(), texts(&environment, DANA).len()), (2, 1));
}

// D041
#[tokio::test]
async fn a_new_token_in_the_secret_is_used_without_a_restart_and_half_a_pair_is_refused_without_a_call() {
    let environment = start(ONE).await;
    let function = queued(&environment);
    hand(&function, &failed(&environment)).await;
    let token = environment.twilio.rotate();
    let end = crate::support::succeeded(&environment);
    let said = reason(&environment, &function, &message(&end)).await;
    assert!(said.contains("401 (20003): the credential is refused"), "{said}");
    let counted = function.logs().iter().any(|line| line.contains(r#""outcome":"misconfigured""#));
    assert!(counted, "the operator has an alarm at once");

    environment.aws.create_secret("twilio", environment.twilio.secret());
    // A secret that was read less than five seconds ago is not read again.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let failures = function.failures(&message(&end).received(2)).await;
    assert!(failures.is_empty(), "{}", function.logs().join("\n"));
    assert_eq!(texts(&environment, DANA).len(), 2);
    assert!(!function.logs().join("\n").contains(&token));
    assert_private(&environment, &function);

    let account = environment.twilio.secret()["account_sid"].clone();
    for (secret, expected) in [
        (
            json!({ "account_sid": account.as_str().unwrap().replacen("AC", "SK", 1), "auth_token": "hunter2", "from": "12345" }),
            "`account_sid` has the id of an API key (SK…)",
        ),
        (
            json!({ "account_sid": account, "api_key": account.as_str().unwrap().replacen("AC", "SK", 1), "auth_token": "hunter2", "from": "12345" }),
            "`api_key_secret` is missing",
        ),
    ] {
        let environment = start(ONE).await;
        environment.aws.create_secret("twilio", secret);
        let function = queued(&environment);
        let said = reason(&environment, &function, &message(&failed(&environment))).await;
        assert!(said.contains(expected) && !said.contains("hunter2"), "{said}");
        assert_eq!(environment.twilio.calls(), 0);
    }
}

#[tokio::test]
async fn while_twilio_is_down_it_is_not_called_and_each_text_is_sent_when_it_is_well() {
    let environment = start(crate::support::ALL).await;
    let function = environment.function(NAME, BINARY.as_ref(), &[("TABLE_NAME", "deliveries")]);
    environment.twilio.fail_next(u32::MAX, TwilioFault::ServerError);
    let created = |n: usize| {
        let event = json!({
            "resource": "WORKBOOK", "event_type": "WorkbookCreated", "resource_name": format!("Weekly {n}"),
            "site_luid": environment.tableau.site().as_str(), "resource_luid": format!("00000000-0000-4000-8000-{n:012}"),
            "created_at": "2025-01-15T17:14:45Z",
        });
        Request::post(event.to_string())
    };
    for n in 0..12 {
        assert_eq!(function.answer(&created(n)).await.status, 502);
    }
    assert_eq!(environment.twilio.calls(), 10, "the circuit opens after ten failures in a row");
    let said = last_reason(&function);
    assert!(said.starts_with("circuit open, Twilio is not called until 20"), "{said}");
    let items = environment.aws.items("deliveries");
    assert!(items.iter().any(|item| item["pk"]["S"] == "circuit#send-sms#Twilio"), "{items:?}");

    environment.twilio.recover();
    let mut left = 12;
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        left = 0;
        for n in 0..12 {
            left += usize::from(function.answer(&created(n)).await.status == 502);
        }
        if left == 0 {
            break;
        }
    }
    assert_eq!((left, texts(&environment, DANA).len()), (0, 12), "each of them once");
    assert_private(&environment, &function);
}
