//! Many documents at once, deletions, and what is due.

use super::item::{
    Attributes, DUE_AT, DUE_SCOPE, PK, VERSION, Writing, condition, condition_value, item_key, number,
};
use super::{DynamoDbStore, NAMES, TRIES, unavailable, wait};
use crate::form::check_together;
use crate::{BulkStore, Conflict, Delete, Key, Put, PutAll, Store, Stored, Version, Write};
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, KeysAndAttributes, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};
use workflow::BoxError;

/// The most keys of one `BatchGetItem`.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
const MOST_KEYS: usize = 100;
/// How often keys are asked for that DynamoDB left out, with waits of some seconds in all.
const BATCH_TRIES: u32 = 8;
const INDEX: &str = "by_due";

impl DynamoDbStore {
    /// The items of up to [`MOST_KEYS`] different keys, by `pk`.
    async fn items(&self, keys: &[&Key]) -> Result<HashMap<String, Attributes>, BoxError> {
        let wrong = |error: aws_sdk_dynamodb::error::BuildError| -> BoxError { error.into() };
        let mut wanted = KeysAndAttributes::builder()
            .consistent_read(true)
            .projection_expression("pk, #version, #document");
        for (placeholder, name) in NAMES {
            wanted = wanted.expression_attribute_names(placeholder, name);
        }
        for key in keys {
            wanted = wanted.keys(item_key(key));
        }
        let mut wanted = HashMap::from([(self.table.clone(), wanted.build().map_err(wrong)?)]);
        let mut found = HashMap::new();
        for attempt in 0..BATCH_TRIES {
            let answer = self.client.batch_get_item().set_request_items(Some(wanted)).send().await;
            let answer = answer.map_err(|error| unavailable("dynamodb:BatchGetItem", &error))?;
            for item in answer.responses.into_iter().flatten().flat_map(|(_, items)| items) {
                if let Some(pk) = item.get(PK).and_then(|value| value.as_s().ok()).cloned() {
                    found.insert(pk, item);
                }
            }
            wanted = answer.unprocessed_keys.unwrap_or_default();
            if wanted.is_empty() {
                return Ok(found);
            }
            wait(attempt).await;
        }
        Err("the table does not answer: dynamodb:BatchGetItem left keys out again and again".into())
    }

    /// Why one write of several was not made. `None` when it was made, by the same request sent before.
    async fn conflict(
        &self,
        key: &Key,
        writing: &Writing,
        reason: &CancellationReason,
    ) -> Result<Option<Conflict>, BoxError> {
        Ok(Some(match (reason.code().unwrap_or_default(), reason.item()) {
            ("None" | "", _) => Conflict::None,
            ("ConditionalCheckFailed", Some(item)) if writing.has_made(item) => return Ok(None),
            ("ConditionalCheckFailed", Some(item)) => Conflict::Current(self.current(key, item).await?),
            ("ConditionalCheckFailed", None) => Conflict::Current(None),
            ("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded", _) => {
                Conflict::Busy
            }
            (code, _) => {
                let code = aws_http::code(code);
                return Err(format!("the table does not take the document `{key}`: {code}").into());
            }
        }))
    }
}

#[async_trait]
impl BulkStore for DynamoDbStore {
    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Stored>>, BoxError> {
        let different: Vec<&Key> = keys.iter().collect::<BTreeSet<_>>().into_iter().collect();
        let mut found = HashMap::new();
        for chunk in different.chunks(MOST_KEYS) {
            let items = self.items(chunk).await?;
            for key in chunk {
                let Some(item) = items.get(key.as_str()) else { continue };
                found.insert((*key).clone(), self.current(key, item).await?);
            }
        }
        Ok(keys.iter().map(|key| found.get(key).cloned().flatten()).collect())
    }

