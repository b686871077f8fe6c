//! Reads many items with few requests.

use super::item::{Attributes, DOCUMENT, MARK, PK, Place, SK, VERSION, names, text};
use super::table::{Table, unavailable, wait};
use aws_sdk_dynamodb::types::KeysAndAttributes;
use std::collections::HashMap;
use workflow::BoxError;

/// The most keys that one `BatchGetItem` accepts.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
const MOST_KEYS: usize = 100;
/// How often keys that DynamoDB left out of its answer are requested again, with waits of some seconds in total.
const BATCH_TRIES: u32 = 8;
/// The attributes that make a record.
const PROJECTION: &str = "#pk, #sk, #version, #document, #mark";
const PROJECTED: [&str; 5] = [PK, SK, VERSION, DOCUMENT, MARK];

impl Table {
    /// Reads items, including every write confirmed before. Items that do not exist are left out.
    pub(super) async fn items(&self, places: &[Place<'_>]) -> Result<Vec<Attributes>, BoxError> {
        let mut found = Vec::new();
        for chunk in places.chunks(MOST_KEYS) {
            let keys = KeysAndAttributes::builder()
                .consistent_read(true)
                .projection_expression(PROJECTION)
                .set_expression_attribute_names(Some(names(PROJECTED)))
                .set_keys(Some(chunk.iter().map(|place| place.key()).collect()))
                .build()?;
            let mut wanted = HashMap::from([(self.name.clone(), keys)]);
            let mut attempt = 0;
            loop {
                let answer = self.client.batch_get_item().set_request_items(Some(wanted)).send().await;
                let answer =
                    answer.map_err(|error| unavailable("dynamodb:BatchGetItem", chunk[0].pk, &error))?;
                let before = found.len();
                found.extend(answer.responses.into_iter().flatten().flat_map(|(_, items)| items));
                wanted = answer.unprocessed_keys.unwrap_or_default();
                if wanted.is_empty() {
                    break;
                }
                // An answer has at most 16 MB, so DynamoDB may leave items out. If it returned none at all, the table
                // is busy: wait.
                if found.len() == before {
                    wait(attempt).await;
                    attempt += 1;
                }
                if attempt == BATCH_TRIES {
                    let reason =
                        "the table does not answer: dynamodb:BatchGetItem left keys out again and again";
                    return Err(reason.into());
                }
            }
        }
        Ok(found)
    }

    /// Reads all items of a partition in the order of their sort keys, including every write confirmed before.
    pub(super) async fn partition(&self, pk: &str) -> Result<Vec<Attributes>, BoxError> {
        let mut found = Vec::new();
        let mut start = None;
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.name)
                .consistent_read(true)
                .key_condition_expression("#pk = :pk")
                .projection_expression(PROJECTION)
                .set_expression_attribute_names(Some(names(PROJECTED)))
                .expression_attribute_values(":pk", text(pk))
                .set_exclusive_start_key(start);
            let page = query.send().await.map_err(|error| unavailable("dynamodb:Query", pk, &error))?;
            found.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(found);
            }
        }
    }
}
