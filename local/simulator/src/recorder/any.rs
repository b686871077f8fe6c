//! An HTTP destination that accepts every request, records it, and answers as configured.

use super::log::{Log, TimedOut};
use crate::fault::{Fault, FaultPlan};
use crate::server::Server;
use crate::socket::Connection;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A recorded request.
#[derive(Clone, Debug)]
pub struct RecordedRequest {
    /// The HTTP method, such as `POST`.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query string, without the `?`; empty when there is none.
    pub query: String,
    /// The headers; names in lower case.
    pub headers: HeaderMap,
    /// The body; at most 4 MiB are read.
    pub body: Vec<u8>,
}

impl RecordedRequest {
    /// A header's value as text; `None` when the header is missing.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// An HTTP destination on loopback that records requests. Clones share one recorder; it stops when the last clone is
/// dropped.
#[derive(Clone, Debug)]
pub struct Recorder {
    state: Arc<Shared>,
    server: Arc<Server>,
}

#[derive(Debug)]
struct Shared {
    requests: Log<RecordedRequest>,
    faults: Mutex<FaultPlan<Fault>>,
    answer: Mutex<(u16, String)>,
}

impl Shared {
    fn faults(&self) -> MutexGuard<'_, FaultPlan<Fault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self) -> MutexGuard<'_, (u16, String)> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recorder {
    /// Starts a recorder on a free port of 127.0.0.1. It answers `200` with an empty body.
    ///
    /// # Errors
    /// The system's error when no port can be bound.
    pub async fn start() -> io::Result<Self> {
        Self::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Starts a recorder at this address.
    ///
    /// # Errors
    /// The system's error when the address cannot be bound.
    pub async fn start_at(address: SocketAddr) -> io::Result<Self> {
        let state = Arc::new(Shared {
            requests: Log::default(),
            faults: Mutex::default(),
            answer: Mutex::new((200, String::new())),
        });
        let router = Router::new().fallback(record).with_state(Arc::clone(&state));
        let server = Server::serve(loopback_server::bind(address).await?, router)?;
        Ok(Self { state, server: Arc::new(server) })
    }

    /// The recorder's URL, such as `http://127.0.0.1:49152`, without a trailing slash.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Sets the answer for requests from now on. A JSON body is sent as JSON. With a 3xx status the body is the
    /// `Location`.
    pub fn answer(&self, status: u16, body: &str) {
        *self.state.answer() = (status, body.to_owned());
    }

    /// Makes the next `times` requests fail. They are still recorded.
    pub fn fail_next(&self, times: u32, fault: Fault) {
        self.state.faults().add("*", times, fault);
    }

    /// All recorded requests.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.state.requests.all()
    }

    /// Waits until `n` requests are recorded, and returns all of them.
    ///
    /// # Errors
    /// [`TimedOut`] when fewer than `n` arrived within `timeout`.
    pub async fn wait_for(&self, n: usize, timeout: Duration) -> Result<Vec<RecordedRequest>, TimedOut> {
        self.state.requests.wait_for(n, timeout).await
    }
}

async fn record(
    State(state): State<Arc<Shared>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 4 << 20).await.unwrap_or_default();
    state.requests.push(RecordedRequest {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body: body.to_vec(),
    });
    let fault = state.faults().take(&[""]);
    let (status, body) = state.answer().clone();
    match fault {
        Some(Fault::Partial(_)) | None => answer(status, &body),
        Some(Fault::Status(status) | Fault::DoneThen(status)) => answer(status, ""),
        Some(Fault::Html(status)) => answer(status, "<html><body><h1>Sorry</h1></body></html>"),
        Some(Fault::Error(code)) => answer(code.get(..3).and_then(|c| c.parse().ok()).unwrap_or(500), code),
        Some(Fault::TooManyRequests { retry_after }) => {
            let mut response = answer(429, "");
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            response
        }
        Some(Fault::Reset | Fault::Lost) => connection.reset(),
        Some(Fault::Delay(delay) | Fault::Late(delay)) => {
            tokio::time::sleep(delay).await;
            answer(status, &body)
        }
    }
}

fn answer(status: u16, body: &str) -> Response {
    let mut response = Response::new(Body::from(body.to_owned()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = match body.as_bytes().first() {
        Some(b'{' | b'[') => "application/json",
        Some(b'<') => "text/html",
        _ => "text/plain",
    };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let location = HeaderValue::from_str(body).ok().filter(|_| (300..400).contains(&status));
    if let Some(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
