//! EventBridge Scheduler: one-time schedules that send a message to a queue.
//!
//! Source: <https://docs.aws.amazon.com/scheduler/latest/APIReference/Welcome.html>

mod expression;
mod request;

pub use request::Schedule;

use super::names::{arn, last_part};
use super::{Notice, Refusal, Shared, State};
use http::StatusCode;
use jiff::Timestamp;
use request::Create;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The group that is always there.
const DEFAULT: &str = "default";
/// How long to sleep when no schedule waits; a new one wakes the sleeper.
const LONG: Duration = Duration::from_secs(3_600);

/// The schedules of all groups.
#[derive(Debug)]
pub(super) struct Schedules {
    /// By group and name.
    groups: BTreeMap<String, BTreeMap<String, Stored>>,
    /// Tokens of calls that deleted one: a repetition succeeds.
    deleted: BTreeSet<String>,
}

#[derive(Debug)]
struct Stored {
    schedule: Schedule,
    /// `CreateSchedule` as it came, for a repetition with the same token.
    body: Value,
    created_at: Timestamp,
    /// None when it has fired.
    fires_at: Option<Instant>,
}

impl Default for Schedules {
    fn default() -> Self {
        let groups = BTreeMap::from([(DEFAULT.to_owned(), BTreeMap::new())]);
        Self { groups, deleted: BTreeSet::new() }
    }
}

/// An operation of the scheduler, as its path and method name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Create,
    Get,
    Delete,
}

impl Operation {
    /// The operation and the schedule's name.
    pub(super) fn read<'a>(method: &http::Method, path: &'a str) -> Option<(Self, &'a str)> {
        let name = path.strip_prefix("/schedules/").filter(|name| !name.contains('/'))?;
        let operation = match method.as_str() {
            "POST" => Self::Create,
            "GET" => Self::Get,
            "DELETE" => Self::Delete,
            _ => return None,
        };
        Some((operation, name))
    }

    /// Its name in counts and faults.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Create => "Scheduler.CreateSchedule",
            Self::Get => "Scheduler.GetSchedule",
            Self::Delete => "Scheduler.DeleteSchedule",
        }
    }
}

fn schedule_arn(group: &str, name: &str) -> String {
    arn("scheduler", &format!("schedule/{group}/{name}"))
}

fn not_found(what: impl std::fmt::Display) -> Refusal {
    let message = format!("{what} does not exist.");
    Refusal::new("ResourceNotFoundException", message).with_status(StatusCode::NOT_FOUND)
}

impl Schedules {
    pub(super) fn create_group(&mut self, name: &str) {
        self.groups.entry(name.to_owned()).or_default();
    }

    /// All schedules, in the order of their groups and names.
    pub(super) fn all(&self) -> Vec<Schedule> {
        self.groups.values().flat_map(BTreeMap::values).map(|stored| stored.schedule.clone()).collect()
    }

    fn group(&mut self, name: &str) -> Result<&mut BTreeMap<String, Stored>, Refusal> {
        self.groups.get_mut(name).ok_or_else(|| not_found(format_args!("Schedule group {name}")))
    }

    fn create(&mut self, name: &str, body: &Value) -> Result<Value, Refusal> {
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

    fn get(&mut self, name: &str, query: &BTreeMap<String, String>) -> Result<Value, Refusal> {
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

    fn delete(&mut self, name: &str, query: &BTreeMap<String, String>) -> Result<Value, Refusal> {
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

    /// When the next schedule fires.
    fn next_at(&self) -> Option<Instant> {
        self.groups.values().flat_map(BTreeMap::values).filter_map(|stored| stored.fires_at).min()
    }

    /// Takes the schedules that fire now, in the order of their times. Those that are not deleted after completion stay, and
    /// do not fire again.
    fn take(&mut self, fires: impl Fn(&Schedule, Instant) -> bool) -> Vec<Schedule> {
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

/// The group that a query names.
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

impl State {
    /// Carries out a call of the scheduler.
    pub(super) fn call_scheduler(
        &mut self,
        operation: Operation,
        name: &str,
        query: &BTreeMap<String, String>,
        body: &Value,
    ) -> Result<Value, Refusal> {
        match operation {
            Operation::Create => match query.keys().next() {
                Some(unknown) => Err(Refusal::missing_here(format_args!("CreateSchedule's {unknown}"))),
                None => self.schedules.create(name, body),
            },
            Operation::Get => self.schedules.get(name, query),
            Operation::Delete => self.schedules.delete(name, query),
        }
    }

    /// Fires schedules; gives how many.
    fn fire(&mut self, fires: impl Fn(&Schedule, Instant) -> bool) -> usize {
        let fired = self.schedules.take(fires);
        for schedule in &fired {
            if self.queues.send(&schedule.queue, schedule.input.clone()).is_err() {
                self.give_up(schedule);
            }
        }
        fired.len()
    }

    /// What cannot be sent goes to the dead-letter queue at once; AWS tries for a day first.
    fn give_up(&mut self, schedule: &Schedule) {
        let Some(letters) = &schedule.dead_letters else { return };
        let text = |value: &str| json!({ "DataType": "String", "StringValue": value });
        let attributes = Map::from_iter([
            ("ERROR_CODE".to_owned(), text("AWS.SimpleQueueService.NonExistentQueue")),
            ("ERROR_MESSAGE".to_owned(), text("The specified queue does not exist.")),
            ("SCHEDULE_ARN".to_owned(), text(&schedule_arn(&schedule.group, &schedule.name))),
            ("TARGET_ARN".to_owned(), text(&arn("sqs", &schedule.queue))),
        ]);
        if self.queues.send_with(letters, schedule.input.clone(), attributes).is_ok() {
            self.notify(Notice::DeadLettered { queue: last_part(letters).to_owned() });
        }
    }
}

impl Shared {
    /// Fires the schedules that are due at `until`, whatever the clock says; gives how many.
    pub(super) fn fire_schedules(&self, until: Timestamp) -> usize {
        let fired = self.lock().fire(|schedule, _| schedule.at <= until);
        self.changed.notify_waiters();
        fired
    }

    /// Fires schedules when their time has come, until the task ends.
    pub(super) async fn keep_schedules(&self) {
        loop {
            // Listening starts before looking, so that nothing slips in between.
            let changed = self.changed.notified();
            let now = Instant::now();
            let next_at = {
                let mut state = self.lock();
                if state.fire(|_, at| at <= now) > 0 {
                    self.changed.notify_waiters();
                }
                state.schedules.next_at()
            };
            // Either way the schedules are looked at again.
            let _ = timeout_at(next_at.unwrap_or_else(|| now + LONG), changed).await;
        }
    }
}
