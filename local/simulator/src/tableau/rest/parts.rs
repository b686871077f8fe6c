//! What several kinds of content show in the same way.

use super::element::Element;
use crate::tableau::events::seconds;
use crate::tableau::model::{Model, User};
use tableau::{ProjectLuid, UserLuid};

/// In megabytes: nothing large is published here.
pub(crate) const SIZE: u8 = 1;

/// The address that Tableau writes to: on Tableau Cloud names are addresses.
pub(crate) fn email(user: &User) -> &str {
    user.email.as_deref().unwrap_or(&user.name)
}

/// An owner, with all that `?fields=` can ask for.
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

/// A project that something is in, with all that `?fields=` can ask for.
pub(crate) fn project(model: &Model, luid: &ProjectLuid) -> Element {
    let project = model.project(luid);
    Element::new("project")
        .with("id", luid.as_str())
        .with_some("name", project.map(|p| p.name.as_str()))
        .with_some("description", project.map(|p| p.description.as_str()))
}
