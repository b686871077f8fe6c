//! Where requests may go: to public addresses, and nowhere else.
//!
//! An address is checked at two moments: in the URL, where it may stand as a number, and when a connection is made, where the resolver
//! returns it. The connection goes to the addresses that were checked, so a name that changes its address in between gains nothing.

mod blocks;
mod endpoint;
#[cfg(debug_assertions)]
mod local;
mod resolver;

pub use blocks::refused;
pub use endpoint::{Endpoint, UrlProblem};
#[cfg(debug_assertions)]
pub use local::LocalNames;
pub use resolver::{Names, NotPublic, PublicNames, SystemNames};

pub use reqwest::Client;

use std::path::Path;
use std::sync::Arc;

/// The HTTP client for targets: it looks names up with `names`, connects to public addresses alone, uses no proxy and follows no redirect.
///
/// # Errors
/// As for [`http_client::client`].
pub fn client(names: impl Names, extra_authorities: Option<&Path>) -> Result<Client, http_client::Error> {
    http_client::client_with_resolver(extra_authorities, Arc::new(PublicNames::new(names)))
}
