//! The pages of the Recycle Bin's lists: elements are recognised by their members. No I/O.

use super::item::DeletedItem;
use crate::call::foreign;
use crate::{Error, lenient};
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const OPERATION: &str = "search the Recycle Bin";

/// How deep in an answer elements are looked for.
const DEEPEST: u8 = 3;

/// One page of the Recycle Bin.
pub(super) struct Page {
    pub(super) items: Vec<DeletedItem>,
    /// How many elements there are in all, if the answer says it.
    pub(super) total: Option<usize>,
}

impl Page {
    pub(super) fn of(answer: &Map<String, Value>) -> Result<Self, Error> {
        let unreadable = |found: &str| Error::Unreadable {
            operation: OPERATION,
            source: lenient::expected("elements", found),
        };
        let total = answer.get("pagination").and_then(|pagination| pagination.get("totalAvailable"));
        let total = total.and_then(|total| match total {
            Value::String(text) => text.trim().parse().ok(),
            total => usize::try_from(total.as_u64()?).ok(),
        });
        let mut items = Vec::new();
        let others = answer.iter().filter(|(name, _)| name.as_str() != "pagination");
        let mut has_list = false;
        for (_, value) in others {
            has_list |= value.is_object() || value.is_array();
            collect(value, DEEPEST, &mut items);
        }
        match (items.is_empty(), total) {
            (true, None) if !answer.is_empty() && !has_list => Err(foreign(OPERATION, 200, None, b"{")),
            (true, Some(1..)) if answer.len() > 1 && !is_empty_list(answer) => {
                Err(unreadable("none of them can be read"))
            }
            _ => Ok(Self { items, total }),
        }
    }
}

/// Whether what is beside the pages' numbers has nothing in it: the page after the last one.
fn is_empty_list(answer: &Map<String, Value>) -> bool {
    let is_empty = |value: &Value| match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => true,
    };
    answer.iter().all(|(name, value)| name == "pagination" || is_empty(value))
}

fn collect(value: &Value, depth: u8, items: &mut Vec<DeletedItem>) {
    match value {
        Value::Array(all) => all.iter().for_each(|one| collect(one, depth, items)),
        Value::Object(map) => {
            let is_item = map.contains_key("name")
                && ["originalPath", "deleter", "createdAt"].iter().any(|key| map.contains_key(*key));
            match DeletedItem::deserialize(value) {
                Ok(item) if is_item => items.push(item),
                _ if depth > 0 => map.values().for_each(|one| collect(one, depth - 1, items)),
                _ => {}
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OwnerRef;
    use serde_json::json;

    fn page(answer: Value) -> Vec<DeletedItem> {
        Page::of(answer.as_object().unwrap()).unwrap().items
    }

    // 15-2
    #[test]
    fn elements_of_the_recycle_bin_are_read_whatever_the_lists_around_them_are_called() {
        let item = json!({"id": "w", "name": "Sales", "originalPath": "/Finance / Reports/",
            "owner": {"id": "o", "name": "ana@example.com"}, "deleter": {"id": "d", "name": "bea", "fullName": "Bea"},
            "createdAt": "2026-11-28T10:00:00Z"});
        for answer in [
            json!({"pagination": {"totalAvailable": "1"}, "workbooks": {"workbook": [item]}}),
            json!({"pagination": {"totalAvailable": 1}, "workbooks": {"workbook": item}}),
            json!({"recycleBin": {"workbooks": {"workbook": [item]}}}),
            json!({"contents": [item]}),
            json!({"recycledWorkbooks": [item, {"label": "?"}, 5]}),
        ] {
            let items = page(answer.clone());
            assert_eq!(items.len(), 1, "{answer}");
            assert_eq!(items[0].original_path, "Finance/Reports");
            let owner = items[0].owner.as_ref().and_then(OwnerRef::person);
            assert_eq!(owner.unwrap().email.as_deref(), Some("ana@example.com"));
            let deleter = items[0].deleter.as_ref().and_then(OwnerRef::person);
            assert_eq!(deleter.unwrap().name, "Bea");
        }
        for empty in [
            json!({}),
            json!({"workbooks": {}}),
            json!({"pagination": {"totalAvailable": "0"}, "workbooks": {}}),
            json!({"pagination": {"totalAvailable": "3"}, "workbooks": []}),
        ] {
            assert!(page(empty.clone()).is_empty(), "{empty}");
        }
        for foreign in [
            json!({"message": "sign in first"}),
            json!({"pagination": {"totalAvailable": "1"}, "workbooks": {"workbook": [{"title": "Sales"}]}}),
        ] {
            assert!(Page::of(foreign.as_object().unwrap()).is_err(), "{foreign}");
        }
    }

    #[test]
    fn a_person_is_an_object_or_a_name_and_a_missing_one_is_none() {
        let read = |deleter: Value| {
            let item = json!({"name": "Sales", "deleter": deleter});
            let item: DeletedItem = serde_json::from_value(item).unwrap();
            let person = item.deleter.as_ref().and_then(OwnerRef::person);
            person.map(|person| person.name)
        };
        assert_eq!(read(json!("Bea")).as_deref(), Some("Bea"));
        assert_eq!(
            read(json!({"name": " ", "email": "bea@example.com"})).as_deref(),
            Some("bea@example.com")
        );
        for nothing in [json!(null), json!({}), json!({"id": "d"}), json!(""), json!(5)] {
            assert_eq!(read(nothing.clone()), None, "{nothing}");
        }
    }
}
