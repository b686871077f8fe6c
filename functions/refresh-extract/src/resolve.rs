//! Finds what a caller means, and checks that the caller may refresh it.

use crate::RefreshExtract;
use crate::api::Stop;
use crate::body::{Path, Wanted};
use crate::problem::{Candidate, Code, Problem};
use api_keys::Permissions;
use circuit::Guarded;
use guarded_tableau::TableauError;
use jiff::{SignedDuration, Timestamp};
use refreshes::Target;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tableau::{ContentKind, Subject};
use tableau_client::{
    FindBy, FindResult, FoundContent, Item, NotFoundReason, ProjectPath, ProjectTree, Scope,
};
use workflow::{Failure, Invocation};

/// How long the tree of projects is kept: a project that was moved may count as where it was for so long.
const KEPT: SignedDuration = SignedDuration::from_secs(60);

/// How long "not found" is kept: a pipeline with a wrong name would read all lists of the site with each of its requests.
const NOT_FOUND_KEPT: SignedDuration = SignedDuration::from_secs(5);
/// How many of them are kept.
const MOST_NOT_FOUND: usize = 50;

/// How long the search for a name may take: all pages are read before "not found".
const LONGEST_SEARCH: Duration = Duration::from_secs(15);

/// What this instance has read of Tableau a moment ago.
#[derive(Default)]
pub(crate) struct Known {
    projects: Mutex<Option<(Timestamp, Arc<ProjectTree>)>>,
    /// The site's names in small letters: LUID, name in URLs, display name.
    site: Mutex<Option<Vec<String>>>,
    not_found: Mutex<Vec<NotFoundLately>>,
}

/// What was not found a moment ago, for a key with these permissions.
struct NotFoundLately {
    at: Timestamp,
    wanted: Wanted,
    may: Permissions,
    problem: Problem,
}

impl Known {
    fn not_found_lately(&self, wanted: &Wanted, may: &Permissions, now: Timestamp) -> Option<Problem> {
        let mut all = self.not_found.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|one| now.duration_since(one.at).abs() < NOT_FOUND_KEPT);
        all.iter().find(|one| one.wanted == *wanted && one.may == *may).map(|one| one.problem.clone())
    }

    fn was_not_found(&self, wanted: &Wanted, may: &Permissions, problem: &Problem, at: Timestamp) {
        let mut all = self.not_found.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_NOT_FOUND {
            all.remove(0);
        }
        let (wanted, may, problem) = (wanted.clone(), may.clone(), problem.clone());
        all.push(NotFoundLately { at, wanted, may, problem });
    }
}

/// What a key may refresh.
struct Allowed<'p>(&'p Permissions);

impl Scope for Allowed<'_> {
    fn has(&self, found: &FoundContent) -> bool {
        self.0.may_refresh(found.kind(), found.luid.as_str(), found.project.as_deref())
    }

    fn has_project(&self, names: &[String]) -> bool {
        self.0.projects.iter().any(|pattern| pattern.matches(names))
    }
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
            Wanted::Url(..) | Wanted::Name(..) => return self.search(wanted, may, invocation).await,
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

    /// What a caller means by a name or an address, among what the caller may refresh. Others are not even named.
    async fn search(
        &self,
        wanted: &Wanted,
        may: &Permissions,
        invocation: &Invocation,
    ) -> Result<Target, Stop> {
        let by = match wanted {
            Wanted::Luid(_, luid) => FindBy::Luid(luid.clone()),
            Wanted::Url(_, url) => FindBy::Url(url.clone()),
            Wanted::Name(_, name, path) => {
                let project = match path {
                    None => None,
                    Some(Path::Text(text)) => Some(text.parse::<ProjectPath>()),
                    Some(Path::Names(names)) => Some(ProjectPath::of(names.iter().cloned())),
                };
                let wrong =
                    |_| Problem::new(Code::Malformed, "project: a name in it is empty").of_field("project");
                FindBy::Name { name: name.clone(), project: project.transpose().map_err(wrong)? }
            }
        };
        let tableau = self.engine.facts.tableau();
        let client = tableau.client().within(LONGEST_SEARCH.min(invocation.remaining()));
        if let Some(problem) = self.known.not_found_lately(wanted, may, invocation.now) {
            return Err(problem.into());
        }
        let allowed = Allowed(may);
        let find = client.find_within(wanted.kind(), &by, &allowed);
        let found = tableau.call(invocation, find).await.map_err(no_answer)?;
        match found {
            FindResult::Found(one) => Ok(target(*one)),
            FindResult::Ambiguous(all) => {
                let count = all.len();
                let detail =
                    format!("{count} objects fit: {}. Say the project, or the LUID.", wanted.shown());
                let mut problem = Problem::new(Code::Ambiguous, detail);
                problem.candidates = all.into_iter().map(candidate).collect();
                Err(problem.into())
            }
            FindResult::NotFound(none) => {
                let code = match none.reason {
                    NotFoundReason::ProjectNumber { .. }
                    | NotFoundReason::OtherPage
                    | NotFoundReason::NoAddress
                    | NotFoundReason::OtherKind { .. } => Code::UnresolvableUrl,
                    NotFoundReason::OtherSite { .. } | NotFoundReason::OtherServer { .. } => Code::OtherSite,
                    _ => Code::NotFound,
                };
                let mut detail = sentence(&none.to_string());
                if code == Code::NotFound {
                    detail.push_str(&limits(may));
                }
                let mut problem = Problem::new(code, detail);
                problem.candidates = none.near.into_iter().map(candidate).collect();
                if code != Code::NotFound {
                    return Err(problem.of_field("url").into());
                }
                self.known.was_not_found(wanted, may, &problem, invocation.now);
                Err(problem.into())
            }
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
                let tableau = self.engine.facts.tableau();
                let by = FindBy::Luid(luid.to_owned());
                let found = tableau.call(invocation, tableau.client().find(Some(kind), &by)).await;
                let found = found.map_err(no_answer)?;
                return Ok(match found {
                    FindResult::Found(one) => Some(target(*one)),
                    FindResult::Ambiguous(_) | FindResult::NotFound(_) => None,
                });
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
        let Some(luid) = item.project.as_ref().and_then(|project| project.id.as_ref()) else {
            return Ok(None);
        };
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

fn target(found: FoundContent) -> Target {
    Target { kind: found.kind(), luid: found.luid.to_string(), name: found.name, project: found.project }
}

fn candidate(found: FoundContent) -> Candidate {
    Candidate {
        kind: found.kind(),
        luid: found.luid.to_string(),
        name: found.name,
        project: found.project.unwrap_or_default(),
    }
}

/// A text that begins in the middle of a sentence as a whole one.
fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    let first: String = rest.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", rest.as_str())
}

/// Where the key may refresh content, if that is not everywhere: what is elsewhere is not found.
fn limits(may: &Permissions) -> String {
    if may.projects.iter().any(|pattern| pattern.as_str() == "**") {
        return String::new();
    }
    let projects: Vec<&str> = may.projects.iter().map(|pattern| pattern.as_str()).collect();
    match projects.as_slice() {
        [] => " This key may refresh only the objects whose LUIDs it has.".to_owned(),
        several => format!(" This key may refresh only what is in {}.", several.join(", ")),
    }
}

fn not_allowed(wanted: &Wanted) -> Problem {
    Problem::new(Code::NotAllowed, format!("This key may not refresh the {}.", wanted.shown()))
}
