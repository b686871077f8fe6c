//! The delivery records for people: one by its key, all of them back through the days, and the one change that a person makes.

use crate::attribute::{
    DAY, EVENT_ID, FIRST_SEEN_AT, INDEX, Item, expires_at, instant, item_key, number, text,
};
use crate::expression::{names, states};
use crate::key::DeliveryKey;
use crate::record::Record;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::get_item::GetItemError;
use aws_sdk_dynamodb::operation::query::QueryError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// What a person may drop: what failed for good, or waits to be tried again though its message is a dead letter. The attempts
/// say that no worker has claimed it since the person looked.
const DROPPABLE: &str = "#state IN (:failed, :released, :misconfigured) AND #attempts = :attempts";
const DROP: &str = "SET #state = :dropped, #updated_at = :now, #expires_at = :expires_at REMOVE #deadline_ms";

/// The delivery records of a stack's table.
#[derive(Clone, Debug)]
pub struct Records {
    client: aws_sdk_dynamodb::Client,
    table: String,
}

impl Records {
    /// The records in `table`.
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// A whole record. Takes `dynamodb:GetItem`.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or refuses.
    pub async fn get(&self, key: &DeliveryKey) -> Result<Option<Record>, Box<SdkError<GetItemError>>> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(item_key(key)));
        let answer = get.consistent_read(true).send().await.map_err(Box::new)?;
        Ok(answer.item.as_ref().map(Record::read))
    }

    /// Writes down that a person has deleted the dead letters of an event that failed, which had `attempts` when the person
    /// looked. Says whether the record has changed: it stays as it is when a worker has claimed the event since, or when it
    /// is in another state. Takes `dynamodb:UpdateItem`.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or refuses.
    pub async fn mark_dropped(
        &self,
        key: &DeliveryKey,
        attempts: u64,
        now: Timestamp,
    ) -> Result<bool, Box<SdkError<UpdateItemError>>> {
        let update = self.client.update_item().table_name(&self.table).set_key(Some(item_key(key)));
        let update = update
            .condition_expression(DROPPABLE)
            .update_expression(DROP)
            .set_expression_attribute_names(Some(names(&[DROPPABLE, DROP])))
            .set_expression_attribute_values(Some(states(&[DROPPABLE, DROP])))
            .expression_attribute_values(":attempts", number(attempts))
            .expression_attribute_values(":now", instant(now))
            .expression_attribute_values(":expires_at", expires_at(now));
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(is_refused_condition) => Ok(false),
            Err(error) => Err(Box::new(error)),
        }
    }

    /// Goes back from `until` to `since`, by when events first came; nowhere when that is after it.
    pub fn back(&self, since: Timestamp, until: Timestamp) -> Walk<'_> {
        let begins = (since <= until).then(|| day(until));
        Walk { records: self, since, until, day: begins, next: None, beginning: None }
    }
}

fn is_refused_condition(error: &UpdateItemError) -> bool {
    matches!(error, UpdateItemError::ConditionalCheckFailedException(_))
}

/// The day of an instant, as the index has it.
fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// A walk through what the index has of records, the newest first.
#[derive(Debug)]
pub struct Walk<'a> {
    records: &'a Records,
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
    #[must_use]
    pub fn beginning_with(mut self, beginning: &str) -> Self {
        self.beginning = Some(beginning.to_owned());
        self
    }

    /// Some more records, perhaps none of a day; `None` when it is over. `limit`: how many are looked at, at most. Takes
    /// `dynamodb:Query` on the index.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or refuses.
    pub async fn next(
        &mut self,
        limit: Option<i32>,
    ) -> Result<Option<Vec<Record>>, Box<SdkError<QueryError>>> {
        let Some(at) = self.day else { return Ok(None) };
        let Records { client, table } = self.records;
        let keys = format!("#{DAY} = :day AND #{FIRST_SEEN_AT} BETWEEN :since AND :until");
        let filter = self.beginning.as_ref().map(|_| format!("begins_with(#{EVENT_ID}, :beginning)"));
        let beginning = self.beginning.as_deref().map(|beginning| (":beginning".to_owned(), text(beginning)));
        let values = [
            (":day".to_owned(), text(at.to_string())),
            (":since".to_owned(), instant(self.since)),
            (":until".to_owned(), instant(self.until)),
        ];
        let query = client
            .query()
            .table_name(table)
            .index_name(INDEX)
            .set_expression_attribute_names(Some(names(&[&keys, filter.as_deref().unwrap_or_default()])))
            .set_expression_attribute_values(Some(values.into_iter().chain(beginning).collect()))
            .key_condition_expression(keys)
            .set_filter_expression(filter)
            .scan_index_forward(false)
            .set_limit(limit)
            .set_exclusive_start_key(self.next.take());
        let answer = query.send().await.map_err(Box::new)?;
        self.next = answer.last_evaluated_key.filter(|key| !key.is_empty());
        if self.next.is_none() {
            self.day = at.yesterday().ok().filter(|before| *before >= day(self.since));
        }
        Ok(Some(answer.items.unwrap_or_default().iter().map(Record::read).collect()))
    }
}
