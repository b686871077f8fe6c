//! Destinations and functions make no decision about timing, grouping or suppression: `alerting` does, for all of them.

use crate::rust_files;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use testkit::repository::root;

/// Words for decisions (timing, grouping, suppression) and the durations that decide.
const DECIDING: &[&str] = &[
    "Decision",
    "DigestState",
    "GroupHead",
    "GroupStep",
    "LASTING",
    "OpenGroup",
    "REMINDER",
    "Schedule",
    "Situation",
    "Suppression",
    "Window",
    "digest_group",
    "is_flapping",
    "is_reminder_due",
    "plan",
    "still_failing",
];

/// The code of a file, without comments and without the contents of string literals.
fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if c == '"' || rest.starts_with("r\"") || rest.starts_with("r#\"") {
            end_of_text(rest)
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\\"'") {
            rest[1..].find('\'').map_or(rest.len(), |end| end + 2)
        } else {
            code.push(c);
            c.len_utf8()
        };
        rest = &rest[skipped..];
    }
    code
}

/// The rest after the string literal that `rest` begins with.
fn end_of_text(rest: &str) -> usize {
    if let Some(raw) = rest.strip_prefix("r#\"") {
        return raw.find("\"#").map_or(rest.len(), |end| end + "r#\"\"#".len());
    }
    if let Some(raw) = rest.strip_prefix("r\"") {
        return raw.find('"').map_or(rest.len(), |end| end + "r\"\"".len());
    }
    let mut is_escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The decisions in a file: the words above, and imports that could hide them under another name.
fn decisions(text: &str) -> BTreeSet<String> {
    let code = code(text);
    let is_of_word = |c: char| c.is_alphanumeric() || c == '_';
    let words = code.split(|c| !is_of_word(c)).filter(|word| DECIDING.contains(word)).map(str::to_owned);
    let mut found: BTreeSet<String> = words.collect();
    for statement in code.split(';') {
        // Text before the import in the same statement, such as the end of a function.
        let Some((_, import)) = statement.rsplit_once("use ") else { continue };
        let names: Vec<&str> = import.split(|c| !is_of_word(c)).filter(|word| !word.is_empty()).collect();
        let is_of_deciding = ["alerting", "rules"].iter().any(|deciding| names.contains(deciding));
        let renames = names.windows(2).any(|pair| matches!(pair, ["alerting" | "rules" | "self", "as"]));
        if is_of_deciding && (import.contains('*') || renames) {
            found.insert(format!("use {}", import.split_whitespace().collect::<String>()));
        }
    }
    found
}

/// The code of destinations and functions.
fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for destination in ["shared/destinations/src", "shared/email/src"] {
        rust_files(&root().join(destination), &mut files);
    }
    for function in fs::read_dir(root().join("functions")).unwrap() {
        rust_files(&function.unwrap().path().join("src"), &mut files);
    }
    files
}

fn name(file: &Path) -> String {
    file.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/")
}

#[test]
fn destinations_and_functions_decide_nothing_about_timing_grouping_or_suppression() {
    let files = files();
    assert!(files.len() > 20, "{}", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let found = decisions(&fs::read_to_string(&file).unwrap());
        if !found.is_empty() {
            wrong.push(format!("{} uses {found:?}: decide it in shared/alerting", name(&file)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_decision_that_is_planted_in_a_destination_is_found() {
    let file = root().join("shared/destinations/src/slack/notifier.rs");
    let clean = fs::read_to_string(&file).unwrap();
    assert_eq!(decisions(&clean), BTreeSet::new());
    for planted in [
        "use alerting::plan;",
        "use alerting::{Capabilities, Decision};",
        "use alerting::{\n    Capabilities,\n    plan as decide,\n};",
        "fn f() { alerting::plan(&situation) }",
        "let head: alerting::group::GroupHead = head;",
        "use alerting::group::Window as Other;",
        "if schedule == rules::Schedule::Now { return; }",
        "if lasted > alerting::REMINDER { return; }",
        "if alerting::incident::LASTING < lasted { return; }",
        "if open.is_flapping(now) { return; }",
        "use alerting::*;",
        "use alerting::{Capabilities, group::*};",
        "use alerting :: { * };",
        "use rules::*;",
        "use alerting as other;",
        "use alerting::{self as other};",
        "use ::alerting::group::*;",
        "fn f() {} pub use {alerting::{Capabilities, incident::*}};",
        "/* a comment */ use alerting::plan;",
        "let quote = '\"'; use alerting::plan;",
        "let text = \"a \\\" b\"; use alerting::plan;",
        "let text = r#\"a \" b\"#; use alerting::plan;",
    ] {
        assert!(!decisions(&format!("{clean}\n{planted}\n")).is_empty(), "{planted}");
        assert!(!decisions(planted).is_empty(), "{planted}");
    }
}

#[test]
fn words_in_comments_texts_and_longer_names_are_no_decision() {
    for harmless in [
        "// alerting::plan decides, by its Schedule and Window.\nlet a = 1;",
        "/// What [`Decision`] says.\nlet a = 1;",
        "let text = \"the plan of the GroupHead\";",
        "let text = r#\"Window \" plan\"#;",
        "let planned = windows.len() + explanation; let plans = 1;",
        "use alerting::notifier::{Delivered, Delivery};",
        "use alerting::{Engine, RulesRouting};",
    ] {
        assert_eq!(decisions(harmless), BTreeSet::new(), "{harmless}");
    }
}

// If a word were renamed, the search for it would never find anything.
#[test]
fn every_deciding_word_is_a_name_in_alerting_or_rules() {
    let mut files = Vec::new();
    for package in ["alerting", "rules"] {
        rust_files(&root().join("shared").join(package).join("src"), &mut files);
    }
    let found: BTreeSet<String> =
        files.iter().flat_map(|file| decisions(&fs::read_to_string(file).unwrap())).collect();
    for word in DECIDING {
        assert!(found.contains(*word), "{word}");
    }
}
