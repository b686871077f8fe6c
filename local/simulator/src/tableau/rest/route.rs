//! The table of REST routes.

use super::call::Handler;
use super::{
    auth, broadcasts, capabilities, connections, content, export, flow_runs, flows, jobs, labels, projects,
    quality, recycle_bin, server, tags, takes, tasks, update, users, views, webhooks,
};
use crate::tableau::metadata;
use crate::tableau::version::RestVersion;
use percent_encoding::percent_decode_str;

/// A method and path, with the requirements of calling it.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) since: Since,
    pub(crate) access: Access,
    /// The scope that a connected app needs.
    pub(crate) scope: Scope,
    /// The query parameters and body members that the route reads.
    pub(crate) takes: &'static takes::Takes,
    pub(crate) handler: Handler,
}

/// The REST version that introduced a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    Version(RestVersion),
    /// The route exists only under `/api/exp`.
    Experimental,
    /// The route exists only under `/api/metadata`.
    Metadata,
}

/// The scope that a connected app needs to call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// No scope is needed.
    Any,
    /// Tableau names no scope, so connected apps cannot call the route.
    Unnamed,
    /// This scope is needed, which exists since this version.
    Needs(&'static str, RestVersion),
}

/// Which users may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Anyone,
    /// Any session, for any site.
    Session,
    /// A session for the site in the path.
    Site,
    /// A session of an administrator of the site in the path.
    Administrator,
}

/// The path endings of routes that answer files.
const FILES: [&str; 6] = ["/pdf", "/powerpoint", "/image", "/data", "/crosstab/excel", "/previewImage"];

const fn since(major: u16, minor: u16) -> Since {
    Since::Version(RestVersion { major, minor })
}

macro_rules! routes {
    ($($method:ident $path:literal $access:ident $since:expr, $scope:expr, $takes:ident => $handler:path;)*) => {
        pub(crate) const ROUTES: &[Route] = &[$(Route {
            method: stringify!($method),
            path: $path,
            since: $since,
            access: Access::$access,
            scope: $scope,
            takes: &takes::$takes,
            handler: $handler,
        },)*];
    };
}

/// A scope that exists since connected apps were introduced (3.16).
const fn needs(scope: &'static str) -> Scope {
    Scope::Needs(scope, RestVersion { major: 3, minor: 16 })
}

const fn since_3_23(scope: &'static str) -> Scope {
    Scope::Needs(scope, RestVersion { major: 3, minor: 23 })
}

/// A scope that exists since version 3.27.
const fn since_3_27(scope: &'static str) -> Scope {
    Scope::Needs(scope, RestVersion { major: 3, minor: 27 })
}

/// A scope that exists since version 3.29.
const fn since_3_29(scope: &'static str) -> Scope {
    Scope::Needs(scope, RestVersion { major: 3, minor: 29 })
}

