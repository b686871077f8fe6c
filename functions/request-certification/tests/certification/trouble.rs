//! What can go wrong while a decision is carried out: nothing is lost, and the page says what to do.

use crate::support::{BINARY, NAME, ORDERS, Stage, deciding, our_line, page_event};
use serde_json::json;
use testkit::simulator::{Fault, SAMPLE_CONNECTED_APP};

const CERTIFY: &str = "PUT */datasources/*";

#[tokio::test]
async fn while_tableau_is_down_nothing_is_decided_and_the_link_stays_valid() {
    let stage = Stage::asked().await;
    let (certify, _) = stage.tokens();
    let mail_count = stage.mails().len();
    for pattern in [CERTIFY, "GET */datasources/*"] {
        stage.environment.tableau.fail_always(pattern, Fault::Status(503));
        let answer = stage.choose(&certify, "yes", "my words").await;
        assert_eq!(
            (answer.status, answer.title().as_str()),
            (409, "Tableau does not answer"),
            "{}",
            stage.log()
        );
        assert!(answer.html.contains("your link stays valid"));
        assert!(answer.html.contains(">\nmy words</textarea>"), "{}", answer.html);
        assert_eq!(stage.stored()["state"]["is"], "open");
        stage.environment.tableau.clear_faults();
    }
    assert_eq!((stage.mails().len(), stage.history()), (mail_count, vec!["requested".to_owned()]));
    assert_eq!(stage.choose(&certify, "yes", "").await.title(), "Sales Orders is certified");
}

#[tokio::test]
async fn a_tableau_that_does_not_answer_in_time_leaves_the_person_with_a_page_and_a_link_that_is_valid() {
    let stage = Stage::asked().await;
    let (certify, _) = stage.tokens();
    // Tableau carries it out after this function has given up.
    stage.environment.tableau.fail_always(CERTIFY, Fault::Delay(std::time::Duration::from_secs(13)));
    let began = std::time::Instant::now();
    let answer = stage.choose(&certify, "yes", "first").await;
    assert_eq!(
        (answer.status, answer.title().as_str()),
        (409, "It is not known yet what came of it"),
        "{}",
        stage.log()
    );
    assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!(stage.stored()["state"]["is"], "deciding");
    assert_eq!(stage.get(&certify).await.title(), "A decision is being carried out");
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    stage.environment.tableau.clear_faults();
    // Or a person has: the simulator does not carry a call out whose caller is gone.
    let mark = stage.stored()["tried"][0]["mark"].as_str().unwrap().to_owned();
    let luid = stage.environment.tableau.datasource(ORDERS).unwrap();
    if !stage.datasource().await.is_certified {
        stage.person().certify(&luid, &format!("Certified on … {mark}")).await.unwrap();
    }
    stage.change(|stored| stored["state"]["until"] = json!("2025-01-01T00:00:00Z"));
    // The steward has thought again: the decline does not take the place of what was certified.
    let answer = stage.choose(&stage.tokens().1, "yes", "Two regions are missing").await;
    assert_eq!(answer.title(), "Sales Orders is certified", "{}", stage.log());
    assert!(answer.html.contains("first") && !answer.html.contains("Two regions"), "{}", answer.html);
    stage.fire().await;
    assert_eq!(stage.history(), ["requested", "certified"]);
    assert_eq!(stage.stored()["state"]["note"], "first");
    for mail in &stage.mails()[1..] {
        assert!(mail.text.contains("first") && !mail.text.contains("Two regions"), "{}", mail.text);
    }
}

#[tokio::test]
async fn a_decline_while_tableau_is_down_waits_if_an_earlier_decision_may_have_certified() {
    let stage = Stage::asked().await;
    let (_, decline) = stage.tokens();
    stage.change(|stored| drop(our_line(stored, "first")));
    stage.environment.tableau.fail_always("GET */datasources/*", Fault::Status(503));
    let answer = stage.choose(&decline, "yes", "why").await;
    assert_eq!(answer.title(), "Tableau does not answer");
    assert!(answer.html.contains(">\nwhy</textarea>"), "{}", answer.html);
    assert_eq!(stage.stored()["state"]["is"], "open");
}

