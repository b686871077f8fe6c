//! The real binary: events in, texts out.

use crate::support::{
    ALL, BO, DANA, ONE, TWO, assert_private, assert_texts, dead_letter, event, failed, hand, inline, message,
    minutes_ago, queued, start, succeeded, texts,
};
use serde_json::{Value, json};
use testkit::simulator::{Datasource, SAMPLE_SENDER, SAMPLE_SERVICE};
use testkit::{Batch, Request, fixtures, repository};

#[tokio::test]
async fn a_failure_is_one_text_and_its_end_is_one_and_nothing_between() {
    let environment = start(ONE).await;
    let function = queued(&environment);
    let first = minutes_ago(failed(&environment), 5);
    hand(&function, &first).await;
    hand(&function, &first).await;
    let said = texts(&environment, DANA);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("Extract refresh failed: Sales Orders"), "{}", said[0]);
    assert!(said[0].contains("Credentials refused"), "{}", said[0]);
    // Further failures: the 2nd, 4th and 5th would be messages elsewhere.
    for minute in 6..10 {
        hand(&function, &minutes_ago(failed(&environment), 10 - minute)).await;
    }
    assert_eq!(texts(&environment, DANA).len(), 1);

    hand(&function, &succeeded(&environment)).await;
    let said = texts(&environment, DANA);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[1].starts_with("Recovered after 5 failures in "), "{}", said[1]);
    assert!(
        said[1].contains("Sales Orders") && said[1].contains("it was: Credentials refused"),
        "{}",
        said[1]
    );
    assert_texts(&environment);
    assert_private(&environment, &function);
}

// D019
#[tokio::test]
async fn the_request_is_a_form_with_an_encoded_plus_and_the_account_in_its_path() {
    let environment = start(ONE).await;
    let function = queued(&environment);
    hand(&function, &failed(&environment)).await;
    let requests = environment.twilio.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].path, "/2010-04-01/Accounts/AC00000000000000000000000000000001/Messages.json");
    assert_eq!(requests[0].content_type, "application/x-www-form-urlencoded");
    assert!(
        requests[0].body.starts_with("To=%2B4915112345678&From=%2B15005550006&Body="),
        "{}",
        requests[0].body
    );
}

// D041, D141
#[tokio::test]
async fn a_key_and_a_service_a_name_and_a_number_send() {
    let environment = start(ONE).await;
    let (key, secret) = environment.twilio.add_key();
    let account = environment.twilio.secret()["account_sid"].clone();
    for (n, (sender, from, service)) in [
        (json!({ "from": SAMPLE_SENDER }), Some(SAMPLE_SENDER), None),
        (json!({ "from": "MGM Desk" }), Some("MGM Desk"), None),
        (json!({ "messaging_service_sid": SAMPLE_SERVICE }), None, Some(SAMPLE_SERVICE)),
    ]
    .into_iter()
    .enumerate()
    {
        let mut with_key = json!({ "account_sid": account, "api_key": key, "api_key_secret": secret });
        with_key.as_object_mut().unwrap().extend(sender.as_object().unwrap().clone());
        environment.aws.create_secret("twilio", with_key);
        let function = inline(&environment);
        let answer = function.answer(&Request::post(failed(&environment).to_string())).await;
        assert_eq!(answer.body["status"], "done", "{:?}", answer.body);
        let sent = environment.twilio.messages();
        assert_eq!((sent.len(), sent[n].from.as_deref(), sent[n].service.as_deref()), (n + 1, from, service));
        assert!(!function.logs().join("\n").contains(&secret));
    }
}

#[tokio::test]
async fn one_recipient_who_refuses_does_not_stop_the_other() {
    let environment = start(TWO).await;
    let function = queued(&environment);
    environment.twilio.stop(DANA);
    let reason = dead_letter(&environment, &function, &failed(&environment)).await;
    assert!(
        reason.contains("Twilio refused the text to …78 with 400 (21610): the recipient has answered STOP"),
        "{reason}"
    );
    assert_eq!((texts(&environment, DANA).len(), texts(&environment, BO).len()), (0, 1));
    // The end goes to the one who got the failure.
    hand(&function, &succeeded(&environment)).await;
    assert_eq!((texts(&environment, DANA).len(), texts(&environment, BO).len()), (0, 2));
}

