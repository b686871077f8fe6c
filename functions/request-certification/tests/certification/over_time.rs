//! Reminders, the end of a link, and what ends both.

use crate::support::{ORDERS, STEWARD, Stage};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use testkit::local_aws::SesAccount;

/// Moves a request into the past.
fn age(stage: &Stage, days: i64) {
    stage.change(|stored| {
        let by = SignedDuration::from_hours(24 * days);
        let earlier = |value: &serde_json::Value| {
            let at: Timestamp = value.as_str().unwrap().parse().unwrap();
            json!((at - by).to_string())
        };
        for field in ["requested_at", "expires_at", "wake_at"] {
            stored[field] = earlier(&stored[field]);
        }
        let reminders: Vec<_> = stored["reminders"].as_array().unwrap().iter().map(earlier).collect();
        stored["reminders"] = json!(reminders);
    });
}

#[tokio::test]
async fn a_steward_who_does_not_decide_is_reminded_twice_and_then_the_links_end() {
    let stage = Stage::asked().await;
    let tokens = stage.tokens();
    for (days, mails) in [(1, 1), (2, 2), (1, 2), (3, 3), (1, 3)] {
        age(&stage, days);
        assert_eq!(stage.fire().await.0, "done", "{}", stage.log());
        assert_eq!(stage.mails().len(), mails, "after {days} more days");
    }
    let reminder = &stage.mails()[1];
    assert_eq!(reminder.shown_subject(), "Reminder: certify the data source Sales Orders?");
    assert_eq!(reminder.to, [STEWARD]);
    assert!(reminder.text.contains("You were asked on "), "{}", reminder.text);
    assert_eq!(reminder.header("References"), stage.mails()[0].header("References"));
    assert_eq!(stage.tokens(), tokens, "the links stay the same");

    age(&stage, 6);
    let before = stage.items("certification#");
    let expired = stage.get(&tokens.0).await;
    assert_eq!((expired.status, expired.title().as_str()), (410, "This link has expired"));
    let form = [("form", "x"), ("choice", "yes")];
    assert_eq!(stage.post(&tokens.0, &form).await.title(), "This link has expired");
    assert_eq!(stage.items("certification#"), before, "a page notes nothing");
    assert_eq!(stage.fire().await.0, "done");
    let results: Vec<String> = stage.mails()[3..].iter().map(|mail| mail.to[0].clone()).collect();
    assert_eq!(results, [STEWARD, "ana@example.com"]);
    assert_eq!(stage.mails()[3].shown_subject(), "No decision: Sales Orders");
    assert_eq!(stage.history(), ["requested", "reminded", "reminded", "expired"]);
    assert_eq!(stage.get(&tokens.0).await.status, 410);

    stage.handle(&stage.event("DatasourceUpdated", ORDERS)).await;
    assert_eq!(stage.mails().len(), 6, "published again, it is asked about again");
    assert_ne!(stage.tokens(), tokens);
}

#[tokio::test]
async fn a_decision_a_deletion_and_a_certification_in_tableau_end_the_reminders() {
    // A decision.
    let stage = Stage::asked().await;
    let earlier = stage.stored();
    let (certify, _) = stage.tokens();
    stage.choose(&certify, "yes", "").await;
    stage.fire().await;
    assert_eq!((stage.mails().len(), &stage.stored()["wake_at"]), (3, &json!(null)));
    // The timer that was set before is out of date.
    let timer = json!({ "timer": {
        "key": format!("certification#request-certification#{}", earlier["id"].as_str().unwrap()),
        "due": "2025-01-01T00:00:00Z", "generation": earlier["generation"], "hops": 0,
    }});
    stage.function.failures(&testkit::Batch::default().message(&timer.to_string())).await;
    assert_eq!(stage.last(), ("skipped".to_owned(), "a newer timer counts".to_owned()));

    // A person certifies.
    let stage = Stage::asked().await;
    let luid = stage.environment.tableau.datasource(ORDERS).unwrap();
    stage.person().certify(&luid, "Mine").await.unwrap();
    age(&stage, 3);
    stage.fire().await;
    assert_eq!(
        (stage.mails().len(), stage.history()),
        (1, vec!["requested".to_owned(), "certified-in-tableau".to_owned()])
    );

    // A deletion, with its event and without.
    for has_event in [true, false] {
        let stage = Stage::new("{ steward: steward@example.com }").await;
        let luid =
            stage.environment.tableau.add(testkit::simulator::Datasource::named("Gone").owned_by("ana"));
        stage.handle(&stage.event_about("DatasourceCreated", "Gone", luid.as_str())).await;
        stage.environment.tableau.delete(&luid).unwrap();
        if has_event {
            stage.handle(&stage.event_about("DatasourceDeleted", "Gone", luid.as_str())).await;
            assert_eq!(stage.history(), ["requested", "deleted"], "{}", stage.log());
            assert_eq!(stage.get(&stage.tokens().0).await.title(), "Gone is gone");
            assert_eq!(stage.mails().len(), 1);
        } else {
            // It may be a right that is missing: the links end by time.
            age(&stage, 14);
            stage.fire().await;
            assert_eq!(stage.history(), ["requested", "expired"], "{}", stage.log());
        }
    }
}

