//! All ways to damage or forge one field of an item.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

/// A text longer than a message, a log line or an SQS attribute may be, and shorter than the largest DynamoDB item.
const HUGE: usize = 70_000;
/// A text with markup and control characters that no message, log or terminal may print unchanged.
pub(crate) const MARKUP: &str = "<!channel> *x* <https://evil.example|click> \u{1b}[2J \u{202e} `c`";

/// A changed item, and a description of the change.
#[derive(Clone, Debug)]
pub(crate) struct Mutation {
    /// The changed attribute; within a document, the path.
    pub(crate) field: String,
    /// The new value, in a few words.
    pub(crate) how: String,
    /// Whether the field kept its type: then the value is untrue, not damaged.
    pub(crate) is_typed: bool,
    pub(crate) item: Value,
}

/// Times that a wrong clock or a forger writes, as seconds from now.
const OFF: [i64; 6] = [-31_536_000_000, -86_400, 60, 840, 86_400, 31_536_000];

fn instants(now: Timestamp) -> impl Iterator<Item = Timestamp> {
    OFF.into_iter().map(move |off| now + SignedDuration::from_secs(off))
}

/// Mutations of the attributes of `item` except for its key. `elsewhere` is an address that must not be called.
pub(crate) fn of_attributes(item: &Value, now: Timestamp, elsewhere: &str) -> Vec<Mutation> {
    let huge = "x".repeat(HUGE);
    let mut all = Vec::new();
    for (name, value) in
        item.as_object().unwrap().iter().filter(|(name, _)| !["pk", "sk"].contains(&name.as_str()))
    {
        let mut mutate = |how: &str, new: Option<Value>| {
            let mut changed = item.clone();
            match &new {
                Some(new) => changed[name] = new.clone(),
                None => drop(changed.as_object_mut().unwrap().remove(name)),
            }
            let kind = |value: &Value| value.as_object().and_then(|map| map.keys().next().cloned());
            let is_typed = new.as_ref().is_some_and(|new| kind(new) == kind(value));
            all.push(Mutation { field: name.clone(), how: how.to_owned(), is_typed, item: changed });
        };
        mutate("missing", None);
        for text in ["", "done", MARKUP, elsewhere] {
            mutate(&format!("the text {text:?}"), Some(json!({ "S": text })));
        }
        mutate("a huge text", Some(json!({ "S": huge })));
        for number in ["-1", "1.5", "4294967295", "18446744073709551615", "1E+120"] {
            mutate(&format!("the number {number}"), Some(json!({ "N": number })));
        }
        for at in instants(now) {
            // A time is stored as milliseconds or as text.
            let (how, new) = match value.get("N") {
                Some(_) => ("number", json!({ "N": at.as_millisecond().to_string() })),
                None => ("text", json!({ "S": at.to_string() })),
            };
            mutate(&format!("the {how} of {at:.0}"), Some(new));
        }
        for (how, new) in [
            ("null", json!({ "NULL": true })),
            ("a list of a text", json!({ "L": [{ "S": "x" }] })),
            ("an empty map", json!({ "M": {} })),
            ("a set", json!({ "SS": ["x", MARKUP] })),
        ] {
            mutate(how, Some(new));
        }
    }
    all
}

/// The document inside an item.
pub(crate) fn document_of(item: &Value) -> Value {
    serde_json::from_str(item["document"]["S"].as_str().unwrap()).unwrap()
}

/// The item with its document changed.
pub(crate) fn edited(item: &Value, edit: impl FnOnce(&mut Value)) -> Value {
    let mut document = document_of(item);
    edit(&mut document);
    let mut item = item.clone();
    item["document"] = json!({ "S": document.to_string() });
    item
}

/// Mutations of every value in the document of `item`, and of the event payload in it.
pub(crate) fn of_document(item: &Value, now: Timestamp, elsewhere: &[&str]) -> Vec<Mutation> {
    let document = document_of(item);
    let mut paths = Vec::new();
    paths_of(&document, String::new(), &mut paths);
    let mut all = Vec::new();
    for path in paths {
        let old = document.pointer(&path).unwrap();
        for (how, new) in values(old, now, elsewhere) {
            let mut changed = document.clone();
            *changed.pointer_mut(&path).unwrap() = new.clone();
            let is_typed = std::mem::discriminant(old) == std::mem::discriminant(&new);
            all.push(with_document(item, &path, &how, is_typed, &changed));
        }
        if let Some((parent, key)) = path.rsplit_once('/')
            && let Some(Value::Object(_)) = document.pointer(parent)
        {
            let mut changed = document.clone();
            changed.pointer_mut(parent).and_then(Value::as_object_mut).unwrap().remove(key);
            all.push(with_document(item, &path, "missing", false, &changed));
        }
    }
    all.extend(of_samples(item, &document, elsewhere));
    all
}

