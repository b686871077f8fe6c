//! Owners of content, as Tableau says it now.

use jiff::SignedDuration;
use std::collections::HashMap;
use std::time::Duration;
use tableau::Subject;
use tableau_client::{Owner, TableauClient};
use tokio::time::Instant;
use workflow::chain;

/// How many objects are asked about in one run at most.
const MOST: usize = 300;
/// How long all questions of a run may take.
const LONGEST: Duration = Duration::from_secs(120);

/// What is known about an object's owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owned {
    /// By this user.
    By(Owner),
    /// Tableau shows the object, and no owner.
    ByNobody,
    /// Not known: the object is gone, or Tableau was not asked, or does not answer.
    Unknown,
}

impl Owned {
    /// The owner, if known.
    pub fn owner(&self) -> Option<&Owner> {
        match self {
            Self::By(owner) => Some(owner),
            Self::ByNobody | Self::Unknown => None,
        }
    }
}

/// Asks Tableau, each object once.
#[derive(Debug)]
pub struct Owners<'a> {
    /// Tableau, or why it cannot be asked.
    tableau: Result<&'a TableauClient, String>,
    known: HashMap<String, Owned>,
    until: Instant,
    /// Why not all owners are known.
    problem: Option<String>,
}

impl<'a> Owners<'a> {
    /// Asks `tableau` from now on.
    pub fn new(tableau: Result<&'a TableauClient, String>) -> Self {
        Self { tableau, known: HashMap::new(), until: Instant::now() + LONGEST, problem: None }
    }

    /// Whose the object of this kind is.
    pub async fn of(&mut self, kind: &str, luid: &str) -> Owned {
        if let Some(known) = self.known.get(luid) {
            return known.clone();
        }
        let Some(subject) = subject(kind, luid) else { return Owned::Unknown };
        let owned = self.ask(&subject).await.unwrap_or_else(|problem| {
            self.problem.get_or_insert(problem);
            Owned::Unknown
        });
        self.known.insert(luid.to_owned(), owned.clone());
        owned
    }

    async fn ask(&self, subject: &Subject) -> Result<Owned, String> {
        let tableau = self.tableau.as_ref().map_err(Clone::clone)?;
        if let Some(problem) = &self.problem {
            return Err(problem.clone());
        }
        if self.known.len() >= MOST {
            return Err(format!("more than {MOST} objects failed, and Tableau is asked about no more"));
        }
        let late = |_| {
            format!("Tableau took longer than {:#}", SignedDuration::try_from(LONGEST).unwrap_or_default())
        };
        let answer = tokio::time::timeout_at(self.until, tableau.content(subject)).await.map_err(late)?;
        Ok(match answer.map_err(|error| chain(&error))? {
            None => Owned::Unknown,
            Some(content) => content.owner.map_or(Owned::ByNobody, Owned::By),
        })
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
