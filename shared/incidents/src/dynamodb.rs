//! Documents in DynamoDB: one item per document, one conditional write per change.

use crate::documents::DocumentStore;
use async_trait::async_trait;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use workflow::BoxError;

/// The newest version that is believed: no document changes so often. One beyond it, or that is no number, is damaged, and
/// no condition on it would ever hold.
const MOST_VERSIONS: u64 = 1 << 53;
/// How often a damaged version is mended before the document is left alone.
const TRIES: u32 = 3;

/// Documents in a DynamoDB table with the partition key `pk` and the time-to-live attribute `expires_at`.
#[derive(Clone, Debug)]
pub struct DynamoDbDocuments {
    client: aws_sdk_dynamodb::Client,
    table: String,
}

impl DynamoDbDocuments {
    /// Documents in `table`.
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Writes version 1 in the place of one that is damaged, unless another process has done so.
    async fn mend_version(&self, key: &str, damaged: AttributeValue) -> Result<(), BoxError> {
        tracing::warn!(key, "the version of a document is damaged, and begins anew");
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(key.to_owned()))
            .condition_expression("#version = :damaged")
            .update_expression("SET #version = :first")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":damaged", damaged)
            .expression_attribute_values(":first", AttributeValue::N("1".to_owned()));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if is_condition(&error) => Ok(()),
            Err(error) => Err(unavailable("dynamodb:UpdateItem", &error)),
        }
    }
}

/// The version of an item: 0 before the first, nothing when it is damaged.
fn version(stored: Option<&AttributeValue>) -> Option<u64> {
    let Some(stored) = stored else { return Some(0) };
    let version = stored.as_n().ok()?.parse().ok()?;
    (1..=MOST_VERSIONS).contains(&version).then_some(version)
}

/// An error without the answer's words, which may repeat the request.
fn unavailable<E>(action: &str, error: &SdkError<E, HttpResponse>) -> BoxError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    format!("the table does not answer: {}", aws_http::reason(action, error)).into()
}

fn is_condition<R>(error: &SdkError<UpdateItemError, R>) -> bool {
    matches!(error.as_service_error(), Some(UpdateItemError::ConditionalCheckFailedException(_)))
}

#[async_trait]
impl DocumentStore for DynamoDbDocuments {
    async fn read(&self, key: &str) -> Result<(u64, Option<String>), BoxError> {
        for _ in 0..TRIES {
            let get =
                self.client.get_item().table_name(&self.table).key("pk", AttributeValue::S(key.to_owned()));
            let answer = get.consistent_read(true).send().await;
            let answer = answer.map_err(|error| unavailable("dynamodb:GetItem", &error))?;
            let Some(item) = answer.item() else { return Ok((0, None)) };
            let stored = item.get("version");
            match (version(stored), stored) {
                (Some(version), _) => {
                    let text = item.get("document").and_then(|value| value.as_s().ok()).cloned();
                    return Ok((version, text));
                }
                (None, Some(damaged)) => self.mend_version(key, damaged.clone()).await?,
                (None, None) => break,
            }
        }
        Err(format!("the version of the document `{key}` is damaged").into())
    }

    async fn write(
        &self,
        key: &str,
        version: u64,
        text: &str,
        expires_at: Timestamp,
    ) -> Result<bool, BoxError> {
        let number = |value: i128| AttributeValue::N(value.to_string());
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(key.to_owned()))
            .condition_expression(if version == 0 {
                "attribute_not_exists(#version)"
            } else {
                "#version = :version"
            })
            .update_expression("SET #version = :next, #document = :document, #expires_at = :expires_at")
            .expression_attribute_names("#version", "version")
            .expression_attribute_names("#document", "document")
            .expression_attribute_names("#expires_at", "expires_at")
            .expression_attribute_values(":next", number(i128::from(version) + 1))
            .expression_attribute_values(":document", AttributeValue::S(text.to_owned()))
            .expression_attribute_values(":expires_at", number(i128::from(expires_at.as_second())));
        let request = match version {
            0 => request,
            _ => request.expression_attribute_values(":version", number(i128::from(version))),
        };
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) if is_condition(&error) => Ok(false),
            Err(error) => Err(unavailable("dynamodb:UpdateItem", &error)),
        }
    }
}