    async fn put_all(&self, puts: &[(Key, Version, Write)]) -> Result<PutAll, BoxError> {
        check_together(puts)?;
        let written = || PutAll::Written(puts.iter().map(|(_, expected, _)| expected.next()).collect());
        match puts {
            [] => return Ok(written()),
            [(key, expected, write)] => {
                return Ok(match self.put(key, *expected, write).await? {
                    Put::Written(version) => PutAll::Written(vec![version]),
                    Put::Conflict(current) => PutAll::Conflict(vec![Conflict::Current(current)]),
                });
            }
            _ => {}
        }
        let writings: Vec<Writing> =
            puts.iter().map(|(_, expected, write)| Writing::new(*expected, write)).collect();
        let mut items = Vec::with_capacity(puts.len());
        for ((key, expected, _), writing) in puts.iter().zip(&writings) {
            let update = Update::builder()
                .table_name(&self.table)
                .set_key(Some(item_key(key)))
                .condition_expression(condition(*expected))
                .update_expression(writing.expression)
                .set_expression_attribute_names(Some(writing.names()))
                .set_expression_attribute_values(Some(writing.values.clone()))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            items.push(TransactWriteItem::builder().update(update.build()?).build());
        }
        // One token for all tries: a request that arrives twice is carried out once.
        let token = format!("{:032x}", fastrand::u128(..));
        for attempt in 0.. {
            let request = self.client.transact_write_items().set_transact_items(Some(items.clone()));
            let Err(error) = request.client_request_token(&token).send().await else { break };
            match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    let reasons = cancelled.cancellation_reasons();
                    if reasons.len() != puts.len() {
                        return Err(unavailable("dynamodb:UpdateItem", &error));
                    }
                    let mut conflicts = Vec::with_capacity(puts.len());
                    for (((key, ..), writing), reason) in puts.iter().zip(&writings).zip(reasons) {
                        conflicts.push(self.conflict(key, writing, reason).await?);
                    }
                    if conflicts.iter().all(Option::is_none) {
                        break;
                    }
                    let ours = || Conflict::Busy;
                    return Ok(PutAll::Conflict(
                        conflicts.into_iter().map(|conflict| conflict.unwrap_or_else(ours)).collect(),
                    ));
                }
                // The same request is still under way.
                Some(other) if other.is_transaction_in_progress_exception() && attempt + 1 < TRIES => {
                    wait(attempt).await;
                }
                _ => return Err(unavailable("dynamodb:UpdateItem", &error)),
            }
        }
        Ok(written())
    }

    async fn delete(&self, key: &Key, expected: Version) -> Result<Delete, BoxError> {
        for attempt in 0.. {
            let request = self
                .client
                .delete_item()
                .table_name(&self.table)
                .set_key(Some(item_key(key)))
                .condition_expression(condition(expected))
                .expression_attribute_names("#version", VERSION)
                .set_expression_attribute_values(condition_value(expected).map(|value| [value].into()))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            let Err(error) = request.send().await else { break };
            match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(failed)) => {
                    let Some(item) = failed.item() else { break };
                    let Some(current) = self.current(key, item).await? else { break };
                    return Ok(Delete::Conflict(current));
                }
                Some(other) if other.is_transaction_conflict_exception() && attempt + 1 < TRIES => {
                    wait(attempt).await;
                }
                _ => return Err(unavailable("dynamodb:DeleteItem", &error)),
            }
        }
        Ok(Delete::Deleted)
    }

    async fn due(
        &self,
        scope: &str,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Key, Timestamp)>, BoxError> {
        let mut found = Vec::new();
        let mut start = None;
        while found.len() < limit {
            let query = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(INDEX)
                .key_condition_expression("#scope = :scope AND #at < :before")
                .expression_attribute_names("#scope", DUE_SCOPE)
                .expression_attribute_names("#at", DUE_AT)
                .expression_attribute_values(":scope", AttributeValue::S(scope.to_owned()))
                .expression_attribute_values(":before", number(before.as_millisecond()))
                .limit(i32::try_from(limit - found.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start);
            let page = query.send().await.map_err(|error| unavailable("dynamodb:Query", &error))?;
            found.extend(page.items().iter().filter_map(due));
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(found)
    }
}

/// `None` for what no document of ours is.
fn due(item: &Attributes) -> Option<(Key, Timestamp)> {
    let key = item.get(PK)?.as_s().ok()?.parse().ok()?;
    let at = item.get(DUE_AT)?.as_n().ok()?.parse().ok()?;
    Some((key, Timestamp::from_millisecond(at).ok()?))
}
