//! Finds content by LUID, by name and path, or by a browser's address.

mod address;
mod found;
mod kind;
mod listed;
mod near;
mod path;
mod scope;

pub use address::{BrowserUrl, NotBrowserUrl, PageShown, WebId};
pub use found::{FindBy, FindResult, FoundContent, FoundView, NotFound, NotFoundReason};
pub use kind::{ContentKind, ContentLuid};
pub use path::{InvalidProjectPath, ProjectPath};
pub use scope::Scope;

use crate::settings::may_share;
use crate::{Error, Filter, ProjectTree, TableauClient, View};
use confidential::SecureUrl;
use listed::{Listed, is_refusal, meant, refuses_filter};
use path::same_name;
use scope::Everything;
use tableau::{ProjectLuid, Subject};
use url::Url;

impl TableauClient {
    /// Finds a workbook, data source or flow; without `kind`, any of them.
    ///
    /// **Names** compare as Tableau compares them: without regard to upper and lower case (`tableau/server-client-python#600`; the
    /// help says that filters regard it). Nothing else is equal: neither spaces, nor accents, nor composed and decomposed
    /// characters; what differs only so is among the near names. If one project has names that differ only in case, the one
    /// that is spelt exactly so is meant. Names with `,`, `&`, `:`, quotes and of any script are found: where Tableau cannot filter
    /// by a name, or refuses the filter, the whole list is read.
    ///
    /// **A path** goes from the top down, and always counts, also where the name is unique: content is in the path's last
    /// project, by that project's LUID. Where no project has these names, or the content is not in it, the text of the path is
    /// tried with slashes as parts of names.
    ///
    /// **An address** may be of any form in [`BrowserUrl`]. Its number is looked up with the Metadata API, or, where that is off or
    /// says nothing, in the addresses that the lists of the REST API contain. A view stands for its workbook. Numbers of
    /// projects are known to neither.
    ///
    /// "Not found" is said only after all pages of the lists were read, since filters use an index that trails behind publishing.
    ///
    /// REST API 2.3+, for flows 3.3+; JWT scopes `tableau:content:read` and, for flows, `tableau:flows:read`. Without `kind`, flows
    /// are left out where Tableau refuses to list them.
    ///
    /// # Errors
    /// [`Error`] when Tableau does not answer, or refuses to list content or the projects of a path.
    pub async fn find(&self, kind: Option<ContentKind>, by: &FindBy) -> Result<FindResult, Error> {
        self.find_within(kind, by, &Everything).await
    }

    /// As [`TableauClient::find`], as if nothing but what is in the scope existed: neither content nor a project outside it is found,
    /// told from one that does not exist, or named as near.
    ///
    /// # Errors
    /// As [`TableauClient::find`].
    pub async fn find_within(
        &self,
        kind: Option<ContentKind>,
        by: &FindBy,
        scope: &dyn Scope,
    ) -> Result<FindResult, Error> {
        let kinds = kind.map_or(ContentKind::ALL.to_vec(), |kind| vec![kind]);
        match by {
            FindBy::Luid(luid) => self.find_luid(&kinds, luid, scope).await,
            FindBy::Url(url) => self.find_url(&kinds, url, scope).await,
            FindBy::Name { name, project } => self.find_name(&kinds, name, project.as_ref(), scope).await,
        }
    }

