//! The cookbook of `docs/rules.md`: each recipe is a rules file without a mistake, and does what its cases say.

use crate::{run, stderr, stdout};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use testkit::repository::root;

const PAGE: &str = "docs/rules.md";
/// The files with cases, each named as its recipe.
const CASES: &str = "docs/cookbook";

/// A recipe of the page.
struct Recipe {
    title: String,
    rules: String,
}

fn page() -> String {
    fs::read_to_string(root().join(PAGE)).unwrap()
}

/// The recipes of a page: each has a heading, a sentence and one block of YAML.
fn recipes(page: &str) -> Vec<Recipe> {
    let (_, section) = page.split_once("\n## Cookbook\n").expect("a cookbook");
    let section = section.split("\n## ").next().unwrap_or_default();
    let recipe = |part: &str| {
        let (title, rest) = part.split_once('\n').expect("a title");
        let parts: Vec<&str> = rest.split("```").collect();
        let [sentence, yaml, after] = parts.as_slice() else { panic!("{title} has not one block") };
        assert!(
            !sentence.trim().is_empty() && after.trim().is_empty(),
            "{title}: a sentence, the YAML, nothing more"
        );
        Recipe { title: title.to_owned(), rules: yaml.strip_prefix("yaml\n").expect("YAML").to_owned() }
    };
    section.split("\n### ").skip(1).map(recipe).collect()
}

impl Recipe {
    /// The title as a file's name: small letters and digits, with hyphens between words.
    fn cases(&self) -> PathBuf {
        let title = self.title.to_lowercase().replace('\'', "");
        let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        root().join(CASES).join(format!("{}.yaml", words.collect::<Vec<_>>().join("-")))
    }
}

/// Every value below `key` in the cases of a file, with the case that it stands in.
fn expected<'c>(cases: &'c Value, key: &str) -> Vec<BTreeSet<&'c str>> {
    let of_case = |case: &'c Value| {
        let expect = case["expect"].as_array().into_iter().flatten();
        expect.filter_map(|expected| expected[key].as_str()).collect()
    };
    cases["cases"].as_array().into_iter().flatten().map(of_case).collect()
}

/// What a recipe's cases leave open: for each rule, one event that it is for and one that it is not for; for each way to send a
/// message at another time, both.
fn untested(rules: &Value, cases: &Value) -> Vec<String> {
    let of_rules = expected(cases, "rule");
    let times = expected(cases, "when");
    let mut untested = Vec::new();
    for rule in rules["rules"].as_array().into_iter().flatten() {
        let name = rule["name"].as_str().unwrap_or_default();
        if !of_rules.iter().any(|rules| rules.contains(name)) {
            untested.push(format!("no event for the rule `{name}`"));
        }
        if of_rules.iter().all(|rules| rules.contains(name)) {
            untested.push(format!("no event that the rule `{name}` is not for"));
        }
    }
    let has = |key: &str| rules["rules"].as_array().into_iter().flatten().any(|rule| !rule[key].is_null());
    for (is_there, when) in [
        (has("quiet"), "deferred"),
        (has("mute_until"), "muted"),
        (!rules["maintenance"].is_null(), "maintenance"),
    ] {
        for when in [when, "now"].into_iter().filter(|_| is_there) {
            if !times.iter().any(|times| times.contains(when)) {
                untested.push(format!("no event whose message is sent: {when}"));
            }
        }
    }
    untested
}

// 15, item 5
#[test]
fn each_recipe_of_the_cookbook_is_checked_and_does_what_its_cases_say() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.yaml");
    let recipes = recipes(&page());
    assert_eq!(recipes.len(), 32);
    for recipe in &recipes {
        let title = &recipe.title;
        fs::write(&file, &recipe.rules).unwrap();
        let rules = file.display().to_string();
        let checked = run(&["rules", "check", &rules]);
        assert_eq!(checked.status.code(), Some(0), "{title}: {}", stderr(&checked));
        let cases = recipe.cases();
        assert!(cases.is_file(), "{title} has no cases: {}", cases.display());
        let tested = run(&["rules", "test", &cases.display().to_string(), "--rules", &rules]);
        assert_eq!(tested.status.code(), Some(0), "{title}: {}{}", stdout(&tested), stderr(&tested));
        let read = |text: &str| -> Value { serde_saphyr::from_str(text).unwrap() };
        let left = untested(&read(&recipe.rules), &read(&fs::read_to_string(&cases).unwrap()));
        assert_eq!(left, Vec::<String>::new(), "{title}");
    }
    let named: BTreeSet<PathBuf> = recipes.iter().map(Recipe::cases).collect();
    let there: BTreeSet<PathBuf> =
        fs::read_dir(root().join(CASES)).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(there, named, "each file with cases belongs to a recipe");
}

// 15, item 5
#[test]
fn a_recipe_without_an_event_that_it_is_for_and_one_that_it_is_not_for_is_found() {
    let rules = serde_json::json!({ "rules": [{ "name": "a", "quiet": {} }] });
    let of = |cases: &str| untested(&rules, &serde_json::from_str(cases).unwrap());
    let both = r#"{"cases": [{"expect": [{"rule": "a", "when": "now"}]}, {"expect": [{"rule": "a", "when": "deferred"}]}, {"expect": []}]}"#;
    assert_eq!(of(both), Vec::<String>::new());
    for (cases, expected) in [
        (r#"{"cases": [{"expect": []}]}"#, "no event for the rule `a`"),
        (r#"{"cases": [{"expect": [{"rule": "a"}]}]}"#, "no event that the rule `a` is not for"),
        (
            r#"{"cases": [{"expect": [{"rule": "a", "when": "now"}]}, {"expect": []}]}"#,
            "no event whose message is sent: deferred",
        ),
    ] {
        assert!(of(cases).iter().any(|left| left == expected), "{cases}: {:?}", of(cases));
    }
}

// 15, item 5
#[test]
fn the_reference_names_every_key_event_family_cause_variable_and_setting() {
    let page = page();
    let schema: Value = serde_json::from_str(&stdout(&run(&["rules", "schema"]))).unwrap();
    let mut missing = Vec::new();
    collect(&schema, &mut |name| {
        if !page.contains(&format!("`{name}`")) {
            missing.push(name.to_owned());
        }
    });
    let variables = rules::message::VARIABLES;
    let rows = variables.iter().filter(|(name, what)| !page.contains(&format!("| `{name}` | {what} |")));
    missing.extend(rows.map(|(name, _)| (*name).to_owned()));
    assert_eq!(missing, Vec::<String>::new(), "{PAGE} does not have these");
    // The page says no more than there is.
    let (_, table) = page.split_once("| Variable | Is |\n| --- | --- |\n").expect("the variables");
    assert_eq!(table.lines().take_while(|line| line.starts_with('|')).count(), variables.len());
}

/// Every key and every fixed value in a schema.
fn collect(schema: &Value, found: &mut impl FnMut(&str)) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), value) {
                    ("properties", Value::Object(keys)) => keys.keys().for_each(|name| found(name)),
                    ("enum", Value::Array(values)) => {
                        values.iter().filter_map(Value::as_str).for_each(&mut *found)
                    }
                    ("const", Value::String(value)) => found(value),
                    _ => {}
                }
                collect(value, found);
            }
        }
        Value::Array(all) => all.iter().for_each(|one| collect(one, found)),
        _ => {}
    }
}
