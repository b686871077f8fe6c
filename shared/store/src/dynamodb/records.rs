//! Records in DynamoDB: one item each. A commit of several records is a transaction.

use super::cancelled::Cancelled;
use super::item::{
    ACTIVE, Attributes, DUE_AT, DUE_SCOPE, EXPIRES_AT, MARK, PK, Place, SK, VERSION, names, number, record,
    text, values, was_written_by, write_id,
};
use super::table::{TRIES, Table, unavailable, wait};
use super::writing::Writing;
use crate::records::{
    Change, Commit, Key, Marked, Record, Records, Write, check_changes, check_key, check_partition,
};
use async_trait::async_trait;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    ConditionCheck, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};
use workflow::BoxError;

const INDEX: &str = "by_due";
/// The IAM actions to name in an error: IAM has no action for the transaction itself.
const TRANSACTION: &str = "dynamodb:UpdateItem or dynamodb:ConditionCheckItem in TransactWriteItems";
/// DynamoDB's error code when an attribute that should be counted up is not a number.
const INVALID: &str = "ValidationException";
const INVALID_PART: &str = "ValidationError";

/// Records in a DynamoDB table with the key `pk` and `sk`, the index `by_due` and the time-to-live attribute `expires_at`.
#[derive(Clone, Debug)]
pub struct DynamoDbRecords {
    table: Table,
    scope: String,
}

fn place(key: &Key) -> Place<'_> {
    Place { pk: &key.partition, sk: &key.sort }
}

