//! A listening HTTP server that stops when its handle is dropped.

use axum::Router;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Stops the server when dropped: the port is free at once, idle connections close, and busy connections close when
/// they finish. Without this, a client that keeps its connection open would keep the server's state alive.
#[derive(Debug)]
pub(crate) struct Server {
    task: JoinHandle<()>,
    /// Dropping this sender closes the open connections.
    _stop: oneshot::Sender<()>,
}

impl Server {
    /// Serves a router behind the guard of all local listeners.
    pub(crate) fn start(listener: TcpListener, router: Router) -> std::io::Result<Self> {
        let router = loopback_server::guarded(router, listener.local_addr()?.port());
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            let stopped = async {
                // No value is ever sent on this channel.
                let _ = stopped.await;
            };
            // A single broken connection is not the server's problem.
            let _ = axum::serve(listener, service).with_graceful_shutdown(stopped).await;
        });
        Ok(Self { task, _stop: stop })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
