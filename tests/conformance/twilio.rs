//! Twilio's own OpenAPI document, compared by openapi-core, meets what send-sms sends and what our double answers; Twilio's own client for
//! Python meets our double.

use super::{python, script};
use serde_json::json;
use std::path::PathBuf;
use testkit::simulator::{SAMPLE_ACCOUNT, SAMPLE_SENDER, SAMPLE_SERVICE, TwilioSimulator};
use testkit::{Request, TestEnvironment, fixtures, repository};

const RECIPIENT: &str = "+4915112345678";
const STOPPED: &str = "+4915112345679";

fn binary() -> PathBuf {
    let ours = std::env::current_exe().unwrap();
    ours.parent().and_then(std::path::Path::parent).expect("target/debug/deps/conformance-…").join("send-sms")
}

#[tokio::test]
async fn twilios_own_client_finds_in_the_double_what_it_expects() {
    let Some(python) = python() else { return };
    let twilio = TwilioSimulator::start().await.unwrap();
    twilio.stop(STOPPED);
    let arguments =
        ["client", &twilio.url(), SAMPLE_ACCOUNT, &twilio.token(), SAMPLE_SENDER, RECIPIENT, STOPPED];
    script(&python, "texts.py", &arguments).await;
    assert_eq!(twilio.messages().len(), 2);
}

// D019, D041
#[tokio::test]
async fn twilios_own_document_takes_our_requests_and_the_answers_of_the_double() {
    let Some(python) = python() else { return };
    let rules = format!(
        "rules: [{{ name: all, on: [Any], do: [{{ send-sms: {{ to: [\"{RECIPIENT}\", \"{STOPPED}\"] }} }}] }}]\n"
    );
    let environment = TestEnvironment::with_rules(&rules).await;
    environment.twilio.stop(STOPPED);
    for sender in [json!({ "from": SAMPLE_SENDER }), json!({ "messaging_service_sid": SAMPLE_SERVICE })] {
        let mut secret = environment.twilio.secret();
        secret.as_object_mut().unwrap().remove("from");
        secret.as_object_mut().unwrap().extend(sender.as_object().unwrap().clone());
        environment.aws.create_secret("twilio", secret);
        let function = environment.inline("send-sms", binary());
        for name in ["datasource-refresh-failed", "workbook-created", "odd/resource-name-markup"] {
            let event = fixtures::json(&format!("tableau/{name}.json"));
            function.answer(&Request::post(event.to_string())).await;
        }
        // A test asks what has become of its text.
        let queued = environment.queued("send-sms", binary());
        queued.invoke(&json!({ "test": { "target": RECIPIENT } })).await.unwrap();
    }
    let requests = environment.twilio.requests();
    assert!(requests.iter().any(|request| request.method == "GET") && requests.len() >= 14, "{requests:?}");
    assert!(
        requests.iter().any(|request| request.status == 400)
            && requests.iter().any(|request| request.status == 201)
    );
    let recorded: Vec<_> = requests
        .iter()
        .map(|request| {
            json!({
                "method": request.method, "path": request.path, "content_type": request.content_type, "body": request.body,
                "status": request.status, "answer": request.answer,
            })
        })
        .collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), serde_json::Value::from(recorded).to_string()).unwrap();
    let document = repository::root().join("tests/conformance/texts/openapi.json");
    script(&python, "texts.py", &["document", document.to_str().unwrap(), file.path().to_str().unwrap()])
        .await;
}
