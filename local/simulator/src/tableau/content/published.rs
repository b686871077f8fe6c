//! Workbooks, data sources, flows and projects to add.

use super::{Content, ModelHandle};
use crate::clock::before;
use crate::tableau::model::{self, mint};
use std::time::Duration;
use tableau::{DatasourceLuid, FlowLuid, ProjectLuid, WorkbookLuid};

macro_rules! published {
    ($name:ident, $luid:ident, $what:literal) => {
        impl $name {
            #[doc = concat!("A ", $what, " of this name in the project `default`.")]
            pub fn named(name: &str) -> Self {
                Self { name: name.to_owned(), ..Self::default() }
            }

            /// Sets the LUID instead of a new one.
            #[must_use]
            pub fn with_luid(mut self, luid: $luid) -> Self {
                self.luid = Some(luid);
                self
            }

            /// Puts the content on the site with this `contentUrl` instead of the default site.
            #[must_use]
            pub fn on_site(mut self, content_url: &str) -> Self {
                self.site = Some(content_url.to_owned());
                self
            }

            /// Puts the content in the project at this path, such as `Finance/Month End`; `\/` is a slash within a name.
            /// Missing projects are added.
            #[must_use]
            pub fn in_project(mut self, path: &str) -> Self {
                self.project = path.to_owned();
                self
            }

            /// Sets the owner: by user name, its part before the `@`, or full name. A missing user is added.
            #[must_use]
            pub fn owned_by(mut self, user: &str) -> Self {
                self.owner = Some(user.to_owned());
                self
            }

            /// Adds a tag.
            #[must_use]
            pub fn tagged(mut self, tag: &str) -> Self {
                self.tags.push(tag.to_owned());
                self
            }

            /// Sets the description.
            #[must_use]
            pub fn described(mut self, description: &str) -> Self {
                self.description = Some(description.to_owned());
                self
            }
        }
    };
}

macro_rules! extracts {
    ($name:ident) => {
        impl $name {
            /// Makes the connection live, so that there is no extract to refresh.
            #[must_use]
            pub fn live(mut self) -> Self {
                self.live = true;
                self
            }

            /// Leaves the extract without the setting for incremental refreshes: an incremental refresh is a full one then.
            #[must_use]
            pub fn only_full(mut self) -> Self {
                self.only_full = true;
                self
            }
        }
    };
}

/// A workbook to add, with extracts.
#[derive(Clone, Debug, Default)]
pub struct Workbook {
    luid: Option<WorkbookLuid>,
    site: Option<String>,
    name: String,
    description: Option<String>,
    project: String,
    owner: Option<String>,
    tags: Vec<String>,
    live: bool,
    only_full: bool,
    views: Vec<(String, Option<String>)>,
    uses: Vec<String>,
    tabs: bool,
}

published!(Workbook, WorkbookLuid, "workbook");
extracts!(Workbook);

impl Workbook {
    /// Adds a view. A workbook without views gets one view with the workbook's name.
    #[must_use]
    pub fn with_view(mut self, name: &str) -> Self {
        self.views.push((name.to_owned(), None));
        self
    }

    /// Uses the published data source with this name on the same site. The data source may be added later.
    #[must_use]
    pub fn using(mut self, datasource: &str) -> Self {
        self.uses.push(datasource.to_owned());
        self
    }

    /// Shows the workbook's sheets as tabs, so that its PDF contains all of them.
    #[must_use]
    pub fn with_tabs(mut self) -> Self {
        self.tabs = true;
        self
    }

    /// Adds a view with this LUID.
    pub(crate) fn with_fixed_view(mut self, name: &str, luid: &str) -> Self {
        self.views.push((name.to_owned(), Some(luid.to_owned())));
        self
    }
}

impl Content for Workbook {
    type Luid = WorkbookLuid;

    fn add_to(self, to: &mut ModelHandle<'_>) -> WorkbookLuid {
        let site = to.site(self.site.as_ref());
        let owner = to.owner(&site, self.owner.as_deref());
        let project = to.model.project_at(&site, &self.project, to.now);
        let luid = self.luid.unwrap_or_else(mint);
        let content_url = url_name(&self.name);
        let views = if self.views.is_empty() { vec![(self.name.clone(), None)] } else { self.views };
        // Like authors do: a dashboard first, then the sheets that it shows.
        let has_dashboard = views.len() > 1;
        for (at, (name, view_luid)) in views.into_iter().enumerate() {
            let url_name = url_name(&name);
            to.model.views.push(model::View {
                luid: view_luid.as_deref().map_or_else(mint, model::fixed),
                site: site.clone(),
                workbook: luid.clone(),
                name,
                content_url: format!("{content_url}/sheets/{url_name}"),
                url_name,
                sheet_type: if has_dashboard && at == 0 { "dashboard" } else { "view" },
                tags: Vec::new(),
            });
        }
        let number = to.model.next_number();
        if !self.live {
            to.model.schedule(site.clone(), model::Target::Workbook(luid.clone()));
        }
        to.model.workbooks.push(model::Workbook {
            luid: luid.clone(),
            site,
            name: self.name,
            description: self.description,
            content_url,
            number,
            project,
            owner,
            tags: self.tags,
            uses: self.uses,
            show_tabs: self.tabs,
            has_extracts: !self.live,
            incremental: !self.only_full,
            encrypt_extracts: false,
            acceleration: None,
            created_at: before(to.now, Duration::from_secs(90 * 86_400)),
            updated_at: before(to.now, Duration::from_secs(3 * 86_400)),
            broken: None,
        });
        luid
    }
}

