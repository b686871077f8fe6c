//! Answers of Tableau, kept for a short time. No I/O.

use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tableau::EventId;
use tableau_client::{CauseLookup, Item, Owner, ProjectTree, RecycleBinLookup};

/// How long an answer about an event counts.
const KEPT: SignedDuration = SignedDuration::from_secs(60);
/// How long it counts how projects nest.
const PROJECTS_KEPT: SignedDuration = SignedDuration::from_mins(5);
/// Of so many events.
const EVENTS: usize = 16;

/// What is known of one event's object. The outer `None`: not asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers {
    pub(crate) item: Option<Option<Item>>,
    pub(crate) owner: Option<Option<Owner>>,
    pub(crate) groups: Option<Vec<String>>,
    pub(crate) cause: Option<CauseLookup>,
    pub(crate) deletion: Option<RecycleBinLookup>,
}

/// Answers of Tableau.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    events: Mutex<Vec<(EventId, Timestamp, Answers)>>,
    projects: Mutex<Option<(Timestamp, Arc<ProjectTree>)>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_fresh(at: Timestamp, now: Timestamp, kept: SignedDuration) -> bool {
    now.duration_since(at).abs() < kept
}

impl Kept {
    pub(crate) fn get(&self, event: &EventId, now: Timestamp) -> Answers {
        let events = lock(&self.events);
        let fresh = events.iter().find(|(id, at, _)| id == event && is_fresh(*at, now, KEPT));
        fresh.map(|(_, _, answers)| answers.clone()).unwrap_or_default()
    }

    pub(crate) fn note(&self, event: &EventId, now: Timestamp, change: impl FnOnce(&mut Answers)) {
        let mut events = lock(&self.events);
        events.retain(|(_, at, _)| is_fresh(*at, now, KEPT));
        if !events.iter().any(|(id, _, _)| id == event) {
            if events.len() == EVENTS {
                events.remove(0);
            }
            events.push((event.clone(), now, Answers::default()));
        }
        if let Some((_, _, answers)) = events.iter_mut().find(|(id, _, _)| id == event) {
            change(answers);
        }
    }

    pub(crate) fn projects(&self, now: Timestamp) -> Option<Arc<ProjectTree>> {
        let kept = lock(&self.projects);
        kept.as_ref().filter(|(at, _)| is_fresh(*at, now, PROJECTS_KEPT)).map(|(_, tree)| Arc::clone(tree))
    }

    pub(crate) fn set_projects(&self, tree: &Arc<ProjectTree>, now: Timestamp) {
        *lock(&self.projects) = Some((now, Arc::clone(tree)));
    }
}
