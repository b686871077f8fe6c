//! DynamoDB: items by key, conditional writes, transactions, queries.

mod batch;
mod expression;
mod number;
mod query;
mod table;
mod transaction;
mod value;
mod write;

pub use table::{IndexSpec, KeyAttribute, KeyKind, KeySchema, TableSpec};

use super::names::last_part;
use super::{Input, Refusal};
use expression::{Condition, Path, Placeholders, projection};
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use table::Table;
use value::{Item, Value, item_json, read_item};

/// All tables of the DynamoDB double.
#[derive(Debug, Default)]
pub(super) struct Tables {
    tables: BTreeMap<String, Table>,
    /// The transactions that were carried out, by client request token. AWS forgets the tokens after ten minutes.
    transactions: BTreeMap<String, Json>,
}

/// The largest item that DynamoDB accepts, in bytes.
const ITEM_LIMIT_BYTES: usize = 409_600;

fn no_such_table() -> Refusal {
    Refusal::new("com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "Requested resource not found")
}

impl Tables {
    /// Creates a table. An existing table of the same name keeps its items.
    pub(super) fn create(&mut self, spec: TableSpec) {
        match self.tables.get_mut(&spec.name) {
            Some(table) => table.spec = spec,
            None => {
                self.tables.insert(spec.name.clone(), Table::new(spec));
            }
        }
    }

    pub(super) fn items(&self, table: &str) -> Vec<Json> {
        self.tables.get(table).map(|table| table.items.values().map(item_json).collect()).unwrap_or_default()
    }

    fn table(&mut self, input: &Input<'_>) -> Result<&mut Table, Refusal> {
        self.named(input.text("TableName")?.unwrap_or_default())
    }

    fn named(&mut self, name: &str) -> Result<&mut Table, Refusal> {
        if last_part(name).len() < 3 {
            let message = "1 validation error detected: Value at 'tableName' failed to satisfy constraint: \
                Member must have length greater than or equal to 3";
            return Err(Refusal::validation(message));
        }
        self.tables.get_mut(last_part(name)).ok_or_else(no_such_table)
    }

    /// The item with this key in the table.
    pub(super) fn item(&self, table: &str, key: &Json) -> Option<Json> {
        let table = self.tables.get(table)?;
        let key = table.key(&read_item(key).ok()?).ok()?;
        table.items.get(&key).map(item_json)
    }

    /// Puts an item in DynamoDB's JSON into a table, in place of the one with its key.
    pub(super) fn put(&mut self, table: &str, item: &Json) -> Result<(), Refusal> {
        let table = self.named(table)?;
        let item = read_item(item)?;
        let key = table.key_of(&item)?;
        table.items.insert(key, item);
        Ok(())
    }

    pub(super) fn get_item(&mut self, body: &Json) -> Result<Json, Refusal> {
        let known =
            ["TableName", "Key", "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames"];
        let input = Input::new("GetItem", body, &known)?;
        let read = Read::new(&input)?;
        let table = self.table(&input)?;
        let key = table.key(&given_item(&input, "Key")?)?;
        Ok(match table.items.get(&key) {
            Some(item) => json!({ "Item": item_json(&read.shown(item)?) }),
            None => json!({}),
        })
    }

    /// The kinds of items in a request, for request counts. The kind is the part of a key before the first `#`.
    pub(super) fn kinds(&self, operation: &str, body: &Json) -> String {
        let mut kinds = BTreeSet::new();
        match operation {
            "DynamoDB.BatchGetItem" => {
                for (table, wanted) in body["RequestItems"].as_object().into_iter().flatten() {
                    let keys = wanted["Keys"].as_array().into_iter().flatten();
                    kinds.extend(keys.map(|key| self.kind(table, key)));
                }
            }
            "DynamoDB.TransactWriteItems" => {
                let writes = body["TransactItems"].as_array().into_iter().flatten();
                let writes = writes.filter_map(|write| write.as_object()?.values().next());
                kinds.extend(writes.map(|write| self.kind_of(write)));
            }
            "DynamoDB.Query" => {
                kinds.insert(body["IndexName"].as_str().unwrap_or_default().to_owned());
            }
            _ => drop(kinds.insert(self.kind_of(body))),
        }
        kinds.into_iter().collect::<Vec<_>>().join("+")
    }

    /// The kind of item in a request for one item, from its key.
    fn kind_of(&self, body: &Json) -> String {
        let item = if body["Key"].is_object() { &body["Key"] } else { &body["Item"] };
        self.kind(body["TableName"].as_str().unwrap_or_default(), item)
    }

    fn kind(&self, table: &str, item: &Json) -> String {
        let Some(table) = self.tables.get(last_part(table)) else { return String::new() };
        let key = item[&table.spec.key.partition.name]["S"].as_str().unwrap_or_default();
        key.split_once('#').map_or("", |(kind, _)| kind).to_owned()
    }
}

/// The attributes that a read request returns of an item.
struct Read(Option<Vec<Path>>);

impl Read {
    fn new(input: &Input<'_>) -> Result<Self, Refusal> {
        let mut placeholders = placeholders(input)?;
        let paths = projected(input, &mut placeholders)?;
        placeholders.check_all_used(paths.is_some())?;
        Ok(Self(paths))
    }

    fn shown(&self, item: &Item) -> Result<Item, Refusal> {
        project(item, self.0.as_deref())
    }
}

fn placeholders(input: &Input<'_>) -> Result<Placeholders, Refusal> {
    Placeholders::read(input.get("ExpressionAttributeNames"), input.get("ExpressionAttributeValues"))
}

fn projected(input: &Input<'_>, placeholders: &mut Placeholders) -> Result<Option<Vec<Path>>, Refusal> {
    input.text("ProjectionExpression")?.map(|text| projection(text, placeholders)).transpose()
}

fn condition(
    input: &Input<'_>,
    member: &'static str,
    placeholders: &mut Placeholders,
) -> Result<Option<Condition>, Refusal> {
    input.text(member)?.map(|text| Condition::parse(member, text, placeholders)).transpose()
}

fn given_item(input: &Input<'_>, member: &str) -> Result<Item, Refusal> {
    let json = input.get(member).ok_or_else(|| {
        let at = member.to_lowercase();
        Refusal::validation(format!(
            "1 validation error detected: Value null at '{at}' failed to satisfy constraint: Member must not be null"
        ))
    })?;
    read_item(json)
}

/// The parts of an item that a projection expression selects.
fn project(item: &Item, paths: Option<&[Path]>) -> Result<Item, Refusal> {
    let Some(paths) = paths else { return Ok(item.clone()) };
    let mut shown = Item::new();
    for path in paths {
        if !path.steps.is_empty() {
            return Err(Refusal::missing_here("projections of parts of an attribute"));
        }
        if let Some(value) = item.get(&path.root) {
            shown.insert(path.root.clone(), value.clone());
        }
    }
    Ok(shown)
}

/// The answer to a write, with the old or new item if the caller asked for one.
fn attributes(item: Option<&Item>) -> Json {
    let entries = item.map(|item| ("Attributes".to_owned(), item_json(item)));
    Json::Object(entries.into_iter().collect::<Map<_, _>>())
}
