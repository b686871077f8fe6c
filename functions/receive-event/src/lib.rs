//! Takes events of callers with a key, and puts them on the event bus, where they go the way of Tableau's events.
//!
//! It knows no rules: which workflow acts on an event is decided where the event arrives.

mod body;
mod problem;

use api_keys::{Key, Keys, Turn};
use body::Body;
use problem::Problem;
use runtime::DerivedEvents;
use serde_json::json;
use tableau::{Event, EventId, OwnEvent};
use workflow::{ApiAnswer, ApiRequest, Failure, Invocation, Outcome, Workflow};

/// The function `receive-event`.
#[derive(Debug)]
pub struct ReceiveEvent {
    keys: Keys,
    bus: DerivedEvents,
}

/// Why a request was not taken.
enum Stop {
    Problem(Problem),
    Failure(Failure),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl ReceiveEvent {
    /// The function with the keys of callers and the bus.
    pub fn new(keys: Keys, bus: DerivedEvents) -> Self {
        Self { keys, bus }
    }

    async fn taken(
        &self,
        key: &Key,
        request: &ApiRequest,
        invocation: &Invocation,
    ) -> Result<ApiAnswer, Stop> {
        if let Turn::TooMany { retry_after_seconds } = self.keys.take(key, invocation.time()).await? {
            return Err(Problem::rate_limited(key.per_minute, retry_after_seconds).into());
        }
        if request.id.is_some() {
            return Err(Problem::not_found().into());
        }
        if request.method != "POST" {
            return Err(Problem::method_not_allowed().into());
        }
        if !key.permissions.events {
            return Err(Problem::not_allowed().into());
        }
        if let Some((name, _)) = request.query.first() {
            return Err(Problem::malformed(name, "is not known").into());
        }
        if request.content_type != "application/json" {
            return Err(Problem::unsupported_media_type().into());
        }
        let Some(bytes) = &request.body else {
            return Err(Problem::too_large(ApiRequest::BODY_LIMIT).into());
        };
        let repeatable = request.idempotency_key.as_deref().map(checked).transpose()?;
        let Body { event, name, text, severity, data } = Body::parse(bytes)?;
        let own = OwnEvent { text, severity, data, caller: key.caller.clone() };
        let created_at = invocation.time().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        // The same key of another caller is another key.
        let repeatable = repeatable.map(|repeatable| format!("{}/{repeatable}", key.id));
        let payload = own.payload(&event, &name, created_at, repeatable.as_deref());
        let id = EventId::of(&payload);
        if !self.bus.send(payload).await? {
            return Err(Failure::misconfigured("EVENT_BUS_NAME is not set").into());
        }
        tracing::info!(
            event.id = %id,
            event.name = event,
            key.id = key.id,
            caller = key.caller,
            request.id = invocation.request_id,
            "event accepted"
        );
        Ok(ApiAnswer::json(202, json!({ "status": "accepted", "event_id": id }).to_string()))
    }
}

/// `Idempotency-Key`, checked.
fn checked(key: &str) -> Result<&str, Problem> {
    let is_right = (1..=128).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    let what = "has to have 1 to 128 visible ASCII characters";
    if is_right { Ok(key) } else { Err(Problem::malformed("Idempotency-Key", what)) }
}

impl Workflow for ReceiveEvent {
    const NAME: &'static str = "receive-event";
    const API: Option<&'static str> = Some("events");

    async fn handle(&self, _: &Event, _: &Invocation) -> Result<Outcome, Failure> {
        Ok(Outcome::skipped("this function has an API alone"))
    }

    async fn on_api(&self, request: &ApiRequest, invocation: &Invocation) -> Result<ApiAnswer, Failure> {
        let key = match api_keys::bearer(&request.authorization) {
            Some(key) => self.keys.verify(key, invocation.time()).await.map_err(Failure::transient)?,
            None => None,
        };
        let taken = match &key {
            Some(key) => self.taken(key, request, invocation).await,
            None => Err(Problem::unauthorized().into()),
        };
        match taken {
            Ok(answer) => Ok(answer),
            Err(Stop::Failure(failure)) => Err(failure),
            Err(Stop::Problem(problem)) => {
                let (key, caller) = key.as_ref().map_or(("", ""), |key| (&key.id, &key.caller));
                let code = problem.code();
                tracing::warn!(
                    key.id = key,
                    caller,
                    code,
                    request.id = invocation.request_id,
                    "event refused"
                );
                Ok(problem.answer())
            }
        }
    }
}