impl DynamoDbRecords {
    /// Records kept in `table`. `scope` is the partition of the `by_due` index that holds this caller's due records:
    /// the workflow's name.
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>, scope: impl Into<String>) -> Self {
        Self { table: Table::new(client, table), scope: scope.into() }
    }

    fn writing(&self, expected: Option<u64>, write: &Write, id: &str) -> Writing {
        Writing::new(expected, id)
            .document(&write.text, write.expires_at)
            .due(&self.scope, write.due)
            .active(write.is_active)
    }

    /// Reads the record from the item that DynamoDB returned with a failed condition.
    async fn current(&self, key: &Key, item: Option<&Attributes>) -> Result<Option<Record>, BoxError> {
        let Some(item) = item else { return Ok(None) };
        Ok(self.table.mended(place(key), item.clone()).await?.as_ref().map(record))
    }

    /// Reports a conflict with the present records, because other requests changed them at every try.
    async fn busy<'a>(&self, keys: impl Iterator<Item = &'a Key> + Send) -> Result<Commit, BoxError> {
        let keys: Vec<Key> = keys.cloned().collect();
        let records = self.load(&keys).await?;
        Ok(Commit::Conflict(keys.into_iter().zip(records).collect()))
    }

    /// Makes one change without a transaction. `None` when it was made, otherwise the conflict.
    async fn write_one(
        &self,
        key: &Key,
        expected: Option<u64>,
        write: &Write,
    ) -> Result<Option<Commit>, BoxError> {
        let id = write_id();
        let writing = self.writing(expected, write, &id);
        let mut is_mended = false;
        for attempt in 0.. {
            let request = self
                .table
                .client
                .update_item()
                .table_name(&self.table.name)
                .set_key(Some(place(key).key()))
                .condition_expression(writing.condition())
                .update_expression(writing.update())
                .set_expression_attribute_names(Some(writing.names()))
                .set_expression_attribute_values(writing.values())
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            let Err(error) = request.send().await else { break };
            match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    if failed.item().is_some_and(|item| was_written_by(item, &id)) {
                        break;
                    }
                    let current = self.current(key, failed.item()).await?;
                    return Ok(Some(Commit::Conflict(vec![(key.clone(), current)])));
                }
                Some(other) if other.is_transaction_conflict_exception() => {
                    if attempt + 1 >= TRIES {
                        return self.busy([key].into_iter()).await.map(Some);
                    }
                    wait(attempt).await;
                }
                Some(other) if other.code() == Some(INVALID) && expected.is_none() && !is_mended => {
                    self.table.item(place(key)).await?;
                    is_mended = true;
                }
                _ => return Err(unavailable("dynamodb:UpdateItem", &key.partition, &error)),
            }
        }
        Ok(None)
    }

    /// Builds one part of a transaction.
    fn part(&self, change: &Change, id: &str) -> Result<TransactWriteItem, BoxError> {
        let all_old = ReturnValuesOnConditionCheckFailure::AllOld;
        let key = place(&change.key).key();
        let part = TransactWriteItem::builder();
        Ok(match &change.write {
            Some(write) => {
                let writing = self.writing(change.expected, write, id);
                let update = Update::builder()
                    .table_name(&self.table.name)
                    .set_key(Some(key))
                    .condition_expression(writing.condition())
                    .update_expression(writing.update())
                    .set_expression_attribute_names(Some(writing.names()))
                    .set_expression_attribute_values(writing.values())
                    .return_values_on_condition_check_failure(all_old);
                part.update(update.build()?).build()
            }
            None => {
                let check = Writing::check(change.expected);
                let check = ConditionCheck::builder()
                    .table_name(&self.table.name)
                    .set_key(Some(key))
                    .condition_expression(check.condition())
                    .set_expression_attribute_names(Some(check.names()))
                    .set_expression_attribute_values(check.values())
                    .return_values_on_condition_check_failure(all_old);
                part.condition_check(check.build()?).build()
            }
        })
    }

    /// Makes all changes in one transaction. `None` when they were made, otherwise the conflict.
    async fn write_all(&self, changes: &[&Change]) -> Result<Option<Commit>, BoxError> {
        let id = write_id();
        let parts: Result<Vec<_>, _> = changes.iter().map(|change| self.part(change, &id)).collect();
        let parts = parts?;
        // All tries use one token, so that DynamoDB carries a repeated request out only once.
        let token = format!("{:032x}", fastrand::u128(..));
        let mut is_mended = false;
        for attempt in 0.. {
            let is_last = attempt + 1 >= TRIES;
            let request = self.table.client.transact_write_items().set_transact_items(Some(parts.clone()));
            let Err(error) = request.client_request_token(&token).send().await else { break };
            let cancelled = match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => cancelled,
                // The same request, sent before, is still in progress.
                Some(other) if other.is_transaction_in_progress_exception() && !is_last => {
                    wait(attempt).await;
                    continue;
                }
                _ => return Err(unavailable(TRANSACTION, &changes[0].key.partition, &error)),
            };
            let reasons = cancelled.cancellation_reasons();
            if reasons.len() != changes.len() {
                return Err(unavailable(TRANSACTION, &changes[0].key.partition, &error));
            }
            match Cancelled::by(reasons, &id) {
                Cancelled::ByItself => break,
                Cancelled::Conditions(failed) => {
                    let mut conflicts = Vec::with_capacity(failed.len());
                    for at in failed {
                        let key = &changes[at].key;
                        conflicts.push((key.clone(), self.current(key, reasons[at].item()).await?));
                    }
                    return Ok(Some(Commit::Conflict(conflicts)));
                }
                Cancelled::Conflicts(with) if is_last => {
                    let keys = with.into_iter().map(|at| &changes[at].key);
                    return self.busy(keys).await.map(Some);
                }
                Cancelled::Throttled(code) if is_last => {
                    let pk = &changes[0].key.partition;
                    let reason = format!("{TRANSACTION} was refused ({code})");
                    return Err(format!("the table does not answer: {reason}, for `{pk}`").into());
                }
                Cancelled::Conflicts(_) | Cancelled::Throttled(_) => wait(attempt).await,
                Cancelled::Refused(at, code) => {
                    let change = changes[at];
                    if code != INVALID_PART || change.expected.is_some() || is_mended {
                        let key = &change.key;
                        return Err(format!("the table refused the record `{key}`: {code}").into());
                    }
                    let any: Vec<Key> = changes
                        .iter()
                        .filter(|change| change.expected.is_none())
                        .map(|change| change.key.clone())
                        .collect();
                    self.load(&any).await?;
                    is_mended = true;
                }
            }
        }
        Ok(None)
    }
}

#[async_trait]
impl Records for DynamoDbRecords {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, BoxError> {
        keys.iter().try_for_each(check_key)?;
        let places: Vec<Place<'_>> = keys.iter().map(place).collect::<BTreeSet<_>>().into_iter().collect();
        let mut found = HashMap::new();
        if let [place] = places[..] {
            found.extend(self.table.item(place).await?.as_ref().map(|item| (place, record(item))));
        } else {
            let items = self.table.items(&places).await?;
            let mut by_place: HashMap<_, _> =
                items.into_iter().filter_map(|item| Some((key_of(&item)?, item))).collect();
            for place in places {
                let key = (place.pk.to_owned(), place.sk.to_owned());
                let Some(item) = by_place.remove(&key) else { continue };
                found
                    .extend(self.table.mended(place, item).await?.as_ref().map(|item| (place, record(item))));
            }
        }
        Ok(keys.iter().map(|key| found.get(&place(key)).cloned()).collect())
    }

