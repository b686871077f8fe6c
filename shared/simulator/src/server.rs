//! A loopback HTTP server that can also drop a connection without an answer, and speak TLS.

use crate::tls::{Identity, TlsSocket};
use axum::Router;
use axum::body::Body;
use axum::extract::connect_info::Connected;
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// A running server. Dropping it closes its port, and its connections at their next request.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    accepting: AbortHandle,
    stopped: Arc<AtomicBool>,
    identity: Option<Identity>,
}

impl Server {
    /// Serves `router` in plain HTTP, behind the guard of all local listeners, on a socket that is bound already.
    pub(crate) fn serve(socket: TcpListener, router: Router) -> io::Result<Self> {
        Self::serve_as(None, socket, router)
    }

    /// The same over TLS, if there is an identity.
    pub(crate) fn serve_as(
        identity: Option<Identity>,
        socket: TcpListener,
        router: Router,
    ) -> io::Result<Self> {
        let address = socket.local_addr()?;
        let router = loopback_server::guarded(router, address.port());
        let service = router.into_make_service_with_connect_info::<Connection>();
        let stopped = Arc::new(AtomicBool::new(false));
        let socket = Socket { socket, stopped: Arc::clone(&stopped) };
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

    /// `http://127.0.0.1:49152`, or `https://…`, without a slash at the end.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.identity.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Who it is over TLS.
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

/// A client's connection, as handlers see it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connection(Arc<AtomicBool>);

impl Connection {
    /// Ends the connection with a TCP reset in place of an answer. The response is only for the signature.
    pub(crate) fn reset(&self) -> Response {
        self.0.store(true, Ordering::SeqCst);
        Response::new(Body::empty())
    }

    fn is_reset(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Connected<IncomingStream<'_, Socket>> for Connection {
    fn connect_info(stream: IncomingStream<'_, Socket>) -> Self {
        stream.io().connection.clone()
    }
}

impl Connected<IncomingStream<'_, TlsSocket>> for Connection {
    fn connect_info(stream: IncomingStream<'_, TlsSocket>) -> Self {
        stream.io().get_ref().0.connection.clone()
    }
}

pub(crate) struct Socket {
    socket: TcpListener,
    stopped: Arc<AtomicBool>,
}

impl Listener for Socket {
    type Io = Stream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Stream, SocketAddr) {
        loop {
            match self.socket.accept().await {
                Ok((stream, address)) => {
                    let stopped = Arc::clone(&self.stopped);
                    return (Stream { stream, connection: Connection::default(), stopped }, address);
                }
                // Out of file descriptors, or a client that was gone before it was accepted.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

pub(crate) struct Stream {
    stream: TcpStream,
    connection: Connection,
    stopped: Arc<AtomicBool>,
}

impl Stream {
    /// An error once the connection was reset or its server stopped: the stream is then dropped, which sends the reset.
    fn check(&self) -> io::Result<()> {
        if self.connection.is_reset() || self.stopped.load(Ordering::SeqCst) {
            self.stream.set_zero_linger()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
