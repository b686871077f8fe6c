#![doc = include_str!("../README.md")]

mod guard;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Listens on a loopback address; port 0 means any free port.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] when other machines could reach the address; otherwise the system's error.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    if !address.ip().is_loopback() {
        let message = format!("{} is not a loopback address: other machines could connect", address.ip());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    TcpListener::bind(address).await
}

/// Puts the guard in front of all routes and fallbacks of the router. `port` is the listener's port.
pub fn guarded(router: Router, port: u16) -> Router {
    router.layer(from_fn_with_state(port, admit))
}

async fn admit(State(port): State<u16>, request: Request, next: Next) -> Response {
    match guard::check(&request, port) {
        Ok(()) => next.run(request).await,
        Err(reason) => refuse(reason, port),
    }
}

/// Refuses the request and closes the connection, since the body was not read.
fn refuse(reason: &str, port: u16) -> Response {
    let text = format!(
        "Refused: {reason}. Only programs on this machine, and pages of this address itself, may use \
         http://127.0.0.1:{port}; to see one of its pages, type the address.\n"
    );
    let headers = [
        (header::CONNECTION, "close"),
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (StatusCode::FORBIDDEN, headers, text).into_response()
}
