//! The state of the simulated server. No HTTP and no answer formats.

mod capability;
mod connected_app;
mod content;
mod export;
mod flow;
mod group;
mod job;
mod jwt;
mod labelling;
mod lookup;
mod permission;
mod publishing;
mod quality;
mod recycle;
pub(crate) mod recycled;
mod session;
mod sign_in;
mod switches;
mod task;

pub(crate) use capability::{Capability, Mode};
pub(crate) use connected_app::{ConnectedApp, covers};
pub use content::SiteRole;
pub(crate) use content::{Datasource, Project, Site, User, View, Workbook};
pub use export::{ExportContent, ExportShape};
pub(crate) use flow::{Flow, FlowRun};
pub(crate) use group::{Group, Members};
pub use job::JobShape;
pub(crate) use job::{FinishCode, Job, JobKind, Target};
pub(crate) use labelling::{category_of, is_set_by_monitoring};
pub use publishing::{BroadcastRecord, WebhookRecord};
pub(crate) use quality::{CERTIFIED, Label, WARNINGS};
pub(crate) use session::{Credentials, Pat, Session, SignInError};
pub use switches::Feature;
pub(crate) use task::{STARTS_AT_HOUR, Task};

use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tableau::SiteLuid;

/// The complete state of the simulated server.
#[derive(Debug)]
pub(crate) struct Model {
    /// The sites; the first is the default site.
    pub(crate) sites: Vec<Site>,
    pub(crate) projects: Vec<Project>,
    pub(crate) users: Vec<User>,
    pub(crate) groups: Vec<Group>,
    pub(crate) workbooks: Vec<Workbook>,
    pub(crate) datasources: Vec<Datasource>,
    pub(crate) views: Vec<View>,
    pub(crate) flows: Vec<Flow>,
    /// The runs of flows, oldest first.
    pub(crate) flow_runs: Vec<FlowRun>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) tasks: Vec<Task>,
    /// Deleted content, oldest first.
    pub(crate) recycled: Vec<recycled::Recycled>,
    pub(crate) labels: Vec<Label>,
    /// Permissions of users, oldest first.
    pub(crate) capabilities: Vec<Capability>,
    pub(crate) webhooks: Vec<WebhookRecord>,
    pub(crate) broadcasts: Vec<BroadcastRecord>,
    pub(crate) pats: Vec<Pat>,
    pub(crate) apps: Vec<ConnectedApp>,
    /// The ids of used JWTs, and when each expires.
    pub(crate) used_jwts: Vec<(String, i64)>,
    pub(crate) sessions: Vec<Session>,
    /// The site and time of each requested refresh of the last hour, oldest first, for the refresh quota.
    pub(crate) refreshes: Vec<(SiteLuid, Timestamp)>,
    /// For each exported workbook: when it was exported, and how old its data was.
    pub(crate) rendered: BTreeMap<String, (Timestamp, Timestamp)>,
    /// The names of the users who have exported PDF files.
    pub(crate) exported_by: BTreeSet<String>,
    /// Workbooks and data sources whose connections have no stored password.
    pub(crate) without_passwords: BTreeSet<String>,
    /// Content that sessions with these tokens cannot refresh or run, since it was published after they were opened.
    pub(crate) published_since: Vec<(String, BTreeSet<String>)>,
    /// How exports of workbooks and views of these names look; `*` stands for all.
    pub(crate) export_shapes: Vec<(String, ExportShape)>,
    /// The connection ids of workbooks and data sources, assigned when first asked for.
    pub(crate) connections: BTreeMap<(String, String), String>,
    /// The scopes that calls of connected apps have needed.
    pub(crate) used_scopes: BTreeSet<&'static str>,
    /// The features that site settings forbid.
    pub(crate) off: Vec<Feature>,
    /// How long an unused session lasts.
    pub(crate) idle: Duration,
    /// Whether the server's settings enable webhooks.
    pub(crate) webhooks_enabled: bool,
    /// Whether the site's settings allow broadcasts.
    pub(crate) broadcasts_enabled: bool,
    /// The last number used in a web page's URL for a workbook, data source or flow.
    pub(crate) last_number: u32,
}

impl Model {
    /// A server with one site that has only the default project.
    pub(crate) fn new(site: Site, now: Timestamp) -> Self {
        let mut model = Self::bare();
        model.add_site(site, now);
        model
    }

    /// Adds a site and its default project, which the site's first administrator owns.
    ///
    /// Source: `tableau/server-client-python`, `test/assets/project_get.xml` and `workbook_get_all_fields.xml`
    pub(crate) fn add_site(&mut self, site: Site, now: Timestamp) {
        self.projects.push(Project {
            luid: mint(),
            site: site.luid.clone(),
            name: "default".to_owned(),
            description: "The default project that was automatically created by Tableau.".to_owned(),
            parent: None,
            owner: None,
            content_permissions: "ManagedByOwner".to_owned(),
            is_default: true,
            created_at: now,
            updated_at: now,
        });
        self.groups.push(Group {
            luid: mint(),
            site: site.luid.clone(),
            name: "All Users".to_owned(),
            members: Members::All,
        });
        self.sites.push(site);
    }

    fn bare() -> Self {
        Self {
            sites: Vec::new(),
            projects: Vec::new(),
            users: Vec::new(),
            groups: Vec::new(),
            workbooks: Vec::new(),
            datasources: Vec::new(),
            views: Vec::new(),
            flows: Vec::new(),
            flow_runs: Vec::new(),
            jobs: Vec::new(),
            tasks: Vec::new(),
            recycled: Vec::new(),
            labels: Vec::new(),
            capabilities: Vec::new(),
            webhooks: Vec::new(),
            broadcasts: Vec::new(),
            pats: Vec::new(),
            apps: Vec::new(),
            used_jwts: Vec::new(),
            sessions: Vec::new(),
            refreshes: Vec::new(),
            rendered: BTreeMap::new(),
            exported_by: BTreeSet::new(),
            without_passwords: BTreeSet::new(),
            published_since: Vec::new(),
            export_shapes: Vec::new(),
            connections: BTreeMap::new(),
            used_scopes: BTreeSet::new(),
            off: Vec::new(),
            idle: Duration::from_secs(240 * 60),
            webhooks_enabled: true,
            broadcasts_enabled: true,
            last_number: 1000,
        }
    }

    /// Whether site settings allow the feature.
    pub(crate) fn has(&self, feature: Feature) -> bool {
        !self.off.contains(&feature)
    }

    pub(crate) fn switch(&mut self, feature: Feature, on: bool) {
        self.off.retain(|off| *off != feature);
        if !on {
            self.off.push(feature);
        }
    }

    /// Adds a daily refresh task.
    pub(crate) fn schedule(&mut self, site: SiteLuid, target: Target) {
        let luid = uuid::Uuid::new_v4().to_string();
        self.tasks.push(Task { luid, site, target, priority: 50 });
    }

    pub(crate) fn next_number(&mut self) -> u32 {
        self.last_number += 1;
        self.last_number
    }
}

/// A new LUID of any type. Every UUID is a valid LUID, so the loop ends in its first round.
pub(crate) fn mint<L: TryFrom<String>>() -> L {
    loop {
        if let Ok(luid) = L::try_from(uuid::Uuid::new_v4().to_string()) {
            return luid;
        }
    }
}

/// A LUID from the sample content's source; a new LUID if the text is none.
pub(crate) fn fixed<L: TryFrom<String>>(text: &str) -> L {
    L::try_from(text.to_owned()).unwrap_or_else(|_| mint())
}
