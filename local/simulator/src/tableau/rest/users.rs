//! Users.
//!
//! Sources: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_users_and_groups.htm>; for attributes
//! and elements `tableau/server-client-python`, `test/assets/user_get*.xml`

use super::call::{Answer, Call};
use super::element::Element;
use super::error::RestError;
use super::fields::Fields;
use super::filter::{COMPARE, EQ_IN, EQ_IN_LIKE, Field, Filter, Spec, USER_NAME, sort};
use super::page;
use super::parts::email;
use crate::tableau::events::seconds;
use crate::tableau::model::User;
use crate::tableau::version::RestVersion;

/// The REST version that introduced e-mail addresses of single users.
const EMAIL_SINCE: RestVersion = RestVersion { major: 3, minor: 26 };

pub(crate) const SPEC: Spec = &[
    ("name", USER_NAME),
    ("friendlyName", EQ_IN_LIKE),
    ("luid", EQ_IN),
    ("siteRole", EQ_IN),
    ("lastLogin", COMPARE),
];

const FIELDS: Fields = Fields {
    row: "user",
    by_default: &["id", "name", "siteRole", "authSetting", "lastLogin", "externalAuthUserId"],
    more: &["fullName", "email", "locale", "language", "idpConfigurationId", "domain"],
};

/// A user may read their own record; administrators may read all users.
///
/// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_users_and_groups.htm#query_user_on_site>
pub(crate) fn user(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let oneself = call.session.as_ref().is_some_and(|s| s.user.as_str() == call.id());
    if !oneself && !call.is_administrator() {
        return Err(RestError::new("403000", "Only administrators may query other users."));
    }
    let found = call.model.user(call.id()).filter(|u| u.site == call.site());
    let user = found.ok_or_else(|| RestError::not_found("404002", "User", call.id()))?;
    // Only when the e-mail address differs from the user name.
    let email = user.email.as_deref().filter(|_| call.version >= EMAIL_SINCE);
    let element = element(user)
        .with("fullName", user.full_name.as_str())
        .with_some("email", email)
        .with("locale", "")
        .with("language", "en")
        .child(domain());
    Ok(Answer::ok(Element::root().child(element)))
}

fn element(user: &User) -> Element {
    Element::new("user")
        .with("id", user.luid.as_str())
        .with("name", user.name.as_str())
        .with("siteRole", user.role.as_str())
        .with("authSetting", "TableauIDWithMFA")
        .with_some("lastLogin", user.last_login.map(seconds))
        .with("externalAuthUserId", "")
}

fn domain() -> Element {
    Element::new("domain").with("name", "TABID_WITH_MFA")
}

/// A user element with all fields.
fn whole(user: &User) -> Element {
    element(user)
        .with("fullName", user.full_name.as_str())
        .with("email", email(user))
        .with("locale", "")
        .with("language", "en")
        .with("idpConfigurationId", IDENTITY_PROVIDER)
        .child(domain())
}

/// The site's only identity configuration.
const IDENTITY_PROVIDER: &str = "5b1f0a5e-8c59-4a57-9d0d-2f3f6b0e7c21";

fn field(user: &User, name: &str) -> Field {
    match name {
        "name" => Field::Text(user.name.clone()),
        "friendlyName" => Field::Text(user.full_name.clone()),
        "luid" => Field::Text(user.luid.to_string()),
        "siteRole" => Field::Text(user.role.as_str().to_owned()),
        _ => Field::Time(user.last_login),
    }
}

/// The groups that a user is in.
///
/// Sources: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_users_and_groups.htm#get_groups_for_a_user>,
/// `tableau/server-client-python`, `test/assets/user_populate_groups.xml`
pub(crate) fn groups(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let found = call.model.user(call.id()).filter(|u| u.site == call.site());
    let user = found.ok_or_else(|| RestError::not_found("404002", "User", call.id()))?;
    page::answer(call, "groups", &call.model.groups_of(user), |group| {
        let element = Element::new("group").with("id", group.luid.as_str()).with("name", group.name.as_str());
        element.child(Element::new("domain").with("name", "local"))
    })
}

/// Moves the removed user's content to the user in `mapAssetsTo`. Without it, the content stays; real Tableau refuses
/// to remove a user who owns content.
pub(crate) fn remove(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let find = |id: &str| call.model.user(id).filter(|u| u.site == call.site()).map(|u| u.luid.clone());
    let missing = |id: &str| RestError::not_found("404002", "User", id);
    let user = find(call.id()).ok_or_else(|| missing(call.id()))?;
    if let Some(id) = call.query("mapAssetsTo") {
        let heir = find(id).ok_or_else(|| missing(id))?;
        let model = &mut *call.model;
        let workbooks = model.workbooks.iter_mut().map(|w| &mut w.owner);
        let owners = workbooks.chain(model.datasources.iter_mut().map(|d| &mut d.owner));
        let owners = owners.chain(model.projects.iter_mut().filter_map(|p| p.owner.as_mut()));
        owners.filter(|owner| **owner == user).for_each(|owner| owner.clone_from(&heir));
    }
    Ok(Answer::no_content().then(call.deletes(user.as_str())))
}

/// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_users_and_groups.htm#get_users_on_site>
pub(crate) fn users(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let filter = Filter::parse(call.query("filter"), SPEC)?;
    let asked = FIELDS.asked(call.query("fields"))?;
    let site = call.site();
    let mut rows: Vec<&User> = call.model.users.iter().filter(|u| u.site == site).collect();
    rows.retain(|u| filter.passes(|name| field(u, name)));
    sort(&mut rows, call.query("sort"), SPEC, |u, name| field(u, name))?;
    page::answer(call, "users", &rows, |u| asked.of(whole(u)))
}