routes! {
    GET "/serverinfo" Anyone since(2, 4), Scope::Any, NOTHING => server::info;
    GET "/serverInfo" Anyone since(2, 4), Scope::Any, NOTHING => server::info;
    POST "/auth/signin" Anyone since(2, 4), Scope::Any, SIGN_IN => auth::sign_in;
    POST "/auth/switchSite" Session since(2, 6), Scope::Any, SWITCH_SITE => auth::switch_site;
    POST "/auth/signout" Session since(2, 4), Scope::Any, NOTHING => auth::sign_out;
    GET "/sites/{site}" Session since(2, 4), since_3_27("tableau:sites:read"), SITE => server::site;
    GET "/sites/{site}/projects" Site since(2, 4), needs("tableau:content:read"), LIST => projects::projects;
    PUT "/sites/{site}/projects/{id}" Site since(2, 4), needs("tableau:projects:update"), PROJECT => projects::update;
    GET "/sites/{site}/workbooks" Site since(2, 4), needs("tableau:content:read"), LIST => content::workbooks;
    GET "/sites/{site}/workbooks/{id}" Site since(2, 4), needs("tableau:content:read"), NOTHING => content::workbook;
    PUT "/sites/{site}/workbooks/{id}" Site since(2, 4), needs("tableau:workbooks:update"), WORKBOOK => update::workbook;
    DELETE "/sites/{site}/workbooks/{id}" Site since(2, 4), since_3_27("tableau:workbooks:delete"), NOTHING => update::delete_workbook;
    GET "/sites/{site}/workbooks/{id}/views" Site since(2, 4), needs("tableau:content:read"), USAGE => views::views_of_workbook;
    GET "/sites/{site}/workbooks/{id}/connections" Site since(2, 4), needs("tableau:content:read"), NOTHING => connections::of_workbook;
    PUT "/sites/{site}/workbooks/{id}/tags" Site since(2, 4), since_3_27("tableau:workbook_tags:update"), TAGS => tags::add_to_workbook;
    DELETE "/sites/{site}/workbooks/{id}/tags/{tag}" Site since(2, 4), since_3_27("tableau:workbook_tags:delete"), NOTHING => tags::remove_from_workbook;
    POST "/sites/{site}/workbooks/{id}/refresh" Site since(2, 8), needs("tableau:tasks:run"), REFRESH => jobs::refresh_workbook;
    GET "/sites/{site}/workbooks/{id}/pdf" Site since(3, 4), needs("tableau:workbooks:download"), WORKBOOK_PDF => export::workbook_pdf;
    GET "/sites/{site}/workbooks/{id}/powerpoint" Site since(3, 8), needs("tableau:workbooks:download"), POWERPOINT => export::workbook_powerpoint;
    GET "/sites/{site}/workbooks/{id}/previewImage" Site since(2, 4), needs("tableau:workbooks:download"), NOTHING => export::workbook_preview;
    GET "/sites/{site}/workbooks/{id}/views/{view}/previewImage" Site since(2, 4), needs("tableau:views:download"), NOTHING => export::view_preview;
    GET "/sites/{site}/datasources" Site since(2, 4), needs("tableau:content:read"), LIST => content::datasources;
    GET "/sites/{site}/datasources/{id}" Site since(2, 4), needs("tableau:content:read"), NOTHING => content::datasource;
    PUT "/sites/{site}/datasources/{id}" Site since(2, 4), needs("tableau:datasources:update"), DATASOURCE => update::datasource;
    DELETE "/sites/{site}/datasources/{id}" Site since(2, 4), since_3_27("tableau:datasources:delete"), NOTHING => update::delete_datasource;
    GET "/sites/{site}/datasources/{id}/connections" Site since(2, 4), needs("tableau:content:read"), NOTHING => connections::of_datasource;
    PUT "/sites/{site}/datasources/{id}/tags" Site since(2, 6), since_3_27("tableau:datasource_tags:update"), TAGS => tags::add_to_datasource;
    DELETE "/sites/{site}/datasources/{id}/tags/{tag}" Site since(2, 6), since_3_27("tableau:datasource_tags:delete"), NOTHING => tags::remove_from_datasource;
    POST "/sites/{site}/datasources/{id}/refresh" Site since(2, 8), needs("tableau:tasks:run"), REFRESH => jobs::refresh_datasource;
    GET "/sites/{site}/views" Site since(2, 4), needs("tableau:content:read"), VIEWS => views::views;
    GET "/sites/{site}/views/{id}" Site since(3, 0), needs("tableau:content:read"), USAGE => views::view;
    PUT "/sites/{site}/views/{id}/tags" Site since(2, 6), since_3_27("tableau:view_tags:update"), TAGS => tags::add_to_view;
    DELETE "/sites/{site}/views/{id}/tags/{tag}" Site since(2, 6), since_3_27("tableau:view_tags:delete"), NOTHING => tags::remove_from_view;
    GET "/sites/{site}/views/{id}/image" Site since(2, 5), needs("tableau:views:download"), IMAGE => export::view_image;
    GET "/sites/{site}/views/{id}/pdf" Site since(2, 7), needs("tableau:views:download"), VIEW_PDF => export::view_pdf;
    GET "/sites/{site}/views/{id}/data" Site since(2, 7), needs("tableau:views:download"), DATA => export::view_data;
    GET "/sites/{site}/views/{id}/crosstab/excel" Site since(3, 8), needs("tableau:views:download"), DATA => export::view_crosstab;
    GET "/sites/{site}/flows" Site since(3, 3), needs("tableau:flows:read"), LIST_ALL_FIELDS => flows::flows;
    GET "/sites/{site}/flows/runs" Site since(3, 10), needs("tableau:flow_runs:read"), LIST_ALL_FIELDS => flow_runs::list;
    GET "/sites/{site}/flows/{id}" Site since(3, 3), needs("tableau:flows:read"), NOTHING => flows::flow;
    POST "/sites/{site}/flows/{id}/run" Site since(3, 3), since_3_27("tableau:flows:run"), RUN => flows::run;
    GET "/sites/{site}/flows/runs/{id}" Site since(3, 10), needs("tableau:flow_runs:read"), NOTHING => flow_runs::get;
    PUT "/sites/{site}/flows/runs/{id}" Site since(3, 10), since_3_27("tableau:flow_runs:update"), NOTHING => flow_runs::cancel;
    PUT "/sites/{site}/tags:batchCreate" Site since(3, 9), since_3_27("tableau:tags:batch_create"), TAG_BATCH => tags::batch_create;
    PUT "/sites/{site}/tags:batchDelete" Site since(3, 9), since_3_27("tableau:tags:batch_delete"), TAG_BATCH => tags::batch_delete;
    PUT "/tags:batchCreate" Session since(3, 9), since_3_27("tableau:tags:batch_create"), TAG_BATCH => tags::batch_create;
    PUT "/tags:batchDelete" Session since(3, 9), since_3_27("tableau:tags:batch_delete"), TAG_BATCH => tags::batch_delete;
    GET "/sites/{site}/recyclebin/workbooks" Site since(3, 29), since_3_29("tableau:recyclebin_content:read"), LIST_ALL_FIELDS => recycle_bin::workbooks;
    GET "/sites/{site}/recyclebin/datasources" Site since(3, 29), since_3_29("tableau:recyclebin_content:read"), LIST_ALL_FIELDS => recycle_bin::datasources;
    GET "/sites/{site}/recyclebin/flows" Site since(3, 29), since_3_29("tableau:recyclebin_content:read"), LIST_ALL_FIELDS => recycle_bin::flows;
    GET "/sites/{site}/recyclebin/projects" Site since(3, 29), since_3_29("tableau:recyclebin_content:read"), LIST_ALL_FIELDS => recycle_bin::projects;
    GET "/sites/{site}/users" Administrator since(2, 4), needs("tableau:users:read"), LIST => users::users;
    GET "/sites/{site}/users/{id}" Site since(2, 4), needs("tableau:users:read"), NOTHING => users::user;
    GET "/sites/{site}/users/{id}/groups" Administrator since(3, 7), needs("tableau:groups:read"), PAGES => users::groups;
    DELETE "/sites/{site}/users/{id}" Administrator since(2, 4), needs("tableau:users:delete"), REMOVED_USER => users::remove;
    GET "/sites/{site}/jobs" Administrator since(3, 1), needs("tableau:jobs:read"), LIST => jobs::list;
    GET "/sites/{site}/jobs/{id}" Administrator since(2, 4), needs("tableau:jobs:read"), NOTHING => jobs::job;
    PUT "/sites/{site}/jobs/{id}" Administrator since(3, 1), since_3_27("tableau:jobs:update"), NOTHING => jobs::cancel;
    GET "/sites/{site}/tasks/extractRefreshes" Site since(2, 6), needs("tableau:tasks:read"), WHOLE_LIST => tasks::list;
    GET "/sites/{site}/tasks/extractRefreshes/{id}" Site since(2, 6), needs("tableau:tasks:read"), NOTHING => tasks::task;
    POST "/sites/{site}/tasks/extractRefreshes/{id}/runNow" Site since(2, 6), needs("tableau:tasks:run"), NOTHING => tasks::run_now;
    GET "/sites/{site}/dataQualityWarnings/datasource/{id}" Site since(3, 5), since_3_27("tableau:labels:read"), NOTHING => quality::get;
    POST "/sites/{site}/dataQualityWarnings/datasource/{id}" Site since(3, 5), since_3_27("tableau:labels:update"), WARNING => quality::add;
    PUT "/sites/{site}/dataQualityWarnings/datasource/{id}" Site since(3, 5), since_3_27("tableau:labels:update"), WARNING => quality::update;
    DELETE "/sites/{site}/dataQualityWarnings/datasource/{id}" Site since(3, 5), since_3_27("tableau:labels:delete"), NOTHING => quality::delete;
    GET "/sites/{site}/dataQualityWarnings/{id}" Site since(3, 5), since_3_27("tableau:labels:read"), NOTHING => quality::get_one;
    PUT "/sites/{site}/dataQualityWarnings/{id}" Site since(3, 5), since_3_27("tableau:labels:update"), WARNING => quality::update_one;
    DELETE "/sites/{site}/dataQualityWarnings/{id}" Site since(3, 5), since_3_27("tableau:labels:delete"), NOTHING => quality::delete_one;
    POST "/sites/{site}/labels" Site since(3, 16), since_3_23("tableau:labels:read"), LABELS => labels::of_all;
    PUT "/sites/{site}/labels" Site since(3, 16), since_3_23("tableau:labels:update"), LABEL_ON_ALL => labels::update_all;
    DELETE "/sites/{site}/labels/{id}" Site since(3, 16), since_3_23("tableau:labels:delete"), NOTHING => labels::delete;
    GET "/sites/{site}/projects/{id}/permissions" Site since(2, 4), needs("tableau:permissions:read"), NOTHING => capabilities::of_project;
    PUT "/sites/{site}/projects/{id}/permissions" Site since(2, 4), needs("tableau:permissions:update"), PERMISSIONS => capabilities::add_to_project;
    DELETE "/sites/{site}/projects/{id}/permissions/users/{user}/{capability}/{mode}" Site since(2, 4), needs("tableau:permissions:delete"), NOTHING => capabilities::delete_from_project;
    DELETE "/sites/{site}/projects/{id}/permissions/groups/{group}/{capability}/{mode}" Site since(2, 4), needs("tableau:permissions:delete"), NOTHING => capabilities::of_a_group;
    GET "/sites/{site}/workbooks/{id}/permissions" Site since(2, 4), needs("tableau:permissions:read"), NOTHING => capabilities::of_workbook;
    PUT "/sites/{site}/workbooks/{id}/permissions" Site since(2, 4), needs("tableau:permissions:update"), PERMISSIONS => capabilities::add_to_workbook;
    DELETE "/sites/{site}/workbooks/{id}/permissions/users/{user}/{capability}/{mode}" Site since(2, 4), needs("tableau:permissions:delete"), NOTHING => capabilities::delete_from_workbook;
    DELETE "/sites/{site}/workbooks/{id}/permissions/groups/{group}/{capability}/{mode}" Site since(2, 4), needs("tableau:permissions:delete"), NOTHING => capabilities::of_a_group;
    GET "/sites/{site}/datasources/{id}/permissions" Site since(2, 4), needs("tableau:permissions:read"), NOTHING => capabilities::of_datasource;
    PUT "/sites/{site}/datasources/{id}/permissions" Site since(2, 4), needs("tableau:permissions:update"), PERMISSIONS => capabilities::add_to_datasource;
    DELETE "/sites/{site}/datasources/{id}/permissions/users/{user}/{capability}/{mode}" Site since(2, 4), needs("tableau:permissions:delete"), NOTHING => capabilities::delete_from_datasource;
    DELETE "/sites/{site}/datasources/{id}/permissions/groups/{group}/{capability}/{mode}" Site since(2, 4), needs("tableau:permissions:delete"), NOTHING => capabilities::of_a_group;
    GET "/sites/{site}/views/{id}/permissions" Site since(3, 2), needs("tableau:permissions:read"), NOTHING => capabilities::of_view;
    PUT "/sites/{site}/views/{id}/permissions" Site since(3, 2), needs("tableau:permissions:update"), PERMISSIONS => capabilities::add_to_view;
    DELETE "/sites/{site}/views/{id}/permissions/users/{user}/{capability}/{mode}" Site since(3, 2), needs("tableau:permissions:delete"), NOTHING => capabilities::delete_from_view;
    DELETE "/sites/{site}/views/{id}/permissions/groups/{group}/{capability}/{mode}" Site since(3, 2), needs("tableau:permissions:delete"), NOTHING => capabilities::of_a_group;
    GET "/sites/{site}/webhooks" Administrator since(3, 6), since_3_27("tableau:webhooks:read"), WHOLE_LIST => webhooks::list;
    POST "/sites/{site}/webhooks" Administrator since(3, 6), since_3_27("tableau:webhooks:create"), WEBHOOK => webhooks::create;
    GET "/sites/{site}/webhooks/{id}" Administrator since(3, 6), since_3_27("tableau:webhooks:read"), NOTHING => webhooks::get;
    PUT "/sites/{site}/webhooks/{id}" Administrator since(3, 8), since_3_27("tableau:webhooks:update"), WEBHOOK => webhooks::update;
    DELETE "/sites/{site}/webhooks/{id}" Administrator since(3, 6), since_3_27("tableau:webhooks:delete"), NOTHING => webhooks::delete;
    GET "/sites/{site}/webhooks/{id}/test" Administrator since(3, 6), since_3_27("tableau:webhooks:test"), NOTHING => webhooks::test;
    POST "/graphql" Session Since::Metadata, needs("tableau:content:read"), GRAPHQL => metadata::answer;
    GET "/sites/{site}/broadcasts/views" Site Since::Experimental, Scope::Unnamed, PAGES => broadcasts::list;
    POST "/sites/{site}/broadcasts/views" Site Since::Experimental, Scope::Unnamed, BROADCAST => broadcasts::send;
}

