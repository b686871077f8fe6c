//! `TransactWriteItems`: makes all writes of a transaction or none.

use super::super::{Input, Refusal};
use super::Tables;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
const MOST_WRITES: usize = 100;
const LONGEST_TOKEN: usize = 36;

/// A cancelled transaction, with one reason per write.
fn cancelled(reasons: Vec<Json>) -> Refusal {
    let codes: Vec<&str> = reasons.iter().filter_map(|reason| reason["Code"].as_str()).collect();
    let message = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );
    Refusal::new("com.amazonaws.dynamodb.v20120810#TransactionCanceledException", message)
        .with_reasons(reasons)
}

impl Tables {
    /// Makes all writes of a transaction, or none. `busy` simulates a conflict with another request on the first item.
    pub(crate) fn transact_write_items(&mut self, body: &Json, busy: bool) -> Result<Json, Refusal> {
        let input = Input::new("TransactWriteItems", body, &["TransactItems", "ClientRequestToken"])?;
        let writes = input.list("TransactItems")?;
        if !(1..=MOST_WRITES).contains(&writes.len()) {
            return Err(Refusal::validation(
                "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have \
                 length between 1 and 100",
            ));
        }
        let token = input.text("ClientRequestToken")?;
        if token.is_some_and(|token| !(1..=LONGEST_TOKEN).contains(&token.len())) {
            return Err(Refusal::validation(
                "1 validation error detected: Value at 'clientRequestToken' failed to satisfy constraint: Member must \
                 have length less than or equal to 36",
            ));
        }
        match token.and_then(|token| self.transactions.get(token)) {
            Some(before) if before == &body["TransactItems"] => return Ok(json!({})),
            Some(_) => {
                let kind = "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException";
                return Err(Refusal::new(kind, "The request uses the same client token as a previous one"));
            }
            None => {}
        }
        let mut outcomes = Vec::new();
        let mut reasons = Vec::new();
        let mut seen = BTreeSet::new();
        for (at, write) in writes.iter().enumerate() {
            // AWS refuses the whole transaction when one write is malformed.
            let (key, outcome) = self.transacted(write)?;
            if !seen.insert(key) {
                return Err(Refusal::validation(
                    "Transaction request cannot include multiple operations on one item",
                ));
            }
            match outcome {
                _ if busy && at == 0 => {
                    let message = "Transaction is ongoing for the item";
                    reasons.push(json!({ "Code": "TransactionConflict", "Message": message }));
                }
                Ok(outcome) => {
                    outcomes.push(outcome);
                    reasons.push(json!({ "Code": "None" }));
                }
                Err(refusal) => reasons.push(refusal.into_reason()?),
            }
        }
        if outcomes.len() < writes.len() {
            return Err(cancelled(reasons));
        }
        outcomes.into_iter().for_each(|outcome| self.apply(outcome));
        if let Some(token) = token {
            self.transactions.insert(token.to_owned(), body["TransactItems"].clone());
        }
        Ok(json!({}))
    }
}
