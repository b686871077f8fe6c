//! Tests of cost: counts the DynamoDB requests of one attempt.

use crate::attempt::{Request, Worker};
use crate::batch::Batches;
use crate::queue::{DeadLetterAttributes, FailedMessages};
use async_trait::async_trait;
use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use deliveries::DynamoDbClaims;
use jiff::Timestamp;
use local_aws::Aws;
use rules::Rules;
use std::sync::Arc;
use std::time::Duration;
use tableau::Event;
use testkit::dynamodb::client as dynamodb;
use workflow::{BoxError, Effect, Failure, Invocation, Outcome, Workflow};

/// A workflow that sends to this many channels and does nothing else.
struct Sends(usize);

impl Workflow for Sends {
    const NAME: &'static str = "sends";

    async fn handle(&self, _: &Event, invocation: &Invocation) -> Result<Outcome, Failure> {
        for channel in 0..self.0 {
            let sent = Effect::Notified { target: format!("channel-{channel}") };
            invocation.once(sent, async { Ok::<_, Failure>(()) }).await?;
        }
        Ok(Outcome::Done)
    }
}

struct NoQueue;

#[async_trait]
impl FailedMessages for NoQueue {
    async fn delay(&self, _: &str, _: Duration) -> Result<(), BoxError> {
        Err("the message is put off".into())
    }

    async fn send_copy(&self, _: &str, _: u32, _: Duration) -> Result<(), BoxError> {
        Err("the event is deferred".into())
    }

    async fn dead_letter(&self, _: &str, _: &DeadLetterAttributes<'_>) -> Result<(), BoxError> {
        Err("the event is a dead letter".into())
    }
}

fn message() -> SqsEvent {
    let mut message = SqsMessage::default();
    let luid = "4cdd2055-930d-4eaf-94f4-733f3e7d1bfb";
    message.body = Some(format!(
        r#"{{"event_type":"WorkbookUpdated","resource":"WORKBOOK","resource_name":"Superstore",
            "resource_luid":"{luid}","site_luid":"{luid}","created_at":"2026-11-22T14:00:00Z"}}"#
    ));
    let mut batch = SqsEvent::default();
    batch.records = vec![message];
    batch
}

fn calls(aws: &Aws, operations: &[&str]) -> usize {
    operations.iter().map(|operation| aws.calls(&format!("DynamoDB.{operation}"))).sum()
}

// One request claims the event, one ends the attempt, and one records each effect.
#[tokio::test]
async fn a_delivery_that_succeeds_at_once_takes_two_requests_and_one_more_for_each_effect() {
    for effects in [0, 1, 3] {
        let aws = Aws::start().await.unwrap();
        testkit::dynamodb::create_table(&aws, "deliveries");
        let claims = Arc::new(DynamoDbClaims::new(dynamodb(&aws), "deliveries"));
        let worker = Arc::new(Worker::new(Ok(Sends(effects)), Rules::default().into(), claims));
        let timer = Arc::new(timer::MemoryTimer::default());
        let batches = Batches { worker, failed: Arc::new(NoQueue), timer };
        let request = Request::new("r".to_owned(), Timestamp::now(), Duration::from_secs(60));

        let response = batches.handle(message(), &request).await;

        assert!(response.batch_item_failures.is_empty());
        assert_eq!(aws.items("deliveries")[0]["state"]["S"], "done");
        assert_eq!(calls(&aws, &["UpdateItem"]), 2 + effects, "{effects} effects");
        let others = ["BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan"];
        assert_eq!(calls(&aws, &others), 0, "{effects} effects");
        // A duplicate costs one request, which finds that the event is done.
        assert!(batches.handle(message(), &request).await.batch_item_failures.is_empty());
        assert_eq!(calls(&aws, &["UpdateItem"]), 3 + effects, "{effects} effects");
    }
}
