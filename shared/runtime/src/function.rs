//! Tells the kinds of invocation apart.

use crate::attempt::{Attempted, Request, Worker};
use crate::batch::Batches;
use crate::door::{Door, InlineHandler};
use crate::http::HttpRequest;
use async_trait::async_trait;
use aws_lambda_events::sqs::SqsEvent;
use deliveries::Content;
use jiff::Timestamp;
use lambda_runtime::LambdaEvent;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;
use std::sync::Arc;
use workflow::{BoxError, Workflow};

/// What Lambda invokes.
pub(crate) struct Function<W> {
    pub(crate) door: Door,
    /// Only a workflow with a queue has one.
    pub(crate) batches: Option<Batches<W>>,
}

/// The keys that tell the kinds of invocation apart.
#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "requestContext")]
    request_context: Option<IgnoredAny>,
    #[serde(rename = "Records")]
    records: Option<Vec<Record>>,
}

/// Where a record comes from. SNS alone writes the key with a capital letter.
#[derive(Deserialize)]
struct Record {
    #[serde(rename = "eventSource", alias = "EventSource", default)]
    event_source: Option<String>,
}

/// The source of records that a queue sends.
const SQS: &str = "aws:sqs";

impl<W: Workflow> Function<W> {
    /// Answers one invocation.
    pub(crate) async fn invoke(&self, event: LambdaEvent<Box<RawValue>>) -> Result<Value, BoxError> {
        let request = Request::of_lambda(event.context.request_id, event.context.deadline, Timestamp::now());
        let text = event.payload.get();
        let kind: Kind = serde_json::from_str(text).map_err(|_| unknown_kind())?;
        match (kind.request_context, kind.records, &self.batches) {
            (Some(_), _, _) => {
                let http: HttpRequest<'_> = serde_json::from_str(text).map_err(|e| {
                    format!("not an API Gateway request (payload 2.0): column {}", e.column())
                })?;
                Ok(serde_json::to_value(self.door.answer(&http, &request).await)?)
            }
            (None, Some(records), _) if foreign(&records).is_some() => Err(foreign_records(&records)),
            (None, Some(_), Some(batches)) => {
                let batch: SqsEvent = serde_json::from_str(text)
                    .map_err(|e| format!("not an SQS batch: column {}", e.column()))?;
                Ok(serde_json::to_value(batches.handle(batch, &request).await)?)
            }
            (None, Some(_), None) => {
                Err("an SQS batch, but this function has no queue: QUEUE_URL is not set".into())
            }
            (None, None, _) => Err(unknown_kind()),
        }
    }
}

/// The source of the first record that no queue sent.
fn foreign(records: &[Record]) -> Option<&str> {
    let sources = records.iter().map(|record| record.event_source.as_deref().unwrap_or("no source"));
    sources.into_iter().find(|source| *source != SQS)
}

fn foreign_records(records: &[Record]) -> BoxError {
    // Comes from the caller, so it is cut.
    let source: String = foreign(records).unwrap_or_default().chars().take(64).collect();
    format!("records of `{source}`: this function takes records of `{SQS}` only, from its own queue").into()
}

fn unknown_kind() -> BoxError {
    "this function takes an API Gateway request (payload 2.0) or an SQS batch".into()
}

/// Inline mode of a workflow.
pub(crate) struct Inline<W>(pub(crate) Arc<Worker<W>>);

#[async_trait]
impl<W: Workflow> InlineHandler for Inline<W> {
    async fn handle(&self, content: &Content, request: &Request) -> Attempted {
        self.0.attempt(content, request, None).await
    }
}

/// Inline mode of the common door: there is nothing it could do about an event.
pub(crate) struct CheckedOnly;

#[async_trait]
impl InlineHandler for CheckedOnly {
    async fn handle(&self, _: &Content, _: &Request) -> Attempted {
        Attempted::Skipped("checked, not stored: EVENT_BUS_NAME is not set".to_owned())
    }
}

/// The workflow of a function that has none.
pub(crate) struct NoWorkflow;

impl Workflow for NoWorkflow {
    const NAME: &'static str = "none";

    async fn handle(
        &self,
        _: &tableau::Event,
        _: &workflow::Invocation,
    ) -> Result<workflow::Outcome, workflow::Failure> {
        Ok(workflow::Outcome::skipped("there is no workflow"))
    }
}
