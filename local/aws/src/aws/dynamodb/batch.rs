//! `BatchGetItem`: reads the items of several keys. The reads are not one atomic snapshot.

use super::super::{Input, Refusal};
use super::value::{item_json, item_size_bytes, read_item};
use super::{Read, Tables};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeSet;

/// The most keys in one `BatchGetItem` request.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
const MOST_KEYS: usize = 100;
const ANSWER_LIMIT_BYTES: usize = 16 * 1024 * 1024;

const KNOWN: [&str; 4] = ["Keys", "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames"];

impl Tables {
    /// Reads items by key. With `partly`, the first key is returned as unprocessed, as a busy table does.
    pub(crate) fn batch_get_item(&mut self, body: &Json, partly: bool) -> Result<Json, Refusal> {
        let input = Input::new("BatchGetItem", body, &["RequestItems"])?;
        let tables = input.get("RequestItems").and_then(Json::as_object).filter(|tables| !tables.is_empty());
        let tables = tables
            .ok_or_else(|| Refusal::validation("The requestItems parameter is required for BatchGetItem"))?;
        let mut size_bytes = 0;
        let mut count = 0;
        let mut found = Map::new();
        let mut left_out = Map::new();
        for (name, wanted) in tables {
            let wanted = Input::new("BatchGetItem", wanted, &KNOWN)?;
            wanted.flag("ConsistentRead")?;
            let read = Read::new(&wanted)?;
            let table = self.named(name)?;
            let keys = wanted.list("Keys")?;
            count += keys.len();
            if keys.is_empty() || count > MOST_KEYS {
                let message = "Too many items requested for the BatchGetItem call";
                return Err(Refusal::validation(if keys.is_empty() {
                    "The keys list is empty"
                } else {
                    message
                }));
            }
            let mut seen = BTreeSet::new();
            let mut items = Vec::new();
            let mut rest = Vec::new();
            for (at, json) in keys.iter().enumerate() {
                let key = table.key(&read_item(json)?)?;
                let item = table.items.get(&key);
                if !seen.insert(key) {
                    return Err(Refusal::validation("Provided list of item keys contains duplicates"));
                }
                size_bytes += item.map_or(0, item_size_bytes);
                if (partly && at == 0) || size_bytes > ANSWER_LIMIT_BYTES {
                    rest.push(json.clone());
                } else if let Some(item) = item {
                    items.push(item_json(&read.shown(item)?));
                }
            }
            found.insert(name.clone(), Json::Array(items));
            if !rest.is_empty() {
                let mut again = tables[name].clone();
                again["Keys"] = Json::Array(rest);
                left_out.insert(name.clone(), again);
            }
        }
        Ok(json!({ "Responses": found, "UnprocessedKeys": left_out }))
    }
}
