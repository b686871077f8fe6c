//! What can go wrong while a decision is carried out: nothing is lost, and the page says what to do.

use crate::support::{BINARY, NAME, ORDERS, Stage, page_event};
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
        let answer = stage.choose(&certify, "yes", "").await;
        assert_eq!(
            (answer.status, answer.title().as_str()),
            (409, "Tableau does not answer"),
            "{}",
            stage.log()
        );
        assert!(answer.html.contains("your link stays valid"));
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
    stage.environment.tableau.fail_always(CERTIFY, Fault::Delay(std::time::Duration::from_secs(60)));
    let began = std::time::Instant::now();
    let answer = stage.choose(&certify, "yes", "").await;
    assert_eq!((answer.status, answer.title().as_str()), (409, "Tableau does not answer"));
    assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
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
    assert_eq!(stage.stored()["state"]["is"], "open");
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
    let form = stage.get(&certify).await.form();
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
    let stage = Stage::asked().await;
    let (certify, _) = stage.tokens();
    let deciding =
        |until: &str| json!({ "is": "deciding", "decision": "certify", "note": "", "until": until });
    stage.change(|stored| stored["state"] = deciding("2999-01-01T00:00:00Z"));
    assert_eq!(stage.get(&certify).await.title(), "A decision is being carried out");
    // A minute later.
    stage.change(|stored| stored["state"] = deciding("2025-01-01T00:00:00Z"));
    assert_eq!(stage.get(&certify).await.title(), "Certify Sales Orders?");
    // It had certified before it died.
    let luid = stage.environment.tableau.datasource(ORDERS).unwrap();
    let note =
        "Certified on 1 Jan 2025, 00:00 UTC through the link of steward@example.com (tableau-webhooks)";
    stage.person().certify(&luid, note).await.unwrap();
    assert_eq!(stage.choose(&certify, "yes", "").await.title(), "Sales Orders is certified");
    assert_eq!(stage.history(), ["requested", "certified"]);
}

#[tokio::test]
async fn an_earlier_note_of_a_person_is_kept() {
    let stage = Stage::asked().await;
    let (certify, _) = stage.tokens();
    stage.choose(&certify, "yes", "").await;
    let first = stage.datasource().await.certification_note.unwrap();
    assert_eq!(first.lines().count(), 1, "{first}");
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
    let form = stage.get(&certify).await.form();
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
