//! Names of the simulated receivers, for tests and the local stack. A release build has nothing of this.

use super::resolver::{PublicNames, SystemNames};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

/// Leads names of a list to this machine, and checks all others as [`PublicNames`] does.
#[derive(Clone, Debug)]
pub struct LocalNames {
    names: Arc<[String]>,
    others: PublicNames,
}

impl LocalNames {
    /// These names, with commas between them.
    pub fn new(names: &str) -> Self {
        let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
        Self { names: names.map(str::to_owned).collect(), others: PublicNames::new(SystemNames) }
    }

    /// The HTTP client that uses these names.
    ///
    /// # Errors
    /// As for [`http_client::client`].
    pub fn client(self, extra_authorities: Option<&Path>) -> Result<reqwest::Client, http_client::Error> {
        http_client::client_with_resolver(extra_authorities, Arc::new(self))
    }
}

impl Resolve for LocalNames {
    fn resolve(&self, name: Name) -> Resolving {
        if !self.names.iter().any(|known| known == name.as_str()) {
            return self.others.resolve(name);
        }
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Box::pin(async move { Ok(Box::new(std::iter::once(here)) as Addrs) })
    }
}
