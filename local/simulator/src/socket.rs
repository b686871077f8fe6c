//! Connections that a handler can reset without an answer.

use axum::body::Body;
use axum::response::Response;
use axum::serve::Listener;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// The TCP connection of a request. A handler may reset it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connection(Arc<AtomicBool>);

impl Connection {
    /// Resets the TCP connection instead of answering. The returned response is never sent; the handler's signature
    /// requires it.
    pub(crate) fn reset(&self) -> Response {
        self.0.store(true, Ordering::SeqCst);
        Response::new(Body::empty())
    }

    fn is_reset(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// A listening socket that accepts connections until the server stops.
pub(crate) struct Socket {
    socket: TcpListener,
    stopped: Arc<AtomicBool>,
}

impl Socket {
    /// Resets all connections once `stopped` becomes true.
    pub(crate) fn new(socket: TcpListener, stopped: Arc<AtomicBool>) -> Self {
        Self { socket, stopped }
    }
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
                // Ignore failed accepts: no file descriptors left, or the client disconnected already.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

/// The byte stream of a connection.
pub(crate) struct Stream {
    stream: TcpStream,
    connection: Connection,
    stopped: Arc<AtomicBool>,
}

impl Stream {
    /// The connection, for handlers to reset.
    pub(crate) fn connection(&self) -> Connection {
        self.connection.clone()
    }

    /// Returns an error after a reset or after the server stopped. hyper then drops the stream, which resets the TCP
    /// connection.
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
