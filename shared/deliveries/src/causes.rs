//! Reads the causes of many records: the index by day does not contain them.

use crate::attribute::{Item, item_key};
use crate::expression::names;
use crate::key::DeliveryKey;
use crate::record::Record;
use crate::records::Records;
use aws_sdk_dynamodb::error::{BuildError, SdkError};
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemError;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use std::collections::{BTreeMap, BTreeSet};

/// The most keys that one `BatchGetItem` accepts.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
const MOST_KEYS: usize = 100;
const PROJECTION: &str = "#pk, #cause";

/// The causes of some records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Causes {
    /// The causes, of records that have one.
    pub found: BTreeMap<DeliveryKey, String>,
    /// The keys whose records were not read. Ask for them again.
    pub left_out: BTreeSet<DeliveryKey>,
}

impl Records {
    /// Reads the causes of at most a hundred records with one request; the other keys are left out, and so are those
    /// that DynamoDB leaves out because it is busy. Needs the permission `dynamodb:BatchGetItem`.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or refuses the request.
    pub async fn causes(
        &self,
        keys: &BTreeSet<DeliveryKey>,
    ) -> Result<Causes, Box<SdkError<BatchGetItemError>>> {
        let mut causes =
            Causes { left_out: keys.iter().skip(MOST_KEYS).cloned().collect(), ..Causes::default() };
        if keys.is_empty() {
            return Ok(causes);
        }
        let wanted = wanted(keys.iter().take(MOST_KEYS)).map_err(SdkError::construction_failure)?;
        let answer = self.client.batch_get_item().request_items(&self.table, wanted).send().await;
        let answer = answer.map_err(Box::new)?;
        let items = answer.responses.into_iter().flatten().flat_map(|(_, items)| items);
        for record in items.map(|item| Record::read(&item)).filter(|record| !record.cause.is_empty()) {
            causes.found.extend(record.key.map(|key| (key, record.cause)));
        }
        let left_out = answer.unprocessed_keys.into_iter().flatten().flat_map(|(_, keys)| keys.keys);
        causes.left_out.extend(left_out.filter_map(|key: Item| Record::read(&key).key));
        Ok(causes)
    }
}

fn wanted<'k>(keys: impl Iterator<Item = &'k DeliveryKey>) -> Result<KeysAndAttributes, BuildError> {
    KeysAndAttributes::builder()
        .projection_expression(PROJECTION)
        .set_expression_attribute_names(Some(names(&[PROJECTION])))
        .set_keys(Some(keys.map(item_key).collect()))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::{CAUSE, PK};

    #[test]
    fn only_the_key_and_the_cause_are_asked_for() {
        let names = names(&[PROJECTION]);
        assert_eq!(names.len(), 2);
        assert!([PK, CAUSE].iter().all(|name| names.values().any(|asked| asked == name)), "{names:?}");
    }
}
