//! What the steward decides, and what comes of it.

use crate::support::{ORDERS, STEWARD, Stage};
use testkit::simulator::{Datasource, TableauSimulator};

#[tokio::test]
async fn a_page_shows_the_request_and_asks_for_a_choice_that_is_not_made_yet() {
    let stage = Stage::asked().await;
    let (certify, decline) = stage.tokens();
    let page = stage.get(&certify).await;
    assert_eq!((page.status, page.title().as_str()), (200, "Certify Sales Orders?"));
    // M13
    assert!(page.html.contains("<strong>steward@example.com</strong>. If that is not you, close this page"));
    for part in
        ["<html lang=\"en\"", "Ana Ferreira (ana@example.com)", "Pipeline Review", "The link is valid until "]
    {
        assert!(page.html.contains(part), "no {part} in {}", page.html);
    }
    for part in [" checked", "<script", " style=", "onload", "http-equiv"] {
        assert!(!page.html.contains(part), "{part} in {}", page.html);
    }
    assert_eq!(page.html.matches("type=\"radio\"").count(), 3);
    assert_eq!(stage.get(&decline).await.title(), "Decline to certify Sales Orders?");
    for (name, expected) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("x-robots-tag", "noindex, nofollow"),
    ] {
        assert_eq!(page.header(name), expected, "{name}");
    }
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(policy.ends_with("; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"), "{policy}");
    stage.assert_no_secret_in_the_log();
}

// C01, C05
#[tokio::test]
async fn the_steward_certifies_and_everyone_learns_of_it() {
    let stage = Stage::asked().await;
    let (certify, decline) = stage.tokens();
    let done = stage.choose(&certify, "yes", "Checked against the ledger").await;
    assert_eq!((done.status, done.title().as_str()), (200, "Sales Orders is certified"), "{}", stage.log());
    for part in [
        "through the link of steward@example.com",
        "Tableau shows it as certified",
        "Checked against the ledger",
    ] {
        assert!(done.html.contains(part), "no {part} in {}", done.html);
    }

    let datasource = stage.datasource().await;
    assert!(datasource.is_certified);
    let note = datasource.certification_note.unwrap();
    assert!(note.starts_with("> Checked against the ledger\nCertified on "), "{note}");
    assert!(note.contains(" UTC through the link of steward@example.com (tableau-webhooks "), "{note}");

    // The result goes out with the timer that the page has set.
    let queued = stage.environment.aws.messages("queue");
    let timer = queued.iter().find(|message| message.body.contains("\"timer\"")).expect("a timer");
    assert!(stage.function.failures(&testkit::Batch::default().message(&timer.body)).await.is_empty());
    stage.fire().await;
    let results: Vec<(Vec<String>, String)> =
        stage.mails()[1..].iter().map(|mail| (mail.to.clone(), mail.shown_subject())).collect();
    let subject = "Certified: Sales Orders".to_owned();
    assert_eq!(
        results,
        [(vec![STEWARD.to_owned()], subject.clone()), (vec!["ana@example.com".to_owned()], subject)]
    );
    for mail in &stage.mails()[1..] {
        assert!(mail.text.contains("through the link of steward@example.com"), "{}", mail.text);
        assert!(mail.text.contains("NOTE\nChecked against the ledger"), "{}", mail.text);
        assert_eq!(mail.header("References"), stage.mails()[0].header("References"));
        assert!(!mail.text.contains("/c/"), "a result has no links that decide");
    }

    // A second visit says what was done, by whom and when, and changes nothing.
    let calls = stage.environment.tableau.calls("PUT *");
    let again = stage.get(&certify).await;
    assert_eq!((again.status, again.title().as_str()), (200, "Sales Orders is certified"));
    assert!(again.html.contains("This link was used.") && again.html.contains("steward@example.com"));
    let other = stage.get(&decline).await;
    assert!(other.html.contains("made through the other link of the same mail"), "{}", other.html);
    let form = [("form", "x"), ("choice", "yes")];
    assert_eq!(stage.post(&decline, &form).await.title(), "Sales Orders is certified");
    assert_eq!(stage.environment.tableau.calls("PUT *"), calls);
    assert_eq!(stage.history(), ["requested", "certified"]);
    assert_eq!(stage.fire().await.0, "done");
    assert_eq!(stage.mails().len(), 3, "the result is mailed once");
    stage.assert_no_secret_in_the_log();
}

