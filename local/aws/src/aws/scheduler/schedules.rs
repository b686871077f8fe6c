//! The schedules that wait, and fired schedules that are kept.

use super::super::Refusal;
use super::super::names::arn;
use super::request::{Create, DEFAULT, Schedule};
use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// The schedules of all schedule groups.
#[derive(Debug)]
pub(crate) struct Schedules {
    /// The schedules by group and name.
    groups: BTreeMap<String, BTreeMap<String, Stored>>,
    /// Client tokens of `DeleteSchedule` calls: a repeated call succeeds.
    deleted: BTreeSet<String>,
}

#[derive(Debug)]
struct Stored {
    schedule: Schedule,
    /// The parsed `CreateSchedule`, to recognise a repetition with the same token.
    body: Value,
    created_at: Timestamp,
    /// When the schedule fires; `None` once it has fired.
    fires_at: Option<Instant>,
}

impl Default for Schedules {
    fn default() -> Self {
        let groups = BTreeMap::from([(DEFAULT.to_owned(), BTreeMap::new())]);
        Self { groups, deleted: BTreeSet::new() }
    }
}

/// The ARN of a schedule.
pub(super) fn schedule_arn(group: &str, name: &str) -> String {
    arn("scheduler", &format!("schedule/{group}/{name}"))
}

fn not_found(what: impl std::fmt::Display) -> Refusal {
    let message = format!("{what} does not exist.");
    Refusal::new("ResourceNotFoundException", message).with_status(StatusCode::NOT_FOUND)
}

impl Schedules {
    pub(crate) fn create_group(&mut self, name: &str) {
        self.groups.entry(name.to_owned()).or_default();
    }

    /// All schedules, ordered by group and name.
    pub(crate) fn all(&self) -> Vec<Schedule> {
        self.groups.values().flat_map(BTreeMap::values).map(|stored| stored.schedule.clone()).collect()
    }

    fn group(&mut self, name: &str) -> Result<&mut BTreeMap<String, Stored>, Refusal> {
        self.groups.get_mut(name).ok_or_else(|| not_found(format_args!("Schedule group {name}")))
    }

    pub(super) fn create(&mut self, name: &str, body: &Value) -> Result<Value, Refusal> {
        let now = Timestamp::now();
        let Create { schedule, token } = Create::read(name, body, now)?;
        let arn = schedule_arn(&schedule.group, name);
        let group = self.group(&schedule.group)?;
        if let Some(there) = group.get(name) {
            let is_repeated = token.is_some() && there.body == *body;
            let message = format!("Schedule {name} already exists.");
            let conflict = Refusal::new("ConflictException", message).with_status(StatusCode::CONFLICT);
            return if is_repeated { Ok(json!({ "ScheduleArn": arn })) } else { Err(conflict) };
        }
        let wait = Duration::try_from(schedule.at.duration_since(now)).unwrap_or_default();
        let fires_at = Some(Instant::now() + wait);
        group.insert(name.to_owned(), Stored { schedule, body: body.clone(), created_at: now, fires_at });
        Ok(json!({ "ScheduleArn": arn }))
    }

    pub(super) fn get(&mut self, name: &str, query: &BTreeMap<String, String>) -> Result<Value, Refusal> {
        let group = group_of("GetSchedule", query, &["groupName"])?;
        let stored = self.group(group)?.get(name);
        let stored = stored.ok_or_else(|| not_found(format_args!("Schedule {name}")))?;
        let mut answer = stored.body.as_object().cloned().unwrap_or_default();
        answer.remove("ClientToken");
        let created_at = stored.created_at.as_second();
        for (member, value) in [
            ("Arn", json!(schedule_arn(group, name))),
            ("Name", json!(name)),
            ("GroupName", json!(group)),
            ("CreationDate", json!(created_at)),
            ("LastModificationDate", json!(created_at)),
        ] {
            answer.insert(member.to_owned(), value);
        }
        for (member, default) in
            [("State", "ENABLED"), ("ActionAfterCompletion", "NONE"), ("ScheduleExpressionTimezone", "UTC")]
        {
            answer.entry(member).or_insert_with(|| json!(default));
        }
        Ok(Value::Object(answer))
    }

    pub(super) fn delete(&mut self, name: &str, query: &BTreeMap<String, String>) -> Result<Value, Refusal> {
        let group = group_of("DeleteSchedule", query, &["clientToken", "groupName"])?;
        let token = query.get("clientToken");
        if token.is_some_and(|token| self.deleted.contains(token)) {
            return Ok(json!({}));
        }
        let removed = self.group(group)?.remove(name);
        removed.ok_or_else(|| not_found(format_args!("Schedule {name}")))?;
        self.deleted.extend(token.cloned());
        Ok(json!({}))
    }

    /// When the next schedule is due.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.groups.values().flat_map(BTreeMap::values).filter_map(|stored| stored.fires_at).min()
    }

    /// Takes the schedules that are due, in time order. Schedules without `ActionAfterCompletion: DELETE` are kept,
    /// and do not fire again.
    pub(super) fn take(&mut self, fires: impl Fn(&Schedule, Instant) -> bool) -> Vec<Schedule> {
        let mut fired = Vec::new();
        for group in self.groups.values_mut() {
            group.retain(|_, stored| {
                if !stored.fires_at.is_some_and(|at| fires(&stored.schedule, at)) {
                    return true;
                }
                stored.fires_at = None;
                fired.push(stored.schedule.clone());
                !stored.schedule.deleted_after_completion
            });
        }
        fired.sort_by_key(|schedule| schedule.at);
        fired
    }
}

/// The schedule group named in a request's query string.
fn group_of<'a>(
    operation: &'static str,
    query: &'a BTreeMap<String, String>,
    known: &[&str],
) -> Result<&'a str, Refusal> {
    match query.keys().find(|key| !known.contains(&key.as_str())) {
        Some(unknown) => Err(Refusal::missing_here(format_args!("{operation}'s {unknown}"))),
        None => Ok(query.get("groupName").map_or(DEFAULT, String::as_str)),
    }
}
