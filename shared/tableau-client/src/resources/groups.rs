//! Groups of users.

use crate::filter::Filter;
use crate::filter::{Field, Filtered, sealed};
use crate::pages::{List, Pages, Place, all_fields};
use crate::{TableauClient, lenient};
use serde::Deserialize;
use tableau::UserLuid;

/// A group of the site's users.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Group {
    /// Its name: untrusted text.
    #[serde(deserialize_with = "lenient::name")]
    pub name: String,
}

impl sealed::Sealed for Group {}

impl Filtered for Group {
    fn field(&self, _: &str) -> Field<'_> {
        Field::Text(Some(&self.name))
    }
}

impl TableauClient {
    /// Lists the groups that a user is in. Administrators only. REST API 3.7+; JWT scope `tableau:groups:read`.
    ///
    /// # Errors
    /// When a page is fetched: [`crate::Error::Refused`] with code 404002 when the site has no such user, 403004 without the
    /// rights.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_users_and_groups.htm#get_groups_for_a_user>
    pub fn groups_of(&self, luid: &UserLuid) -> Pages<Group> {
        let list = List {
            operation: "list the groups of the user",
            path: format!("users/{luid}/groups"),
            wrapper: "groups",
            element: "group",
            place: Place::Site,
            paged: true,
            unknown: all_fields,
        };
        Pages::new(self, list, Filter::all())
    }
}
