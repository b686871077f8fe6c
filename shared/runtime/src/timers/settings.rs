//! Which scheduler a function's timers use.

use super::aws::{AwsTimer, Schedules};
use crate::env::{Env, MissingSettings};
use aws_types::SdkConfig;

/// Reads the settings of EventBridge Scheduler. `None` without a schedule group: long timers are then chains of
/// delayed messages.
fn schedules_of(env: &Env) -> Result<Option<Schedules>, MissingSettings> {
    let Some(group) = env.get("TIMER_GROUP_NAME") else { return Ok(None) };
    let mut settings = env.required();
    let schedules = Schedules {
        group: group.to_owned(),
        role_arn: settings.get("TIMER_ROLE_ARN"),
        queue_arn: settings.get("TIMER_QUEUE_ARN"),
        dead_letters_arn: settings.get("TIMER_DEAD_LETTERS_ARN"),
    };
    settings.finish(Some(schedules))
}

/// Creates the timers of the workflow `name`, whose queue is at `queue_url`.
pub(crate) fn timer_of(
    name: &'static str,
    env: &Env,
    aws: &SdkConfig,
    queue_url: &str,
) -> Result<AwsTimer, MissingSettings> {
    let timer = AwsTimer::new(name, aws.clone(), queue_url);
    Ok(match schedules_of(env)? {
        Some(schedules) => timer.with_schedules(schedules),
        None => timer,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_group_there_is_no_scheduler_and_with_one_nothing_may_be_missing() {
        let none: Env = [("TIMER_ROLE_ARN", "r")].into_iter().collect();
        assert_eq!(schedules_of(&none), Ok(None));
        let some: Env = [("TIMER_GROUP_NAME", "g"), ("TIMER_ROLE_ARN", "r")].into_iter().collect();
        let missing = vec!["TIMER_QUEUE_ARN", "TIMER_DEAD_LETTERS_ARN"];
        assert_eq!(schedules_of(&some), Err(MissingSettings(missing)));
    }
}