#[tokio::test]
async fn a_page_asks_tableau_nothing_and_a_decision_little() {
    let stage = Stage::asked().await;
    let (certify, decline) = stage.tokens();
    let calls = || stage.environment.tableau.calls("*");
    let before = calls();
    stage.get(&certify).await;
    stage.get(&decline).await;
    assert_eq!(calls(), before);
    stage.choose(&certify, "no", "").await;
    assert_eq!(calls(), before);
    stage.choose(&certify, "yes", "").await;
    assert_eq!(calls(), before + 3, "how it is, the certification, how it is then");

    let stage = Stage::asked().await;
    let before = stage.environment.tableau.calls("*");
    stage.choose(&stage.tokens().1, "yes", "").await;
    assert_eq!(stage.environment.tableau.calls("*"), before + 1);
    let before = stage.environment.tableau.calls("*");
    stage.handle(&stage.event("DatasourceUpdated", ORDERS)).await;
    assert_eq!(
        stage.environment.tableau.calls("*"),
        before + 4,
        "what it is, whose, what it reads from, who uses it"
    );
}

#[tokio::test]
async fn a_decline_needs_no_tableau() {
    let stage = Stage::asked().await;
    let (_, decline) = stage.tokens();
    stage.environment.tableau.fail_always("GET */datasources/*", Fault::Status(503));
    assert_eq!(stage.choose(&decline, "yes", "").await.title(), "Sales Orders stays uncertified");
}

// C01
#[tokio::test]
async fn what_tableau_shows_counts_and_not_what_it_answers() {
    // The answer is lost, and the data source is certified.
    for fault in [Fault::DoneThen(500), Fault::Lost] {
        let stage = Stage::asked().await;
        let (certify, _) = stage.tokens();
        stage.environment.tableau.fail_always(CERTIFY, fault);
        assert_eq!(
            stage.choose(&certify, "yes", "").await.title(),
            "Sales Orders is certified",
            "{}",
            stage.log()
        );
        assert!(stage.datasource().await.is_certified);
    }
    // The answer is good, and the data source is not certified: a proxy has swallowed the call.
    let stage = Stage::asked().await;
    let (certify, _) = stage.tokens();
    stage.environment.tableau.fail_always(CERTIFY, Fault::Html(200));
    let answer = stage.choose(&certify, "yes", "").await;
    assert_eq!(answer.status, 409, "{}", answer.html);
    assert!(!answer.html.contains("is certified</h1>"), "{}", answer.html);
    // After the lease Tableau is asked.
    assert_eq!(stage.stored()["state"]["is"], "deciding");
    stage.environment.tableau.clear_faults();
    stage.change(|stored| stored["state"]["until"] = json!("2025-01-01T00:00:00Z"));
    stage.fire().await;
    assert_eq!(stage.stored()["state"]["is"], "open", "{}", stage.log());
}