#[tokio::test]
async fn the_steward_declines_with_a_reason_that_the_owner_gets() {
    let stage = Stage::asked().await;
    let (_, decline) = stage.tokens();
    let calls = stage.environment.tableau.calls("PUT *");
    let done = stage.choose(&decline, "yes", "Two regions are missing").await;
    assert_eq!((done.status, done.title().as_str()), (200, "Sales Orders stays uncertified"));
    assert_eq!(stage.environment.tableau.calls("PUT *"), calls);
    assert!(!stage.datasource().await.is_certified);
    stage.fire().await;
    let mails = stage.mails();
    assert_eq!(mails[2].to, ["ana@example.com"]);
    assert_eq!(mails[2].shown_subject(), "Not certified: Sales Orders");
    assert!(mails[2].text.contains("Two regions are missing"), "{}", mails[2].text);
    assert_eq!(stage.history(), ["requested", "declined"]);

    // An event that happened before the decision, and was handed over late.
    let mut old = stage.event("DatasourceUpdated", ORDERS);
    let earlier = stage.environment.tableau.clock().now() - jiff::SignedDuration::from_mins(10);
    old["created_at"] = serde_json::json!(earlier.to_string());
    let (outcome, reason) = stage.handle(&old).await;
    assert_eq!(outcome, "skipped", "{reason}");
    assert!(reason.contains("older than the end of the last request"), "{reason}");
    // The owner publishes it the same night, and after a week.
    let (outcome, reason) = stage.handle(&stage.event("DatasourceUpdated", ORDERS)).await;
    assert_eq!(outcome, "skipped", "{reason}");
    assert!(
        reason.starts_with("it was declined on ") && reason.contains("asked about again from"),
        "{reason}"
    );
    let week_ago = stage.environment.tableau.clock().now() - jiff::SignedDuration::from_hours(7 * 24);
    stage.change(|stored| stored["state"]["at"] = serde_json::json!(week_ago.to_string()));
    stage.handle(&stage.event("DatasourceUpdated", ORDERS)).await;
    assert_eq!(stage.mails().len(), 4, "the question is asked again");
    assert_eq!(stage.mails()[3].shown_subject(), "Certify the data source Sales Orders?");
}

#[tokio::test]
async fn a_person_who_opened_the_page_by_mistake_changes_nothing() {
    let stage = Stage::asked().await;
    let (certify, _) = stage.tokens();
    let answer = stage.choose(&certify, "no", "").await;
    assert_eq!((answer.status, answer.title().as_str()), (200, "Nothing was changed"));
    assert_eq!(stage.stored()["state"]["is"], "open");
    assert_eq!(stage.choose(&certify, "yes", "").await.title(), "Sales Orders is certified");
}

#[tokio::test]
async fn of_many_posts_at_the_same_time_one_certifies() {
    let stage = Stage::asked().await;
    let (certify, decline) = stage.tokens();
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let fast = [("EMAIL_RECIPIENTS_PER_SECOND", "1000")];
            stage.environment.queued_with(crate::support::NAME, crate::support::BINARY, &fast)
        })
        .collect();
    let certifying = stage.form(&certify).await;
    let declining = stage.form(&decline).await;
    let body = |form: &str| format!("form={form}&choice=yes&note=");
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let calls = stage.environment.tableau.calls("PUT *");
    let mut posts = Vec::new();
    for worker in workers {
        let (token, form) = match posts.len() % 4 {
            3 => (&decline, &declining),
            _ => (&certify, &certifying),
        };
        let event = crate::support::page_event("POST", token, &body(form), &headers);
        posts.push(tokio::spawn(async move { worker.invoke(&event).await.unwrap() }));
    }
    let mut bodies = Vec::new();
    for post in posts {
        bodies.push(post.await.unwrap()["body"].as_str().unwrap().to_owned());
    }
    let winners = bodies.iter().filter(|body| body.contains("You can close this page.")).count();
    assert_eq!(winners, 1, "{bodies:?}");
    let stored = stage.stored()["state"]["is"].as_str().unwrap().to_owned();
    let certifications = stage.environment.tableau.calls("PUT *") - calls;
    assert_eq!(certifications, u32::from(stored == "certified"));
    assert_eq!(stage.datasource().await.is_certified, stored == "certified");
    assert_eq!(stage.history().len(), 2, "{:?}", stage.history());
}

// C03
#[tokio::test]
async fn certifying_needs_no_data_management() {
    let stage =
        Stage::with("{ steward: steward@example.com }", TableauSimulator::sample().data_management(false))
            .await;
    stage.handle(&stage.event("DatasourceCreated", ORDERS)).await;
    let (certify, _) = stage.tokens();
    assert_eq!(stage.choose(&certify, "yes", "").await.title(), "Sales Orders is certified");
    assert!(stage.datasource().await.is_certified);
}

