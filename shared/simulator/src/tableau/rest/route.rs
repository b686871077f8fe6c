//! The table of routes.

use super::call::Handler;
use super::version::RestVersion;
use super::{auth, broadcasts, content, jobs, people, server, webhooks};

/// A method and path, and what it takes to call it.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) since: Since,
    pub(crate) access: Access,
    pub(crate) handler: Handler,
}

/// The version that brought a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    Version(RestVersion),
    /// Only under `/api/exp`.
    Experimental,
}

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Anyone,
    /// With a session, whatever its site.
    Session,
    /// With a session for the site in the path.
    Site,
    /// The same, and its user administers the site.
    Administrator,
}

const fn since(major: u16, minor: u16) -> Since {
    Since::Version(RestVersion { major, minor })
}

macro_rules! routes {
    ($($method:ident $path:literal $access:ident $since:expr => $handler:path;)*) => {
        pub(crate) const ROUTES: &[Route] = &[$(Route {
            method: stringify!($method),
            path: $path,
            since: $since,
            access: Access::$access,
            handler: $handler,
        },)*];
    };
}

routes! {
    GET "/serverinfo" Anyone since(2, 4) => server::info;
    POST "/auth/signin" Anyone since(2, 4) => auth::sign_in;
    POST "/auth/signout" Session since(2, 4) => auth::sign_out;
    GET "/sites/{site}" Administrator since(2, 4) => server::site;
    GET "/sites/{site}/projects" Site since(2, 4) => content::projects;
    GET "/sites/{site}/workbooks" Site since(2, 4) => content::workbooks;
    GET "/sites/{site}/workbooks/{id}" Site since(2, 4) => content::workbook;
    GET "/sites/{site}/datasources" Site since(2, 4) => content::datasources;
    GET "/sites/{site}/datasources/{id}" Site since(2, 4) => content::datasource;
    GET "/sites/{site}/views/{id}" Site since(3, 0) => content::view;
    GET "/sites/{site}/users/{id}" Site since(2, 4) => people::user;
    GET "/sites/{site}/jobs" Administrator since(3, 1) => jobs::list;
    GET "/sites/{site}/jobs/{id}" Administrator since(2, 4) => jobs::job;
    PUT "/sites/{site}/jobs/{id}" Administrator since(3, 1) => jobs::cancel;
    POST "/sites/{site}/workbooks/{id}/refresh" Site since(2, 8) => jobs::refresh_workbook;
    POST "/sites/{site}/datasources/{id}/refresh" Site since(2, 8) => jobs::refresh_datasource;
    GET "/sites/{site}/webhooks" Administrator since(3, 6) => webhooks::list;
    POST "/sites/{site}/webhooks" Administrator since(3, 6) => webhooks::create;
    GET "/sites/{site}/webhooks/{id}" Administrator since(3, 6) => webhooks::get;
    PUT "/sites/{site}/webhooks/{id}" Administrator since(3, 8) => webhooks::update;
    DELETE "/sites/{site}/webhooks/{id}" Administrator since(3, 6) => webhooks::delete;
    GET "/sites/{site}/webhooks/{id}/test" Administrator since(3, 6) => webhooks::test;
    GET "/sites/{site}/broadcasts/views" Site Since::Experimental => broadcasts::list;
    POST "/sites/{site}/broadcasts/views" Site Since::Experimental => broadcasts::send;
}

impl Route {
    /// What stands for the variables of this route in `path`; `None` when the path is another.
    pub(crate) fn variables(&self, path: &str) -> Option<Vec<String>> {
        let (mut wanted, mut given) = (self.path.split('/'), path.split('/'));
        let mut variables = Vec::new();
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return Some(variables),
                (Some(name), Some(value)) if name.starts_with('{') && !value.is_empty() => {
                    variables.push(value.to_owned());
                }
                (Some(name), Some(value)) if name == value => {}
                _ => return None,
            }
        }
    }

    /// `GET /sites/{site}/jobs`: the name in counters and fault patterns.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}
