//! What comes of looking for content.

use super::kind::{ContentKind, ContentLuid};
use super::path::{ProjectPath, joined, same_name};
use std::fmt;
use tableau::{ProjectLuid, ViewLuid};

/// How content is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FindBy {
    /// By its LUID.
    Luid(String),
    /// By a browser's address: see [`BrowserUrl`](crate::BrowserUrl).
    Url(String),
    /// By its name, and the path of its project if it is known.
    Name {
        /// The content's name.
        name: String,
        /// Where it is.
        project: Option<ProjectPath>,
    },
}

/// Content that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundContent {
    /// Its LUID, and its kind.
    pub luid: ContentLuid,
    /// Its name: untrusted text.
    pub name: String,
    /// The names of its project and of those around it, from the top down. `None` if the user may not see all of them.
    pub project: Option<Vec<String>>,
    /// The project's LUID.
    pub project_luid: Option<ProjectLuid>,
    /// The address of its page.
    pub link: Option<String>,
    /// The view that the address shows, which is in the workbook that was found.
    pub view: Option<FoundView>,
}

/// A view that an address shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundView {
    /// The view's LUID.
    pub luid: ViewLuid,
    /// The view's name: untrusted text.
    pub name: String,
}

impl FoundContent {
    /// The content's kind.
    pub fn kind(&self) -> ContentKind {
        self.luid.kind()
    }

    /// The path with the name: `Finance/Europe/Sales`. A slash within a name is `\/`. Untrusted text.
    pub fn path(&self) -> String {
        let mut names = self.project.clone().unwrap_or_else(|| vec!["…".to_owned()]);
        names.push(self.name.clone());
        joined(&names)
    }
}

/// What comes of looking for content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FindResult {
    /// Exactly this.
    Found(Box<FoundContent>),
    /// More than one is meant. In the order of their paths.
    Ambiguous(Vec<FoundContent>),
    /// Nothing, after all pages of the lists were read.
    NotFound(Box<NotFound>),
}

/// Nothing was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotFound {
    /// The kinds that were looked for.
    pub kinds: Vec<ContentKind>,
    /// What is not there.
    pub reason: NotFoundReason,
    /// What was probably meant: content of the same name elsewhere first, then near names.
    pub near: Vec<FoundContent>,
    /// Paths of projects that were probably meant, where the project of the path is not there.
    pub near_projects: Vec<Vec<String>>,
}

/// Why nothing was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotFoundReason {
    /// No content has this name.
    Name {
        /// The name.
        name: String,
    },
    /// There is the project, but nothing of this name in it.
    NotInProject {
        /// The name.
        name: String,
        /// The project's path.
        project: ProjectPath,
    },
    /// There is no such project.
    NoProject {
        /// The name of the content.
        name: String,
        /// The project's path.
        project: ProjectPath,
    },
    /// No content has this LUID, or the user may not see it.
    Luid {
        /// The LUID.
        luid: String,
    },
    /// No content has this number in its address.
    Number {
        /// The number.
        number: String,
    },
    /// The address shows a project, whose number neither the REST API nor the Metadata API knows.
    ProjectNumber {
        /// The number.
        number: String,
    },
    /// There is no such view.
    View {
        /// The workbook's name in addresses.
        workbook: String,
        /// The sheet's name in addresses.
        sheet: String,
    },
    /// The address shows no workbook, data source, flow or view.
    OtherPage,
    /// The text is no browser's address.
    NoAddress,
    /// The address shows another kind of content than was asked for.
    OtherKind {
        /// What it shows.
        shown: ContentKind,
    },
    /// The address is of another site.
    OtherSite {
        /// What follows `/site/` in the address; empty for the default site.
        site: String,
    },
    /// The address is of another server.
    OtherServer {
        /// The server's host.
        host: String,
    },
}

impl NotFound {
    pub(super) fn of(kinds: &[ContentKind], reason: NotFoundReason) -> Self {
        Self { kinds: kinds.to_vec(), reason, near: Vec::new(), near_projects: Vec::new() }
    }

    fn kind(&self) -> String {
        match self.kinds.as_slice() {
            [one] => one.to_string(),
            _ => "workbook, data source or flow".to_owned(),
        }
    }

    /// What is not there, without what was probably meant.
    fn what(&self) -> String {
        let kind = self.kind();
        match &self.reason {
            NotFoundReason::Name { name } => format!("there is no {kind} `{name}`"),
            NotFoundReason::NotInProject { name, project } => {
                format!("there is no {kind} `{name}` in the project {project}")
            }
            NotFoundReason::NoProject { project, .. } => format!("there is no project {project}"),
            NotFoundReason::Luid { luid } => format!("there is no {kind} with the LUID {luid}"),
            NotFoundReason::Number { number } => format!("there is no {kind} with the number {number}"),
            NotFoundReason::ProjectNumber { number } => format!(
                "the address shows project {number}, and Tableau's APIs know no numbers of projects: say the project's path"
            ),
            NotFoundReason::View { workbook, sheet } => {
                format!("there is no view {sheet} in a workbook {workbook}, as addresses name them")
            }
            NotFoundReason::OtherPage => {
                "the address shows no workbook, data source, flow or view".to_owned()
            }
            NotFoundReason::NoAddress => "an address begins with https:// and a host".to_owned(),
            NotFoundReason::OtherKind { shown } => format!("the address shows a {shown}, not a {kind}"),
            NotFoundReason::OtherSite { site } if site.is_empty() => "the address names no site".to_owned(),
            NotFoundReason::OtherSite { site } => format!("the address is of another site, {site}"),
            NotFoundReason::OtherServer { host } => format!("the address is of another server, {host}"),
        }
    }

    fn name(&self) -> Option<&str> {
        match &self.reason {
            NotFoundReason::Name { name }
            | NotFoundReason::NotInProject { name, .. }
            | NotFoundReason::NoProject { name, .. } => Some(name),
            _ => None,
        }
    }
}

/// One sentence without a full stop, such as: there is no workbook `Sales` in the project Two; there is One/Sales. Names are
/// untrusted text.
impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what())?;
        let is_same = |found: &&FoundContent| self.name().is_some_and(|name| same_name(name, &found.name));
        let (same, near): (Vec<&FoundContent>, Vec<&FoundContent>) = self.near.iter().partition(is_same);
        let paths = |all: &[&FoundContent]| all.iter().map(|one| one.path()).collect::<Vec<_>>().join(", ");
        if !same.is_empty() {
            write!(f, "; there is {}", paths(&same))?;
        } else if !near.is_empty() {
            write!(f, "; near names: {}", paths(&near))?;
        }
        if !self.near_projects.is_empty() {
            let paths: Vec<String> = self.near_projects.iter().map(|names| joined(names)).collect();
            write!(f, "; near projects: {}", paths.join(", "))?;
        }
        Ok(())
    }
}
