//! Owners of content, as Tableau says it now.

use crate::erased_people::ErasedPeople;
use crate::incidents::Object;
use std::collections::HashMap;
use std::time::Duration;
use tableau::{SiteLuid, Subject};
use tableau_client::{Error, Owner, TableauClient};
use tokio::time::Instant;
use workflow::chain;

/// How many objects are asked about in one run at most.
const MOST: usize = 300;
/// How long all questions of an export, or of all reports of a run, may take.
const LONGEST: Duration = Duration::from_secs(120);

/// So many failed questions end the questions of a run: Tableau is down.
const MOST_FAILURES: usize = 3;

/// What is known about an object's owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OwnerLookup {
    /// Tableau names this user.
    Found(Owner),
    /// Tableau shows the object, and no owner; or the owner has left the site.
    NotShown,
    /// Not known: the object is gone, or Tableau was not asked, or does not answer; or the owner was erased.
    Unknown,
}

impl OwnerLookup {
    /// The owner, if known.
    pub(crate) fn found(&self) -> Option<&Owner> {
        match self {
            Self::Found(owner) => Some(owner),
            Self::NotShown | Self::Unknown => None,
        }
    }
}

/// Asks Tableau, each object once.
#[derive(Debug)]
pub struct Owners<'a> {
    /// Tableau, or why it cannot be asked.
    tableau: Result<&'a TableauClient, String>,
    /// The site of its credential, once a question has found it out.
    site: Option<SiteLuid>,
    erased: ErasedPeople,
    known: HashMap<String, OwnerLookup>,
    failures: usize,
    until: Instant,
    /// Why not all owners are known.
    problem: Option<String>,
}

impl<'a> Owners<'a> {
    /// Asks `tableau` about objects of its site until `until`, and signs in only for a question. `erased` people are not named.
    pub fn new(tableau: Result<&'a TableauClient, String>, erased: ErasedPeople, until: Instant) -> Self {
        Self { tableau, site: None, erased, known: HashMap::new(), failures: 0, until, problem: None }
    }

    /// Names these people no more. Returns whether they are others than before.
    pub(crate) fn forget(&mut self, erased: ErasedPeople) -> bool {
        if self.erased == erased {
            return false;
        }
        for known in self.known.values_mut() {
            if known.found().is_some_and(|owner| erased.has(owner)) {
                *known = OwnerLookup::Unknown;
            }
        }
        self.erased = erased;
        true
    }

    /// When questions that begin now end.
    pub fn deadline() -> Instant {
        Instant::now() + LONGEST
    }

    /// The owner of a workbook or data source.
    pub(crate) async fn of(&mut self, object: &Object) -> OwnerLookup {
        if let Some(known) = self.known.get(&object.luid) {
            return known.clone();
        }
        let Some(subject) = subject(&object.kind, &object.luid) else { return OwnerLookup::Unknown };
        let found = match self.ask(&object.site, &subject).await {
            Ok(OwnerLookup::Found(owner)) if self.erased.has(&owner) => OwnerLookup::Unknown,
            Ok(found) => found,
            Err(problem) => {
                self.problem.get_or_insert(problem);
                OwnerLookup::Unknown
            }
        };
        self.known.insert(object.luid.clone(), found.clone());
        found
    }

    async fn ask(&mut self, site: &str, subject: &Subject) -> Result<OwnerLookup, String> {
        let tableau = self.tableau.clone()?;
        if self.failures >= MOST_FAILURES {
            return Err("Tableau did not answer".to_owned());
        }
        if self.known.len() >= MOST {
            return Err(format!("more than {MOST} objects failed, and Tableau is asked about no more"));
        }
        let own_site = match &self.site {
            Some(own_site) => own_site.clone(),
            None => self.in_time(tableau.session_site()).await?,
        };
        let is_own = own_site.as_str().eq_ignore_ascii_case(site);
        self.site = Some(own_site);
        if !is_own {
            return Err("the stack's credential is of another site".to_owned());
        }
        let Some(item) = self.in_time(tableau.item(subject)).await? else { return Ok(OwnerLookup::Unknown) };
        let Some(owner) = item.owner else { return Ok(OwnerLookup::NotShown) };
        // An owner who may not be seen is not one who is gone.
        let user = async {
            match tableau.user(&owner).await {
                Err(error) if error.is_not_found() => Ok(None),
                answer => answer.map(Some),
            }
        };
        let user = self.in_time(user).await?;
        Ok(user.map_or(OwnerLookup::NotShown, |user| OwnerLookup::Found(Owner::from(&user))))
    }

    /// An answer of Tableau, or why there is none. Failures are counted.
    async fn in_time<T>(&mut self, answer: impl Future<Output = Result<T, Error>>) -> Result<T, String> {
        let answer = match tokio::time::timeout_at(self.until, answer).await {
            Ok(answer) => answer.map_err(|error| chain(&error)),
            Err(_) => Err("Tableau did not answer in two minutes".to_owned()),
        };
        self.failures += usize::from(answer.is_err());
        answer
    }

    /// Why not all owners are known; `None` if all that were asked for are.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }
}

fn subject(kind: &str, luid: &str) -> Option<Subject> {
    match kind {
        "workbook" => Some(Subject::Workbook(luid.parse().ok()?)),
        "data source" => Some(Subject::Datasource(luid.parse().ok()?)),
        _ => None,
    }
}
