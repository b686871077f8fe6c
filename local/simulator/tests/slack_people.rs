//! Who is found in Slack by an e-mail address.

#![expect(clippy::unwrap_used, reason = "helpers of tests are not known for such")]

mod support;

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use simulator::SlackSimulator;
use support::client;

const FORM: &str = "application/x-www-form-urlencoded";

/// What a user and a profile can have, by the types that Slack publishes for its clients.
///
/// Source: `slackapi/java-slack-sdk`, `json-logs/samples/api/users.lookupByEmail.json`
const USER: [&str; 21] = [
    "id",
    "team_id",
    "name",
    "deleted",
    "color",
    "real_name",
    "tz",
    "tz_label",
    "tz_offset",
    "profile",
    "is_admin",
    "is_owner",
    "is_primary_owner",
    "is_restricted",
    "is_ultra_restricted",
    "is_bot",
    "is_app_user",
    "updated",
    "has_2fa",
    "is_email_confirmed",
    "who_can_share_contact_card",
];
const PROFILE: [&str; 12] = [
    "title",
    "phone",
    "real_name",
    "real_name_normalized",
    "display_name",
    "display_name_normalized",
    "status_text",
    "status_emoji",
    "email",
    "first_name",
    "last_name",
    "team",
];

fn lookup(slack: &SlackSimulator) -> RequestBuilder {
    client().post(format!("{}/users.lookupByEmail", slack.api_url())).bearer_auth(slack.token())
}

async fn answer(request: RequestBuilder) -> Value {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

async fn found(slack: &SlackSimulator, email: &str) -> Value {
    let form = format!("email={}", email.replace('@', "%40").replace('+', "%2B"));
    answer(lookup(slack).header("content-type", FORM).body(form)).await
}

// 15, item 1
#[tokio::test]
async fn a_person_is_found_by_query_form_and_json_whatever_the_case() {
    let slack = SlackSimulator::start().await.unwrap();
    let id = slack.add_person("ana+bi@example.com", "Ana Ferreira");
    let expected = |answer: &Value| {
        assert_eq!((&answer["ok"], &answer["user"]["id"]), (&json!(true), &json!(id)), "{answer}");
        assert_eq!(answer["user"]["deleted"], false);
        assert_eq!(answer["user"]["profile"]["email"], "ana+bi@example.com");
    };
    expected(&found(&slack, "ana+bi@example.com").await);
    expected(&found(&slack, "Ana+BI@Example.com").await);
    let json = lookup(&slack).header("content-type", "application/json; charset=utf-8");
    expected(&answer(json.body(json!({ "email": "ana+bi@example.com" }).to_string())).await);
    let address = format!("{}/users.lookupByEmail?email=ana%2Bbi%40example.com", slack.api_url());
    expected(&answer(client().get(address).bearer_auth(slack.token())).await);
    assert_eq!(slack.lookups().len(), 4);
    assert!(slack.messages().is_empty() && slack.refusals().is_empty());
}

// 15, item 1
#[tokio::test]
async fn a_lookup_needs_a_token_the_scope_and_an_address() {
    let slack = SlackSimulator::start().await.unwrap();
    let with = |request: RequestBuilder, kind: &str, body: &str| {
        answer(request.header("content-type", kind.to_owned()).body(body.to_owned()))
    };
    let bare = || client().post(format!("{}/users.lookupByEmail", slack.api_url()));
    let error = |answer: Value| answer["error"].as_str().unwrap_or_default().to_owned();
    assert_eq!(error(with(bare(), FORM, "email=ana%40example.com").await), "not_authed");
    assert_eq!(error(with(bare().bearer_auth("xoxb-other"), FORM, "email=a").await), "invalid_auth");
    assert_eq!(error(with(lookup(&slack), FORM, "mail=ana%40example.com").await), "invalid_arguments");
    assert_eq!(error(with(lookup(&slack), "text/plain", "email=a").await), "invalid_post_type");
    assert_eq!(error(with(lookup(&slack), "application/json", "email=a").await), "invalid_json");
    assert_eq!(error(found(&slack, "no.one@example.com").await), "users_not_found");
    slack.allow_lookups(false);
    let refused = found(&slack, "ana@example.com").await;
    let expected = json!({ "ok": false, "error": "missing_scope", "needed": "users:read.email", "provided": "chat:write" });
    assert_eq!(refused, expected);
}

// 15, item 1
#[tokio::test]
async fn one_who_has_left_is_deactivated_or_gone_and_people_can_be_added_by_hand() {
    let slack = SlackSimulator::start().await.unwrap();
    assert_eq!(found(&slack, "jonas@example.com").await["user"]["name"], "jonas");
    slack.deactivate_person("jonas@example.com");
    assert_eq!(found(&slack, "jonas@example.com").await["user"]["deleted"], true);
    slack.remove_person("jonas@example.com");
    assert_eq!(found(&slack, "jonas@example.com").await["error"], "users_not_found");

    let people = format!("{}/simulator/people", slack.url());
    let status = async |request: RequestBuilder| request.send().await.unwrap().status().as_u16();
    assert_eq!(status(client().post(format!("{people}?email=kim@example.com&name=Kim"))).await, 200);
    assert_eq!(found(&slack, "kim@example.com").await["user"]["real_name"], "Kim");
    assert_eq!(status(client().delete(format!("{people}?email=kim@example.com"))).await, 200);
    assert_eq!(found(&slack, "kim@example.com").await["user"]["deleted"], true);
    assert_eq!(status(client().delete(format!("{people}?email=x@example.com"))).await, 404);
    for wrong in ["email=kim", "mail=kim@example.com", ""] {
        assert_eq!(status(client().post(format!("{people}?{wrong}"))).await, 400, "{wrong}");
    }
}

// 15, item 1
#[tokio::test]
async fn a_user_has_what_slacks_published_types_have_with_values_of_their_kinds() {
    let slack = SlackSimulator::start().await.unwrap();
    slack.deactivate_person("yuki@example.com");
    for (email, is_complete) in [("ana@example.com", true), ("yuki@example.com", false)] {
        let user = found(&slack, email).await["user"].clone();
        let keys: Vec<&str> = user.as_object().unwrap().keys().map(String::as_str).collect();
        assert!(keys.iter().all(|key| USER.contains(key)), "{keys:?}");
        assert_eq!(keys.len() >= 18, is_complete, "{keys:?}");
        let profile = user["profile"].as_object().unwrap();
        assert!(profile.keys().all(|key| PROFILE.contains(&key.as_str())), "{profile:?}");
        assert!(profile.values().all(Value::is_string), "{profile:?}");
        for (key, value) in user.as_object().unwrap() {
            let is_flag = key.starts_with("is_") || key == "deleted";
            let is_number = ["updated", "tz_offset"].contains(&key.as_str());
            assert_eq!((value.is_boolean(), value.is_number()), (is_flag, is_number), "{key}: {value}");
        }
    }
}
