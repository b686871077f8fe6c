//! Event buses and topics.

use crate::support::{Environment, last_reason, message};
use serde_json::{Value, json};
use testkit::local_aws::{ACCOUNT, Fault, REGION};

async fn with_topic(name: &str) -> (Environment, String) {
    let arn = format!("arn:aws:sns:{REGION}:{ACCOUNT}:{name}");
    let environment = Environment::start(&format!("{{ topic: '{arn}' }}")).await;
    assert_eq!(environment.base.aws.create_topic(name), arn);
    (environment, arn)
}

async fn with_bus() -> Environment {
    let arn = format!("arn:aws:events:{REGION}:{ACCOUNT}:event-bus/data");
    let environment = Environment::start(&format!("{{ bus: '{arn}' }}")).await;
    environment.base.aws.create_bus("data");
    environment
}

#[tokio::test]
async fn an_event_goes_to_another_bus_with_its_name_and_time() {
    let environment = with_bus().await;
    let function = environment.queued();
    let event = environment.failed();
    assert!(function.failures(&message(&event)).await.is_empty(), "{}", last_reason(&function));
    assert!(function.failures(&message(&event)).await.is_empty(), "a second delivery");
    let put = environment.base.aws.archive("data");
    assert_eq!(put.len(), 1);
    assert_eq!(put[0]["detail-type"], "DatasourceRefreshFailed");
    // A rule of the stack's own bus does not take it: no circle.
    assert_eq!(put[0]["source"], "tableau.webhooks.forwarded");
    assert_eq!(put[0]["time"], event["created_at"]);
    assert_eq!(put[0]["detail"]["data"]["object"]["name"], "Sales Orders");
    environment.assert_no_secret_in(&function);
}

#[tokio::test]
async fn a_success_of_eventbridge_that_hides_a_failure_is_a_failure() {
    let environment = with_bus().await;
    let function = environment.queued();
    environment.base.aws.fail_next("EventBridge.PutEvents", 1, Fault::PartialFailure);
    let event = environment.failed();
    assert_eq!(function.failures(&message(&event)).await.len(), 1);
    assert!(
        last_reason(&function).contains("events:PutEvents was refused with 200 (InternalFailure)"),
        "{}",
        last_reason(&function)
    );
    assert_eq!(environment.base.aws.calls("EventBridge.PutEvents"), 1, "once");
    assert!(function.failures(&message(&event).received(2)).await.is_empty());
    assert_eq!(environment.base.aws.archive("data").len(), 1);
}

#[tokio::test]
async fn a_missing_permission_waits_for_a_person_and_names_the_parameter() {
    let environment = with_bus().await;
    let function = environment.queued();
    environment.base.aws.fail_next("EventBridge.PutEvents", 1, Fault::AccessDenied);
    assert_eq!(function.failures(&message(&environment.failed())).await.len(), 1);
    assert!(
        last_reason(&function).contains("the stack's parameter ForwardEventBusArns"),
        "{}",
        last_reason(&function)
    );
    let (environment, _) = with_topic("alerts").await;
    let function = environment.queued();
    environment.base.aws.fail_next("SNS.Publish", 1, Fault::AccessDenied);
    assert_eq!(function.failures(&message(&environment.failed())).await.len(), 1);
    let reason = last_reason(&function);
    assert!(reason.contains("sns:Publish was refused with 403 (AuthorizationError)"), "{reason}");
    assert!(reason.contains("the stack's parameter ForwardTopicArns"), "{reason}");
}

#[tokio::test]
async fn a_topic_gets_subject_message_and_attributes() {
    let (environment, arn) = with_topic("alerts").await;
    let function = environment.queued();
    let event = environment.failed();
    assert!(function.failures(&message(&event)).await.is_empty(), "{}", last_reason(&function));
    let published = environment.base.aws.publications();
    assert_eq!(published.len(), 1);
    assert_eq!(
        (published[0].topic.as_str(), published[0].subject.as_str()),
        (arn.as_str(), "Extract refresh failed: Sales Orders")
    );
    assert_eq!(published[0].attributes["event"], "DatasourceRefreshFailed");
    assert!(published[0].attributes["id"].starts_with("msg_"));
    let body: Value = serde_json::from_str(&published[0].message).unwrap();
    assert_eq!(body["data"]["cause"]["class"], json!("Credentials"));
    environment.assert_no_secret_in(&function);
}

#[tokio::test]
async fn a_fifo_topic_drops_the_repeat_after_a_lost_answer() {
    let (environment, _) = with_topic("alerts.fifo").await;
    let function = environment.queued();
    environment.base.aws.fail_next("SNS.Publish", 1, Fault::AnswerLost);
    let event = environment.failed();
    assert_eq!(function.failures(&message(&event)).await.len(), 1);
    assert!(function.failures(&message(&event).received(2)).await.is_empty(), "{}", last_reason(&function));
    assert_eq!(
        (environment.base.aws.calls("SNS.Publish"), environment.base.aws.publications().len()),
        (2, 1)
    );
    let group = environment.base.aws.publications()[0].group.clone();
    assert_eq!(group.as_deref(), event["resource_luid"].as_str(), "events of one object stay in order");
}

#[tokio::test]
async fn a_topic_that_there_is_not_waits_for_a_person() {
    let environment = Environment::start("{ topic: 'arn:aws:sns:us-east-1:123456789012:gone' }").await;
    let function = environment.queued();
    assert_eq!(function.failures(&message(&environment.failed())).await.len(), 1);
    assert!(
        last_reason(&function).contains("sns:Publish was refused with 404 (NotFound): check the ARN"),
        "{}",
        last_reason(&function)
    );
}
