//! The write operations of DynamoDB: put, update, delete, each optionally under a condition.

use super::super::{Input, Refusal};
use super::expression::{Condition, Placeholders, Update};
use super::table::{Key, Table};
use super::value::{item_json, item_size_bytes};
use super::{ITEM_LIMIT_BYTES, Item, Tables, attributes, condition, given_item, placeholders};
use serde_json::Value as Json;

/// The value of `ReturnValues`: which item or attributes the caller wants back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Returned {
    Nothing,
    Old,
    New,
}

const COMMON: [&str; 6] = [
    "TableName",
    "ConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ReturnValues",
    "ReturnValuesOnConditionCheckFailure",
];

fn request<'a>(operation: &'static str, body: &'a Json, own: &[&'static str]) -> Result<Input<'a>, Refusal> {
    Input::new(operation, body, &[own, &COMMON].concat())
}

fn returned(input: &Input<'_>, operation: &str) -> Result<Returned, Refusal> {
    match (input.text("ReturnValues")?.unwrap_or("NONE"), operation) {
        ("NONE", _) => Ok(Returned::Nothing),
        ("ALL_OLD", _) => Ok(Returned::Old),
        ("ALL_NEW", "UpdateItem") => Ok(Returned::New),
        (other @ ("UPDATED_OLD" | "UPDATED_NEW"), "UpdateItem") => {
            Err(Refusal::missing_here(format_args!("ReturnValues={other}")))
        }
        _ => Err(Refusal::validation("Return values set to invalid value")),
    }
}

/// Returns the conditional-check error when the condition does not hold, with the item if the caller asked for it.
fn check(input: &Input<'_>, condition: Option<&Condition>, present: Option<&Item>) -> Result<(), Refusal> {
    let with_item = match input.text("ReturnValuesOnConditionCheckFailure")?.unwrap_or("NONE") {
        "NONE" => false,
        "ALL_OLD" => true,
        _ => return Err(Refusal::validation("ReturnValuesOnConditionCheckFailure set to invalid value")),
    };
    let nothing = Item::new();
    if condition.is_none_or(|condition| condition.holds(present.unwrap_or(&nothing))) {
        return Ok(());
    }
    let kind = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
    let refusal = Refusal::new(kind, "The conditional request failed");
    Err(match present.filter(|_| with_item) {
        Some(item) => refusal.with_item(item_json(item)),
        None => refusal,
    })
}

/// The condition expression of a put, delete or condition check.
fn only_condition(input: &Input<'_>) -> Result<Option<Condition>, Refusal> {
    let mut placeholders = placeholders(input)?;
    let condition = condition(input, "ConditionExpression", &mut placeholders)?;
    placeholders.check_all_used(condition.is_some())?;
    Ok(condition)
}

fn update(input: &Input<'_>, placeholders: &mut Placeholders) -> Result<Option<Update>, Refusal> {
    input.text("UpdateExpression")?.map(|text| Update::parse(text, placeholders)).transpose()
}

/// A write whose condition holds and that is not yet stored.
#[derive(Debug)]
pub(super) struct Outcome {
    table: String,
    key: Key,
    /// The item after the write; `None` when there is no item. A condition check leaves the item as it was.
    new: Option<Item>,
}

/// The table and key of the item that a write is about.
type Place = (String, Key);

/// The request members of one write in a transaction.
const TRANSACTED: [&str; 5] = [
    "TableName",
    "ConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ReturnValuesOnConditionCheckFailure",
];

impl Tables {
    pub(crate) fn put_item(&mut self, body: &Json) -> Result<Json, Refusal> {
        let input = request("PutItem", body, &["Item"])?;
        let returned = returned(&input, "PutItem")?;
        let outcome = self.prepare_put(&input)?.1?;
        let old = self.old(&outcome);
        self.apply(outcome);
        Ok(attributes(old.as_ref().filter(|_| returned == Returned::Old)))
    }

    pub(crate) fn delete_item(&mut self, body: &Json) -> Result<Json, Refusal> {
        let input = request("DeleteItem", body, &["Key"])?;
        let returned = returned(&input, "DeleteItem")?;
        let outcome = self.prepare_delete(&input)?.1?;
        let old = self.old(&outcome);
        self.apply(outcome);
        Ok(attributes(old.as_ref().filter(|_| returned == Returned::Old)))
    }

    pub(crate) fn update_item(&mut self, body: &Json) -> Result<Json, Refusal> {
        let input = request("UpdateItem", body, &["Key", "UpdateExpression"])?;
        let returned = returned(&input, "UpdateItem")?;
        let outcome = self.prepare_update(&input)?.1?;
        let answer = match returned {
            Returned::Nothing => attributes(None),
            Returned::Old => attributes(self.old(&outcome).as_ref()),
            Returned::New => attributes(outcome.new.as_ref()),
        };
        self.apply(outcome);
        Ok(answer)
    }