    async fn find_luid(
        &self,
        kinds: &[ContentKind],
        luid: &str,
        scope: &dyn Scope,
    ) -> Result<FindResult, Error> {
        let luid = luid.trim();
        let none = || NotFoundReason::Luid { luid: luid.to_owned() };
        for kind in kinds {
            // A text that cannot be a LUID is none.
            let Some(of_kind) = ContentLuid::of(*kind, luid) else { break };
            match self.listed(&of_kind).await {
                Ok(None) => {}
                Ok(Some(found)) => return self.as_found(found, kinds, none(), scope).await,
                Err(error) if kinds.len() > 1 && *kind == ContentKind::Flow && is_refusal(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(nothing(kinds, none()))
    }

    async fn find_name(
        &self,
        kinds: &[ContentKind],
        name: &str,
        path: Option<&ProjectPath>,
        scope: &dyn Scope,
    ) -> Result<FindResult, Error> {
        let tree = self.tree(path.is_some()).await?;
        let mut named = Vec::new();
        let mut by_filter = true;
        for kind in kinds {
            match self.list_named(*kind, name).await {
                Ok(Some(found)) => named.extend(found),
                Ok(None) => by_filter = false,
                Err(error) if kinds.len() > 1 && *kind == ContentKind::Flow && is_refusal(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let found = if by_filter { meant(&named, name, path, &tree) } else { Vec::new() };
        if let Some(found) = self.among(found, &tree, scope) {
            return Ok(found);
        }
        let mut all = Vec::new();
        for kind in kinds {
            match self.list_all(*kind).await {
                Ok(listed) => all.extend(listed),
                Err(error) if kinds.len() > 1 && *kind == ContentKind::Flow && is_refusal(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let found = meant(&all, name, path, &tree);
        if let Some(found) = self.among(found, &tree, scope) {
            return Ok(found);
        }
        let is_in_scope =
            |luid: &ProjectLuid| tree.names(luid).is_some_and(|names| scope.has_project(&names));
        let reason = match path {
            None => NotFoundReason::Name { name: name.to_owned() },
            Some(project) => {
                let (name, project) = (name.to_owned(), project.clone());
                let is_there = [project.projects(&tree), project.projects_by_text(&tree)];
                if !is_there.iter().flatten().any(is_in_scope) {
                    NotFoundReason::NoProject { name, project }
                } else {
                    NotFoundReason::NotInProject { name, project }
                }
            }
        };
        let mut not_found = NotFound::of(kinds, reason);
        let all = all.into_iter().map(|one| one.found(&tree, self.settings().server()));
        let all = all.filter(|one| scope.has(one));
        not_found.near = near::nearest(name, all, |one| &one.name, FoundContent::path);
        if let NotFoundReason::NoProject { project, .. } = &not_found.reason {
            not_found.near_projects = near::nearest_projects(project.names(), &tree, scope);
        }
        Ok(FindResult::NotFound(Box::new(not_found)))
    }

    async fn find_url(
        &self,
        kinds: &[ContentKind],
        text: &str,
        scope: &dyn Scope,
    ) -> Result<FindResult, Error> {
        let Ok(address) = text.parse::<BrowserUrl>() else {
            return Ok(nothing(kinds, NotFoundReason::NoAddress));
        };
        if !self.is_here(&address.host) {
            return Ok(nothing(kinds, NotFoundReason::OtherServer { host: address.host }));
        }
        // Numbers are of the whole server, names in addresses of a site.
        let names_none = address.site.is_empty() && !matches!(address.shown, PageShown::View { .. });
        if !names_none && !same_name(&address.site, &self.settings().site) {
            return Ok(nothing(kinds, NotFoundReason::OtherSite { site: address.site }));
        }
        let shown = match &address.shown {
            PageShown::Content(kind, _) => *kind,
            PageShown::View { .. } => ContentKind::Workbook,
            PageShown::Project(number) => {
                return Ok(nothing(kinds, NotFoundReason::ProjectNumber { number: number.clone() }));
            }
            PageShown::Other => return Ok(nothing(kinds, NotFoundReason::OtherPage)),
        };
        if !kinds.contains(&shown) {
            return Ok(nothing(kinds, NotFoundReason::OtherKind { shown }));
        }
        match address.shown {
            PageShown::Content(kind, WebId::Number(number)) => self.find_number(kind, number, scope).await,
            PageShown::Content(kind, WebId::Luid(luid)) => self.find_luid(&[kind], &luid, scope).await,
            PageShown::View { workbook, sheet } => self.find_view(workbook, sheet, scope).await,
            PageShown::Project(_) | PageShown::Other => Ok(nothing(kinds, NotFoundReason::OtherPage)),
        }
    }

    /// Whether an address is of the server that is called, or of another pod of Tableau Cloud. A server on this machine is a
    /// simulator, whose pages are elsewhere.
    fn is_here(&self, host: &str) -> bool {
        let server = self.settings().server();
        let url = Url::parse(&format!("https://{host}")).ok().and_then(|url| SecureUrl::try_from(url).ok());
        server.host_str() == Some(host)
            || server.is_loopback()
            || url.is_some_and(|url| may_share(server, &url))
    }

    async fn find_number(
        &self,
        kind: ContentKind,
        number: String,
        scope: &dyn Scope,
    ) -> Result<FindResult, Error> {
        let found = match self.by_metadata(kind, &number).await? {
            Some(found) => Some(found),
            None => self.list_all(kind).await?.into_iter().find(|one| has_number(one, kind, &number)),
        };
        let none = NotFoundReason::Number { number };
        match found {
            Some(found) => self.as_found(found, &[kind], none, scope).await,
            None => Ok(nothing(&[kind], none)),
        }
    }

    /// What the Metadata API says of a number, if it is on, knows the number, and what it says still holds.
    async fn by_metadata(&self, kind: ContentKind, number: &str) -> Result<Option<Listed>, Error> {
        let page = match kind {
            ContentKind::Workbook => "workbooks",
            ContentKind::Datasource => "datasources",
            ContentKind::Flow => return Ok(None),
        };
        let luid = match self.shown_at(&format!("/{page}/{number}")).await {
            Ok(Some(Subject::Workbook(luid))) => ContentLuid::Workbook(luid),
            Ok(Some(Subject::Datasource(luid))) => ContentLuid::Datasource(luid),
            Ok(_) => return Ok(None),
            Err(
                error @ (Error::OutOfTime { .. } | Error::Credential(_) | Error::CredentialRefused { .. }),
            ) => {
                return Err(error);
            }
            // The REST API may answer all the same.
            Err(_) => return Ok(None),
        };
        let found = self.listed(&luid).await?;
        Ok(found.filter(|found| found.address.is_none() || has_number(found, kind, number)))
    }

    async fn find_view(
        &self,
        workbook: String,
        sheet: String,
        scope: &dyn Scope,
    ) -> Result<FindResult, Error> {
        let kinds = [ContentKind::Workbook];
        let none = NotFoundReason::View { workbook: workbook.clone(), sheet: sheet.clone() };
        if let Some(view) = self.view_at(&workbook, &sheet).await?
            && let Some(luid) = view.workbook.as_ref().map(|workbook| workbook.id.clone())
            && let Some(found) = self.listed(&ContentLuid::Workbook(luid)).await?
        {
            let shown = FoundView { luid: view.id, name: view.name };
            return Ok(match self.as_found(found, &kinds, none, scope).await? {
                FindResult::Found(found) => {
                    FindResult::Found(Box::new(FoundContent { view: Some(shown), ..*found }))
                }
                other => other,
            });
        }
        // Lists leave hidden sheets out; the workbook is the same.
        match self.workbook_at(&workbook).await? {
            Some(found) => self.as_found(found, &kinds, none, scope).await,
            None => Ok(nothing(&kinds, none)),
        }
    }

    async fn view_at(&self, workbook: &str, sheet: &str) -> Result<Option<View>, Error> {
        let wanted = format!("{workbook}/sheets/{sheet}");
        let is = |view: &View| view.content_url.as_deref().is_some_and(|url| same_name(url, &wanted));
        if !sheet.contains([',', '&']) {
            match self.views(Filter::all().at_url_name(sheet)).all(usize::MAX).await {
                Ok(views) => {
                    if let Some(view) = views.into_iter().find(is) {
                        return Ok(Some(view));
                    }
                }
                Err(error) if refuses_filter(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.views(Filter::all()).all(usize::MAX).await?.into_iter().find(is))
    }

    async fn workbook_at(&self, content_url: &str) -> Result<Option<Listed>, Error> {
        let filter = Filter::all().at_content_url(content_url);
        let all = match self.workbooks(filter).all(usize::MAX).await {
            Err(error) if refuses_filter(&error) => self.workbooks(Filter::all()).all(usize::MAX).await?,
            other => other?,
        };
        let is = |url: &Option<String>| url.as_deref().is_some_and(|url| same_name(url, content_url));
        Ok(all.into_iter().find(|workbook| is(&workbook.content_url)).map(Listed::from))
    }

    /// The tree of projects. Where no path has to be checked, content is found without it too.
    async fn tree(&self, is_needed: bool) -> Result<ProjectTree, Error> {
        match self.project_tree().await {
            Err(error) if !is_needed && is_refusal(&error) => Ok(ProjectTree::default()),
            other => other,
        }
    }

    /// What was found, or `none` if it is not in the scope.
    async fn as_found(
        &self,
        found: Listed,
        kinds: &[ContentKind],
        none: NotFoundReason,
        scope: &dyn Scope,
    ) -> Result<FindResult, Error> {
        let tree = self.tree(false).await?;
        Ok(self.among(vec![found], &tree, scope).unwrap_or_else(|| nothing(kinds, none)))
    }

    /// The one that was found, or all; `None` if none of them is in the scope.
    fn among(&self, found: Vec<Listed>, tree: &ProjectTree, scope: &dyn Scope) -> Option<FindResult> {
        let server = self.settings().server();
        let found = found.into_iter().map(|one| one.found(tree, server)).filter(|one| scope.has(one));
        let mut found: Vec<FoundContent> = found.collect();
        let last = found.pop()?;
        if found.is_empty() {
            return Some(FindResult::Found(Box::new(last)));
        }
        found.push(last);
        found.sort_by_key(|one| (one.path(), one.luid.clone()));
        Some(FindResult::Ambiguous(found))
    }
}

fn has_number(listed: &Listed, kind: ContentKind, number: &str) -> bool {
    let address = listed.address.as_deref().and_then(|address| address.parse::<BrowserUrl>().ok());
    address.is_some_and(|address| match address.shown {
        PageShown::Content(shown, WebId::Number(shown_number)) => shown == kind && shown_number == number,
        _ => false,
    })
}

fn nothing(kinds: &[ContentKind], reason: NotFoundReason) -> FindResult {
    FindResult::NotFound(Box::new(NotFound::of(kinds, reason)))
}
