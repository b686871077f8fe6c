//! What documents and records do alike with items of a table.

use super::item::{Attributes, Place, VERSION, number, version};
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use std::time::Duration;
use workflow::BoxError;

/// How often a damaged version is mended, and a write made that met another request, before it is given up.
pub(super) const TRIES: u32 = 3;
/// The longest wait before the second try; it doubles.
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

    /// Writes version 1 in the place of one that is damaged, unless another process has done so.
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

    /// An item as of all writes that were confirmed before. A damaged version is mended first.
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

    /// An item that was read or that a failed condition gave back, with a version that is none other than it has. `None`
    /// when it was gone before a damaged version was mended.
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

/// An error about items of this partition, without the answer's words: a document may hold a secret. `action` is what a
/// policy would have to allow.
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

/// Waits before the try after `attempt`, so that those who failed together do not come again together.
pub(super) async fn wait(attempt: u32) {
    let longest = FIRST_WAIT.saturating_mul(1 << attempt.min(6));
    tokio::time::sleep(longest.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
}
