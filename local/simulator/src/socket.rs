//! Connections that a handler can drop without an answer.

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

/// The socket of a server, until the server stops.
pub(crate) struct Socket {
    socket: TcpListener,
    stopped: Arc<AtomicBool>,
}

impl Socket {
    /// Once `stopped` is true, its connections are reset.
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
                // Out of file descriptors, or a client that was gone before it was accepted.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

/// The bytes of a connection.
pub(crate) struct Stream {
    stream: TcpStream,
    connection: Connection,
    stopped: Arc<AtomicBool>,
}

impl Stream {
    /// The connection, for handlers.
    pub(crate) fn connection(&self) -> Connection {
        self.connection.clone()
    }

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
