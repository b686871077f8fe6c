//! Documents in DynamoDB: one item per document, one conditional write per change.

mod bulk;
mod item;

use crate::{Key, Put, Store, Stored, Version, Write};
use async_trait::async_trait;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use item::{Attributes, DOCUMENT, Damaged, VERSION, Writing, condition, item_key, number, stored};
use std::time::Duration;
use workflow::BoxError;

/// How often a damaged version is mended, and a write made that met a transaction, before it is given up.
const TRIES: u32 = 3;
/// The longest wait before the second try; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(25);

/// Documents in a DynamoDB table with the key `pk` and `sk` and the time-to-live attribute `expires_at`.
///
/// [`BulkStore::due`](crate::BulkStore::due) needs the index `by_due` as well.
#[derive(Clone, Debug)]
pub struct DynamoDbStore {
    client: aws_sdk_dynamodb::Client,
    table: String,
}

impl DynamoDbStore {
    /// Documents in `table`.
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Writes version 1 in the place of one that is damaged, unless another process has done so.
    async fn mend_version(&self, key: &Key, damaged: AttributeValue) -> Result<(), BoxError> {
        let name = key.as_str();
        tracing::warn!(key = name, "the version of a document is damaged, and begins anew");
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item_key(key)))
            .condition_expression("#version = :damaged")
            .update_expression("SET #version = :first")
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_values(":damaged", damaged)
            .expression_attribute_values(":first", number(1_u64));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if is_condition(&error) => Ok(()),
            Err(error) => Err(unavailable("dynamodb:UpdateItem", &error)),
        }
    }

    /// The document of an item that a failed condition gave back. A damaged version is mended first.
    async fn current(&self, key: &Key, item: &Attributes) -> Result<Option<Stored>, BoxError> {
        match stored(item) {
            Ok(stored) => Ok(Some(stored)),
            Err(Damaged(damaged)) => {
                self.mend_version(key, damaged).await?;
                self.get(key).await
            }
        }
    }
}

/// An error without the answer's words: a document may hold a secret.
fn unavailable<E>(action: &str, error: &SdkError<E, HttpResponse>) -> BoxError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    format!("the table does not answer: {}", aws_http::reason(action, error)).into()
}

fn is_condition<R>(error: &SdkError<UpdateItemError, R>) -> bool {
    error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception)
}

/// Waits before the try after `attempt`, so that those who failed together do not come again together.
async fn wait(attempt: u32) {
    let longest = FIRST_WAIT.saturating_mul(1 << attempt.min(6));
    tokio::time::sleep(longest.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
}

#[async_trait]
impl Store for DynamoDbStore {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, BoxError> {
        for _ in 0..TRIES {
            let get = self.client.get_item().table_name(&self.table).set_key(Some(item_key(key)));
            let answer = get
                .consistent_read(true)
                .send()
                .await
                .map_err(|error| unavailable("dynamodb:GetItem", &error))?;
            let Some(item) = answer.item() else { return Ok(None) };
            match stored(item) {
                Ok(stored) => return Ok(Some(stored)),
                Err(Damaged(damaged)) => self.mend_version(key, damaged).await?,
            }
        }
        Err(format!("the version of the document `{key}` is damaged").into())
    }

    async fn put(&self, key: &Key, expected: Version, write: &Write) -> Result<Put, BoxError> {
        write.check(key)?;
        let writing = Writing::new(expected, write);
        for attempt in 0.. {
            let request = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(item_key(key)))
                .condition_expression(condition(expected))
                .update_expression(writing.expression)
                .set_expression_attribute_names(Some(writing.names()))
                .set_expression_attribute_values(Some(writing.values.clone()))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            let Err(error) = request.send().await else { break };
            match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => match failed.item() {
                    None => return Ok(Put::Conflict(None)),
                    // The request arrived before, and its answer was lost.
                    Some(item) if writing.has_made(item) => break,
                    Some(item) => return Ok(Put::Conflict(self.current(key, item).await?)),
                },
                Some(other) if other.is_transaction_conflict_exception() && attempt + 1 < TRIES => {
                    wait(attempt).await;
                }
                _ => return Err(unavailable("dynamodb:UpdateItem", &error)),
            }
        }
        Ok(Put::Written(expected.next()))
    }
}

/// The names of the attributes that a read of a document needs.
const NAMES: [(&str, &str); 2] = [("#version", VERSION), ("#document", DOCUMENT)];
