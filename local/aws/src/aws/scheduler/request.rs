//! Parses `CreateSchedule`.

use super::super::names::last_part;
use super::super::{Input, Refusal};
use super::expression;
use jiff::Timestamp;
use serde_json::Value;
use std::ops::RangeInclusive;

/// The schedule group that always exists.
pub(super) const DEFAULT: &str = "default";
/// The longest name of a schedule or a schedule group.
const NAME_LIMIT: usize = 64;
/// The largest message that a schedule sends, in bytes.
const INPUT_LIMIT_BYTES: usize = 262_144;

/// A one-time schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The schedule's name.
    pub name: String,
    /// The schedule group.
    pub group: String,
    /// When the schedule fires.
    pub at: Timestamp,
    /// The name of the queue that the schedule sends to.
    pub queue: String,
    /// The message that the schedule sends.
    pub input: String,
    /// The name of the dead-letter queue for a message that cannot be sent.
    pub dead_letters: Option<String>,
    /// The ARN of the role that the schedule sends with. The role's permissions are not checked.
    pub role_arn: String,
    /// Whether the schedule is deleted once it has fired.
    pub deleted_after_completion: bool,
}

/// A parsed `CreateSchedule`.
pub(super) struct Create {
    pub(super) schedule: Schedule,
    /// The client token: a repeated call with the same token succeeds without a second schedule.
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

/// A nested structure of the request, if present.
fn nested<'a>(input: &Input<'a>, name: &str, known: &[&str]) -> Result<Option<Input<'a>>, Refusal> {
    input.get(name).map(|value| Input::new("CreateSchedule", value, known)).transpose()
}

/// Checks the name of a schedule or a schedule group.
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

/// Refuses any value of an enumeration but the one that this double supports.
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

/// The name of the queue in an ARN. Only queues are supported as targets.
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

/// Checks the retry policy, which this double never needs, and reads the dead-letter queue.
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
