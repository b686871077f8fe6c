//! EventBridge Scheduler: one-time schedules that send a message to a queue.
//!
//! Source: <https://docs.aws.amazon.com/scheduler/latest/APIReference/Welcome.html>

mod expression;
mod request;
mod schedules;

pub use request::Schedule;
pub(super) use schedules::Schedules;

use super::names::{arn, last_part};
use super::{Notice, Refusal, Shared, State};
use jiff::Timestamp;
use schedules::schedule_arn;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long the scheduler's task sleeps while no schedule waits. A new schedule wakes it.
const LONG: Duration = Duration::from_secs(3_600);

/// An operation of EventBridge Scheduler, derived from the path and method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Create,
    Get,
    Delete,
}

impl Operation {
    /// The operation and the schedule's name, from a method and path.
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

    /// The operation's name in call counts and faults.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Create => "Scheduler.CreateSchedule",
            Self::Get => "Scheduler.GetSchedule",
            Self::Delete => "Scheduler.DeleteSchedule",
        }
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

    /// Fires due schedules and returns how many.
    fn fire(&mut self, fires: impl Fn(&Schedule, Instant) -> bool) -> usize {
        let fired = self.schedules.take(fires);
        for schedule in &fired {
            if self.queues.send(&schedule.queue, schedule.input.clone()).is_err() {
                self.give_up(schedule);
            }
        }
        fired.len()
    }

    /// A message that cannot be sent goes to the dead-letter queue at once; AWS retries for a day first.
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
    /// Fires all schedules due by `until` without waiting for the clock; returns how many.
    pub(super) fn fire_schedules(&self, until: Timestamp) -> usize {
        let fired = self.lock().fire(|schedule, _| schedule.at <= until);
        self.changed.notify_waiters();
        fired
    }

    /// Fires schedules when they are due, until the task is stopped.
    pub(super) async fn keep_schedules(&self) {
        loop {
            // Register for notifications before looking at the schedules, so that no new schedule is missed in
            // between.
            let changed = self.changed.notified();
            let now = Instant::now();
            let next_at = {
                let mut state = self.lock();
                if state.fire(|_, at| at <= now) > 0 {
                    self.changed.notify_waiters();
                }
                state.schedules.next_at()
            };
            // Woken or timed out: look at the schedules again.
            let _ = timeout_at(next_at.unwrap_or_else(|| now + LONG), changed).await;
        }
    }
}
