//! Content to add to the simulated site.

mod access;
mod add;
mod published;
mod webhook;

pub use access::{ConnectedApp, PatCredential, User};
pub use add::Content;
pub(super) use add::ModelHandle;
pub use published::{Datasource, Project, Workbook};
pub use webhook::Webhook;

macro_rules! sealed {
    ($($name:ident)*) => {$(impl add::sealed::Sealed for $name {})*};
}
sealed!(Workbook Datasource Project User Webhook PatCredential ConnectedApp);
