//! The Lambda Runtime API: a bootstrap asks it for the next invocation and reports the result to it.
//!
//! A bootstrap gets a host and a port but no key. The port is random and the guard of all listeners keeps web pages
//! out, but another local process that finds the port can use this API.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use crate::error::{ANY_PORT, Error, listen};
use crate::server::Server;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, oneshot};

/// The largest answer of a function: slightly more than 6 MB.
const RESPONSE_LIMIT_BYTES: usize = 6_291_556;
/// How much of an oversized answer is read before it is refused.
const READ_LIMIT_BYTES: usize = 64 * 1024 * 1024;

/// One invocation of a function.
pub(crate) struct Invocation {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) deadline_ms: i64,
    /// The value of `X-Amzn-Trace-Id`.
    pub(crate) trace: String,
    pub(crate) payload: Bytes,
}

/// How the bootstrap answered the invocation.
#[derive(Debug)]
pub(crate) enum Answer {
    Response(Bytes),
    Error { kind: String, message: String },
}

#[derive(Default)]
struct Held {
    next: Option<Invocation>,
    /// The invocation in progress, and the caller that waits for it.
    current: Option<(String, oneshot::Sender<Answer>)>,
    init_error: Option<(String, String)>,
    ready: bool,
}

#[derive(Default)]
struct Shared {
    held: Mutex<Held>,
    changed: Notify,
}

impl fmt::Debug for Shared {
    /// Shows no payload: the payload of a request contains the token of its URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The Runtime API of one process. A new process gets its own API, so that a dying process cannot take invocations
/// from it.
#[derive(Debug)]
pub(crate) struct RuntimeApi {
    address: SocketAddr,
    shared: Arc<Shared>,
    _server: Server,
}

impl RuntimeApi {
    pub(crate) async fn start() -> Result<Self, Error> {
        let listener = listen(ANY_PORT).await?;
        let address = listener.local_addr().map_err(|source| Error::Listen { address: ANY_PORT, source })?;
        let shared = Arc::new(Shared::default());
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .with_state(Arc::clone(&shared));
        let server = Server::start(listener, router).map_err(|source| Error::Listen { address, source })?;
        Ok(Self { address, shared, _server: server })
    }

    /// Host and port, for the variable `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the bootstrap asks for its first invocation or reports that it cannot start.
    pub(crate) async fn ready(&self) -> Result<(), (String, String)> {
        loop {
            let changed = self.shared.changed.notified();
            {
                let mut held = self.shared.lock();
                if let Some(error) = held.init_error.take() {
                    return Err(error);
                }
                if held.ready {
                    return Ok(());
                }
            }
            changed.await;
        }
    }

    /// Hands an invocation to the bootstrap. The returned receiver gets the answer.
    pub(crate) fn invoke(&self, invocation: Invocation) -> oneshot::Receiver<Answer> {
        let (sender, receiver) = oneshot::channel();
        {
            let mut held = self.shared.lock();
            held.current = Some((invocation.id.clone(), sender));
            held.next = Some(invocation);
        }
        self.shared.changed.notify_waiters();
        receiver
    }
}

async fn next(State(shared): State<Arc<Shared>>) -> Response {
    let invocation = loop {
        let changed = shared.changed.notified();
        {
            let mut held = shared.lock();
            if let Some(invocation) = held.next.take() {
                break invocation;
            }
            if !held.ready {
                held.ready = true;
                shared.changed.notify_waiters();
            }
        }
        changed.await;
    };
    let mut headers = HeaderMap::new();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set("lambda-runtime-aws-request-id", &invocation.id);
    set("lambda-runtime-deadline-ms", &invocation.deadline_ms.to_string());
    set("lambda-runtime-invoked-function-arn", &invocation.arn);
    set("lambda-runtime-trace-id", &invocation.trace);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    (headers, invocation.payload).into_response()
}

/// Accepts an answer to the current invocation. An answer to an earlier invocation comes too late and is refused.
fn settle(shared: &Shared, id: &str, answer: Answer) -> Response {
    let mut held = shared.lock();
    let current = held.current.take_if(|(current, _)| current == id);
    match current {
        Some((_, waiting)) => {
            // The caller may have stopped waiting.
            let _ = waiting.send(answer);
            (StatusCode::ACCEPTED, json!({ "status": "OK" }).to_string()).into_response()
        }
        None => {
            let body = json!({ "errorType": "InvalidRequestID", "errorMessage": "Invalid request ID" });
            (StatusCode::BAD_REQUEST, body.to_string()).into_response()
        }
    }
}

async fn response(State(shared): State<Arc<Shared>>, Path(id): Path<String>, request: Request) -> Response {
    match axum::body::to_bytes(request.into_body(), READ_LIMIT_BYTES).await {
        Ok(bytes) if bytes.len() <= RESPONSE_LIMIT_BYTES => settle(&shared, &id, Answer::Response(bytes)),
        _ => {
            let kind = "Function.ResponseSizeTooLarge".to_owned();
            let message = format!(
                "Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT_BYTES} bytes)."
            );
            settle(&shared, &id, Answer::Error { kind, message });
            let body = json!({
                "errorType": "RequestEntityTooLarge",
                "errorMessage": format!("Exceeded maximum allowed payload size ({RESPONSE_LIMIT_BYTES} bytes)."),
            });
            (StatusCode::PAYLOAD_TOO_LARGE, body.to_string()).into_response()
        }
    }
}

/// The error that a bootstrap reports, from the body or else from the header.
async fn reported(request: Request) -> (String, String) {
    let named = request.headers().get("lambda-runtime-function-error-type");
    let named = named.and_then(|value| value.to_str().ok()).unwrap_or("Unknown").to_owned();
    let bytes = axum::body::to_bytes(request.into_body(), READ_LIMIT_BYTES).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let text = |member: &str| body[member].as_str().map(str::to_owned);
    (text("errorType").unwrap_or(named), text("errorMessage").unwrap_or_default())
}

async fn error(State(shared): State<Arc<Shared>>, Path(id): Path<String>, request: Request) -> Response {
    let (kind, message) = reported(request).await;
    settle(&shared, &id, Answer::Error { kind, message })
}

async fn init_error(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let reported = reported(request).await;
    shared.lock().init_error = Some(reported);
    shared.changed.notify_waiters();
    (StatusCode::ACCEPTED, json!({ "status": "OK" }).to_string()).into_response()
}
