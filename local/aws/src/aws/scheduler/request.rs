//! `CreateSchedule`, read.

use super::super::names::last_part;
use super::super::{Input, Refusal};
use super::expression;
use jiff::Timestamp;
use serde_json::Value;
use std::ops::RangeInclusive;

/// The group that is always there.
pub(super) const DEFAULT: &str = "default";
/// The longest name of a schedule or a group.
const NAME_LIMIT: usize = 64;
/// The most that a schedule sends.
const INPUT_LIMIT_BYTES: usize = 262_144;

/// A one-time schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Its name.
    pub name: String,
    /// The group that it is in.
    pub group: String,
    /// When it fires.
    pub at: Timestamp,
    /// The name of the queue that it sends to.
    pub queue: String,
    /// What it sends.
    pub input: String,
    /// The name of the queue for what cannot be sent.
    pub dead_letters: Option<String>,
    /// The role that it sends with. What the role may is not checked here.
    pub role_arn: String,
    /// Whether it is gone once it has fired.
    pub deleted_after_completion: bool,
}

/// A `CreateSchedule`.
pub(super) struct Create {
    pub(super) schedule: Schedule,
    /// Makes a repetition the same call.
    pub(super) token: Option<String>,
}

fn invalid(member: &str, constraint: &str) -> Refusal {
    let message = format!(
        "1 validation error detected: Value at '{member}' failed to satisfy constraint: {constraint}"
    );
    Refusal::new("ValidationException", message)
}

fn required<'a>(input: &Input<'a>, name: &str, member: &str) -> Result<&'a str, Refusal> {
    input.text(name)?.ok_or_else(|| invalid(member, "Member must not be null"))
}

/// A structure within, if it is there.
fn nested<'a>(input: &Input<'a>, name: &str, known: &[&str]) -> Result<Option<Input<'a>>, Refusal> {
    input.get(name).map(|value| Input::new("CreateSchedule", value, known)).transpose()
}

/// Checks a name of a schedule or a group.
fn check_name(member: &str, name: &str) -> Result<(), Refusal> {
    if name.is_empty() {
        return Err(invalid(member, "Member must have length greater than or equal to 1"));
    }
    if name.len() > NAME_LIMIT {
        return Err(invalid(member, "Member must have length less than or equal to 64"));
    }
    let is_taken = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.chars().all(is_taken) {
        let pattern = "Member must satisfy regular expression pattern: ^[0-9a-zA-Z-_.]+$";
        return Err(invalid(member, pattern));
    }
    Ok(())
}

/// A choice of which this double has one alone.
fn only(input: &Input<'_>, name: &str, value: &str) -> Result<(), Refusal> {
    match input.text(name)? {
        None => Ok(()),
        Some(given) if given == value => Ok(()),
        Some(other) => Err(Refusal::missing_here(format_args!("CreateSchedule's {name} {other}"))),
    }
}

fn number(input: &Input<'_>, name: &str, member: &str, range: RangeInclusive<i64>) -> Result<(), Refusal> {
    match input.number(name)? {
        Some(value) if value < *range.start() => {
            let least = format!("Member must have value greater than or equal to {}", range.start());
            Err(invalid(member, &least))
        }
        Some(value) if value > *range.end() => {
            Err(invalid(member, &format!("Member must have value less than or equal to {}", range.end())))
        }
        _ => Ok(()),
    }
}

/// The queue that an ARN names; anything else is no target here.
fn queue(what: &str, arn: &str) -> Result<String, Refusal> {
    if !arn.starts_with("arn:aws:sqs:") {
        return Err(Refusal::missing_here(format_args!("a schedule's {what} that is no SQS queue: {arn}")));
    }
    if arn.ends_with(".fifo") {
        return Err(Refusal::missing_here(format_args!("a schedule's {what} that is a FIFO queue: {arn}")));
    }
    Ok(last_part(arn).to_owned())
}

impl Create {
    pub(super) fn read(name: &str, body: &Value, now: Timestamp) -> Result<Self, Refusal> {
        let known = [
            "ActionAfterCompletion",
            "ClientToken",
            "Description",
            "FlexibleTimeWindow",
            "GroupName",
            "ScheduleExpression",
            "ScheduleExpressionTimezone",
            "State",
            "Target",
        ];
        let input = Input::new("CreateSchedule", body, &known)?;
        check_name("name", name)?;
        let group = input.text("GroupName")?.unwrap_or(DEFAULT);
        check_name("groupName", group)?;
        let window = nested(&input, "FlexibleTimeWindow", &["Mode"])?;
        let window = window.ok_or_else(|| invalid("flexibleTimeWindow", "Member must not be null"))?;
        required(&window, "Mode", "flexibleTimeWindow.mode")?;
        only(&window, "Mode", "OFF")?;
        only(&input, "ScheduleExpressionTimezone", "UTC")?;
        only(&input, "State", "ENABLED")?;
        let deleted_after_completion = match input.text("ActionAfterCompletion")? {
            None | Some("NONE") => false,
            Some("DELETE") => true,
            Some(_) => {
                let set = "Member must satisfy enum value set: [NONE, DELETE]";
                return Err(invalid("actionAfterCompletion", set));
            }
        };
        let at = expression::at(required(&input, "ScheduleExpression", "scheduleExpression")?, now)?;
        let target = ["Arn", "DeadLetterConfig", "Input", "RetryPolicy", "RoleArn"];
        let target = nested(&input, "Target", &target)?;
        let target = target.ok_or_else(|| invalid("target", "Member must not be null"))?;
        let schedule = Schedule {
            name: name.to_owned(),
            group: group.to_owned(),
            at,
            queue: queue("target", required(&target, "Arn", "target.arn")?)?,
            input: message(&target)?,
            dead_letters: dead_letters(&target)?,
            role_arn: role(&target)?,
            deleted_after_completion,
        };
        Ok(Self { schedule, token: input.text("ClientToken")?.map(str::to_owned) })
    }
}

fn message(target: &Input<'_>) -> Result<String, Refusal> {
    let text = target.text("Input")?;
    let text = text.ok_or_else(|| Refusal::missing_here("a schedule without Input"))?;
    if text.is_empty() || text.len() > INPUT_LIMIT_BYTES {
        return Err(invalid("target.input", "Member must have length from 1 to 262144"));
    }
    if text.contains("<aws.scheduler.") {
        return Err(Refusal::missing_here("context attributes in a schedule's Input"));
    }
    Ok(text.to_owned())
}

fn role(target: &Input<'_>) -> Result<String, Refusal> {
    let role = required(target, "RoleArn", "target.roleArn")?;
    if !role.starts_with("arn:aws:") {
        return Err(invalid("target.roleArn", "Member must satisfy regular expression pattern"));
    }
    Ok(role.to_owned())
}

/// Checks the retries, of which there is never need here, and reads the dead-letter queue.
fn dead_letters(target: &Input<'_>) -> Result<Option<String>, Refusal> {
    let known = ["MaximumEventAgeInSeconds", "MaximumRetryAttempts"];
    if let Some(retries) = nested(target, "RetryPolicy", &known)? {
        let member = |name: &str| format!("target.retryPolicy.{name}");
        number(&retries, "MaximumEventAgeInSeconds", &member("maximumEventAgeInSeconds"), 60..=86_400)?;
        number(&retries, "MaximumRetryAttempts", &member("maximumRetryAttempts"), 0..=185)?;
    }
    let letters = nested(target, "DeadLetterConfig", &["Arn"])?;
    let letters = letters.map(|letters| letters.text("Arn")).transpose()?.flatten();
    letters.map(|arn| queue("dead-letter queue", arn)).transpose()
}
