//! Hands each invocation to the side of the function that it is for.

use crate::attempt::{Attempted, Request, Worker};
use crate::batch::Batches;
use crate::event::{Caller, Incoming};
use crate::http::HttpRequest;
use crate::ingress::{Ingress, InlineHandler};
use async_trait::async_trait;
use deliveries::Content;
use jiff::Timestamp;
use lambda_http::{Adapter, Service};
use lambda_runtime::{Context, LambdaEvent, service_fn};
use serde_json::value::{RawValue, to_raw_value};
use std::convert::Infallible;
use std::sync::Arc;
use workflow::{BoxError, Workflow};

/// What Lambda invokes.
pub(crate) struct Function<W> {
    pub(crate) ingress: Ingress,
    /// Only a workflow with a queue has one.
    pub(crate) batches: Option<Batches<W>>,
}

impl<W: Workflow> Function<W> {
    /// Answers one invocation.
    pub(crate) async fn invoke(&self, event: LambdaEvent<Box<RawValue>>) -> Result<Box<RawValue>, BoxError> {
        let Context { request_id, deadline, .. } = &event.context;
        let request = Request::of_lambda(request_id.clone(), *deadline, Timestamp::now());
        match (Incoming::read(event.payload.get())?, &self.batches) {
            (Incoming::Http(caller, http), _) => self.answer(caller, &http, &request, event.context).await,
            (Incoming::Batch(batch), Some(batches)) => {
                Ok(to_raw_value(&batches.handle(batch, &request).await)?)
            }
            (Incoming::Sweep, Some(batches)) => Ok(to_raw_value(&batches.sweep(&request).await)?),
            (Incoming::Sweep, None) => {
                Err("received a sweep, but this function has no queue: QUEUE_URL is not set".into())
            }
            (Incoming::Batch(_), None) => {
                Err("received an SQS batch, but this function has no queue: QUEUE_URL is not set".into())
            }
        }
    }

    /// Answers a request in the shape that its caller reads.
    ///
    /// `lambda_http` shapes the answer only of a request that went through it. It gets an event without content: it panics
    /// where a body is not the base64 that the event says it is, and where host, path and query make no URL, and strangers
    /// write all four.
    async fn answer(
        &self,
        caller: Caller,
        http: &HttpRequest,
        request: &Request,
        context: Context,
    ) -> Result<Box<RawValue>, BoxError> {
        let ingress = service_fn(|_: lambda_http::Request| async {
            Ok::<_, Infallible>(self.ingress.answer(http, request).await)
        });
        let event = LambdaEvent::new(caller.empty_event(), context);
        let Ok(response) = Adapter::from(ingress).call(event).await;
        Ok(to_raw_value(&response)?)
    }
}

/// Inline mode of a workflow.
pub(crate) struct Inline<W>(pub(crate) Arc<Worker<W>>);

#[async_trait]
impl<W: Workflow> InlineHandler for Inline<W> {
    async fn handle(&self, content: &Content, request: &Request) -> Attempted {
        self.0.attempt(content, request, None).await
    }
}

/// Inline mode of the common ingress: there is nothing it could do about an event.
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
