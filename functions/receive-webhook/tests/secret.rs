//! The real binary accepts the secret with the URL's token as users paste it.

use serde_json::{Value, json};
use testkit::{Request, TOKEN, TestEnvironment};

/// The answer to an event, and the function's log, with this text as the secret.
async fn answer(secret: &str) -> (u64, String) {
    let environment = TestEnvironment::start().await;
    environment.aws.create_secret("webhook", Value::from(secret));
    let function = environment.common_ingress("receive-webhook", env!("CARGO_BIN_EXE_receive-webhook"));
    let answer = function.answer(&Request::of_fixture("workbook-created")).await;
    environment.assert_no_secret_in(&function.logs());
    (answer.status, function.logs().join("\n"))
}

#[tokio::test]
async fn an_event_is_stored_although_the_secret_was_pasted_with_what_does_not_belong_to_it() {
    let right = json!({ "current": TOKEN, "previous": "" }).to_string();
    for (form, secret) in [
        ("a byte order mark", format!("\u{feff}{right}")),
        ("CRLF around it", format!("\r\n{right}\r\n")),
        ("a line break behind the token", json!({ "current": format!("{TOKEN}\n") }).to_string()),
        ("a line break that is not escaped", right.replace(TOKEN, &format!("{TOKEN}\r\n"))),
        ("JSON in a JSON string", Value::from(right.clone()).to_string()),
        ("null for no token", json!({ "current": TOKEN, "previous": null }).to_string()),
        ("a blank for no token", json!({ "current": format!(" {TOKEN}"), "previous": " " }).to_string()),
    ] {
        assert_eq!(answer(&secret).await.0, 202, "{form}");
    }
}

#[tokio::test]
async fn a_secret_that_is_wrong_is_named_in_the_log_with_its_field() {
    let broken = TOKEN.replacen('-', "\n", 1);
    for (secret, expected) in [
        (json!({ "curent": TOKEN }).to_string(), "there is no key `curent`; did you mean `current`?"),
        (json!({ TOKEN: "current" }).to_string(), "a key is not known: there are `current` and `previous`"),
        (json!({ "current": broken }).to_string(), "`current` has a line break in it"),
        (json!({ "current": null }).to_string(), "missing field `current`"),
        (
            TOKEN.to_owned(),
            "not JSON, at line 1, column 1: write a JSON object with `current` and `previous`",
        ),
        ("null".to_owned(), "it is null: write a JSON object with `current` and `previous`"),
    ] {
        let (status, logs) = answer(&secret).await;
        assert_eq!(status, 503, "{expected}");
        assert!(
            logs.contains(&format!("cannot read the secret `webhook`: {expected}")),
            "{expected}: {logs}"
        );
    }
}

// The URL's token decides, and a mistake in another member of the secret does not close the ingress.
#[tokio::test]
async fn a_previous_token_that_is_wrong_is_named_in_the_log_and_closes_nothing() {
    for previous in ["none".to_owned(), TOKEN.replacen('-', " ", 1)] {
        let (status, logs) = answer(&json!({ "current": TOKEN, "previous": previous }).to_string()).await;
        assert_eq!(status, 202, "{logs}");
        assert!(logs.contains("the previous token of the webhook secret is not used"), "{logs}");
        assert!(logs.contains("`previous` has"), "{logs}");
    }
}
