//! Content to add to the simulated site.

mod access;
mod published;
mod webhook;

pub use access::{ConnectedApp, PatCredential, User};
pub use published::{Datasource, Project, Workbook};
pub use webhook::Webhook;

use super::model::Model;
use jiff::Timestamp;
use tableau::{SiteLuid, UserLuid};

mod sealed {
    pub trait Sealed {}
}

/// Something that can be added to a [`TableauSimulator`](super::TableauSimulator).
pub trait Content: sealed::Sealed {
    /// The kind of LUID that it gets.
    type Luid;

    #[doc(hidden)]
    fn add_to(self, model: &mut ModelHandle<'_>) -> Self::Luid;
}

/// The model while something is added to it.
#[doc(hidden)]
#[derive(Debug)]
pub struct ModelHandle<'a> {
    pub(crate) model: &'a mut Model,
    pub(crate) now: Timestamp,
}

impl ModelHandle<'_> {
    pub(super) fn site(&self, content_url: Option<&String>) -> SiteLuid {
        let found = self.model.sites.iter().find(|s| Some(&s.content_url) == content_url);
        found.map_or_else(|| self.model.default_site(), |s| s.luid.clone())
    }

    /// The owner by name; whoever is missing is added as a Creator at example.com. Nobody named: the first user.
    pub(super) fn owner(&mut self, site: &SiteLuid, name: Option<&str>) -> UserLuid {
        let name = match (name, self.model.users.iter().find(|u| u.site == *site)) {
            (None, Some(first)) => return first.luid.clone(),
            (name, _) => name.unwrap_or("owner"),
        };
        self.model.user_named(site, name).unwrap_or_else(|| {
            let user = User::named(name);
            Content::add_to(user, &mut ModelHandle { model: self.model, now: self.now })
        })
    }
}

macro_rules! sealed {
    ($($name:ident)*) => {$(impl sealed::Sealed for $name {})*};
}
sealed!(Workbook Datasource Project User Webhook PatCredential ConnectedApp);
