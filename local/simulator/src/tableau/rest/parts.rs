//! Elements that several kinds of content share.

use super::element::Element;
use crate::tableau::events::seconds;
use crate::tableau::model::{Model, User};
use tableau::{ProjectLuid, UserLuid};

/// The size in megabytes; content here is always small.
pub(crate) const SIZE: u8 = 1;

/// The user's e-mail address: on Tableau Cloud, the user name.
pub(crate) fn email(user: &User) -> &str {
    user.email.as_deref().unwrap_or(&user.name)
}

/// The `owner` element with all fields that `?fields=` can request.
pub(crate) fn owner(model: &Model, luid: &UserLuid) -> Element {
    let user = model.user(luid.as_str());
    Element::new("owner")
        .with("id", luid.as_str())
        .with_some("name", user.map(|u| u.name.as_str()))
        .with_some("fullName", user.map(|u| u.full_name.as_str()))
        .with_some("email", user.map(email))
        .with_some("siteRole", user.map(|u| u.role.as_str()))
        .with_some("lastLogin", user.and_then(|u| u.last_login).map(seconds))
}

/// The `project` element with all fields that `?fields=` can request.
pub(crate) fn project(model: &Model, luid: &ProjectLuid) -> Element {
    let project = model.project(luid);
    Element::new("project")
        .with("id", luid.as_str())
        .with_some("name", project.map(|p| p.name.as_str()))
        .with_some("description", project.map(|p| p.description.as_str()))
}
