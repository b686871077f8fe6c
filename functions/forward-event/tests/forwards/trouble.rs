//! Targets that refuse, fail, lead elsewhere, or are not public.

use crate::support::{Environment, last_reason, message};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::simulator::{ReceiverFault, Recorder};

const ENRICHED: &str = "{ target: own }";
const RAW: &str = "{ target: own, body: raw }";

#[tokio::test]
async fn a_wait_that_the_target_asks_for_is_kept() {
    for status in [429, 503] {
        let environment = Environment::start(RAW).await;
        let function = environment.queued();
        environment.receiver.fail_next(1, ReceiverFault::Answer(status, &[("retry-after", "240")], ""));
        let event = environment.event("DatasourceUpdated");
        assert_eq!(function.failures(&message(&event)).await.len(), 1);
        let items = environment.base.aws.items("deliveries");
        let circuit = items.iter().find(|item| item["pk"]["S"] == "circuit#forward-event#Forward#own");
        assert!(circuit.is_some(), "{status}: the wait is known to all instances: {items:?}");
        // Within the wait the target is not called.
        assert_eq!(function.failures(&message(&event).received(2)).await.len(), 1);
        assert_eq!(environment.receiver.requests().len(), 1, "{status}");
        assert!(last_reason(&function).starts_with("circuit open, Forward (`own`) is not called until"));
    }
}

#[tokio::test]
async fn a_refusal_is_a_dead_letter_with_the_status_and_a_short_answer_without_secrets() {
    let environment = Environment::start(RAW).await;
    let function = environment.queued();
    environment.receiver.fail_next(1, ReceiverFault::Answer(422, &[], "{\"error\": \"no such field\"}"));
    let event = environment.event("DatasourceUpdated");
    assert!(function.failures(&message(&event)).await.is_empty());
    let dead = environment.base.aws.messages("dead-letters");
    assert_eq!(dead.len(), 1, "{}", function.logs().join("\n"));
    let reason = &dead[0].attributes["reason"];
    assert_eq!(
        reason,
        "the target `own` answered 422; it does not take this event: {\"error\": \"no such field\"}"
    );
    assert_eq!(environment.receiver.requests().len(), 1, "once");
    environment.assert_no_secret_in(&function);
}

// D097, D106
#[tokio::test]
async fn a_redirect_is_not_followed_and_its_host_is_said() {
    let inside = Recorder::start().await.unwrap();
    for status in [301, 302, 303, 307, 308] {
        let environment = Environment::start(RAW).await;
        let function = environment.queued();
        let location: &'static str = Box::leak(format!("{}/latest/meta-data", inside.url()).into_boxed_str());
        let headers: &'static [(&str, &str)] = Box::leak(Box::new([("location", location)]));
        environment.receiver.fail_next(1, ReceiverFault::Answer(status, headers, "<html>Sign in</html>"));
        let event = environment.event("DatasourceUpdated");
        assert!(function.failures(&message(&event)).await.is_empty(), "given up");
        let reason = &environment.base.aws.messages("dead-letters")[0].attributes["reason"];
        assert!(
            reason.contains(&format!(
                "answered {status}; it does not take this event: a redirect to 127.0.0.1"
            )),
            "{reason}"
        );
        assert!(!reason.contains("meta-data"), "{reason}");
        assert_eq!(environment.receiver.requests().len(), 1, "no second request");
    }
    assert!(inside.requests().is_empty());
}

// D099 to D109: the deployed function does not know the receivers' name, and reaches nothing on this machine.
#[tokio::test]
async fn the_function_calls_no_address_that_is_not_public() {
    let environment = Environment::start(RAW).await;
    let port = environment.receiver.url().rsplit(':').next().unwrap().to_owned();
    let event = environment.event("DatasourceUpdated");
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "2130706433",
        "[::ffff:7f00:1]",
        "127。0。0。1",
        "localhost.",
        "10.0.0.1",
    ] {
        environment.put_secret([("own", json!({ "url": format!("https://{host}:{port}/hooks/own") }))]);
        let mut event = event.clone();
        event["host"] = json!(host);
        // A secret is kept for minutes: each of these is a function that has just started.
        let function = environment.deployed();
        assert_eq!(function.failures(&message(&event)).await.len(), 1, "{host}: waits for a person");
        let reason = last_reason(&function);
        assert!(
            reason.starts_with("the target `own` in the forward secret: its `url` has a"),
            "{host}: {reason}"
        );
        assert!(reason.contains("not public"), "{host}: {reason}");
    }
    assert!(environment.receiver.requests().is_empty());
}

// D110
#[tokio::test]
async fn variables_of_a_proxy_have_no_effect() {
    let proxy = Recorder::start().await.unwrap();
    let environment = Environment::start(RAW).await;
    let url = proxy.url();
    let variables = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY"]
        .map(|name| (name, url.as_str()));
    let function = environment.queued_with(&variables);
    let event = environment.event("DatasourceUpdated");
    assert!(function.failures(&message(&event)).await.is_empty(), "{}", last_reason(&function));
    assert!(proxy.requests().is_empty());
    assert_eq!(environment.receiver.taken().len(), 1);
}

