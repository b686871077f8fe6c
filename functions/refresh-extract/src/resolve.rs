//! Finds what a caller means, and checks that the caller may refresh it.

use crate::RefreshExtract;
use crate::api::Stop;
use crate::body::Wanted;
use crate::problem::{Code, Problem};
use api_keys::Permissions;
use circuit::Guarded;
use guarded_tableau::TableauError;
use jiff::{SignedDuration, Timestamp};
use refreshes::Target;
use std::sync::{Arc, Mutex, PoisonError};
use tableau::{ContentKind, Subject};
use tableau_client::{Item, ProjectTree};
use workflow::{Failure, Invocation};

/// How long the tree of projects is kept: a project that was moved may count as where it was for so long.
const KEPT: SignedDuration = SignedDuration::from_secs(60);

/// What this instance has read of Tableau a moment ago.
#[derive(Default)]
pub(crate) struct Known {
    projects: Mutex<Option<(Timestamp, Arc<ProjectTree>)>>,
    /// The site's names in small letters: LUID, name in URLs, display name.
    site: Mutex<Option<Vec<String>>>,
}

/// What a call that failed means for a caller.
pub(crate) fn no_answer(error: Guarded<TableauError>) -> Stop {
    let wait = match &error {
        Guarded::CircuitOpen(open) => Some(open.retry_after),
        Guarded::Call(error) => error.retry_after(),
    };
    let is_refused = matches!(&error, Guarded::Call(error) if !error.is_transient());
    let failure = Failure::from(error);
    tracing::warn!(reason = failure.reason(), "Tableau did not answer a caller's question");
    if matches!(failure, Failure::Misconfigured { .. }) {
        return failure.into();
    }
    if is_refused {
        let detail = "Tableau refuses to show the content to the user of this service.";
        return Problem::new(Code::TableauRefused, detail).into();
    }
    let seconds = wait.map_or(10, |wait| wait.as_secs().clamp(1, 600));
    let detail = "Tableau does not answer at the moment. Try again later.";
    Problem::new(Code::Unavailable, detail).with_header("retry-after", seconds.to_string()).into()
}

impl RefreshExtract {
    /// The LUID of the site, if it is the one that a caller names.
    pub(crate) async fn site(&self, wanted: Option<&str>, invocation: &Invocation) -> Result<String, Stop> {
        let tableau = self.engine.facts.tableau();
        let luid = tableau.session_site(invocation).await.map_err(no_answer)?;
        let luid_text = luid.to_string();
        let Some(wanted) = wanted else { return Ok(luid_text) };
        let is = |name: &str| name.to_lowercase() == wanted.to_lowercase();
        if is(&luid_text) || is(&self.front.site) {
            return Ok(luid_text);
        }
        let kept = self.known.site.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let names = match kept {
            Some(names) => names,
            None => match tableau.call(invocation, tableau.client().site(&luid)).await {
                Ok(site) => {
                    let names = vec![site.content_url, site.name];
                    *self.known.site.lock().unwrap_or_else(PoisonError::into_inner) = Some(names.clone());
                    names
                }
                // Its display name is for administrators only.
                Err(Guarded::Call(error)) if !error.is_transient() => Vec::new(),
                Err(error) => return Err(no_answer(error)),
            },
        };
        if names.iter().any(|name| is(name)) {
            return Ok(luid_text);
        }
        let ours = if self.front.site.is_empty() { "the server's default site" } else { &self.front.site };
        let detail = format!("This stack has the site {ours}, and no site {wanted}.");
        Err(Problem::new(Code::OtherSite, detail).of_field("site").into())
    }

    /// What a caller means, if the caller may refresh it.
    pub(crate) async fn resolve(
        &self,
        wanted: &Wanted,
        may: &Permissions,
        invocation: &Invocation,
    ) -> Result<Target, Stop> {
        let may_none = |kind: ContentKind| !may.may_refresh_some(kind);
        if wanted.kind().is_some_and(may_none) {
            return Err(not_allowed(wanted).into());
        }
        let found = match wanted {
            Wanted::Luid(kind, luid) => self.by_luid(*kind, luid, invocation).await?,
            Wanted::Url(..) | Wanted::Name(..) => {
                let detail = "Content is found by its LUID only, until names are supported.";
                return Err(Problem::new(Code::UnresolvableUrl, detail).into());
            }
        };
        let Some(target) = found else {
            // Whether it exists is no business of a key that may not refresh it.
            let named = matches!(wanted, Wanted::Luid(_, luid) if may.names(luid));
            return Err(match named || !may.projects.is_empty() {
                true => Problem::new(Code::NotFound, format!("Tableau shows no {}.", wanted.shown())),
                false => not_allowed(wanted),
            }
            .into());
        };
        match may.may_refresh(target.kind, &target.luid, target.project.as_deref()) {
            true => Ok(target),
            false => Err(not_allowed(wanted).into()),
        }
    }

    /// The object with this LUID; `None` if Tableau does not show it.
    pub(crate) async fn by_luid(
        &self,
        kind: ContentKind,
        luid: &str,
        invocation: &Invocation,
    ) -> Result<Option<Target>, Stop> {
        let subject = match kind {
            ContentKind::Workbook => luid.parse().ok().map(Subject::Workbook),
            ContentKind::Datasource => luid.parse().ok().map(Subject::Datasource),
            ContentKind::Flow => {
                let detail = "Flows cannot be run yet.";
                return Err(Problem::new(Code::NotRefreshable, detail).into());
            }
        };
        let Some(subject) = subject else { return Ok(None) };
        let tableau = self.engine.facts.tableau();
        let item = tableau.call(invocation, tableau.client().item(&subject)).await.map_err(no_answer)?;
        let Some(item) = item else { return Ok(None) };
        let project = self.project(&item, invocation).await?;
        Ok(Some(Target { kind, luid: subject.luid().to_owned(), name: item.name, project }))
    }

    /// The names of its project and of those above. `None` for a personal space, or if Tableau does not show all of them.
    async fn project(&self, item: &Item, invocation: &Invocation) -> Result<Option<Vec<String>>, Stop> {
        let Some(luid) = item.project.as_ref().and_then(|project| project.id.as_ref()) else { return Ok(None) };
        let now = invocation.now;
        let kept = self.known.projects.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let fresh = kept.filter(|(at, _)| now.duration_since(*at).abs() < KEPT).map(|(_, tree)| tree);
        if let Some(names) = fresh.and_then(|tree| tree.names(luid)) {
            return Ok(Some(names));
        }
        let tableau = self.engine.facts.tableau();
        let tree = tableau.call(invocation, tableau.client().project_tree()).await.map_err(no_answer)?;
        let names = tree.names(luid);
        *self.known.projects.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::new(tree)));
        Ok(names)
    }
}

fn not_allowed(wanted: &Wanted) -> Problem {
    Problem::new(Code::NotAllowed, format!("This key may not refresh the {}.", wanted.shown()))
}