    /// Prepares one write of a transaction: returns the item's key with its new content, or the reason why the write
    /// fails.
    pub(super) fn transacted(&mut self, write: &Json) -> Result<(Place, Result<Outcome, Refusal>), Refusal> {
        let operation = "TransactWriteItems";
        let input = Input::new(operation, write, &["Put", "Update", "Delete", "ConditionCheck"])?;
        let known = |own: &[&'static str]| [own, &TRANSACTED].concat();
        let checked = input.get("ConditionCheck");
        match (input.get("Put"), input.get("Update"), input.get("Delete"), checked) {
            (Some(put), None, None, None) => {
                self.prepare_put(&Input::new(operation, put, &known(&["Item"]))?)
            }
            (None, Some(update), None, None) => {
                self.prepare_update(&Input::new(operation, update, &known(&["Key", "UpdateExpression"]))?)
            }
            (None, None, Some(delete), None) => {
                self.prepare_delete(&Input::new(operation, delete, &known(&["Key"]))?)
            }
            (None, None, None, Some(checked)) => {
                self.prepare_check(&Input::new(operation, checked, &known(&["Key"]))?)
            }
            _ => {
                Err(Refusal::validation("TransactItems can only contain one of Check, Put, Update or Delete"))
            }
        }
    }

    pub(super) fn apply(&mut self, Outcome { table, key, new }: Outcome) {
        let Some(table) = self.tables.get_mut(&table) else { return };
        match new {
            Some(item) => drop(table.items.insert(key, item)),
            None => drop(table.items.remove(&key)),
        }
    }

    fn old(&self, outcome: &Outcome) -> Option<Item> {
        self.tables.get(&outcome.table)?.items.get(&outcome.key).cloned()
    }

    fn prepare_put(&mut self, input: &Input<'_>) -> Result<(Place, Result<Outcome, Refusal>), Refusal> {
        let condition = only_condition(input)?;
        let table = self.table(input)?;
        let item = given_item(input, "Item")?;
        if item_size_bytes(&item) > ITEM_LIMIT_BYTES {
            return Err(Refusal::validation("Item size has exceeded the maximum allowed size"));
        }
        let key = table.key_of(&item)?;
        let place = (table.spec.name.clone(), key);
        let checked = check(input, condition.as_ref(), table.items.get(&place.1));
        Ok((place.clone(), checked.map(|()| Outcome { table: place.0, key: place.1, new: Some(item) })))
    }

    fn prepare_delete(&mut self, input: &Input<'_>) -> Result<(Place, Result<Outcome, Refusal>), Refusal> {
        let condition = only_condition(input)?;
        let table = self.table(input)?;
        let key = table.key(&given_item(input, "Key")?)?;
        let place = (table.spec.name.clone(), key);
        let checked = check(input, condition.as_ref(), table.items.get(&place.1));
        Ok((place.clone(), checked.map(|()| Outcome { table: place.0, key: place.1, new: None })))
    }

    fn prepare_check(&mut self, input: &Input<'_>) -> Result<(Place, Result<Outcome, Refusal>), Refusal> {
        let condition = only_condition(input)?.ok_or_else(|| {
            Refusal::validation(
                "The expression can not be empty; ConditionCheck requires a ConditionExpression",
            )
        })?;
        let table = self.table(input)?;
        let key = table.key(&given_item(input, "Key")?)?;
        let place = (table.spec.name.clone(), key);
        let present = table.items.get(&place.1);
        let checked = check(input, Some(&condition), present);
        let new = present.cloned();
        Ok((place.clone(), checked.map(|()| Outcome { table: place.0, key: place.1, new })))
    }

    fn prepare_update(&mut self, input: &Input<'_>) -> Result<(Place, Result<Outcome, Refusal>), Refusal> {
        let mut placeholders = placeholders(input)?;
        let update = update(input, &mut placeholders)?;
        let condition = condition(input, "ConditionExpression", &mut placeholders)?;
        placeholders.check_all_used(update.is_some() || condition.is_some())?;
        let table = self.table(input)?;
        let key = table.key(&given_item(input, "Key")?)?;
        refuse_key_updates(table, update.as_ref())?;
        let place = (table.spec.name.clone(), key);
        let old = table.items.get(&place.1);
        if let Err(refusal) = check(input, condition.as_ref(), old) {
            return Ok((place, Err(refusal)));
        }
        // An update creates the item when it does not exist.
        let mut item = old.cloned().unwrap_or_else(|| table.key_item(&place.1));
        // A failure caused by the item's content cancels the transaction; a malformed request is refused as a whole.
        if let Err(refusal) = update.map_or(Ok(()), |update| update.apply(&mut item)) {
            return Ok((place, Err(refusal)));
        }
        if item_size_bytes(&item) > ITEM_LIMIT_BYTES {
            let message = "Item size to update has exceeded the maximum allowed size";
            return Ok((place, Err(Refusal::validation(message))));
        }
        table.key_of(&item)?;
        Ok((place.clone(), Ok(Outcome { table: place.0, key: place.1, new: Some(item) })))
    }
}

fn refuse_key_updates(table: &Table, update: Option<&Update>) -> Result<(), Refusal> {
    match update.and_then(|update| update.roots().find(|name| table.is_key(name))) {
        Some(name) => Err(Refusal::validation(format!(
            "One or more parameter values were invalid: Cannot update attribute {name}. This attribute is \
             part of the key"
        ))),
        None => Ok(()),
    }
}
