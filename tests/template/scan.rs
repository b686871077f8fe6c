//! Extracts variables and metrics from sources by text search.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A variable that the code reads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Read {
    /// The variable's name.
    pub(crate) variable: String,
    /// The `fn` that reads the variable.
    pub(crate) within: String,
}

/// The Rust sources below a folder, without tests, as one text.
pub(crate) fn sources(folder: &Path) -> String {
    let mut all = String::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "tests") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                all.push_str(text.split("#[cfg(test)]\nmod ").next().unwrap());
            }
        }
    }
    all
}

/// The variables that the code reads through `Env` and `Settings`, or through the closure for optional ones in our
/// `Config`s: `get("NAME")`, `optional("NAME")`.
///
/// # Panics
/// When a text that looks like a variable's name is anywhere else: this search would miss it.
pub(crate) fn reads(source: &str) -> BTreeSet<Read> {
    let mut found = BTreeSet::new();
    for (at, _) in source.match_indices('"') {
        let rest = &source[at + 1..];
        let length = rest.find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'));
        let name = &rest[..length.unwrap_or(0)];
        if !name.starts_with(|c: char| c.is_ascii_uppercase()) || !rest[name.len()..].starts_with('"') {
            continue;
        }
        let before = source[..at].trim_end();
        if [".get(", "optional("].iter().any(|call| before.ends_with(call)) {
            found.insert(Read { variable: name.to_owned(), within: function_around(before) });
        } else {
            assert!(!name.contains('_'), "{name} looks like a setting, but is not read with `get`");
        }
    }
    found
}

/// The name after the last `fn`.
fn function_around(before: &str) -> String {
    let mut names = before.rmatch_indices("fn ").map(|(at, word)| &before[at + word.len()..]);
    let name = names.next().unwrap_or_default();
    name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The reported metrics: by name in the runtime, as counters elsewhere.
pub(crate) fn reported_metrics(source: &str) -> BTreeSet<String> {
    let after = |start: &str, end: fn(char) -> bool| -> Vec<String> {
        let rest = source.split(start).skip(1);
        rest.map(|rest| rest.chars().take_while(|c| !end(*c)).collect()).collect()
    };
    let mut names = after("Metric::count(\"", |c| c == '"');
    names.extend(after("Metric::milliseconds(\"", |c| c == '"'));
    let counters = after("monotonic_counter.", |c| !(c.is_alphanumeric() || c == '_'));
    // Comments about counters contain no metric names.
    let counters = counters.iter().filter(|name| !name.is_empty());
    names.extend(counters.map(|name| crate::reading::pascal(&name.replace('_', "-"))));
    names.into_iter().collect()
}

#[test]
fn variables_are_found_with_the_function_that_reads_them() {
    let source = r#"
        fn start(env: &Env) {
            let level = env.get("LOG_LEVEL");
            let other = env.get(
                "B2",
            );
            answer("POST", headers.get("content-type"));
        }
        async fn config(env: &Env) -> Result<(), MissingSettings> {
            let mut settings = env.required();
            let optional = |name| env.get(name);
            (settings.get("TABLE_NAME"), optional("SITE"))
        }
    "#;
    let found: Vec<(String, String)> = reads(source).into_iter().map(|r| (r.variable, r.within)).collect();
    let expected = [("B2", "start"), ("LOG_LEVEL", "start"), ("SITE", "config"), ("TABLE_NAME", "config")];
    assert_eq!(found, expected.map(|(variable, within)| (variable.to_owned(), within.to_owned())));
}

#[test]
#[should_panic(expected = "QUEUE_URL looks like a setting")]
fn a_variable_that_is_read_in_another_way_is_not_overlooked() {
    reads(r#"fn start() { lookup("QUEUE_URL"); }"#);
}

#[test]
fn metrics_are_found_under_the_names_they_are_reported_with() {
    let source = r#"Metric::count("Attempts"), Metric::milliseconds("Age", 1.0); info!(monotonic_counter.sign_ins = 1)"#;
    let expected = ["Age", "Attempts", "SignIns"].map(str::to_owned);
    assert_eq!(reported_metrics(source), BTreeSet::from(expected));
}
