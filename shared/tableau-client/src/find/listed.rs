//! Content as lists say it, and the choice among content of one name.

use super::found::FoundContent;
use super::kind::{ContentKind, ContentLuid};
use super::path::{ProjectPath, same_name};
use crate::page::page;
use crate::{Datasource, Error, Filter, Flow, ProjectRef, ProjectTree, TableauClient, Workbook};
use confidential::SecureUrl;
use std::collections::HashMap;
use tableau::ProjectLuid;

/// Content as a list says it.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) luid: ContentLuid,
    pub(super) name: String,
    pub(super) project: Option<ProjectRef>,
    /// The address of its page as Tableau says it.
    pub(super) address: Option<String>,
}

impl From<Workbook> for Listed {
    fn from(workbook: Workbook) -> Self {
        let luid = ContentLuid::Workbook(workbook.id);
        Self { luid, name: workbook.name, project: workbook.project, address: workbook.webpage_url }
    }
}

impl From<Datasource> for Listed {
    fn from(datasource: Datasource) -> Self {
        let luid = ContentLuid::Datasource(datasource.id);
        Self { luid, name: datasource.name, project: datasource.project, address: datasource.webpage_url }
    }
}

impl From<Flow> for Listed {
    fn from(flow: Flow) -> Self {
        let luid = ContentLuid::Flow(flow.id);
        Self { luid, name: flow.name, project: flow.project, address: flow.webpage_url }
    }
}

impl Listed {
    pub(super) fn project(&self) -> Option<&ProjectLuid> {
        self.project.as_ref()?.id.as_ref()
    }

    pub(super) fn found(self, tree: &ProjectTree, server: &SecureUrl) -> FoundContent {
        let project = self.project().and_then(|project| tree.names(project));
        let link = self.address.as_deref().and_then(|address| page(server, address));
        let project_luid = self.project.and_then(|project| project.id);
        FoundContent { luid: self.luid, name: self.name, project, project_luid, link, view: None }
    }
}

/// Whether an error says that this list, or this filter, is not for the user or not in this version: other ways are left.
pub(super) fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::Refused { .. } | Error::SessionRefused { .. }) && !error.is_transient()
}

/// Whether Tableau refuses a filter, which some versions do although others do not.
///
/// Source: `tableau/server-client-python#1393`
pub(super) fn refuses_filter(error: &Error) -> bool {
    matches!(error, Error::Refused { status: 400, .. })
}

impl TableauClient {
    /// All content of this kind, page by page to the last.
    pub(super) async fn list_all(&self, kind: ContentKind) -> Result<Vec<Listed>, Error> {
        Ok(match kind {
            ContentKind::Workbook => listed(self.workbooks(Filter::all()).all(usize::MAX).await?),
            ContentKind::Datasource => listed(self.datasources(Filter::all()).all(usize::MAX).await?),
            ContentKind::Flow => listed(self.flows(Filter::all()).all(usize::MAX).await?),
        })
    }

    /// The content of this kind with this name, as Tableau's own filter finds it. `None` if Tableau cannot filter by the name:
    /// a value has neither `,` nor `&` in any encoding.
    pub(super) async fn list_named(
        &self,
        kind: ContentKind,
        name: &str,
    ) -> Result<Option<Vec<Listed>>, Error> {
        if name.is_empty() || name.contains([',', '&']) {
            return Ok(None);
        }
        let found = match kind {
            ContentKind::Workbook => {
                self.workbooks(Filter::all().named(name)).all(usize::MAX).await.map(listed)
            }
            ContentKind::Datasource => {
                self.datasources(Filter::all().named(name)).all(usize::MAX).await.map(listed)
            }
            ContentKind::Flow => self.flows(Filter::all().named(name)).all(usize::MAX).await.map(listed),
        };
        match found {
            Ok(found) => Ok(Some(found)),
            Err(error) if refuses_filter(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Content by its LUID; `None` if the site has none, or the user may not see it.
    pub(super) async fn listed(&self, luid: &ContentLuid) -> Result<Option<Listed>, Error> {
        let found = match luid {
            ContentLuid::Workbook(luid) => self.workbook(luid).await.map(Listed::from),
            ContentLuid::Datasource(luid) => self.datasource(luid).await.map(Listed::from),
            ContentLuid::Flow(luid) => self.flow(luid).await.map(Listed::from),
        };
        match found {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn listed<T: Into<Listed>>(all: Vec<T>) -> Vec<Listed> {
    all.into_iter().map(Into::into).collect()
}

/// Those that are meant by a name, and by a path if there is one.
pub(super) fn meant(
    all: &[Listed],
    name: &str,
    path: Option<&ProjectPath>,
    tree: &ProjectTree,
) -> Vec<Listed> {
    let named: Vec<&Listed> = all.iter().filter(|one| same_name(&one.name, name)).collect();
    let within = |projects: &[ProjectLuid]| {
        let is_in = |one: &&&Listed| one.project().is_some_and(|project| projects.contains(project));
        named.iter().filter(is_in).copied().collect::<Vec<_>>()
    };
    let found = match path {
        None => named.clone(),
        Some(path) => {
            let found = within(&path.projects(tree));
            if found.is_empty() { within(&path.projects_by_text(tree)) } else { found }
        }
    };
    spelt(found, name)
}

/// In each project, the one that is spelt exactly so, if there is one.
fn spelt(found: Vec<&Listed>, name: &str) -> Vec<Listed> {
    let place = |one: &Listed| (one.luid.kind(), one.project().cloned());
    let mut exact: HashMap<_, bool> = HashMap::new();
    for one in &found {
        *exact.entry(place(one)).or_default() |= one.name == name;
    }
    let stays = |one: &&Listed| one.name == name || !exact.get(&place(one)).copied().unwrap_or_default();
    let mut stay: Vec<Listed> = found.into_iter().filter(stays).cloned().collect();
    // A list that changes while it is read may show one thing twice.
    stay.sort_by(|a, b| a.luid.cmp(&b.luid));
    stay.dedup_by(|a, b| a.luid == b.luid);
    stay
}
