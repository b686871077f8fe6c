//! The causes of listed records, which the index by day does not contain.

use super::store::Records;
use deliveries::{DeliveryKey, Record};
use std::collections::BTreeSet;
use tableau::{Action, EventName};
use workflow::BoxError;

/// Whether the record's event is a failed refresh. No other event has a cause.
pub(super) fn can_have_cause(record: &Record) -> bool {
    EventName::from(record.event.name.as_str()).action() == Some(Action::RefreshFailed)
}

/// Reads the causes of these records, as far as their events are failed refreshes.
pub(super) async fn fill(records: &Records<'_>, found: &mut [Record]) -> Result<(), BoxError> {
    let keys: BTreeSet<DeliveryKey> = found
        .iter()
        .filter(|record| can_have_cause(record))
        .filter_map(|record| record.key.clone())
        .collect();
    let mut causes = records.causes(keys).await?;
    for record in found {
        let cause = record.key.as_ref().and_then(|key| causes.remove(key));
        record.cause = cause.unwrap_or_default();
    }
    Ok(())
}
