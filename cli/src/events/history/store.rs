//! The delivery records in DynamoDB: by key, and back through the days.

use super::record::{Item, Record};
use crate::aws::Account;
use crate::stack::Stack;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use workflow::BoxError;

const INDEX: &str = "by_day";
/// How long a record is kept after its last change.
pub(super) const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How far back there is anything, by when an event was first seen: it may have waited among the dead letters for 14 days
/// before the last change of its record. What was replayed more often than that is not looked for.
pub(super) const FURTHEST: SignedDuration = SignedDuration::from_hours(60 * 24);
/// How far ahead of ours the clocks of AWS may be.
pub(super) const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(15);

/// The records of a stack.
#[derive(Debug)]
pub(in crate::events) struct Records<'a> {
    account: &'a Account,
    dynamodb: aws_sdk_dynamodb::Client,
    table: &'a str,
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// The day of an instant, as the index has it.
fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

impl<'a> Records<'a> {
    pub(in crate::events) fn of(stack: &'a Stack) -> Result<Self, BoxError> {
        let account = &stack.account;
        let table = stack.table.as_deref().ok_or_else(|| {
            format!("the stack `{}` in {} has no table of deliveries", stack.name, account.place)
        })?;
        Ok(Self { account, dynamodb: aws_sdk_dynamodb::Client::new(&account.config), table })
    }

    /// The whole record of an event at a workflow.
    pub(super) async fn get(&self, workflow: &str, event_id: &str) -> Result<Option<Item>, BoxError> {
        let key = text(format!("delivery#{workflow}#{event_id}"));
        let get = self.dynamodb.get_item().table_name(self.table).key("pk", key).consistent_read(true);
        let got = get.send().await.map_err(|error| self.account.explain("dynamodb:GetItem", error))?;
        Ok(got.item)
    }

    /// How many attempts at an event a workflow has made; nothing without a record.
    pub(in crate::events) async fn attempts(
        &self,
        workflow: &str,
        event_id: &str,
    ) -> Result<Option<u64>, BoxError> {
        Ok(self.get(workflow, event_id).await?.map(|item| Record::read(&item).attempts))
    }

    /// Writes down that a person has dropped an event that failed, unless somebody has claimed it since: then there are
    /// more attempts, or it is no longer in a state in which nobody is at it.
    pub(in crate::events) async fn mark_dropped(
        &self,
        workflow: &str,
        event_id: &str,
        attempts: u64,
        now: Timestamp,
    ) -> Result<(), BoxError> {
        let expires_at = now.checked_add(KEPT).unwrap_or(Timestamp::MAX).as_second();
        let update = self
            .dynamodb
            .update_item()
            .table_name(self.table)
            .key("pk", text(format!("delivery#{workflow}#{event_id}")))
            .condition_expression("#state IN (:failed, :released, :misconfigured) AND #attempts = :attempts")
            .update_expression(
                "SET #state = :dropped, #updated_at = :now, #expires_at = :expires_at REMOVE #deadline",
            )
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#attempts", "attempts")
            .expression_attribute_names("#updated_at", "updated_at")
            .expression_attribute_names("#expires_at", "expires_at")
            .expression_attribute_names("#deadline", "deadline_ms")
            .expression_attribute_values(":failed", text("failed"))
            .expression_attribute_values(":released", text("released"))
            .expression_attribute_values(":misconfigured", text("misconfigured"))
            .expression_attribute_values(":dropped", text("dropped"))
            .expression_attribute_values(":attempts", AttributeValue::N(attempts.to_string()))
            .expression_attribute_values(":now", text(format!("{now:.3}")))
            .expression_attribute_values(":expires_at", AttributeValue::N(expires_at.to_string()));
        match update.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(is_refused_condition) => Ok(()),
            Err(error) => Err(self.account.explain("dynamodb:UpdateItem", error)),
        }
    }

    /// Goes back from `until` to `since`; nowhere when that is after it.
    pub(super) fn back(&'a self, since: Timestamp, until: Timestamp) -> Walk<'a> {
        let begins = (since <= until).then(|| day(until));
        Walk { records: self, since, until, day: begins, next: None, beginning: None }
    }
}

fn is_refused_condition(error: &UpdateItemError) -> bool {
    matches!(error, UpdateItemError::ConditionalCheckFailedException(_))
}

/// A walk through what the index has of records, the newest first.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    records: &'a Records<'a>,
    since: Timestamp,
    until: Timestamp,
    /// Where we are; nowhere when it is over.
    day: Option<Date>,
    /// Behind which item we are.
    next: Option<Item>,
    /// What the event's id has to begin with.
    beginning: Option<String>,
}

impl Walk<'_> {
    /// Only records of events whose ids begin like this.
    pub(super) fn beginning_with(mut self, beginning: &str) -> Self {
        self.beginning = Some(beginning.to_owned());
        self
    }

    /// Some more items, perhaps none of a day; `None` when it is over.
    pub(super) async fn next(&mut self, limit: Option<i32>) -> Result<Option<Vec<Item>>, BoxError> {
        let Some(at) = self.day else { return Ok(None) };
        let instant = |at: Timestamp| text(format!("{at:.3}"));
        let mut query = self
            .records
            .dynamodb
            .query()
            .table_name(self.records.table)
            .index_name(INDEX)
            .key_condition_expression("#day = :day AND #seen BETWEEN :since AND :until")
            .expression_attribute_names("#day", "day")
            .expression_attribute_names("#seen", "first_seen_at")
            .expression_attribute_values(":day", text(at.to_string()))
            .expression_attribute_values(":since", instant(self.since))
            .expression_attribute_values(":until", instant(self.until))
            .scan_index_forward(false)
            .set_limit(limit)
            .set_exclusive_start_key(self.next.take());
        if let Some(beginning) = &self.beginning {
            query = query
                .filter_expression("begins_with(#id, :beginning)")
                .expression_attribute_names("#id", "event_id")
                .expression_attribute_values(":beginning", text(beginning));
        }
        let account = self.records.account;
        let answer = query.send().await.map_err(|error| account.explain("dynamodb:Query", error))?;
        self.next = answer.last_evaluated_key.filter(|key| !key.is_empty());
        if self.next.is_none() {
            self.day = at.yesterday().ok().filter(|before| *before >= day(self.since));
        }
        Ok(Some(answer.items.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn we_say_as_many_days_as_records_are_kept() {
        assert_eq!(super::KEPT, runtime::KEPT);
    }
}
