//! Looks names up, and refuses those that lead to an address that is not public.

use super::blocks::refused;
use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Looks up the addresses of a host's name.
#[async_trait]
pub trait Names: fmt::Debug + Send + Sync + 'static {
    /// All addresses of a name.
    ///
    /// # Errors
    /// When the name cannot be looked up.
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The machine's own way to look names up.
#[derive(Clone, Copy, Debug)]
pub struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// Why no connection was made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPublic {
    /// One of the name's addresses is not public.
    #[error("the host has an address that is not public ({0}): events go to public addresses only")]
    Address(&'static str),
    /// The name has no address.
    #[error("the host has no address")]
    NoAddress,
}

/// Names with public addresses only. A name is looked up once for a connection; if one of its addresses is not public, there is no
/// connection, and else it goes to one of the addresses that were checked.
#[derive(Clone, Debug)]
pub struct PublicNames(Arc<dyn Names>);

impl PublicNames {
    /// Checks what `names` finds.
    pub fn new(names: impl Names) -> Self {
        Self(Arc::new(names))
    }
}

impl Resolve for PublicNames {
    fn resolve(&self, name: Name) -> Resolving {
        let names = Arc::clone(&self.0);
        Box::pin(async move {
            let found = names.addresses(name.as_str()).await?;
            Ok(checked(&found)?)
        })
    }
}

fn checked(found: &[IpAddr]) -> Result<Addrs, NotPublic> {
    if found.is_empty() {
        return Err(NotPublic::NoAddress);
    }
    if let Some(what) = found.iter().find_map(|address| refused(*address)) {
        return Err(NotPublic::Address(what));
    }
    // Port 0 stands for the URL's own port.
    let addresses: Vec<SocketAddr> = found.iter().map(|address| SocketAddr::new(*address, 0)).collect();
    Ok(Box::new(addresses.into_iter()))
}
