//! `Query`: reads the items under one partition key, from the table or from an index.

use super::super::{Input, Refusal};
use super::expression::{Comparator, Condition, Operand};
use super::table::{IndexSpec, KeySchema, Table};
use super::value::{item_json, item_size_bytes};
use super::{Item, Tables, Value, condition, given_item, placeholders, project, projected};
use serde_json::{Value as Json, json};
use std::borrow::Cow;

/// The most bytes of items that one query page reads (1 MB).
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html>
const PAGE_LIMIT_BYTES: usize = 1024 * 1024;

const KNOWN: [&str; 11] = [
    "TableName",
    "IndexName",
    "KeyConditionExpression",
    "FilterExpression",
    "ProjectionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ConsistentRead",
    "ScanIndexForward",
    "Limit",
    "ExclusiveStartKey",
];

/// The value in a `name = :value` condition.
fn equal_to<'a>(condition: &'a Condition, name: &str) -> Option<&'a Value> {
    match condition {
        Condition::Compare(Operand::Path(path), Comparator::Equal, Operand::Value(value))
            if path.steps.is_empty() && path.root == name =>
        {
            Some(value)
        }
        _ => None,
    }
}

/// The attribute of a sort-key condition; `None` when key conditions do not allow this form.
fn sort_key_of(condition: &Condition) -> Option<&str> {
    let path = match condition {
        Condition::Compare(Operand::Path(path), comparator, Operand::Value(_))
            if *comparator != Comparator::NotEqual =>
        {
            path
        }
        Condition::Between(Operand::Path(path), Operand::Value(_), Operand::Value(_))
        | Condition::BeginsWith(path, Operand::Value(_)) => path,
        _ => return None,
    };
    path.steps.is_empty().then_some(path.root.as_str())
}

/// Refuses a key condition other than `partition = :v`, optionally with one condition on the sort key.
fn check_key_condition(condition: &Condition, schema: &KeySchema) -> Result<(), Refusal> {
    let parts = match condition {
        Condition::And(parts) => parts.as_slice(),
        one => std::slice::from_ref(one),
    };
    let name = &schema.partition.name;
    if !parts.iter().any(|part| equal_to(part, name).is_some()) {
        let message = format!("Query condition missed key schema element: {name}");
        return Err(Refusal::validation(message));
    }
    let mut rest = parts.iter().filter(|part| equal_to(part, name).is_none());
    let sort = schema.sort.as_ref().map(|sort| sort.name.as_str());
    match (rest.next(), rest.next()) {
        (None, _) => Ok(()),
        (Some(part), None) if sort.is_some() && sort_key_of(part) == sort => Ok(()),
        _ => Err(Refusal::validation("Query key condition not supported")),
    }
}

impl Tables {
    pub(crate) fn query(&mut self, body: &Json) -> Result<Json, Refusal> {
        let input = Input::new("Query", body, &KNOWN)?;
        let mut placeholders = placeholders(&input)?;
        let wanted = condition(&input, "KeyConditionExpression", &mut placeholders)?;
        let wanted = wanted.ok_or_else(|| Refusal::missing_here("Query without KeyConditionExpression"))?;
        let filter = condition(&input, "FilterExpression", &mut placeholders)?;
        let paths = projected(&input, &mut placeholders)?;
        placeholders.check_all_used(true)?;
        let table = self.table(&input)?;
        let index = index(table, &input)?;
        let schema = index.map_or(&table.spec.key, |index| &index.key);
        check_key_condition(&wanted, schema)?;

        let backwards = input.get("ScanIndexForward") == Some(&Json::Bool(false));
        let mut found = sorted(table, schema, |item| wanted.holds(item));
        if backwards {
            found.reverse();
        }
        if input.get("ExclusiveStartKey").is_some() {
            let start = given_item(&input, "ExclusiveStartKey")?;
            let start = place(table, schema, &start);
            found.retain(|item| {
                let place = place(table, schema, item);
                if backwards { place < start } else { place > start }
            });
        }
        let limit = match input.number("Limit")? {
            Some(limit) if limit < 1 => {
                return Err(Refusal::validation("Limit must be greater than or equal to 1"));
            }
            Some(limit) => usize::try_from(limit).unwrap_or(usize::MAX),
            None => usize::MAX,
        };
        // `Limit` and the page size count items before the filter expression, which runs afterwards.
        let limit = limit.min(page(&found));
        let last = if found.len() > limit { found.get(limit - 1).copied() } else { None };
        found.truncate(limit);
        let scanned = found.len();
        let shown = found.into_iter().map(|item| carried(table, index, item));
        let shown = shown.filter(|item| filter.as_ref().is_none_or(|filter| filter.holds(item)));
        let items = shown.map(|item| Ok(item_json(&project(&item, paths.as_deref())?)));
        let items = items.collect::<Result<Vec<_>, Refusal>>()?;
        let mut answer = json!({ "Count": items.len(), "ScannedCount": scanned, "Items": items });
        if let Some(last) = last {
            let keys = schema.attributes().chain(table.spec.key.attributes());
            let values = keys.filter_map(|key| Some((key.name.clone(), last.get(&key.name)?.clone())));
            answer["LastEvaluatedKey"] = item_json(&values.collect());
        }
        Ok(answer)
    }
}

/// How many of these items fit into one page; at least one.
fn page(found: &[&Item]) -> usize {
    let mut bytes = 0;
    let fits = |item: &&&Item| {
        bytes += item_size_bytes(item);
        bytes <= PAGE_LIMIT_BYTES
    };
    found.iter().take_while(fits).count().max(1)
}

/// The attributes of an item that an index carries. A query of an index does not return other attributes; DynamoDB
/// refuses to name them.
fn carried<'a>(table: &Table, index: Option<&IndexSpec>, item: &'a Item) -> Cow<'a, Item> {
    let Some((index, carries)) = index.and_then(|index| Some((index, index.carries.as_ref()?))) else {
        return Cow::Borrowed(item);
    };
    let is_key = |name: &str| {
        table.spec.key.attributes().chain(index.key.attributes()).any(|attribute| attribute.name == name)
    };
    let carried = item.iter().filter(|(name, _)| carries.contains(*name) || is_key(name));
    Cow::Owned(carried.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// The index that a query names; `None` for the table itself.
fn index<'a>(table: &'a Table, input: &Input<'_>) -> Result<Option<&'a IndexSpec>, Refusal> {
    let Some(index) = input.text("IndexName")? else { return Ok(None) };
    if input.flag("ConsistentRead")? {
        let message = "Consistent reads are not supported on global secondary indexes";
        return Err(Refusal::validation(message));
    }
    let spec = table.spec.indexes.get(index);
    let missing = || Refusal::validation(format!("The table does not have the specified index: {index}"));
    spec.ok_or_else(missing).map(Some)
}

/// The sort position of an item in a query: by sort key, then by the table's own key.
fn place<'a>(table: &'a Table, schema: &'a KeySchema, item: &'a Item) -> Vec<Option<&'a Value>> {
    let keys = schema.sort.iter().chain(table.spec.key.attributes());
    keys.map(|key| item.get(&key.name)).collect()
}

fn sorted<'a>(table: &'a Table, schema: &'a KeySchema, wanted: impl Fn(&Item) -> bool) -> Vec<&'a Item> {
    let mut found: Vec<&Item> =
        table.items.values().filter(|item| schema.covers(item) && wanted(item)).collect();
    found.sort_by(|one, other| place(table, schema, one).cmp(&place(table, schema, other)));
    found
}
