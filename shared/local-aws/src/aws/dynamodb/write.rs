//! The operations that write: put, update, delete, each under a condition.

use super::super::{Input, Refusal};
use super::expression::{Condition, Placeholders, Update};
use super::table::Table;
use super::value::{item_json, item_size_bytes};
use super::{ITEM_LIMIT_BYTES, Item, Tables, attributes, condition, given_item, placeholders};
use serde_json::Value as Json;

/// What a caller wants back.
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

/// Refuses when the condition does not hold, with the item if the caller asked for it.
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

/// The condition of a write that has no other expression.
fn only_condition(input: &Input<'_>) -> Result<Option<Condition>, Refusal> {
    let mut placeholders = placeholders(input)?;
    let condition = condition(input, "ConditionExpression", &mut placeholders)?;
    placeholders.check_all_used(condition.is_some())?;
    Ok(condition)
}

fn update(input: &Input<'_>, placeholders: &mut Placeholders) -> Result<Option<Update>, Refusal> {
    input.text("UpdateExpression")?.map(|text| Update::parse(text, placeholders)).transpose()
}

impl Tables {
    pub(crate) fn put_item(&mut self, body: &Json) -> Result<Json, Refusal> {
        let input = request("PutItem", body, &["Item"])?;
        let returned = returned(&input, "PutItem")?;
        let condition = only_condition(&input)?;
        let table = self.table(&input)?;
        let item = given_item(&input, "Item")?;
        if item_size_bytes(&item) > ITEM_LIMIT_BYTES {
            return Err(Refusal::validation("Item size has exceeded the maximum allowed size"));
        }
        let key = table.key_of(&item)?;
        check(&input, condition.as_ref(), table.items.get(&key))?;
        let old = table.items.insert(key, item);
        Ok(attributes(old.as_ref().filter(|_| returned == Returned::Old)))
    }

    pub(crate) fn delete_item(&mut self, body: &Json) -> Result<Json, Refusal> {
        let input = request("DeleteItem", body, &["Key"])?;
        let returned = returned(&input, "DeleteItem")?;
        let condition = only_condition(&input)?;
        let table = self.table(&input)?;
        let key = table.key(&given_item(&input, "Key")?)?;
        check(&input, condition.as_ref(), table.items.get(&key))?;
        let old = table.items.remove(&key);
        Ok(attributes(old.as_ref().filter(|_| returned == Returned::Old)))
    }

    pub(crate) fn update_item(&mut self, body: &Json) -> Result<Json, Refusal> {
        let input = request("UpdateItem", body, &["Key", "UpdateExpression"])?;
        let returned = returned(&input, "UpdateItem")?;
        let mut placeholders = placeholders(&input)?;
        let update = update(&input, &mut placeholders)?;
        let condition = condition(&input, "ConditionExpression", &mut placeholders)?;
        placeholders.check_all_used(update.is_some() || condition.is_some())?;
        let table = self.table(&input)?;
        let key = table.key(&given_item(&input, "Key")?)?;
        refuse_key_updates(table, update.as_ref())?;
        check(&input, condition.as_ref(), table.items.get(&key))?;
        let old = table.items.get(&key).cloned();
        // An update of an item that does not exist creates it.
        let mut item = old.clone().unwrap_or_else(|| table.key_item(&key));
        if let Some(update) = update {
            update.apply(&mut item)?;
        }
        if item_size_bytes(&item) > ITEM_LIMIT_BYTES {
            return Err(Refusal::validation("Item size to update has exceeded the maximum allowed size"));
        }
        table.key_of(&item)?;
        let answer = match returned {
            Returned::Nothing => attributes(None),
            Returned::Old => attributes(old.as_ref()),
            Returned::New => attributes(Some(&item)),
        };
        table.items.insert(key, item);
        Ok(answer)
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
