//! Sends each Lambda invocation to the part of the function that handles it: ingress, queue, sweep or test.

use crate::attempt::{Attempted, Request, Worker};
use crate::batch::Batches;
use crate::event::{Caller, Incoming};
use crate::http::{HttpRequest, HttpResponse};
use crate::ingress::{Ingress, InlineHandler};
use async_trait::async_trait;
use deliveries::Content;
use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Adapter, Service};
use lambda_runtime::{Context, LambdaEvent, service_fn};
use published_rules::RulesInForce;
use serde_json::value::{RawValue, to_raw_value};
use std::convert::Infallible;
use std::sync::Arc;
use workflow::{BoxError, Workflow};

/// The Lambda handler of a function.
pub(crate) struct Function<W> {
    /// Answers webhooks. `None` for a function that has an API alone.
    pub(crate) ingress: Option<Ingress>,
    /// Answers requests for public pages and to the API. `None` for a function without a workflow.
    pub(crate) pages: Option<Arc<Worker<W>>>,
    /// Handles queue messages. `None` for a function without a queue.
    pub(crate) batches: Option<Batches<W>>,
    /// The rules that batches follow. `None`: they stay as they are.
    pub(crate) rules: Option<Arc<dyn Follow>>,
}

/// Rules that may change while the function runs. A trait, so that the common ingress contains no code for it.
#[async_trait]
pub(crate) trait Follow: Send + Sync {
    /// Takes a newer version, if there is one and it is time to look.
    async fn refresh(&self, now: Timestamp);
}

#[async_trait]
impl Follow for RulesInForce {
    async fn refresh(&self, now: Timestamp) {
        Self::refresh(self, now).await;
    }
}

impl<W: Workflow> Function<W> {
    /// Handles one invocation.
    pub(crate) async fn invoke(&self, event: LambdaEvent<Box<RawValue>>) -> Result<Box<RawValue>, BoxError> {
        let Context { request_id, deadline, .. } = &event.context;
        let request = Request::of_lambda(request_id.clone(), *deadline, Timestamp::now());
        match (Incoming::read(event.payload.get())?, &self.batches) {
            (Incoming::Http(caller, http), _) => self.answer(caller, &http, &request, event.context).await,
            (Incoming::Batch(batch), Some(batches)) => {
                self.follow_rules(&request).await;
                Ok(to_raw_value(&batches.handle(batch, &request).await)?)
            }
            (Incoming::Sweep, Some(batches)) => {
                self.follow_rules(&request).await;
                Ok(to_raw_value(&batches.sweep(&request).await)?)
            }
            (Incoming::Test(test), Some(batches)) => {
                self.follow_rules(&request).await;
                Ok(to_raw_value(&batches.test(&test, &request).await)?)
            }
            (Incoming::Test(_), None) => {
                Err("received a test, but this function has no queue: QUEUE_URL is not set".into())
            }
            (Incoming::Sweep, None) => {
                Err("received a sweep, but this function has no queue: QUEUE_URL is not set".into())
            }
            (Incoming::Batch(_), None) => {
                Err("received an SQS batch, but this function has no queue: QUEUE_URL is not set".into())
            }
        }
    }

    async fn follow_rules(&self, request: &Request) {
        if let Some(rules) = &self.rules {
            rules.refresh(request.now()).await;
        }
    }

    /// Answers a request in the shape that its caller reads.
    ///
    /// `lambda_http` shapes an answer only for a request that it has parsed. It gets an empty event in place of the
    /// real one, because it panics on input that strangers can send: a body that is not base64 although the event
    /// says so, and a host, path and query that make no URL.
    async fn answer(
        &self,
        caller: Caller,
        http: &HttpRequest,
        request: &Request,
        context: Context,
    ) -> Result<Box<RawValue>, BoxError> {
        let ingress = service_fn(|_: lambda_http::Request| async {
            let token = W::PAGES.and_then(|segment| http.page_token(segment));
            let api = W::API.and_then(|segment| http.api_id(segment));
            Ok::<_, Infallible>(match (&self.pages, token, api) {
                (Some(pages), Some(token), _) => pages.page(http, &token, request).await,
                (Some(pages), None, Some(id)) => {
                    self.follow_rules(request).await;
                    pages.api(http, id, request).await
                }
                _ => match &self.ingress {
                    Some(ingress) => ingress.answer(http, request).await,
                    None => HttpResponse::error(StatusCode::NOT_FOUND, "there is nothing at this address"),
                },
            })
        });
        let event = LambdaEvent::new(caller.empty_event(), context);
        let Ok(response) = Adapter::from(ingress).call(event).await;
        Ok(to_raw_value(&response)?)
    }
}

/// Inline mode of a workflow: the event is handled before the request is answered.
pub(crate) struct Inline<W>(pub(crate) Arc<Worker<W>>);

#[async_trait]
impl<W: Workflow> InlineHandler for Inline<W> {
    async fn handle(&self, content: &Content, request: &Request) -> Attempted {
        self.0.attempt(content, request, None).await
    }
}

/// Inline mode of the common ingress: it checks the event and does nothing else, since it has no workflow.
pub(crate) struct CheckedOnly;

#[async_trait]
impl InlineHandler for CheckedOnly {
    async fn handle(&self, _: &Content, _: &Request) -> Attempted {
        Attempted::Skipped("checked, not stored: EVENT_BUS_NAME is not set".to_owned())
    }
}

/// The type that stands for a workflow in a function without one.
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