#[tokio::test]
async fn a_lost_timer_is_found_by_the_hourly_sweep() {
    let stage = Stage::asked().await;
    let sweep = json!({ "sweep": {} });
    assert_eq!(stage.function.invoke(&sweep).await.unwrap()["outcome"], "skipped");
    let (certify, _) = stage.tokens();
    stage.choose(&certify, "yes", "").await;
    assert_eq!(stage.mails().len(), 1, "the timer is lost");
    let mut item = stage.items("certification#").remove(0);
    item["due_at"]["N"] = json!("1700000000000");
    stage.environment.aws.put_item("deliveries", &item);
    assert_eq!(stage.function.invoke(&sweep).await.unwrap()["outcome"], "done", "{}", stage.log());
    assert_eq!(stage.mails().len(), 3);
    assert_eq!(stage.function.invoke(&sweep).await.unwrap()["outcome"], "skipped");
}

#[tokio::test]
async fn reminders_go_out_also_while_tableau_does_not_answer() {
    let stage = Stage::asked().await;
    age(&stage, 3);
    stage.environment.tableau.fail_always("GET */datasources/*", testkit::simulator::Fault::Status(503));
    stage.fire().await;
    assert_eq!(stage.mails().len(), 2, "{}", stage.log());
}

// C01
#[tokio::test]
async fn at_the_end_of_a_link_tableau_says_how_it_ended() {
    // A person has certified since the last look.
    let stage = Stage::asked().await;
    let luid = stage.environment.tableau.datasource(ORDERS).unwrap();
    stage.person().certify(&luid, "Mine").await.unwrap();
    age(&stage, 14);
    stage.fire().await;
    assert_eq!(stage.history(), ["requested", "certified-in-tableau"], "{}", stage.log());
    assert_eq!(stage.mails().len(), 1);

    // A worker has certified, and died.
    let stage = Stage::asked().await;
    let mut line = String::new();
    stage.change(|stored| {
        stored["state"] = crate::support::deciding("certify", "mine", "2025-01-01T00:01:00Z");
        line = crate::support::our_line(stored, "mine");
    });
    stage.person().certify(&luid_of(&stage), &line).await.unwrap();
    age(&stage, 14);
    stage.fire().await;
    assert_eq!(stage.history(), ["requested", "certified"], "{}", stage.log());
    assert_eq!(stage.mails()[1].shown_subject(), "Certified: Sales Orders");

    // Tableau does not answer: the end waits.
    let stage = Stage::asked().await;
    stage.environment.tableau.fail_always("GET */datasources/*", testkit::simulator::Fault::Status(503));
    age(&stage, 14);
    stage.fire().await;
    assert_eq!(stage.history(), ["requested"]);
    stage.environment.tableau.clear_faults();
    stage.fire().await;
    assert_eq!(stage.history(), ["requested", "expired"], "{}", stage.log());
}

fn luid_of(stage: &Stage) -> tableau::DatasourceLuid {
    stage.environment.tableau.datasource(ORDERS).unwrap()
}

#[tokio::test]
async fn a_timer_during_a_decision_waits_for_its_end() {
    let stage = Stage::asked().await;
    age(&stage, 3);
    stage.change(|stored| {
        stored["state"] = crate::support::deciding("certify", "", "2999-01-01T00:00:00Z");
    });
    stage.fire().await;
    assert_eq!(stage.stored()["wake_at"], "2999-01-01T00:00:00Z");
    assert_eq!(stage.mails().len(), 1);
}

#[tokio::test]
async fn the_end_of_a_request_is_mailed_before_the_question_is_asked_again() {
    let stage = Stage::asked().await;
    age(&stage, 14);
    stage.handle(&stage.event("DatasourceUpdated", ORDERS)).await;
    let subjects: Vec<String> =
        stage.mails()[1..].iter().map(testkit::local_aws::Mail::shown_subject).collect();
    assert_eq!(
        subjects,
        ["No decision: Sales Orders", "No decision: Sales Orders", "Certify the data source Sales Orders?"]
    );
}

#[tokio::test]
async fn an_address_that_ses_refuses_is_given_up_and_the_owner_gets_the_result() {
    let stage = Stage::asked().await;
    let (_, decline) = stage.tokens();
    stage.choose(&decline, "yes", "").await;
    stage.environment.aws.fail_next("SES.SendEmail", 1, testkit::local_aws::Fault::AccessDenied);
    stage.fire().await;
    assert_eq!(stage.mails().len(), 1, "a missing permission is repaired by a person, and the mails wait");
    stage.change(|stored| stored["steward"] = json!("refused@invalid.example"));
    // In the sandbox of SES, where this recipient is not verified.
    stage.environment.aws.verify_identity("example.com");
    stage.environment.aws.set_ses_account(SesAccount { is_in_sandbox: true, ..SesAccount::default() });
    stage.fire().await;
    let mails = stage.mails();
    assert_eq!(mails.len(), 2, "{}", stage.log());
    assert_eq!(mails[1].to, ["ana@example.com"]);
    assert_eq!(stage.history(), ["requested", "declined", "not-delivered"]);
    assert_eq!(stage.stored()["wake_at"], json!(null));
    let before = stage.items("certification#");
    stage.function.invoke(&json!({ "sweep": {} })).await.unwrap();
    assert_eq!(stage.items("certification#"), before);
}
