//! Users and personal access tokens to add.

use super::{Content, ModelHandle};
use crate::tableau::model::{self, SiteRole, mint};
use tableau::{SiteLuid, UserLuid};

/// A user to add.
#[derive(Clone, Debug)]
pub struct User {
    luid: Option<UserLuid>,
    site: Option<String>,
    name: String,
    full_name: String,
    email: Option<String>,
    role: SiteRole,
    password: Option<String>,
}

impl User {
    /// A user with the role Creator. A name without `@` gets `@example.com`: on Tableau Cloud, user names are e-mail
    /// addresses.
    pub fn named(name: &str) -> Self {
        let full = if name.contains('@') { name.to_owned() } else { format!("{name}@example.com") };
        Self {
            luid: None,
            site: None,
            name: full,
            full_name: name.to_owned(),
            email: None,
            role: SiteRole::Creator,
            password: None,
        }
    }

    /// Sets the LUID instead of a new one.
    #[must_use]
    pub fn with_luid(mut self, luid: UserLuid) -> Self {
        self.luid = Some(luid);
        self
    }

    /// Puts the user on the site with this `contentUrl` instead of the default site.
    #[must_use]
    pub fn on_site(mut self, content_url: &str) -> Self {
        self.site = Some(content_url.to_owned());
        self
    }

    /// Sets exactly this user name. On Tableau Server it need not be an e-mail address.
    #[must_use]
    pub fn with_plain_name(mut self, name: &str) -> Self {
        self.name = name.to_owned();
        self
    }

    /// Sets the full name, which Tableau displays.
    #[must_use]
    pub fn called(mut self, full_name: &str) -> Self {
        self.full_name = full_name.to_owned();
        self
    }

    /// Sets an e-mail address that differs from the user name. REST shows it since version 3.26.
    #[must_use]
    pub fn with_email(mut self, email: &str) -> Self {
        self.email = Some(email.to_owned());
        self
    }

    /// Sets a site role other than Creator.
    #[must_use]
    pub fn with_role(mut self, role: SiteRole) -> Self {
        self.role = role;
        self
    }

    /// Sets a password to sign in with.
    #[must_use]
    pub fn with_password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }
}

impl Content for User {
    type Luid = UserLuid;

    fn add_to(self, to: &mut ModelHandle<'_>) -> UserLuid {
        let luid = self.luid.unwrap_or_else(mint);
        let site = to.site(self.site.as_ref());
        if self.role.is_administrator() {
            let ownerless = |p: &&mut model::Project| p.site == site && p.owner.is_none();
            to.model.projects.iter_mut().filter(ownerless).for_each(|p| p.owner = Some(luid.clone()));
        }
        to.model.users.push(model::User {
            luid: luid.clone(),
            site,
            name: self.name,
            full_name: self.full_name,
            email: self.email,
            role: self.role,
            password: self.password,
            last_login: None,
        });
        luid
    }
}

impl ModelHandle<'_> {
    /// The user with this name; a missing user is added as a Creator at example.com. Without a name: the first user.
    pub(super) fn owner(&mut self, site: &SiteLuid, name: Option<&str>) -> UserLuid {
        let name = match (name, self.model.users.iter().find(|u| u.site == *site)) {
            (None, Some(first)) => return first.luid.clone(),
            (name, _) => name.unwrap_or("owner"),
        };
        self.model.user_named(site, name).unwrap_or_else(|| {
            let user = User::named(name);
            Content::add_to(user, &mut ModelHandle { model: self.model, now: self.now })
        })
    }
}

/// A personal access token to add.
#[derive(Clone, Debug)]
pub struct PatCredential {
    name: String,
    secret: String,
    user: String,
}

impl PatCredential {
    /// A token with this name and secret, for the user with this name (the part before `@` is enough).
    pub fn new(name: &str, secret: &str, user: &str) -> Self {
        Self { name: name.to_owned(), secret: secret.to_owned(), user: user.to_owned() }
    }
}

/// A connected app with direct trust to add. Clients with its secret sign in with a JWT.
#[derive(Clone, Debug)]
pub struct ConnectedApp(model::ConnectedApp);

impl ConnectedApp {
    /// A connected app with this client id, secret id and secret.
    pub fn new(client_id: &str, secret_id: &str, secret: &str) -> Self {
        let app = model::ConnectedApp { client_id: client_id.to_owned(), secrets: Vec::new() };
        Self(app).with_secret(secret_id, secret)
    }

    /// Adds a second secret.
    #[must_use]
    pub fn with_secret(mut self, id: &str, value: &str) -> Self {
        self.0.secrets.push((id.to_owned(), value.to_owned()));
        self
    }
}

impl Content for ConnectedApp {
    /// A connected app has a client id instead of a LUID.
    type Luid = ();

    fn add_to(self, to: &mut ModelHandle<'_>) {
        to.model.apps.push(self.0);
    }
}

impl Content for PatCredential {
    /// A PAT has a name instead of a LUID.
    type Luid = ();

    fn add_to(self, to: &mut ModelHandle<'_>) {
        let user = self.user.as_str();
        let found = to.model.users.iter().find(|u| u.name == user || u.name.split('@').next() == Some(user));
        let user = found.map_or(self.user.clone(), |u| u.name.clone());
        to.model.pats.push(model::Pat::new(&self.name, &self.secret, &user, to.now));
    }
}
