//! Users.

use crate::call::{Call, Path};
use crate::filter::{Field, Filter, Filtered, Named, sealed};
use crate::pages::{List, Pages, Place, all_fields};
use crate::{Error, TableauClient, lenient};
use serde::Deserialize;
use tableau::UserLuid;

/// A user of the site.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct User {
    /// The user's LUID.
    pub id: UserLuid,
    /// The name with which the user signs in; on Tableau Cloud an e-mail address.
    #[serde(deserialize_with = "lenient::name")]
    pub name: String,
    /// The user's display name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub full_name: Option<String>,
    /// The user's e-mail address. Since REST API 3.26, and only if it differs from `name`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub email: Option<String>,
    /// The user's site role: `Creator`, `SiteAdministratorExplorer`, …
    #[serde(default, deserialize_with = "lenient::text")]
    pub site_role: Option<String>,
}

impl sealed::Sealed for User {}
impl Named for User {}

impl Filtered for User {
    fn field(&self, _: &str) -> Field<'_> {
        Field::Text(Some(&self.name))
    }
}

impl User {
    /// The user's e-mail address, from whichever field contains it.
    pub fn email_address(&self) -> Option<&str> {
        let given = self.email.as_deref().filter(|email| !email.is_empty());
        given.or_else(|| Some(self.name.as_str()).filter(|name| name.contains('@')))
    }

    /// The name to show for the user.
    pub fn display_name(&self) -> &str {
        self.full_name.as_deref().filter(|name| !name.trim().is_empty()).unwrap_or(&self.name)
    }
}

#[derive(Deserialize)]
struct Answer {
    user: User,
}

impl TableauClient {
    /// Fetches a user. Administrators may fetch any user, other users only themselves. REST API 2.0+; JWT scope
    /// `tableau:users:read`.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 404002 when the site has no such user, 403004 when the credential's user may not
    /// fetch that user.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_users_and_groups.htm#query_user_on_site>
    pub async fn user(&self, luid: &UserLuid) -> Result<User, Error> {
        let path = format!("users/{luid}");
        let answer: Answer = self.ask(Call::get("fetch the user", Path::Site(&path))).await?;
        Ok(answer.user)
    }

    /// Lists the site's users. A filter by name compares the sign-in name. Administrators only. REST API 2.0+; JWT
    /// scope `tableau:users:read`.
    ///
    /// # Errors
    /// When a page is fetched: [`Error::Refused`] with code 403004 without the rights.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_users_and_groups.htm#get_users_on_site>
    pub fn users(&self, filter: Filter<User>) -> Pages<User> {
        let list = List {
            operation: "list the users",
            path: "users".to_owned(),
            wrapper: "users",
            element: "user",
            place: Place::Site,
            paged: true,
            unknown: all_fields,
        };
        Pages::new(self, list, filter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_the_email_or_a_name_that_is_one() {
        let user = |name: &str, email: Option<&str>| User {
            id: "u".parse().unwrap(),
            name: name.to_owned(),
            full_name: None,
            email: email.map(str::to_owned),
            site_role: None,
        };
        assert_eq!(user("ana", Some("ana@example.com")).email_address(), Some("ana@example.com"));
        assert_eq!(user("ana@example.com", None).email_address(), Some("ana@example.com"));
        assert_eq!(user("ana", None).email_address(), None);
    }
}
