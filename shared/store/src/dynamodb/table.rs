//! What documents and records have in common: reading, repairing and waiting.

use super::item::{Attributes, Place, VERSION, number, version};
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use std::time::Duration;
use workflow::BoxError;

/// How often a request is repeated, after repairing a damaged version or after a conflict, before the caller gets an
/// error.
pub(super) const TRIES: u32 = 3;
/// The longest wait before the second try; the limit doubles with each try.
const FIRST_WAIT: Duration = Duration::from_millis(25);

#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) client: aws_sdk_dynamodb::Client,
    pub(super) name: String,
}

impl Table {
    pub(super) fn new(client: aws_sdk_dynamodb::Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }

    /// Replaces a damaged version attribute by version 1, unless another process has already done so.
    async fn mend_version(&self, place: Place<'_>, damaged: &AttributeValue) -> Result<(), BoxError> {
        tracing::warn!(key = place.pk, "the version of a stored document is damaged; it starts again at 1");
        let request = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(place.key()))
            .condition_expression("#version = :damaged")
            .update_expression("SET #version = :first")
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_values(":damaged", damaged.clone())
            .expression_attribute_values(":first", number(1_u64));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if is_condition(&error) => Ok(()),
            Err(error) => Err(unavailable("dynamodb:UpdateItem", place.pk, &error)),
        }
    }

    /// Reads an item, including every write confirmed before. A damaged version is repaired first.
    pub(super) async fn item(&self, place: Place<'_>) -> Result<Option<Attributes>, BoxError> {
        for _ in 0..TRIES {
            let get = self.client.get_item().table_name(&self.name).set_key(Some(place.key()));
            let answer = get
                .consistent_read(true)
                .send()
                .await
                .map_err(|error| unavailable("dynamodb:GetItem", place.pk, &error))?;
            let Some(item) = answer.item else { return Ok(None) };
            match version(&item) {
                Ok(_) => return Ok(Some(item)),
                Err(damaged) => self.mend_version(place, damaged).await?,
            }
        }
        Err(format!("the version of the document `{}` is damaged", place.pk).into())
    }

    /// Makes sure that an item (just read, or returned by a failed condition) has a valid version, repairing it if
    /// necessary. `None` if the item was deleted meanwhile.
    pub(super) async fn mended(
        &self,
        place: Place<'_>,
        item: Attributes,
    ) -> Result<Option<Attributes>, BoxError> {
        match version(&item) {
            Ok(_) => Ok(Some(item)),
            Err(damaged) => {
                self.mend_version(place, damaged).await?;
                self.item(place).await
            }
        }
    }
}

/// An error about items of a partition. It leaves out DynamoDB's own text, because a document may contain a secret.
/// `action` is the IAM action that a policy must allow.
pub(super) fn unavailable<E>(action: &str, pk: &str, error: &SdkError<E, HttpResponse>) -> BoxError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let reason = aws_http::reason(action, error);
    format!("the table does not answer: {reason}, for `{pk}`").into()
}

fn is_condition<R>(error: &SdkError<UpdateItemError, R>) -> bool {
    error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception)
}

/// Waits before the next try, for a random time, so that processes that collided do not collide again.
pub(super) async fn wait(attempt: u32) {
    let longest = FIRST_WAIT.saturating_mul(1 << attempt.min(6));
    tokio::time::sleep(longest.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
}