/// Mutations of the event payloads that the document stores as texts.
fn of_samples(item: &Value, document: &Value, elsewhere: &[&str]) -> Vec<Mutation> {
    let mut paths = Vec::new();
    paths_of(document, String::new(), &mut paths);
    let mut all = Vec::new();
    for path in paths.iter().filter(|path| path.ends_with("/sample")) {
        let Ok(sample) = serde_json::from_str::<Value>(document.pointer(path).unwrap().as_str().unwrap())
        else {
            continue;
        };
        for field in sample["payload"].as_object().unwrap().keys() {
            let texts = [MARKUP, "", "WorkbookCreated"].into_iter().chain(elsewhere.iter().copied());
            for text in texts.map(|text| json!(text)).chain([json!(null), json!(7)]) {
                let mut forged = sample.clone();
                forged["payload"][field] = text.clone();
                let mut changed = document.clone();
                *changed.pointer_mut(path).unwrap() = json!(forged.to_string());
                let how = format!("an event whose {field} is {text}");
                all.push(with_document(item, path, &how, true, &changed));
            }
        }
    }
    all
}

fn with_document(item: &Value, path: &str, how: &str, is_typed: bool, document: &Value) -> Mutation {
    let mut item = item.clone();
    item["document"] = json!({ "S": document.to_string() });
    Mutation { field: format!("document{path}"), how: how.to_owned(), is_typed, item }
}

fn paths_of(value: &Value, path: String, paths: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(key, value)| paths_of(value, format!("{path}/{key}"), paths));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, value)| paths_of(value, format!("{path}/{n}"), paths));
        }
        _ => {}
    }
    paths.push(path);
}

fn values(old: &Value, now: Timestamp, elsewhere: &[&str]) -> Vec<(String, Value)> {
    let mut all = vec![("null".to_owned(), json!(null))];
    match old {
        Value::String(text) => {
            all.push(("a huge text".to_owned(), json!("x".repeat(HUGE))));
            all.extend(["", MARKUP].iter().chain(elsewhere).map(|text| (format!("{text:?}"), json!(text))));
            let is_instant = text.parse::<Timestamp>().is_ok();
            let instants = instants(now).take(if is_instant { OFF.len() } else { 1 });
            all.extend(instants.map(|at| (format!("{at:.0}"), json!(at.to_string()))));
        }
        Value::Number(_) => {
            let numbers = [json!(-1), json!(0), json!(1.5), json!(u32::MAX), json!(u64::MAX)];
            all.extend(numbers.into_iter().map(|number| (number.to_string(), number)));
        }
        Value::Array(items) => {
            let many: Vec<Value> =
                items.iter().cycle().take(if items.is_empty() { 0 } else { 1_000 }).cloned().collect();
            all.push((format!("{} of it", many.len()), json!(many)));
        }
        Value::Object(map) => {
            all.push(("empty".to_owned(), json!({})));
            let last = instants(now).last().unwrap_or(now);
            all.push((format!("the digest of {last:.0}"), json!({ "Digest": last.to_string() })));
            all.push(("a group that no key can name".to_owned(), json!({ "Group": "x".repeat(3_000) })));
            let many = (0..60)
                .flat_map(|n| map.iter().map(move |(key, value)| (format!("{key}{n}"), value.clone())));
            all.push(("60 of it".to_owned(), Value::Object(many.collect::<Map<_, _>>())));
            let mut more = map.clone();
            if let Some(mut value) = map.values().next().cloned() {
                if value.get("message").is_some() {
                    // A target that was notified but has no message to edit would get a new message.
                    value["message"] = json!(null);
                }
                more.insert("board-room".to_owned(), value);
            }
            all.push(("one more, called board-room".to_owned(), Value::Object(more)));
        }
        Value::Null | Value::Bool(_) => {
            all.extend(
                [json!(true), json!("x"), json!({}), json!(u64::MAX)].map(|value| (value.to_string(), value)),
            );
            all.extend(instants(now).last().map(|at| (format!("{at:.0}"), json!(at.to_string()))));
        }
    }
    all
}
