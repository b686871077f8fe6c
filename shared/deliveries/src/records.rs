//! Delivery records for people: reads one by its key, lists all by day, and marks one as dropped.

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

/// The condition to mark an event as dropped: it failed for good, or waits for a retry that cannot come because its
/// message is a dead letter. The number of attempts shows that no worker has claimed it since the person looked.
const DROPPABLE: &str = "#state IN (:failed, :released, :misconfigured) AND #attempts = :attempts";
const DROP: &str = "SET #state = :dropped, #updated_at = :now, #expires_at = :expires_at REMOVE #deadline_ms";

/// The delivery records in a stack's table.
#[derive(Clone, Debug)]
pub struct Records {
    pub(crate) client: aws_sdk_dynamodb::Client,
    pub(crate) table: String,
}

impl Records {
    /// The delivery records in `table`.
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Reads a complete record. Needs the permission `dynamodb:GetItem`.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or refuses the request.
    pub async fn get(&self, key: &DeliveryKey) -> Result<Option<Record>, Box<SdkError<GetItemError>>> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(item_key(key)));
        let answer = get.consistent_read(true).send().await.map_err(Box::new)?;
        Ok(answer.item.as_ref().map(Record::read))
    }

    /// Marks an event as dropped, after a person deleted its dead letters. `attempts` is the number of attempts that
    /// the person saw. Returns false if the record did not change, because a worker has claimed the event since or
    /// its state is another. Needs the permission `dynamodb:UpdateItem`.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or refuses the request.
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

    /// Lists records backwards from `until` to `since`, by when their events were first received. Empty if `since` is
    /// after `until`.
    pub fn back(&self, since: Timestamp, until: Timestamp) -> Walk<'_> {
        self.walk(since, until, Direction::Back)
    }

    /// Lists records from `since` to `until`, by when their events were first received. Empty if `since` is after `until`.
    pub fn forward(&self, since: Timestamp, until: Timestamp) -> Walk<'_> {
        self.walk(since, until, Direction::Forward)
    }

    fn walk(&self, since: Timestamp, until: Timestamp, direction: Direction) -> Walk<'_> {
        let first = match direction {
            Direction::Back => day(until),
            Direction::Forward => day(since),
        };
        let begins = (since <= until).then_some(first);
        Walk { records: self, since, until, direction, day: begins, next: None, beginning: None }
    }
}

fn is_refused_condition(error: &UpdateItemError) -> bool {
    matches!(error, UpdateItemError::ConditionalCheckFailedException(_))
}

/// The day of a timestamp, as the index stores it.
fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// The order of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    /// Newest records first.
    Back,
    /// Oldest records first.
    Forward,
}

/// Walks through the index by day.
#[derive(Debug)]
pub struct Walk<'a> {
    records: &'a Records,
    since: Timestamp,
    until: Timestamp,
    direction: Direction,
    /// The day that is being read; `None` when the walk is finished.
    day: Option<Date>,
    /// The key of the last item read, where the next request continues.
    next: Option<Item>,
    /// The prefix that event ids must have.
    beginning: Option<String>,
}

impl Walk<'_> {
    /// Limits the walk to events whose ids begin with this text.
    #[must_use]
    pub fn beginning_with(mut self, beginning: &str) -> Self {
        self.beginning = Some(beginning.to_owned());
        self
    }

    /// Reads the next records; possibly none for a day without records, and `None` at the end. `limit` is the largest
    /// number of items that DynamoDB reads. Needs the permission `dynamodb:Query` on the index.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or refuses the request.
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
            .scan_index_forward(self.direction == Direction::Forward)
            .set_limit(limit)
            .set_exclusive_start_key(self.next.take());
        let answer = query.send().await.map_err(Box::new)?;
        self.next = answer.last_evaluated_key.filter(|key| !key.is_empty());
        if self.next.is_none() {
            self.day = match self.direction {
                Direction::Back => at.yesterday().ok().filter(|before| *before >= day(self.since)),
                Direction::Forward => at.tomorrow().ok().filter(|after| *after <= day(self.until)),
            };
        }
        Ok(Some(answer.items.unwrap_or_default().iter().map(Record::read).collect()))
    }
}