#[tokio::test]
async fn a_missing_right_is_named_and_the_decision_is_not_lost() {
    let stage = Stage::asked().await;
    let (certify, _) = stage.tokens();
    stage.environment.tableau.fail_always(CERTIFY, Fault::Error("403004"));
    let answer = stage.choose(&certify, "yes", "").await;
    assert_eq!((answer.status, answer.title().as_str()), (409, "Tableau refuses it"));
    assert!(answer.html.contains("let it be an administrator, or the project leader"), "{}", answer.html);
    stage.environment.tableau.clear_faults();
    assert_eq!(stage.choose(&certify, "yes", "").await.title(), "Sales Orders is certified");
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let stage = Stage::asked().await;
    let (certify, _) = stage.tokens();
    let (client_id, secret_id, secret) = SAMPLE_CONNECTED_APP;
    let app = |scopes: &[&str]| {
        let mut app = json!({
            "client_id": client_id, "secret_id": secret_id, "secret_value": secret, "user_name": "bea@example.com",
        });
        if !scopes.is_empty() {
            app["scopes"] = json!(scopes);
        }
        stage.environment.aws.create_secret("tableau", app);
        stage.environment.queued_with(NAME, BINARY, &[("EMAIL_RECIPIENTS_PER_SECOND", "1000")])
    };
    let function = app(&["tableau:content:read", "tableau:users:read"]);
    let form = stage.form(&certify).await;
    let body = format!("form={form}&choice=yes&note=");
    let event = page_event("POST", &certify, &body, &[("content-type", "application/x-www-form-urlencoded")]);
    let answer = function.invoke(&event).await.unwrap();
    let html = answer["body"].as_str().unwrap();
    assert!(html.contains("the scope tableau:datasources:update"), "{html}\n{}", function.logs().join("\n"));

    // Without scopes in the secret it has those that its calls need, and no others.
    let function = app(&[]);
    let answer = function.invoke(&event).await.unwrap();
    let html = answer["body"].as_str().unwrap();
    assert!(html.contains("Sales Orders is certified"), "{html}\n{}", function.logs().join("\n"));
}

#[tokio::test]
async fn a_worker_that_died_in_the_middle_has_not_used_the_link_up() {
    for by_page in [true, false] {
        let stage = Stage::asked().await;
        let (certify, _) = stage.tokens();
        stage.change(|stored| stored["state"] = deciding("certify", "first", "2999-01-01T00:00:00Z"));
        assert_eq!(stage.get(&certify).await.title(), "A decision is being carried out");
        // A minute later. It had certified before it died.
        let mut line = String::new();
        stage.change(|stored| {
            stored["state"] = deciding("certify", "first", "2025-01-01T00:01:00Z");
            line = our_line(stored, "first");
        });
        assert_eq!(stage.get(&certify).await.title(), "Certify Sales Orders?");
        let luid = stage.environment.tableau.datasource(ORDERS).unwrap();
        stage.person().certify(&luid, &line).await.unwrap();
        if by_page {
            assert_eq!(stage.choose(&certify, "yes", "second").await.title(), "Sales Orders is certified");
        }
        stage.fire().await;
        assert_eq!(stage.history(), ["requested", "certified"], "{}", stage.log());
        let state = &stage.stored()["state"];
        assert_eq!((&state["note"], &state["at"]), (&json!("first"), &json!("2025-01-01T00:00:00Z")));
        assert_eq!(stage.mails().len(), 3);
        for mail in &stage.mails()[1..] {
            assert!(mail.text.contains("NOTE\nfirst"), "{}", mail.text);
        }
    }
}

#[tokio::test]
async fn a_worker_that_died_in_a_decline_has_declined() {
    let stage = Stage::asked().await;
    stage.change(|stored| stored["state"] = deciding("decline", "why", "2025-01-01T00:01:00Z"));
    stage.fire().await;
    assert_eq!(stage.history(), ["requested", "declined"], "{}", stage.log());
    assert!(stage.mails()[1].text.contains("NOTE\nwhy"));
}

// C01
#[tokio::test]
async fn an_event_during_a_decision_or_after_its_worker_died_ends_nothing_falsely() {
    let stage = Stage::asked().await;
    let mut line = String::new();
    stage.change(|stored| {
        stored["state"] = deciding("certify", "mine", "2999-01-01T00:00:00Z");
        line = our_line(stored, "mine");
    });
    let luid = stage.environment.tableau.datasource(ORDERS).unwrap();
    stage.person().certify(&luid, &line).await.unwrap();
    let before = stage.stored();
    for name in ["DatasourceUpdated", "DatasourceDeleted"] {
        let (outcome, reason) = stage.handle(&stage.event(name, ORDERS)).await;
        assert!(
            outcome == "deferred" && reason.ends_with("the steward decides just now"),
            "{name}: {reason}"
        );
        assert_eq!(stage.stored(), before);
    }
    stage.change(|stored| stored["state"]["until"] = json!("2025-01-01T00:01:00Z"));
    stage.handle(&stage.event("DatasourceUpdated", ORDERS)).await;
    assert_eq!(stage.history(), ["requested", "certified"], "{}", stage.log());
    assert_eq!(stage.stored()["state"]["note"], "mine");
    assert_eq!(stage.mails().len(), 3);
}

