//! Which events the groups and digests in the table announced.

use crate::writes::is_about_an_object;
use serde_json::Value;
use simulator::{SlackMessage, render};
use std::collections::{BTreeMap, BTreeSet};

/// Whether a message is about one event: its small print names the event.
pub(crate) fn is_about_one(message: &SlackMessage) -> bool {
    message.blocks.iter().any(|block| block.to_string().contains("· event "))
}

fn document(item: &Value) -> Value {
    serde_json::from_str(item["document"]["S"].as_str().unwrap_or_default()).unwrap_or_default()
}

/// The events that a digest announced.
pub(crate) fn digest(items: &[&Value]) -> BTreeSet<String> {
    let head = items.iter().find(|item| item["sk"]["S"] == "head");
    let sent = head.and_then(|head| document(head)["done_generation"].as_u64()).unwrap_or_default();
    let entries = items.iter().filter_map(|item| {
        let event = item["sk"]["S"].as_str()?.strip_prefix("entry#")?;
        let is_about_an_event = is_about_an_object(item["document"]["S"].as_str()?);
        let is_sent = document(item)["generation"].as_u64().is_some_and(|generation| generation <= sent);
        (is_about_an_event && is_sent).then(|| event.to_owned())
    });
    entries.collect()
}

/// The events that a group announced.
///
/// # Errors
/// What is wrong with the group: it was not announced, or its message does not account for all members.
pub(crate) fn group(items: &[&Value], said: &[SlackMessage]) -> Result<BTreeSet<String>, String> {
    let mut head = Value::Null;
    let mut members = BTreeMap::new();
    for item in items {
        match item["sk"]["S"].as_str().and_then(|sk| sk.strip_prefix("member#")) {
            Some(event) => {
                members.insert(event.to_owned(), document(item));
            }
            None => head = document(item),
        }
    }
    members.retain(|_, member| member["placement"] != "alone");
    if members.is_empty() {
        return Ok(BTreeSet::new());
    }
    if !head["pending"].is_null() {
        return Err(format!("a timer is pending that nothing will fire: {}", head["pending"]));
    }
    let id = head["message"]["id"].as_str().ok_or_else(|| format!("it was never announced: {head}"))?;
    let message = said.iter().rfind(|message| message.ts == id).ok_or("its message is not there")?;
    let text = render(message);
    let named = members.values().filter_map(|member| member["name"].as_str());
    let named = named.filter(|name| names(&text).contains(name)).count();
    // A group of several causes has a list for each.
    let more: usize =
        text.split("… and ").skip(1).filter_map(|rest| rest.split(' ').next()?.parse::<usize>().ok()).sum();
    if named + more != members.len() {
        let count = members.len();
        return Err(format!("{named} of {count} members named, {more} more counted in\n{text}"));
    }
    Ok(members.into_keys().collect())
}

/// The names in a list, without the project and the owner in parentheses after them.
fn names(text: &str) -> BTreeSet<&str> {
    let parts = text.lines().flat_map(|line| line.split(" · ")).flat_map(|part| part.split(" … and "));
    parts.map(|part| part.split(" (").next().unwrap_or(part).trim()).collect()
}
