//! Timers on AWS: delayed messages in the workflow's queue, or one-time schedules of EventBridge Scheduler.

use async_trait::async_trait;
use aws_sdk_scheduler::operation::get_schedule::GetScheduleOutput;
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy,
    ScheduleState, Target,
};
use aws_types::SdkConfig;
use jiff::Timestamp;
use std::fmt;
use std::sync::OnceLock;
use timer::{Route, Timer, TimerError, TimerMessage, route};

/// How long EventBridge Scheduler retries a delivery: the longest that it accepts.
///
/// Source: <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_RetryPolicy.html>
const LONGEST_RETRY_SECONDS: i32 = 86_400;
const MOST_RETRIES: i32 = 185;

/// What EventBridge Scheduler needs to send a workflow's timers: names and ARNs from the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedules {
    /// The name of the stack's schedule group.
    pub group: String,
    /// The role with which EventBridge Scheduler sends messages.
    pub role_arn: String,
    /// The ARN of the workflow's queue.
    pub queue_arn: String,
    /// The ARN of the queue for timers that the scheduler cannot deliver: a standard queue.
    pub dead_letters_arn: String,
}

/// Timers on AWS. A timer of up to 15 minutes is a delayed message in the workflow's queue. A longer timer is a
/// one-time schedule that sends the message or, without [`AwsTimer::with_schedules`], a chain of delayed messages.
pub struct AwsTimer {
    workflow: &'static str,
    aws: SdkConfig,
    sqs: OnceLock<aws_sdk_sqs::Client>,
    queue_url: String,
    scheduler: Option<Scheduler>,
}

impl fmt::Debug for AwsTimer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schedules = self.scheduler.as_ref().map(|scheduler| &scheduler.schedules);
        f.debug_struct("AwsTimer").field("workflow", &self.workflow).field("schedules", &schedules).finish()
    }
}

impl AwsTimer {
    /// Creates timers for `workflow`, whose queue is at `queue_url`. AWS clients are created at first use.
    pub fn new(workflow: &'static str, aws: SdkConfig, queue_url: impl Into<String>) -> Self {
        Self { workflow, aws, sqs: OnceLock::new(), queue_url: queue_url.into(), scheduler: None }
    }

    /// Uses schedules for timers of more than 15 minutes.
    #[must_use]
    pub fn with_schedules(mut self, schedules: Schedules) -> Self {
        self.scheduler = Some(Scheduler { aws: self.aws.clone(), client: OnceLock::new(), schedules });
        self
    }

    async fn send(&self, timer: &TimerMessage, delay_seconds: i32) -> Result<(), TimerError> {
        let client = self.sqs.get_or_init(|| aws_sdk_sqs::Client::new(&self.aws));
        let request = client.send_message().queue_url(&self.queue_url).message_body(timer.to_json());
        let sent = request.delay_seconds(delay_seconds).send().await;
        sent.map_err(|error| TimerError::not_confirmed(aws_sdk_sqs::Error::from(error)))?;
        Ok(())
    }
}

#[async_trait]
impl Timer for AwsTimer {
    async fn ensure(&self, timer: &TimerMessage, now: Timestamp) -> Result<(), TimerError> {
        let route = route(self.workflow, timer, now, self.scheduler.is_some())?;
        match (route, &self.scheduler) {
            (Route::Schedule { name, expression }, Some(scheduler)) => {
                scheduler.ensure(&name, &expression, timer.to_json()).await
            }
            (Route::Message { delay_seconds }, _) => self.send(timer, delay_seconds).await,
            // Unreachable in practice: `route` chooses a schedule only if there is a scheduler. A message that
            // arrives early is simply delayed again.
            (Route::Schedule { .. }, None) => self.send(timer, 0).await,
        }
    }
}

struct Scheduler {
    aws: SdkConfig,
    client: OnceLock<aws_sdk_scheduler::Client>,
    schedules: Schedules,
}

impl Scheduler {
    /// Creates the schedule, or checks that an equal one exists.
    async fn ensure(&self, name: &str, expression: &str, input: String) -> Result<(), TimerError> {
        let client = self.client.get_or_init(|| aws_sdk_scheduler::Client::new(&self.aws));
        let window = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build();
        let request = client
            .create_schedule()
            .name(name)
            .group_name(&self.schedules.group)
            .schedule_expression(expression)
            .schedule_expression_timezone("UTC")
            .flexible_time_window(window.map_err(TimerError::not_confirmed)?)
            .action_after_completion(ActionAfterCompletion::Delete)
            .target(self.target(&input)?);
        let Err(error) = request.send().await else { return Ok(()) };
        if !error.as_service_error().is_some_and(|error| error.is_conflict_exception()) {
            return Err(TimerError::not_confirmed(aws_sdk_scheduler::Error::from(error)));
        }
        // The schedule exists: an earlier call created it, and the answer was lost. It is accepted only if it equals
        // this timer's.
        let request = client.get_schedule().name(name).group_name(&self.schedules.group);
        let found = request.send().await;
        let found =
            found.map_err(|error| TimerError::not_confirmed(aws_sdk_scheduler::Error::from(error)))?;
        match self.difference(&found, expression, &input) {
            None => Ok(()),
            Some(part) => Err(TimerError::NameTaken { name: name.to_owned(), part }),
        }
    }

    fn target(&self, input: &str) -> Result<Target, TimerError> {
        let retries = RetryPolicy::builder()
            .maximum_event_age_in_seconds(LONGEST_RETRY_SECONDS)
            .maximum_retry_attempts(MOST_RETRIES)
            .build();
        let target = Target::builder()
            .arn(&self.schedules.queue_arn)
            .role_arn(&self.schedules.role_arn)
            .dead_letter_config(DeadLetterConfig::builder().arn(&self.schedules.dead_letters_arn).build())
            .retry_policy(retries)
            .input(input);
        target.build().map_err(TimerError::not_confirmed)
    }

    /// The first property in which an existing schedule differs from this timer's. The role is compared too: a
    /// schedule with a deleted role cannot send.
    fn difference(&self, found: &GetScheduleOutput, expression: &str, input: &str) -> Option<&'static str> {
        let target = found.target();
        let of_target = |part: fn(&Target) -> Option<&str>| target.and_then(part);
        let is_utc = found.schedule_expression_timezone().is_none_or(|zone| zone == "UTC");
        [
            ("expression", found.schedule_expression() == Some(expression) && is_utc),
            ("state", found.state().is_none_or(|state| *state == ScheduleState::Enabled)),
            ("queue", of_target(|target| Some(target.arn())) == Some(&self.schedules.queue_arn)),
            ("role", of_target(|target| Some(target.role_arn())) == Some(&self.schedules.role_arn)),
            ("message", of_target(Target::input) == Some(input)),
        ]
        .into_iter()
        .find_map(|(part, is_same)| (!is_same).then_some(part))
    }
}
