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

/// How long to sleep when no schedule waits; a new one wakes the sleeper.
const LONG: Duration = Duration::from_secs(3_600);

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
