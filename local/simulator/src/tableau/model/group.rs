//! Groups of users. They decide no permission.

use super::{Model, User};
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

impl Model {
    /// The groups that a user is in, the group of all users first.
    pub(crate) fn groups_of(&self, user: &User) -> Vec<&Group> {
        let is_in = |group: &&Group| match &group.members {
            Members::All => true,
            Members::These(members) => members.contains(&user.luid),
        };
        self.groups.iter().filter(|group| group.site == user.site).filter(is_in).collect()
    }
}
