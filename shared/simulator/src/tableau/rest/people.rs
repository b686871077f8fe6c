//! Users.

use super::call::{Answer, Call};
use super::element::Element;
use super::error::RestError;
use super::version::RestVersion;
use crate::tableau::events::seconds;

/// The first version that shows e-mail addresses.
const EMAIL_SINCE: RestVersion = RestVersion { major: 3, minor: 26 };

/// Users see themselves, administrators everybody.
///
/// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_users_and_groups.htm#query_user_on_site>
pub(crate) fn user(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let oneself = call.session.as_ref().is_some_and(|s| s.user.as_str() == call.id());
    if !oneself && !call.is_administrator() {
        return Err(RestError::new("403000", "Only administrators may query other users."));
    }
    let found = call.model.user(call.id()).filter(|u| u.site == call.site());
    let user = found.ok_or_else(|| RestError::not_found("404002", "User", call.id()))?;
    let element = Element::new("user")
        .with("id", user.luid.as_str())
        .with("name", user.name.as_str())
        .with("fullName", user.full_name.as_str())
        .with_some("email", user.email.as_deref().filter(|_| call.version >= EMAIL_SINCE))
        .with("siteRole", user.role.as_str())
        .with("authSetting", "ServerDefault")
        .with_some("lastLogin", user.last_login.map(seconds));
    Ok(Answer::ok(Element::root().child(element)))
}