#[tokio::test]
async fn a_lost_answer_is_not_repeated_inside_the_call_and_the_next_attempt_has_the_same_id() {
    let environment = Environment::start(ENRICHED).await;
    let function = environment.queued();
    environment.receiver.fail_next(1, ReceiverFault::AnswerLost);
    let event = environment.failed();
    assert_eq!(function.failures(&message(&event)).await.len(), 1);
    assert_eq!(environment.receiver.requests().len(), 1);
    assert!(
        last_reason(&function).starts_with("no answer from the target `own`"),
        "{}",
        last_reason(&function)
    );
    assert!(function.failures(&message(&event).received(2)).await.is_empty());
    let requests = environment.receiver.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(
        requests[0].header("webhook-id"),
        requests[1].header("webhook-id"),
        "the receiver can drop the repeat"
    );
    environment.assert_no_secret_in(&function);
}

#[tokio::test]
async fn a_function_killed_between_send_and_record_sends_again_with_the_same_id() {
    let environment = Environment::start(RAW).await;
    let event = environment.event("DatasourceUpdated");
    {
        let function = environment.queued();
        environment.receiver.fail_next(1, ReceiverFault::Hang);
        let batch = message(&event).event();
        let killed = async {
            environment.receiver.wait_for(1, Duration::from_secs(20)).await.unwrap();
            function.process().kill().await;
        };
        let (invoked, ()) = tokio::join!(function.invoke(&batch), killed);
        assert!(invoked.is_err());
    }
    // The claim of a process that died ends with its invocation.
    let function = environment.queued();
    let mut left = vec![String::new()];
    for received in 2..40 {
        left = function.failures(&message(&event).received(received)).await;
        if left.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(left.is_empty(), "{}", function.logs().join("\n"));
    let requests = environment.receiver.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].header("webhook-id"), requests[1].header("webhook-id"));
}

#[tokio::test]
async fn one_target_that_is_down_opens_its_own_circuit_and_no_other() {
    let rules = "rules:\n  - name: all\n    on: [Any]\n    do:\n      - forward-event: { target: own, body: raw }\n      - forward-event: { target: other, body: raw }\n";
    let environment = Environment::with_rules(rules).await;
    let own = environment.receiver.add_hook("own");
    let other = environment.receiver.add_hook("other");
    environment.put_secret([("own", own), ("other", other)]);
    let function = environment.queued();
    environment.receiver.fail_next_of("/hooks/own", u32::MAX, ReceiverFault::Answer(500, &[], ""));
    let event = |n: usize| {
        let mut event = environment.event("DatasourceUpdated");
        event["n"] = json!(n);
        // The event is the same in each attempt.
        event["created_at"] = json!("2026-01-15T17:14:45Z");
        event
    };
    for n in 0..12 {
        assert_eq!(function.failures(&message(&event(n))).await.len(), 1);
    }
    let of =
        |path: &str| environment.receiver.requests().iter().filter(|request| request.path == path).count();
    assert_eq!((of("/hooks/own"), of("/hooks/other")), (10, 12), "{}", last_reason(&function));
    let items = environment.base.aws.items("deliveries");
    assert!(items.iter().any(|item| item["pk"]["S"] == "circuit#forward-event#Forward#own"));
    // The other target has had its events, and gets none twice.
    environment.receiver.recover();
    let mut left: Vec<usize> = (0..12).collect();
    for received in 2..40 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut failed = Vec::new();
        for n in left {
            if !function.failures(&message(&event(n)).received(received)).await.is_empty() {
                failed.push(n);
            }
        }
        left = failed;
        if left.is_empty() {
            break;
        }
    }
    assert_eq!((left.len(), of("/hooks/other")), (0, 12));
    let taken = environment.receiver.taken().iter().filter(|request| request.path == "/hooks/own").count();
    assert_eq!(taken, 12, "each of them once");
}

#[tokio::test]
async fn a_secret_that_is_wrong_says_what_to_do_and_the_event_waits() {
    for (secret, expected) in [
        (json!({ "targets": {} }), "fill in `targets`"),
        (
            json!({ "targets": { "other": { "url": "https://example.com" } } }),
            "the forward secret has no target `own`: add it to `targets`",
        ),
        (
            json!({ "targets": { "own": { "url": "https://receiver.test/x", "secrets": ["hunter2"] } } }),
            "the target `own` in the forward secret: secret 1 of `secrets` does not begin with `whsec_`",
        ),
    ] {
        let environment = Environment::start(RAW).await;
        environment.base.aws.create_secret("forward", secret);
        let function = environment.queued();
        let event = environment.event("DatasourceUpdated");
        assert_eq!(function.failures(&message(&event)).await.len(), 1);
        let reason = last_reason(&function);
        assert!(reason.contains(expected) && !reason.contains("hunter2"), "{reason}");
        let is_counted = function.logs().iter().any(|line| line.contains(r#""outcome":"misconfigured""#));
        assert!(is_counted, "the operator has an alarm at once");
    }
}

#[tokio::test]
async fn a_template_that_fails_for_an_event_waits_for_a_person() {
    // It was published by a command that did not check it.
    let environment = Environment::start(RAW).await;
    let rules: Value = json!({ "rules": [{
        "name": "all", "on": ["Any"], "do": [{ "forward-event": { "target": "own", "template": "{\"a\": {{ object.name }}" } }],
    }] });
    environment.base.write_form("", &rules.to_string());
    let function = environment.queued();
    let event = environment.event("DatasourceUpdated");
    assert_eq!(function.failures(&message(&event)).await.len(), 1);
    assert!(
        last_reason(&function).contains("what the template makes is not JSON"),
        "{}",
        last_reason(&function)
    );
    assert!(environment.receiver.requests().is_empty());
}
