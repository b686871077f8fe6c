//! Documents and records in DynamoDB, one item each.

mod batch;
mod cancelled;
mod item;
mod records;
mod table;
mod writing;

pub use records::DynamoDbRecords;

use crate::form::check_text;
use crate::records::ALONE;
use crate::{Key, Put, Store, Stored, Version, Write};
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use item::{Place, stored};
use table::{TRIES, Table, unavailable, wait};
use workflow::BoxError;
use writing::Writing;

/// Documents in a DynamoDB table with the key `pk` and `sk` and the time-to-live attribute `expires_at`.
#[derive(Clone, Debug)]
pub struct DynamoDbStore(Table);

impl DynamoDbStore {
    /// Documents kept in the DynamoDB table `table`.
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>) -> Self {
        Self(Table::new(client, table))
    }
}

fn place(key: &Key) -> Place<'_> {
    Place { pk: key.as_str(), sk: ALONE }
}

#[async_trait]
impl Store for DynamoDbStore {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, BoxError> {
        Ok(self.0.item(place(key)).await?.as_ref().map(stored))
    }

    async fn put(&self, key: &Key, expected: Version, write: &Write) -> Result<Put, BoxError> {
        check_text(key, &write.text)?;
        let id = item::write_id();
        let writing = Writing::new(Some(expected.number()), &id).document(&write.text, write.expires_at);
        for attempt in 0.. {
            let request = self
                .0
                .client
                .update_item()
                .table_name(&self.0.name)
                .set_key(Some(place(key).key()))
                .condition_expression(writing.condition())
                .update_expression(writing.update())
                .set_expression_attribute_names(Some(writing.names()))
                .set_expression_attribute_values(writing.values())
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            let Err(error) = request.send().await else { break };
            match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => match failed.item() {
                    None => return Ok(Put::Conflict(None)),
                    // This write had already been made; only its answer was lost.
                    Some(item) if item::was_written_by(item, &id) => break,
                    Some(item) => {
                        let current = self.0.mended(place(key), item.clone()).await?;
                        return Ok(Put::Conflict(current.as_ref().map(stored)));
                    }
                },
                Some(other) if other.is_transaction_conflict_exception() && attempt + 1 < TRIES => {
                    wait(attempt).await;
                }
                _ => return Err(unavailable("dynamodb:UpdateItem", key.as_str(), &error)),
            }
        }
        Ok(Put::Written(expected.next()))
    }
}