#[tokio::test]
async fn a_steward_of_another_rule_is_not_asked_while_the_first_one_decides() {
    let stage = Stage::asked().await;
    stage.change(|stored| stored["state"] = deciding("certify", "mine", "2999-01-01T00:00:00Z"));
    stage.environment.write_rules(&crate::support::rules("{ steward: other@example.com }"));
    let second = stage.environment.queued_with(NAME, BINARY, &[]);
    let event = stage.event("DatasourceUpdated", ORDERS);
    second.failures(&testkit::Batch::default().message(&event.to_string())).await;
    let log = second.logs().join("\n");
    assert!(log.contains("the steward decides just now"), "{log}");
    assert_eq!((stage.mails().len(), stage.history()), (1, vec!["requested".to_owned()]));
}

#[tokio::test]
async fn an_older_note_of_the_same_steward_is_no_decision_of_this_request() {
    let stage = Stage::asked().await;
    let luid = stage.environment.tableau.datasource(ORDERS).unwrap();
    for line in [
        "Certified on 1 Jan 2025, 00:00 UTC through the link of steward@example.com (tableau-webhooks)",
        "Certified on 1 Jan 2025, 00:00 UTC through the link of steward@example.com (tableau-webhooks AAAAAAAA.1)",
    ] {
        stage.person().certify(&luid, line).await.unwrap();
    }
    stage.fire().await;
    assert_eq!(stage.history(), ["requested", "certified-in-tableau"], "{}", stage.log());
    assert_eq!(stage.mails().len(), 1);
}

#[tokio::test]
async fn a_decision_that_cannot_be_noted_is_not_said_to_have_changed_nothing() {
    let stage = Stage::asked().await;
    let (certify, _) = stage.tokens();
    let form = stage.form(&certify).await;
    stage.environment.tableau.fail_always(CERTIFY, Fault::Late(std::time::Duration::from_secs(3)));
    let fields = [("form", form.as_str()), ("choice", "yes"), ("note", "mine")];
    let post = stage.post(&certify, &fields);
    let break_the_table = async {
        tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
        for operation in ["DynamoDB.TransactWriteItems", "DynamoDB.UpdateItem"] {
            stage.environment.aws.fail_next(operation, 20, testkit::local_aws::Fault::InternalError);
        }
    };
    let (answer, ()) = tokio::join!(post, break_the_table);
    assert_eq!(answer.title(), "Please look again in a few minutes", "{}", stage.log());
    assert!(!answer.html.contains("Nothing was"), "{}", answer.html);
    assert!(stage.datasource().await.is_certified);
    assert_eq!(stage.stored()["state"]["is"], "deciding");
}

#[tokio::test]
async fn an_operator_learns_that_certifying_fails() {
    let stage = Stage::asked().await;
    let (certify, decline) = stage.tokens();
    stage.environment.tableau.fail_always(CERTIFY, Fault::Error("403004"));
    stage.choose(&certify, "yes", "").await;
    let log = stage.log();
    let line = log.lines().find(|line| line.contains("Tableau refuses what a page needs")).expect("a line");
    assert!(line.contains("ERROR") && line.contains("403004"), "{line}");
    let counted = log.lines().any(|line| line.contains("\"misconfigured\"") && line.contains("Attempts"));
    assert!(counted, "{log}");
    // A decline needs nothing of Tableau, whatever it refuses.
    stage.environment.tableau.fail_always("GET */datasources/*", Fault::Error("403004"));
    assert_eq!(
        stage.choose(&decline, "yes", "").await.title(),
        "Sales Orders stays uncertified",
        "{}",
        stage.log()
    );
}

