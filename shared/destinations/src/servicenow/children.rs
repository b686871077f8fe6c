//! An incident for each object of a group, below the incident of the group.

use super::guarded::Trouble;
use super::key::Key;
use super::notifier::ServiceNowNotifier;
use super::record::{Record, Reference};
use super::render::of_item;
use super::task::Task;
use alerting::notification::{Item, Kind};
use rules::settings::IncidentGroups;
use std::collections::BTreeMap;
use std::time::Duration;
use tableau::Action;

/// How many objects of a group get an incident of their own. The group's incident names the others.
const MOST: usize = 200;
/// What a call and the end of an invocation may take. Without so much time, the next attempt goes on.
const RESERVE: Duration = Duration::from_secs(15);
/// What a child says when its object has recovered.
const RECOVERED: &str = "It has recovered: see the parent incident.";

impl ServiceNowNotifier {
    /// Makes the children of a group what the notification says: each object that fails has one, and those of objects that do not fail
    /// any more have ended. Does nothing if the rule wants one incident for all.
    pub(super) async fn children(&self, task: Task<'_>, parent: &Reference) -> Result<(), Trouble> {
        if task.target.groups != IncidentGroups::Children || !is_of_failures(task) {
            return Ok(());
        }
        let ended = task.shown.kind == Kind::GroupResolved;
        let failing = if ended { BTreeMap::new() } else { failing(task)? };
        let there = self.table.children(parent, task.invocation).await?;
        let missing: Vec<Key> =
            failing.keys().filter(|key| !there.iter().any(|child| child.is_of(key))).cloned().collect();
        // The first object of a group has an incident of its own already.
        let mut found = self.table.find_all(&missing, task.invocation).await?;
        let room = MOST.saturating_sub(there.len());
        let missing: Vec<Key> = missing.into_iter().take(room).collect();
        let total = missing.len();
        for (n, key) in missing.into_iter().enumerate() {
            has_time(task, n, total)?;
            let made = match (found.remove(&key), failing.get(&key)) {
                // What a person has closed stays where it is.
                (Some(record), _) if !record.is_open(task.target.resolved_state()) => Ok(()),
                (Some(record), _) => self.table.adopt(&record, parent, task.invocation).await,
                (None, Some(item)) => {
                    let texts = of_item(item, task.shown);
                    let parent = Some(&parent.sys_id);
                    let created = self.table.create(task.target, &key, &texts, parent, task.invocation).await;
                    created.map(|_| ())
                }
                (None, None) => Ok(()),
            };
            made.map_err(Trouble::after_a_part)?;
        }
        let over: Vec<&Record> = there
            .iter()
            .filter(|child| is_ours(child) && !failing.keys().any(|key| child.is_of(key)))
            .collect();
        for (n, child) in over.iter().enumerate() {
            has_time(task, n, over.len())?;
            let end = self.table.end(task.target, child, RECOVERED, task.invocation);
            end.await.map_err(Trouble::after_a_part)?;
        }
        Ok(())
    }
}

/// Whether the group is one of failures: other events have no end, and are no tickets one by one.
fn is_of_failures(task: Task<'_>) -> bool {
    let event = task.shown.event.as_ref();
    // The end of a group is about no single event.
    event.map_or(task.shown.kind != Kind::GroupUpdated, |event| {
        event.name.action() == Some(Action::RefreshFailed)
    })
}

/// The objects that fail, by the keys of their own incidents.
fn failing<'a>(task: Task<'a>) -> Result<BTreeMap<Key, &'a Item>, Trouble> {
    let items = task.shown.lists.iter().flat_map(|list| &list.items);
    let items = items.filter(|item| item.when.is_none() && item.id.is_some());
    let mut failing = BTreeMap::new();
    for item in items {
        failing.insert(Key::of_one(item.id.as_deref(), task.target)?, item);
    }
    Ok(failing)
}

fn has_time(task: Task<'_>, done: usize, total: usize) -> Result<(), Trouble> {
    match task.invocation.remaining() > RESERVE {
        true => Ok(()),
        false => Err(Trouble::in_between(format!(
            "{done} of {total} incidents of a group are written; the next attempt goes on"
        ))),
    }
}

/// A person may have put other incidents below it.
fn is_ours(child: &Record) -> bool {
    child.correlation_id.starts_with("tableau:")
}