/// A data source to add, with extracts.
#[derive(Clone, Debug, Default)]
pub struct Datasource {
    luid: Option<DatasourceLuid>,
    site: Option<String>,
    name: String,
    description: Option<String>,
    project: String,
    owner: Option<String>,
    tags: Vec<String>,
    live: bool,
    only_full: bool,
    kind: Option<String>,
    certified: Option<String>,
}

published!(Datasource, DatasourceLuid, "data source");
extracts!(Datasource);

impl Datasource {
    /// Certifies the data source with this note.
    #[must_use]
    pub fn certified(mut self, note: &str) -> Self {
        self.certified = Some(note.to_owned());
        self
    }

    /// Sets the kind of database: `sqlserver` (the default), `snowflake`, `postgres`, …
    #[must_use]
    pub fn of_kind(mut self, kind: &str) -> Self {
        self.kind = Some(kind.to_owned());
        self
    }
}

impl Content for Datasource {
    type Luid = DatasourceLuid;

    fn add_to(self, to: &mut ModelHandle<'_>) -> DatasourceLuid {
        let site = to.site(self.site.as_ref());
        let owner = to.owner(&site, self.owner.as_deref());
        let project = to.model.project_at(&site, &self.project, to.now);
        let luid = self.luid.unwrap_or_else(mint);
        let number = to.model.next_number();
        if !self.live {
            to.model.schedule(site.clone(), model::Target::Datasource(luid.clone()));
        }
        to.model.datasources.push(model::Datasource {
            luid: luid.clone(),
            site,
            content_url: url_name(&self.name),
            name: self.name,
            description: self.description,
            number,
            kind: self.kind.unwrap_or_else(|| "sqlserver".to_owned()),
            project,
            owner,
            tags: self.tags,
            certified: self.certified,
            kept_note: None,
            has_extracts: !self.live,
            incremental: !self.only_full,
            encrypt_extracts: false,
            use_remote_query_agent: false,
            created_at: before(to.now, Duration::from_secs(120 * 86_400)),
            updated_at: before(to.now, Duration::from_secs(5 * 86_400)),
            broken: None,
        });
        luid
    }
}

/// A flow of Tableau Prep to add.
#[derive(Clone, Debug, Default)]
pub struct Flow {
    luid: Option<FlowLuid>,
    site: Option<String>,
    name: String,
    description: Option<String>,
    project: String,
    owner: Option<String>,
    tags: Vec<String>,
}

published!(Flow, FlowLuid, "flow");

impl Content for Flow {
    type Luid = FlowLuid;

    fn add_to(self, to: &mut ModelHandle<'_>) -> FlowLuid {
        let site = to.site(self.site.as_ref());
        let owner = to.owner(&site, self.owner.as_deref());
        let project = to.model.project_at(&site, &self.project, to.now);
        let luid = self.luid.unwrap_or_else(mint);
        let number = to.model.next_number();
        to.model.flows.push(model::Flow {
            luid: luid.clone(),
            site,
            name: self.name,
            description: self.description,
            number,
            project,
            owner,
            tags: self.tags,
            created_at: before(to.now, Duration::from_secs(60 * 86_400)),
            updated_at: before(to.now, Duration::from_secs(7 * 86_400)),
            broken: None,
        });
        luid
    }
}

/// A project to add.
#[derive(Clone, Debug)]
pub struct Project(String);

impl Project {
    /// The project at this path, such as `Finance/Month End`, on the default site; `\/` is a slash within a name. Existing
    /// projects are kept.
    pub fn at(path: &str) -> Self {
        Self(path.to_owned())
    }
}

impl Content for Project {
    type Luid = ProjectLuid;

    fn add_to(self, to: &mut ModelHandle<'_>) -> ProjectLuid {
        let site = to.model.default_site();
        to.model.project_at(&site, &self.0, to.now)
    }
}

/// The name in URLs: the letters and digits of the display name.
fn url_name(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).collect()
}