#[tokio::test]
async fn every_event_is_one_line_and_no_odd_payload_breaks_the_function() {
    let environment = start(ALL).await;
    let function =
        environment.queued_with("send-sms", crate::support::BINARY, &[("SMS_TEXTS_PER_DAY", "500")]);
    let mut names: Vec<String> = std::fs::read_dir(repository::root().join("events/tableau"))
        .unwrap()
        .filter_map(|file| {
            file.unwrap().file_name().into_string().ok()?.strip_suffix(".json").map(str::to_owned)
        })
        .collect();
    assert_eq!(names.len(), 22);
    names.sort_by_key(|name| (!name.ends_with("started"), name.clone()));
    for name in &names {
        hand(&function, &fixtures::json(&format!("tableau/{name}.json"))).await;
    }
    for file in std::fs::read_dir(repository::root().join("events/tableau/odd")).unwrap() {
        let path = file.unwrap().path();
        let Ok(body) = String::from_utf8(std::fs::read(&path).unwrap()) else { continue };
        let failures = function.failures(&Batch::default().message(&body)).await;
        assert!(failures.is_empty(), "{}: {failures:?}", path.display());
    }
    assert!(environment.twilio.messages().len() >= 15, "{}", environment.twilio.messages().len());
    assert_eq!(environment.twilio.refusals(), []);
    for message in environment.twilio.messages() {
        assert!(message.segments <= 2 && !message.body.contains(['\n', '\r', '🔴', '✅']), "{message:?}");
    }
    assert_private(&environment, &function);
}

#[tokio::test]
async fn a_number_that_two_rules_name_gets_one_text_as_the_rule_wants_that_notifies_first() {
    let rules = format!(
        "rules:\n  - name: night\n    quiet: {{ days: [Mon, Tue, Wed, Thu, Fri, Sat, Sun] }}\n    on: [RefreshFailed]\n    do: [{{ send-sms: {{ \
         to: [\"{DANA}\", \"{BO}\"] }} }}]\n  - name: critical\n    critical: true\n    on: [RefreshFailed]\n    do: [{{ send-sms: {{ to: \
         \"{DANA}\" }} }}]\n"
    );
    let environment = start(&rules).await;
    let function = queued(&environment);
    hand(&function, &failed(&environment)).await;
    assert_eq!((texts(&environment, DANA).len(), texts(&environment, BO).len()), (1, 0));
}

// D083, D084
#[tokio::test]
async fn look_alikes_and_combined_letters_are_one_segment() {
    let environment = start(ALL).await;
    let function = queued(&environment);
    let name = "“Sales” – EU\r\nCafe\u{301}…";
    let luid = environment.tableau.add(Datasource::named(name));
    let mut event = event(&environment, "DatasourceUpdated", "Sales Orders");
    event["resource_luid"] = json!(luid.as_str());
    event["resource_name"] = json!(name);
    hand(&function, &event).await;
    let said = texts(&environment, DANA);
    assert!(said[0].contains("\"Sales\" - EU Café..."), "{}", said[0]);
    assert_texts(&environment);
}

// Quiet hours hold back what is not critical.
#[tokio::test]
async fn quiet_hours_hold_a_text_back_unless_its_rule_is_critical() {
    let quiet = |critical: bool| {
        format!(
            "rules:\n  - name: night\n    quiet: {{ days: [Mon, Tue, Wed, Thu, Fri, Sat, Sun] }}\n    critical: {critical}\n    on: \
             [RefreshFailed]\n    do: [{{ send-sms: {{ to: \"{DANA}\" }} }}]\n"
        )
    };
    for (critical, expected) in [(false, 0), (true, 1)] {
        let environment = start(&quiet(critical)).await;
        let function = queued(&environment);
        hand(&function, &failed(&environment)).await;
        assert_eq!(texts(&environment, DANA).len(), expected, "critical: {critical}");
    }
}

#[tokio::test]
async fn the_fixture_for_a_local_invoke_is_a_text() {
    let environment = start(ONE).await;
    let function = inline(&environment);
    let answer = function.answer_to(&fixtures::json("http/send-sms.json")).await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("done")));
    assert_eq!(environment.twilio.messages().len(), 1);
    let metrics = function.logs().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    assert_eq!(metrics.filter(|line| line["Attempts"] == 1.0 && line["workflow"] == "send-sms").count(), 1);
}

// D005
#[tokio::test]
async fn a_test_follows_its_text_to_the_end_and_says_what_an_error_means() {
    let environment = start(TWO).await;
    environment.twilio.ends(BO, "undelivered", Some(30_034));
    let function = queued(&environment);
    for (target, expected) in [
        (DANA, "delivered, message SM"),
        (
            BO,
            "and not delivered: undelivered, 30034: the sender is a US number that is not registered for A2P 10DLC",
        ),
    ] {
        let answer = function.invoke(&json!({ "test": { "target": target } })).await.unwrap();
        let said = answer.to_string();
        assert!(said.contains(expected), "{said}");
        assert!(!said.contains(target.trim_start_matches('+')), "{said}");
    }
    assert_eq!(environment.twilio.messages().len(), 2);
    assert!(texts(&environment, DANA)[0].starts_with("Test. The command tableau-webhooks test sent this."));
    assert!(function.failures(&message(&failed(&environment))).await.is_empty());
}