#[tokio::test]
async fn an_earlier_note_of_a_person_is_kept() {
    let stage = Stage::asked().await;
    let (certify, _) = stage.tokens();
    let luid = stage.environment.tableau.datasource(ORDERS).unwrap();
    stage.environment.tableau.keep_certification_note(&luid, "Ask finance first");
    stage.choose(&certify, "yes", "mine").await;
    let note = stage.datasource().await.certification_note.unwrap();
    assert!(note.starts_with("Ask finance first\n> mine\nCertified on "), "{note}");
}

#[tokio::test]
async fn without_its_secret_the_function_stores_events_and_says_what_is_missing() {
    let stage = Stage::asked().await;
    let (certify, _) = stage.tokens();
    let function = stage.environment.queued_with(NAME, BINARY, &[("PUBLIC_URL", "http://example.com")]);
    let answer = function.invoke(&page_event("GET", &certify, "", &[])).await.unwrap();
    assert_eq!(answer["statusCode"], 503);
    let event = stage.event("DatasourceCreated", ORDERS).to_string();
    assert_eq!(function.answer(&testkit::Request::post(event)).await.status, 202);
    let log = function.logs().join("\n");
    assert!(log.contains("PUBLIC_URL is no https address"), "{log}");
}

#[tokio::test]
async fn a_refusal_of_tableau_is_named_by_its_code_and_another_site_by_what_it_is() {
    let stage = Stage::asked().await;
    let (certify, _) = stage.tokens();
    stage.environment.tableau.fail_always(CERTIFY, Fault::Error("400013"));
    let answer = stage.choose(&certify, "yes", "").await;
    assert_eq!((answer.status, answer.title().as_str()), (409, "Tableau refuses it"));
    assert!(answer.html.contains("400 (400013)"), "{}", answer.html);
    stage.environment.tableau.clear_faults();

    let other = stage.environment.queued_with(NAME, BINARY, &[("TABLEAU_SITE", "sandbox")]);
    let form = stage.form(&certify).await;
    let body = format!("form={form}&choice=yes&note=");
    let event = page_event("POST", &certify, &body, &[("content-type", "application/x-www-form-urlencoded")]);
    let answer = other.invoke(&event).await.unwrap();
    let html = answer["body"].as_str().unwrap();
    assert!(
        html.contains("Nothing was decided, and your link stays valid"),
        "{html}\n{}",
        other.logs().join("\n")
    );
    assert_eq!(stage.stored()["state"]["is"], "open");
    assert!(!stage.datasource().await.is_certified);
}

#[tokio::test]
async fn a_damaged_request_opens_no_page_and_the_steward_is_asked_again() {
    let stage = Stage::asked().await;
    let (certify, _) = stage.tokens();
    for damaged in ["", "{", "[]", r#"{"id":"x"}"#] {
        let mut item = stage.items("certification#").remove(0);
        item["document"]["S"] = json!(damaged);
        stage.environment.aws.put_item("deliveries", &item);
        assert_eq!(stage.get(&certify).await.title(), "This link does not work", "{damaged}");
        assert_eq!(stage.post(&certify, &[("form", "x"), ("choice", "yes")]).await.status, 404);
    }
    assert_eq!(stage.handle(&stage.event("DatasourceUpdated", ORDERS)).await.0, "done", "{}", stage.log());
    assert_eq!(stage.mails().len(), 2);
    let mut pointer = stage.items("certification-of#").remove(0);
    pointer["document"]["S"] = json!("no JSON");
    stage.environment.aws.put_item("deliveries", &pointer);
    assert_eq!(stage.handle(&stage.event("DatasourceUpdated", ORDERS)).await.0, "done", "{}", stage.log());
    assert_eq!(stage.mails().len(), 3);
    assert_eq!(stage.choose(&stage.tokens().0, "yes", "").await.title(), "Sales Orders is certified");
}
