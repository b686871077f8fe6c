//! SharePoint through Microsoft Graph: an application's token, document libraries, upload sessions.

mod address;
mod answer;
mod credential;
mod sealed;
mod session;
mod sessions;
mod sharepoint;
mod tokens;

pub use address::GraphAddresses;
pub use credential::GraphCredential;
pub use sharepoint::{Existing, Place, SharePoint};
