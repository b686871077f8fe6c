//! Sites and what is published on them.

use jiff::Timestamp;
use tableau::{DatasourceLuid, ProjectLuid, SiteLuid, UserLuid, ViewLuid, WorkbookLuid};

#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) luid: SiteLuid,
    pub(crate) name: String,
    pub(crate) content_url: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Project {
    pub(crate) luid: ProjectLuid,
    pub(crate) site: SiteLuid,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) parent: Option<ProjectLuid>,
    pub(crate) owner: Option<UserLuid>,
    /// `ManagedByOwner` or `LockedToProject`. Stored and shown, without another effect.
    pub(crate) content_permissions: String,
    /// Whether this is the default project, which cannot be deleted, renamed or moved.
    pub(crate) is_default: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) luid: UserLuid,
    pub(crate) site: SiteLuid,
    pub(crate) name: String,
    pub(crate) full_name: String,
    /// The e-mail address; `Some` only when it differs from the user name.
    pub(crate) email: Option<String>,
    pub(crate) role: SiteRole,
    pub(crate) password: Option<String>,
    pub(crate) last_login: Option<Timestamp>,
}

/// The site role of a user.
///
/// Source: <https://help.tableau.com/current/server/en-us/users_site_roles.htm>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Tableau's and say it all")]
#[non_exhaustive]
pub enum SiteRole {
    ServerAdministrator,
    SiteAdministratorCreator,
    SiteAdministratorExplorer,
    Creator,
    ExplorerCanPublish,
    Explorer,
    Viewer,
    Unlicensed,
}

impl SiteRole {
    /// The role's name in Tableau's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServerAdministrator => "ServerAdministrator",
            Self::SiteAdministratorCreator => "SiteAdministratorCreator",
            Self::SiteAdministratorExplorer => "SiteAdministratorExplorer",
            Self::Creator => "Creator",
            Self::ExplorerCanPublish => "ExplorerCanPublish",
            Self::Explorer => "Explorer",
            Self::Viewer => "Viewer",
            Self::Unlicensed => "Unlicensed",
        }
    }

    /// Whether the role is an administrator of the site.
    pub fn is_administrator(self) -> bool {
        matches!(
            self,
            Self::ServerAdministrator | Self::SiteAdministratorCreator | Self::SiteAdministratorExplorer
        )
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Workbook {
    pub(crate) luid: WorkbookLuid,
    pub(crate) site: SiteLuid,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) content_url: String,
    /// The number in the web page's URL.
    pub(crate) number: u32,
    pub(crate) project: ProjectLuid,
    pub(crate) owner: UserLuid,
    pub(crate) tags: Vec<String>,
    /// The names of the published data sources that the workbook uses.
    pub(crate) uses: Vec<String>,
    pub(crate) show_tabs: bool,
    pub(crate) has_extracts: bool,
    /// Whether the extract is set up for incremental refreshes.
    pub(crate) incremental: bool,
    pub(crate) encrypt_extracts: bool,
    /// Whether data acceleration is on, and whether it runs at once. Stored and shown, without another effect.
    pub(crate) acceleration: Option<(bool, bool)>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// The error notes with which automatic refreshes of the workbook fail.
    pub(crate) broken: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) luid: ViewLuid,
    pub(crate) site: SiteLuid,
    pub(crate) workbook: WorkbookLuid,
    pub(crate) name: String,
    pub(crate) url_name: String,
    pub(crate) content_url: String,
    /// The sheet type: `dashboard`, `story`, or `view` for a sheet.
    pub(crate) sheet_type: &'static str,
    pub(crate) tags: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Datasource {
    pub(crate) luid: DatasourceLuid,
    pub(crate) site: SiteLuid,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) content_url: String,
    /// The number in the web page's URL.
    pub(crate) number: u32,
    /// The kind of database that the data source connects to: `sqlserver`, `snowflake`, …
    pub(crate) kind: String,
    pub(crate) project: ProjectLuid,
    pub(crate) owner: UserLuid,
    pub(crate) tags: Vec<String>,
    /// The certification note; `None` when the data source is not certified.
    pub(crate) certified: Option<String>,
    /// A note that stays while the data source is not certified.
    pub(crate) kept_note: Option<String>,
    pub(crate) has_extracts: bool,
    /// Whether the extract is set up for incremental refreshes.
    pub(crate) incremental: bool,
    pub(crate) encrypt_extracts: bool,
    pub(crate) use_remote_query_agent: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// The error notes with which automatic refreshes of the data source fail.
    pub(crate) broken: Option<String>,
}
