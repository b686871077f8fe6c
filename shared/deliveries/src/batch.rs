//! Reads many records, whole or only their causes: the index by day does not contain all of a record.

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

/// Complete records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whole {
    /// The records that exist, in no order.
    pub records: Vec<Record>,
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
        let Whole { records, left_out } = self.batch(keys, Some(PROJECTION)).await?;
        let with_cause = records.into_iter().filter(|record| !record.cause.is_empty());
        let found = with_cause.filter_map(|record| Some((record.key?, record.cause))).collect();
        Ok(Causes { found, left_out })
    }

    /// Reads at most a hundred complete records with one request; other keys are left out as in [`Records::causes`]. The answer may be
    /// a second old. Needs the permission `dynamodb:BatchGetItem`.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or refuses the request.
    pub async fn whole(
        &self,
        keys: &BTreeSet<DeliveryKey>,
    ) -> Result<Whole, Box<SdkError<BatchGetItemError>>> {
        self.batch(keys, None).await
    }

    async fn batch(
        &self,
        keys: &BTreeSet<DeliveryKey>,
        projection: Option<&str>,
    ) -> Result<Whole, Box<SdkError<BatchGetItemError>>> {
        let mut left_out: BTreeSet<_> = keys.iter().skip(MOST_KEYS).cloned().collect();
        if keys.is_empty() {
            return Ok(Whole::default());
        }
        let wanted =
            wanted(keys.iter().take(MOST_KEYS), projection).map_err(SdkError::construction_failure)?;
        let answer = self.client.batch_get_item().request_items(&self.table, wanted).send().await;
        let answer = answer.map_err(Box::new)?;
        let items = answer.responses.into_iter().flatten().flat_map(|(_, items)| items);
        let records = items.map(|item| Record::read(&item)).collect();
        let not_read = answer.unprocessed_keys.into_iter().flatten().flat_map(|(_, keys)| keys.keys);
        left_out.extend(not_read.filter_map(|key: Item| Record::read(&key).key));
        Ok(Whole { records, left_out })
    }
}

fn wanted<'k>(
    keys: impl Iterator<Item = &'k DeliveryKey>,
    projection: Option<&str>,
) -> Result<KeysAndAttributes, BuildError> {
    KeysAndAttributes::builder()
        .set_projection_expression(projection.map(str::to_owned))
        .set_expression_attribute_names(projection.map(|projection| names(&[projection])))
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
