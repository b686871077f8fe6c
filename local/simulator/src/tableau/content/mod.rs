//! Content to add to the simulated site.

mod access;
mod add;
mod group;
mod published;
mod webhook;

pub use access::{ConnectedApp, PatCredential, User};
pub use add::Content;
pub(super) use add::ModelHandle;
pub use group::Group;
pub use published::{Datasource, Flow, Project, Workbook};
pub use webhook::Webhook;

macro_rules! sealed {
    ($($name:ident)*) => {$(impl add::sealed::Sealed for $name {})*};
}
sealed!(Workbook Datasource Flow Project User Group Webhook PatCredential ConnectedApp);
