//! A second check by rule: a code that is mailed to the steward.

use crate::support::{STEWARD, Stage};

const CONFIRM: &str = "{ steward: steward@example.com, confirm: true }";

async fn asked() -> Stage {
    let stage = Stage::new(CONFIRM).await;
    stage.handle(&stage.event("DatasourceCreated", crate::support::ORDERS)).await;
    stage
}

/// The code in the last mail.
fn code(stage: &Stage) -> String {
    let mails = stage.mails();
    let text = &mails.last().unwrap().text;
    let (_, rest) = text.split_once("Your code is ").unwrap_or_else(|| panic!("{text}"));
    rest.split('.').next().unwrap().to_owned()
}

async fn send(stage: &Stage, token: &str, code: &str) -> crate::support::Answer {
    let form = stage.form(token).await;
    stage.post(token, &[("form", &form), ("choice", "yes"), ("note", "fine"), ("code", code)]).await
}

// M13
#[tokio::test]
async fn a_code_proves_that_the_person_reads_the_stewards_mail() {
    let stage = asked().await;
    let (certify, decline) = stage.tokens();
    let page = stage.get(&certify).await;
    assert!(page.html.contains("Next, a code is mailed to the address above"), "{}", page.html);
    assert_eq!(stage.mails().len(), 1, "opening a page mails nothing");

    let asks = stage.choose(&certify, "yes", "fine").await;
    assert!(asks.status == 400 && asks.html.contains("id=\"code\""), "{}", asks.html);
    assert!(
        asks.html.contains("A code was mailed") && asks.html.contains(">\nfine</textarea>"),
        "{}",
        asks.html
    );
    assert_eq!(stage.mails()[1].to, [STEWARD]);
    assert_eq!(stage.mails()[1].shown_subject(), "Your code to decide about Sales Orders");
    assert!(!stage.datasource().await.is_certified);
    let right = code(&stage);
    let stored = stage.stored().to_string();
    assert!(!stored.contains(&format!("\"{right}\"")), "only a hash is kept: {stored}");
    assert!(!stage.log().contains(&right));

    // A colleague with the forwarded mail guesses.
    let wrong = if right == "000000" { "000001" } else { "000000" };
    let answer = send(&stage, &certify, wrong).await;
    assert!(answer.html.contains("That is not the code in the mail"), "{}", answer.html);
    // The code is for one decision, which the mail names.
    assert!(stage.mails()[1].text.contains("for this decision alone: to certify the data source"));
    let answer = send(&stage, &decline, &right).await;
    assert!(answer.html.contains("There is no code for this decision"), "{}", answer.html);
    let spaced = format!(" {} {} ", &right[..3], &right[3..]);
    // Tableau's failures use no code up.
    stage.environment.tableau.fail_always("GET */datasources/*", testkit::simulator::Fault::Status(503));
    let answer = send(&stage, &certify, &right).await;
    assert_eq!(answer.title(), "Tableau does not answer", "{}", stage.log());
    assert!(
        answer.html.contains(">\nfine</textarea>") && answer.html.contains("id=\"code\""),
        "{}",
        answer.html
    );
    stage.environment.tableau.clear_faults();
    let done = send(&stage, &certify, &spaced).await;
    assert_eq!(done.title(), "Sales Orders is certified", "{}", stage.log());
    stage.assert_no_secret_in_the_log();
}

/// Moves the code into the past.
fn age(stage: &Stage, minutes: i64) {
    stage.change(|stored| {
        for field in ["at", "mailed_at"] {
            let at: jiff::Timestamp = stored["code"][field].as_str().unwrap().parse().unwrap();
            stored["code"][field] =
                serde_json::json!((at - jiff::SignedDuration::from_mins(minutes)).to_string());
        }
    });
}

#[tokio::test]
async fn no_one_can_lock_the_steward_out_by_asking_for_codes() {
    let stage = asked().await;
    let (certify, _) = stage.tokens();
    let form = stage.form(&certify).await;
    for _ in 0..5 {
        let answer = stage.post(&certify, &[("form", &form), ("choice", "yes")]).await;
        assert_eq!(answer.status, 400);
    }
    assert_eq!(stage.mails().len(), 2, "one mail with a code in a minute");
    let right = code(&stage);
    let wrong = if right == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        stage.post(&certify, &[("form", &form), ("choice", "yes"), ("code", wrong)]).await;
    }
    let answer = send(&stage, &certify, &right).await;
    assert!(answer.html.contains("There is no code for this decision"), "{}", answer.html);
    for count in 2..=10 {
        age(&stage, 31);
        stage.post(&certify, &[("form", &form), ("choice", "yes")]).await;
        assert_eq!(stage.mails().len(), 1 + count);
    }
    age(&stage, 31);
    let answer = stage.choose(&certify, "yes", "").await;
    assert_eq!((answer.status, answer.title().as_str()), (429, "Too many codes"));
    // The next day.
    stage.change(|stored| stored["codes_from"] = serde_json::json!("2025-01-01T00:00:00Z"));
    stage.choose(&certify, "yes", "").await;
    assert_eq!(send(&stage, &certify, &code(&stage)).await.title(), "Sales Orders is certified");
}

#[tokio::test]
async fn a_code_that_could_not_be_mailed_is_said() {
    let stage = asked().await;
    let (certify, _) = stage.tokens();
    stage.environment.aws.fail_next("SES.SendEmail", 1, testkit::local_aws::Fault::InternalError);
    let answer = stage.choose(&certify, "yes", "").await;
    assert_eq!((answer.status, answer.title().as_str()), (409, "The code could not be mailed"));
    stage.choose(&certify, "yes", "").await;
    assert_eq!(send(&stage, &certify, &code(&stage)).await.title(), "Sales Orders is certified");
}

// M04
#[tokio::test]
async fn a_machine_that_sends_the_form_as_it_finds_it_has_no_code_mailed() {
    let stage = asked().await;
    let (certify, _) = stage.tokens();
    let form = stage.get(&certify).await.form();
    stage.post(&certify, &[("form", &form), ("note", "")]).await;
    stage.post(&certify, &[("form", &form), ("choice", "no"), ("code", "123456")]).await;
    assert_eq!(stage.mails().len(), 1);
    assert_eq!(stage.stored()["codes"], 0);
}
