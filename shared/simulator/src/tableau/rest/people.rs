//! Users.

use super::call::{Answer, Call, Then};
use super::element::Element;
use super::error::RestError;
use super::filter::{COMPARE, EQ_IN, Field, Filter, Spec, sort};
use super::page;
use super::version::RestVersion;
use crate::tableau::events::seconds;
use crate::tableau::model::User;

/// The first version that shows e-mail addresses.
const EMAIL_SINCE: RestVersion = RestVersion { major: 3, minor: 26 };

const SPEC: Spec = &[("name", EQ_IN), ("friendlyName", EQ_IN), ("siteRole", EQ_IN), ("lastLogin", COMPARE)];

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
    Ok(Answer::ok(Element::root().child(element(user, call.version))))
}

fn element(user: &User, version: RestVersion) -> Element {
    Element::new("user")
        .with("id", user.luid.as_str())
        .with("name", user.name.as_str())
        .with("fullName", user.full_name.as_str())
        .with_some("email", user.email.as_deref().filter(|_| version >= EMAIL_SINCE))
        .with("siteRole", user.role.as_str())
        .with("authSetting", "ServerDefault")
        .with_some("lastLogin", user.last_login.map(seconds))
}

fn field(user: &User, name: &str) -> Field {
    match name {
        "name" => Field::Text(user.name.clone()),
        "friendlyName" => Field::Text(user.full_name.clone()),
        "siteRole" => Field::Text(user.role.as_str().to_owned()),
        _ => Field::Time(user.last_login),
    }
}

/// What the user owns stays. Tableau refuses to remove who owns something; that is not followed.
pub(crate) fn remove(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let found = call.model.user(call.id()).filter(|u| u.site == call.site());
    let user = found.ok_or_else(|| RestError::not_found("404002", "User", call.id()))?;
    Ok(Answer::no_content().then(Then::Delete(user.luid.to_string())))
}

/// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_users_and_groups.htm#get_users_on_site>
pub(crate) fn users(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let filter = Filter::parse(call.query("filter"), SPEC)?;
    let site = call.site();
    let mut rows: Vec<&User> = call.model.users.iter().filter(|u| u.site == site).collect();
    rows.retain(|u| filter.passes(|name| field(u, name)));
    sort(&mut rows, call.query("sort"), SPEC, |u, name| field(u, name))?;
    page::answer(call, "users", &rows, |u| element(u, call.version))
}
