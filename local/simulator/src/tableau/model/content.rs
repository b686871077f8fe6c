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
    /// `ManagedByOwner` or `LockedToProject`. Kept, and decides nothing here.
    pub(crate) content_permissions: String,
    /// Made by Tableau with its site: it is never deleted, renamed or moved.
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
    /// `Some` only where it differs from the name.
    pub(crate) email: Option<String>,
    pub(crate) role: SiteRole,
    pub(crate) password: Option<String>,
    pub(crate) last_login: Option<Timestamp>,
}

/// What a user may do on a site.
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
    /// The role as Tableau writes it.
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

    /// Whether the role administers the site.
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
    /// The number in the page's address.
    pub(crate) number: u32,
    pub(crate) project: ProjectLuid,
    pub(crate) owner: UserLuid,
    pub(crate) tags: Vec<String>,
    /// Names of the published data sources that it uses.
    pub(crate) uses: Vec<String>,
    pub(crate) show_tabs: bool,
    pub(crate) has_extracts: bool,
    pub(crate) encrypt_extracts: bool,
    /// Whether its data is accelerated, and at once. Kept, and makes nothing faster here.
    pub(crate) acceleration: Option<(bool, bool)>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// The notes that automatic refreshes of it fail with.
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
    /// `dashboard`, `story`, or `view` for a sheet.
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
    /// The number in the page's address.
    pub(crate) number: u32,
    /// What it connects to: `sqlserver`, `snowflake`, …
    pub(crate) kind: String,
    pub(crate) project: ProjectLuid,
    pub(crate) owner: UserLuid,
    pub(crate) tags: Vec<String>,
    /// The note, if it is certified.
    pub(crate) certified: Option<String>,
    pub(crate) has_extracts: bool,
    pub(crate) encrypt_extracts: bool,
    pub(crate) use_remote_query_agent: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// The notes that automatic refreshes of it fail with.
    pub(crate) broken: Option<String>,
}