    async fn list(&self, partition: &str) -> Result<Vec<(String, Record)>, BoxError> {
        check_partition(partition)?;
        let mut listed = Vec::new();
        for item in self.table.partition(partition).await? {
            let Some((pk, sk)) = key_of(&item) else { continue };
            let item = self.table.mended(Place { pk: &pk, sk: &sk }, item).await?;
            listed.extend(item.as_ref().map(|item| (sk, record(item))));
        }
        Ok(listed)
    }

    async fn newest(
        &self,
        partition: &str,
        before: &str,
        limit: usize,
    ) -> Result<Vec<(String, Record)>, BoxError> {
        check_partition(partition)?;
        let query = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .consistent_read(true)
            .scan_index_forward(false)
            .key_condition_expression("#pk = :pk AND #sk < :before")
            .set_expression_attribute_names(Some(names([PK, SK])))
            .expression_attribute_values(":pk", text(partition))
            .expression_attribute_values(":before", text(before))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let page = query.send().await.map_err(|error| unavailable("dynamodb:Query", partition, &error))?;
        let items = page.items.unwrap_or_default();
        Ok(items.iter().filter_map(|item| Some((key_of(item)?.1, record(item)))).collect())
    }

    async fn commit(&self, changes: &[Change]) -> Result<Commit, BoxError> {
        check_changes(changes)?;
        // A change that expects no version and writes nothing has no effect and is left out.
        let real = changes.iter().filter(|change| change.expected.is_some() || change.write.is_some());
        let real: Vec<&Change> = real.collect();
        let not_made = match real[..] {
            [] => None,
            [Change { key, expected, write: Some(write) }] => self.write_one(key, *expected, write).await?,
            _ => self.write_all(&real).await?,
        };
        let done = || Commit::Done(changes.iter().map(Change::version_after).collect());
        Ok(not_made.unwrap_or_else(done))
    }

    async fn raise_mark(&self, key: &Key, mark: i64, expires_at: Timestamp) -> Result<Marked, BoxError> {
        check_key(key)?;
        let mut is_mended = false;
        for attempt in 0.. {
            let request = self
                .table
                .client
                .update_item()
                .table_name(&self.table.name)
                .set_key(Some(place(key).key()))
                // A mark that is not a number is treated as missing.
                .condition_expression(
                    "attribute_not_exists(#active) AND (attribute_not_exists(#mark) OR #mark < :mark \
                     OR NOT attribute_type(#mark, :number))",
                )
                .update_expression(
                    "SET #version = if_not_exists(#version, :zero) + :one, #mark = :mark, \
                     #expires_at = :expires_at",
                )
                .set_expression_attribute_names(Some(names([ACTIVE, MARK, VERSION, EXPIRES_AT])))
                .set_expression_attribute_values(Some(values([
                    (":mark", number(mark)),
                    (":number", text("N")),
                    (":zero", number(0)),
                    (":one", number(1)),
                    (":expires_at", number(expires_at.as_second())),
                ])))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            let Err(error) = request.send().await else { break };
            match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    let active = failed.item().filter(|item| item.contains_key(ACTIVE));
                    let Some(record) = self.current(key, active).await? else { break };
                    return Ok(Marked::Active(record));
                }
                Some(other) if other.is_transaction_conflict_exception() && attempt + 1 < TRIES => {
                    wait(attempt).await;
                }
                Some(other) if other.code() == Some(INVALID) && !is_mended => {
                    self.table.item(place(key)).await?;
                    is_mended = true;
                }
                _ => return Err(unavailable("dynamodb:UpdateItem", &key.partition, &error)),
            }
        }
        Ok(Marked::Done)
    }

    async fn due(&self, before: Timestamp, limit: usize) -> Result<Vec<Key>, BoxError> {
        let mut found = Vec::new();
        let mut start = None;
        while found.len() < limit {
            let query = self
                .table
                .client
                .query()
                .table_name(&self.table.name)
                .index_name(INDEX)
                .key_condition_expression("#due_scope = :scope AND #due_at < :before")
                .set_expression_attribute_names(Some(names([DUE_SCOPE, DUE_AT])))
                .expression_attribute_values(":scope", text(&self.scope))
                .expression_attribute_values(":before", number(before.as_millisecond()))
                .limit(i32::try_from(limit - found.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start);
            let page =
                query.send().await.map_err(|error| unavailable("dynamodb:Query", &self.scope, &error))?;
            let keys = page.items().iter().filter_map(key_of);
            found.extend(keys.map(|(partition, sort)| Key { partition, sort }));
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(found)
    }
}

fn key_of(item: &Attributes) -> Option<(String, String)> {
    let part = |name| item.get(name)?.as_s().ok().cloned();
    Some((part(PK)?, part(SK)?))
}
