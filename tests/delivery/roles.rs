//! Whether each function's role allows the keys that the function asked the table for: the emulator ignores
//! `dynamodb:LeadingKeys`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use testkit::repository::root;

/// The keys that a role allows, as beginnings, from the function's block in the template.
fn allowed(template: &str, function: &str) -> Vec<String> {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    let id: String = function.split('-').map(capital).collect();
    let blocks = template.split("\n  ").collect::<Vec<_>>();
    let begin = blocks.iter().position(|line| *line == format!("{id}Role:")).expect("the function's role");
    let block = blocks[begin + 1..].iter().take_while(|line| line.starts_with(' '));
    let patterns = block.filter_map(|line| line.trim().strip_prefix("- \"")?.strip_suffix("*\""));
    patterns.filter(|pattern| pattern.contains('#')).map(str::to_owned).collect()
}

/// The keys that a function asked for and its role does not allow.
pub(crate) fn beyond(keys: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let template = fs::read_to_string(root().join("template.yaml")).unwrap();
    let mut beyond = Vec::new();
    for (function, keys) in keys {
        if keys.is_empty() {
            continue;
        }
        let allowed = allowed(&template, function);
        let is_allowed = |key: &&String| allowed.iter().any(|pattern| key.starts_with(pattern));
        beyond.extend(keys.iter().filter(|key| !is_allowed(key)).map(|key| format!("{function}: {key}")));
    }
    beyond
}

#[test]
fn a_key_of_another_function_is_found() {
    let keys =
        |function: &str, key: &str| BTreeMap::from([(function.to_owned(), BTreeSet::from([key.to_owned()]))]);
    for key in ["delivery#notify-slack#e", "incident#notify-slack#l", "session#a#b", "content#e"] {
        assert_eq!(beyond(&keys("notify-slack", key)), Vec::<String>::new(), "{key}");
    }
    for (function, key) in [
        ("notify-slack", "delivery#update-broadcast#e"),
        ("notify-slack", "incident#other#l"),
        ("update-broadcast", "incident#notify-slack#l"),
        ("update-broadcast", "rules#current"),
    ] {
        assert_eq!(beyond(&keys(function, key)), [format!("{function}: {key}")]);
    }
}
