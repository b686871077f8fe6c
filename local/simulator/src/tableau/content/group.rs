//! Groups of users to add.

use super::{Content, ModelHandle};
use crate::tableau::model::{self, Members, mint};

/// A group of users to add to the default site.
#[derive(Clone, Debug)]
pub struct Group {
    name: String,
    members: Vec<String>,
}

impl Group {
    /// A group of this name, without members.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), members: Vec::new() }
    }

    /// Adds a member: by user name, its part before the `@`, or full name. A missing user is added.
    #[must_use]
    pub fn with(mut self, user: &str) -> Self {
        self.members.push(user.to_owned());
        self
    }
}

impl Content for Group {
    type Luid = String;

    fn add_to(self, to: &mut ModelHandle<'_>) -> String {
        let site = to.site(None);
        let luid: String = mint();
        let members = self.members.iter().map(|user| to.owner(&site, Some(user))).collect();
        let group =
            model::Group { luid: luid.clone(), site, name: self.name, members: Members::These(members) };
        to.model.groups.push(group);
        luid
    }
}
