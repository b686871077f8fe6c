//! A listening server that ends with its handle.

use axum::Router;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Ends when dropped: the port is free at once, idle connections close, and those at work close when they are done.
/// Without that, a client that keeps its connection would keep what is behind it alive.
#[derive(Debug)]
pub(crate) struct Server {
    task: JoinHandle<()>,
    /// Open connections end when it is dropped.
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
                // Nothing is ever sent.
                let _ = stopped.await;
            };
            // Single connections that break are their clients' affair.
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
