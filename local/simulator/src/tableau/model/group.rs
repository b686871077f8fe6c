//! Groups of users. They decide no permission.

use tableau::{SiteLuid, UserLuid};

/// A group of a site's users.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) luid: String,
    pub(crate) site: SiteLuid,
    pub(crate) name: String,
    pub(crate) members: Members,
}

#[derive(Clone, Debug)]
pub(crate) enum Members {
    /// All users of the site: a group that each site has.
    All,
    /// These.
    These(Vec<UserLuid>),
}
