//! The errors of starting a local stack.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a stack could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process listens on the address.
    #[error("{address} is in use by another process: choose another port")]
    PortInUse {
        /// The requested address.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The requested address.
        address: SocketAddr,
        /// The system's error.
        source: std::io::Error,
    },
    /// A function's binary does not exist.
    #[error("there is no binary `{binary}` in {}: build it first", folder.display())]
    NoBinary {
        /// The binary's file name.
        binary: String,
        /// The folder that was searched.
        folder: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file's path.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The template is not valid YAML.
    #[error("the template is not YAML: {reason}")]
    Yaml {
        /// The parser's error, with its position.
        reason: String,
    },
    /// The template has something that is not understood, or that does not fit together.
    #[error("{resource}: {property}: {reason}")]
    Template {
        /// The logical id of the resource, or the template's section.
        resource: String,
        /// The path of the property, such as `Environment.Variables`.
        property: String,
        /// What is wrong with the property.
        reason: String,
    },
    /// A queue does not exist.
    #[error("there is no queue `{queue}`")]
    NoQueue {
        /// The queue's name.
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
        /// The rule's name.
        rule: String,
        /// What is wrong with the rule.
        reason: String,
    },
}

/// Listens on a loopback address, and distinguishes an occupied port from other errors.
pub(crate) async fn listen(address: SocketAddr) -> Result<tokio::net::TcpListener, Error> {
    loopback_server::bind(address).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => Error::PortInUse { address },
        _ => Error::Listen { address, source },
    })
}

/// Any free port on loopback.
pub(crate) const ANY_PORT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
