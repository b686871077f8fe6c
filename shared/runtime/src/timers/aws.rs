//! Timers on AWS: delayed messages of the workflow's queue, and one-time schedules.

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

/// The longest that EventBridge Scheduler goes on trying, and how often: the most it takes.
///
/// Source: <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_RetryPolicy.html>
const LONGEST_RETRY_SECONDS: i32 = 86_400;
const MOST_RETRIES: i32 = 185;

/// What a schedule needs to send a workflow's timers: names and ARNs from the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedules {
    /// The group of the stack's schedules.
    pub group: String,
    /// The role with which EventBridge Scheduler sends.
    pub role_arn: String,
    /// The workflow's queue.
    pub queue_arn: String,
    /// Where a message goes that the scheduler cannot send: a standard queue.
    pub dead_letters_arn: String,
}

/// Timers on AWS. Up to 15 minutes a timer is a delayed message of the workflow's queue; beyond that a one-time schedule
/// that sends the message or, without [`AwsTimer::with_schedules`], a chain of delayed messages.
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
    /// Timers of `workflow`, whose queue is at `queue_url`. Clients are made when they are first used.
    pub fn new(workflow: &'static str, aws: SdkConfig, queue_url: impl Into<String>) -> Self {
        Self { workflow, aws, sqs: OnceLock::new(), queue_url: queue_url.into(), scheduler: None }
    }

    /// The same, with schedules for timers of more than 15 minutes.
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
            // `route` gives a schedule only where there is a scheduler; a message that comes early is armed again.
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
    /// Creates the schedule, or finds that it is there.
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
        // An earlier call made it, whose answer was lost. It fires only if it is the same.
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

    /// What a schedule has that is not as this timer's would be. Its role counts: one that is gone could not send.
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
