//! What can go wrong while a stack comes up.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why something could not be started or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process listens there.
    #[error("{address} is in use by another process: choose another port")]
    PortInUse {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A function's binary is not there.
    #[error("there is no binary `{binary}` in {}: build it first", folder.display())]
    NoBinary {
        /// Its file name.
        binary: String,
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The template is not YAML.
    #[error("the template is not YAML: {reason}")]
    Yaml {
        /// Where and why.
        reason: String,
    },
    /// The template has something that is not understood, or that does not fit together.
    #[error("{resource}: {property}: {reason}")]
    Template {
        /// The logical id of the resource, or the section.
        resource: String,
        /// The property, as a path.
        property: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A queue is not there.
    #[error("there is no queue `{queue}`")]
    NoQueue {
        /// Its name.
        queue: String,
    },
    /// The function of a custom resource refused it, or did not answer.
    #[error("{resource}: {reason}")]
    CustomResource {
        /// The logical id of the resource.
        resource: String,
        /// Why.
        reason: String,
    },
    /// A rule cannot be put on a bus.
    #[error("rule {rule}: {reason}")]
    Rule {
        /// Its name.
        rule: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Binds a listener on loopback, and distinguishes an occupied port from other errors.
pub(crate) async fn listen(address: SocketAddr) -> Result<tokio::net::TcpListener, Error> {
    loopback_server::bind(address).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => Error::PortInUse { address },
        _ => Error::Listen { address, source },
    })
}

/// Any free port on loopback.
pub(crate) const ANY_PORT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
