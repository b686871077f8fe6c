//! Whether `docs/architecture.md` is true: what it names exists, and who may depend on whom is what the test says.

use crate::{FUNCTIONS_MAY_USE, LOCAL_MAY_USE, MAY_USE, OF_BOTH, rust_files};
use std::collections::BTreeSet;
use std::fs;
use testkit::repository::root;

/// The text of the page without its drawings.
fn page() -> String {
    let text = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let prose: Vec<&str> = text.split("```").step_by(2).collect();
    assert!(prose.len() >= 3, "the page has drawings");
    prose.concat()
}

/// The drawings of the page.
fn drawings() -> Vec<String> {
    let text = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    text.split("```").skip(1).step_by(2).map(str::to_owned).collect()
}

/// The texts between backticks.
fn code(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Whether a word is a path in the repository, and neither a route of the HTTP API nor a name with a dot.
fn is_path(word: &str) -> bool {
    const ENDS: [&str; 7] = ["in", "md", "rs", "toml", "tsv", "yaml", "yml"];
    let is_file = word.rsplit_once('.').is_some_and(|(_, end)| ENDS.contains(&end));
    let is_plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
    is_plain && !word.starts_with('/') && (is_file || word.contains('/'))
}

/// Whether a word can be an identifier in code.
fn is_name(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The cells of each row of a table.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix('|'));
    rows.map(|row| row.split(" | ").map(str::trim).collect()).collect()
}

/// The text of a file, or of all Rust files below a folder.
fn text(path: &str) -> String {
    let path = root().join(path);
    if path.is_file() {
        return fs::read_to_string(path).unwrap();
    }
    let mut files = Vec::new();
    rust_files(&path, &mut files);
    files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
}

/// Whether a text contains a word as a whole word.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part))
}

#[test]
fn every_path_that_the_page_names_exists() {
    let page = page();
    let paths: BTreeSet<&str> = code(&page).into_iter().filter(|word| is_path(word)).collect();
    assert!(paths.len() > 100, "only {} paths were found", paths.len());
    let missing: Vec<_> = paths.into_iter().filter(|path| !root().join(path).exists()).collect();
    assert!(missing.is_empty(), "docs/architecture.md names what is not there: {missing:?}");
}

#[test]
fn every_name_that_the_page_gives_with_a_file_is_in_that_file() {
    let page = page();
    let mut missing = Vec::new();
    let mut count = 0;
    for row in rows(&page) {
        let mut files: Vec<&str> = Vec::new();
        let mut is_after_name = false;
        for word in code(row.last().unwrap()) {
            if is_path(word) {
                // Names follow the files that define them.
                if is_after_name {
                    files.clear();
                }
                is_after_name = false;
                files.push(word);
            } else if is_name(word) && !files.is_empty() {
                is_after_name = true;
                count += 1;
                if !files.iter().any(|file| has_word(&text(file), word)) {
                    missing.push(format!("{word} in {files:?}"));
                }
            }
        }
    }
    assert!(count > 100, "only {count} names were found");
    assert!(missing.is_empty(), "docs/architecture.md names what is not there: {missing:#?}");
}

#[test]
fn the_page_says_who_may_depend_on_whom_as_this_test_does() {
    let page = page();
    let rows = rows(&page);
    let row = |name: &str| {
        let first = format!("`{name}`");
        let mut found = rows.iter().filter(|row| row[0] == first && row.len() == 3);
        found.next().unwrap_or_else(|| panic!("docs/architecture.md has no row for `{name}`"))
    };
    for (name, uses) in MAY_USE.iter().chain(LOCAL_MAY_USE) {
        if *uses == OF_BOTH {
            assert_eq!(row(name)[2], "any package of `shared/` and `local/`", "{name}");
            continue;
        }
        let said: Vec<&str> = code(row(name)[2]);
        assert_eq!(said, *uses, "docs/architecture.md about `{name}`");
    }
    let shared: BTreeSet<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
    let functions: BTreeSet<&str> = FUNCTIONS_MAY_USE.iter().copied().collect();
    let refused: Vec<&str> = shared.difference(&functions).copied().collect();
    let said = code(row("publish-rules")[2]);
    assert_eq!(said[1..], refused, "what a function may not use");
}

#[test]
fn the_drawing_of_the_packages_has_what_a_package_may_use_below_it() {
    let drawings = drawings();
    let drawing = drawings.iter().find(|drawing| drawing.contains("guarded-tableau")).unwrap();
    let line = |name: &str| {
        let has = |line: &str| line.split_whitespace().any(|word| word == name);
        drawing.lines().position(has).unwrap_or_else(|| panic!("the drawing has no {name}"))
    };
    for (name, uses) in MAY_USE {
        for used in *uses {
            assert!(line(name) < line(used), "{name} may use {used}, which is drawn above it or beside it");
        }
    }
}

#[test]
fn the_page_has_a_line_for_every_test_of_the_repository() {
    let page = page();
    let words: BTreeSet<&str> = code(&page).into_iter().map(|word| word.trim_end_matches('/')).collect();
    let mut expected = Vec::new();
    let manifest = fs::read_to_string(root().join("tests/Cargo.toml")).unwrap();
    for path in manifest.lines().filter_map(|line| line.strip_prefix("path = ")) {
        let path = format!("tests/{}", path.trim_matches('"'));
        expected.push(path.trim_end_matches("/main.rs").to_owned());
    }
    assert!(expected.len() > 7, "{expected:?}");
    let missing: Vec<_> = expected.iter().filter(|word| !words.contains(word.as_str())).collect();
    assert!(missing.is_empty(), "docs/architecture.md has no line for {missing:?}");
}

#[test]
fn paths_rows_and_names_are_recognised() {
    for path in ["rules.yaml", "shared/rules/", "shared/rules/src/lib.rs", ".ci/run", "tests/architecture.rs"]
    {
        assert!(is_path(path), "{path}");
    }
    for word in ["/webhook", "FLAPPING", "cargo xtask check", "/webhooks/{workflow}", "on_event"] {
        assert!(!is_path(word), "{word}");
    }
    assert_eq!(rows("| a | `b` |\n| --- | --- |\ntext"), [vec!["a", "`b`"], vec!["---", "---"]]);
    assert!(
        is_name("on_event") && is_name("FLAPPING") && !is_name("cargo xtask check") && !is_name("aws-http")
    );
    assert!(has_word("const DAY: u8", "DAY") && !has_word("DAYS KEPT_DAY", "DAY"));
}
