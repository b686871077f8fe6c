//! A loopback HTTP server, plain or over TLS.

use crate::socket::{Connection, Socket};
use crate::tls::{Identity, TlsSocket};
use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// A running server. Dropping it closes its port, and each connection at its next request.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    accepting: AbortHandle,
    stopped: Arc<AtomicBool>,
    identity: Option<Identity>,
}

impl Server {
    /// Serves `router` as plain HTTP, behind the loopback guard, on a bound socket.
    pub(crate) fn serve(socket: TcpListener, router: Router) -> io::Result<Self> {
        Self::serve_as(None, socket, router)
    }

    /// Serves `router` over TLS when there is an identity, else as plain HTTP.
    pub(crate) fn serve_as(
        identity: Option<Identity>,
        socket: TcpListener,
        router: Router,
    ) -> io::Result<Self> {
        let port = socket.local_addr()?.port();
        Self::serve_guarded(identity, socket, loopback_server::guarded(router, port))
    }

    /// Serves `router` over TLS under a name that is not this machine's. No page in a browser gets there: no browser trusts the
    /// certificate. The router refuses requests for another name.
    pub(crate) fn serve_named(identity: Identity, socket: TcpListener, router: Router) -> io::Result<Self> {
        Self::serve_guarded(Some(identity), socket, router)
    }

    fn serve_guarded(identity: Option<Identity>, socket: TcpListener, router: Router) -> io::Result<Self> {
        let address = socket.local_addr()?;
        let service = router.into_make_service_with_connect_info::<Connection>();
        let stopped = Arc::new(AtomicBool::new(false));
        let socket = Socket::new(socket, Arc::clone(&stopped));
        let task = match &identity {
            Some(identity) => {
                let socket = TlsSocket::new(socket, identity);
                tokio::spawn(async move { axum::serve(socket, service).await })
            }
            None => tokio::spawn(async move { axum::serve(socket, service).await }),
        };
        Ok(Self { address, accepting: task.abort_handle(), stopped, identity })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The server's URL without a trailing slash: `http://127.0.0.1:49152`, or `https://…`.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.identity.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The server's TLS identity, if it uses TLS.
    pub(crate) fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.accepting.abort();
    }
}

impl Connected<IncomingStream<'_, Socket>> for Connection {
    fn connect_info(stream: IncomingStream<'_, Socket>) -> Self {
        stream.io().connection()
    }
}

impl Connected<IncomingStream<'_, TlsSocket>> for Connection {
    fn connect_info(stream: IncomingStream<'_, TlsSocket>) -> Self {
        stream.io().get_ref().0.connection()
    }
}