#[tokio::test]
async fn a_certification_that_a_person_made_meanwhile_stays_as_it_is() {
    for choice in 0..2 {
        let stage = Stage::asked().await;
        let tokens = stage.tokens();
        let luid = stage.environment.tableau.datasource(ORDERS).unwrap();
        stage.person().certify(&luid, "Mine").await.unwrap();
        let token = if choice == 0 { &tokens.0 } else { &tokens.1 };
        let answer = stage.choose(token, "yes", "").await;
        assert_eq!(answer.title(), "Sales Orders is certified already");
        assert_eq!(stage.datasource().await.certification_note.as_deref(), Some("Mine"));
        assert_eq!(stage.history(), ["requested", "certified-in-tableau"]);
    }
}

// E24
#[tokio::test]
async fn a_data_source_that_is_not_shown_is_not_taken_for_deleted() {
    let stage = Stage::new("{ steward: steward@example.com }").await;
    let luid = stage.environment.tableau.add(Datasource::named("Short-lived").owned_by("ana"));
    stage.handle(&stage.event_about("DatasourceCreated", "Short-lived", luid.as_str())).await;
    let (certify, decline) = stage.tokens();
    stage.environment.tableau.fail_always("GET */datasources/*", testkit::simulator::Fault::Error("404004"));
    let answer = stage.choose(&certify, "yes", "kept").await;
    assert_eq!((answer.status, answer.title().as_str()), (409, "Tableau does not show the data source"));
    assert!(answer.html.contains(">\nkept</textarea>"), "{}", answer.html);
    stage.fire().await;
    let event = stage.event_about("DatasourceUpdated", "Short-lived", luid.as_str());
    let (outcome, reason) = stage.handle(&event).await;
    assert!(outcome == "skipped" && reason.contains("lacks the right to see it"), "{outcome} {reason}");
    assert_eq!(stage.history(), ["requested"]);
    stage.environment.tableau.clear_faults();
    assert_eq!(stage.get(&certify).await.status, 200, "the right is back");
    // It is deleted, and the event comes.
    stage.environment.tableau.delete(&luid).unwrap();
    stage.handle(&stage.event_about("DatasourceDeleted", "Short-lived", luid.as_str())).await;
    let answer = stage.get(&decline).await;
    assert_eq!((answer.status, answer.title().as_str()), (410, "Short-lived is gone"));
    assert_eq!(stage.history(), ["requested", "deleted"]);
    assert_eq!(stage.mails().len(), 1);
}

#[tokio::test]
async fn what_changed_since_the_page_was_opened_is_looked_at_again() {
    let stage = Stage::asked().await;
    let (certify, _) = stage.tokens();
    let form = stage.form(&certify).await;
    stage.environment.tableau.fail_always("GET */connections", testkit::simulator::Fault::Error("403004"));
    stage.handle(&stage.event("DatasourceUpdated", ORDERS)).await;
    let answer = stage.post(&certify, &[("form", &form), ("choice", "yes"), ("note", "mine")]).await;
    assert!(answer.html.contains("has changed since you opened this page"), "{}", answer.html);
    assert!(answer.html.contains("has changed since the mail") && answer.html.contains(">\nmine</textarea>"));
    assert!(!stage.datasource().await.is_certified);
    assert_eq!(stage.choose(&certify, "yes", "").await.title(), "Sales Orders is certified");
}

#[tokio::test]
async fn a_used_link_says_what_was_done_for_a_month_and_nothing_else_of_the_data_source() {
    let stage = Stage::asked().await;
    let (certify, decline) = stage.tokens();
    assert!(stage.get(&certify).await.html.contains("ana@example.com"));
    for state in ["declined", "expired", "superseded", "deleted", "certified"] {
        let at = stage.environment.tableau.clock().now().to_string();
        stage.change(|stored| stored["state"] = serde_json::json!({ "is": state, "at": at, "note": "" }));
        for token in [&certify, &decline] {
            let page = stage.get(token).await;
            assert!(page.html.contains("Sales Orders"), "{state}: {}", page.html);
            for part in ["ana@example.com", "Ana Ferreira", "snowflake", "Pipeline Review"] {
                assert!(!page.html.contains(part), "{part} in {state}: {}", page.html);
            }
        }
        stage.change(|stored| stored["state"]["at"] = serde_json::json!("2025-01-01T00:00:00Z"));
        assert_eq!(stage.get(&certify).await.title(), "This link does not work");
    }
}
