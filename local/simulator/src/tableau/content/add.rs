//! Adds content to the simulator's model.

use crate::tableau::model::Model;
use jiff::Timestamp;
use tableau::SiteLuid;

pub(super) mod sealed {
    pub trait Sealed {}
}

/// Content that can be added to a [`TableauSimulator`](crate::TableauSimulator).
pub trait Content: sealed::Sealed {
    /// The type of the new content's LUID.
    type Luid;

    #[doc(hidden)]
    fn add_to(self, model: &mut ModelHandle<'_>) -> Self::Luid;
}

/// The model that content is added to.
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
}