impl Route {
    /// The values of the route's path variables; `None` when the path does not match.
    pub(crate) fn variables(&self, path: &str) -> Option<Vec<String>> {
        let mut wanted = self.path.split('/');
        let mut given = path.split('/');
        let mut variables = Vec::new();
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return Some(variables),
                (Some(name), Some(value)) if name.starts_with('{') && !value.is_empty() => {
                    variables.push(percent_decode_str(value).decode_utf8_lossy().into_owned());
                }
                (Some(name), Some(value)) if name == value => {}
                _ => return None,
            }
        }
    }

    /// Whether the route exists in this version or part of the API.
    pub(crate) fn is_in(&self, api: Since) -> bool {
        match (self.since, api) {
            (Since::Version(since), Since::Version(version)) => since <= version,
            (since, api) => since == api,
        }
    }

    /// Whether the route answers a file, whatever the caller accepts.
    pub(crate) fn answers_a_file(&self) -> bool {
        FILES.iter().any(|end| self.path.ends_with(end))
    }

    /// The route's name in counters and fault patterns: `GET /sites/{site}/jobs`.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row names methods and one path: ``| `GET`, `POST /sites/{site}/webhooks` | 3.6 | …``.
    fn listed() -> Vec<String> {
        let rows = include_str!("../../../README.md").lines().filter_map(|line| line.strip_prefix("| `"));
        let mut listed = Vec::new();
        for row in rows {
            let Some((calls, _)) = row.split_once("` | ") else { continue };
            let Some((_, path)) = calls.rsplit_once(' ') else { continue };
            let methods = calls.trim_end_matches(path).split(", ");
            listed.extend(methods.map(|method| format!("{} {path}", method.trim().trim_matches('`'))));
        }
        listed
    }

    /// The routes for which Tableau names no scope.
    const UNNAMED: [&str; 2] = ["GET /sites/{site}/broadcasts/views", "POST /sites/{site}/broadcasts/views"];

    #[test]
    fn every_route_names_its_scope_or_is_known_to_have_none() {
        for route in ROUTES {
            let name = route.name();
            let signs_in_or_out = route.path.starts_with("/auth/") || route.access == Access::Anyone;
            match route.scope {
                Scope::Any => assert!(signs_in_or_out, "{name} is for every connected app"),
                Scope::Unnamed => assert!(UNNAMED.contains(&name.as_str()), "{name} has no scope"),
                Scope::Needs(scope, _) => {
                    let parts: Vec<&str> = scope.split(':').collect();
                    assert!(matches!(parts[..], ["tableau", _, _]), "{name}: '{scope}' is no scope");
                }
            }
        }
    }

    #[test]
    fn the_readme_lists_every_route() {
        let listed = listed();
        for route in ROUTES.iter().filter(|route| route.path != "/serverInfo") {
            assert!(listed.contains(&route.name()), "{} is not in README.md", route.name());
        }
    }
}
