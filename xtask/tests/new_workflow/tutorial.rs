//! `docs/adding-a-workflow.md`, followed step by step: its commands print what it shows, and its changes make
//! `examples/tag-new-workbook/`.

use crate::copy::{Copy, listing, repository, text};
use std::fs;
use std::process::Output;

/// The page.
const PAGE: &str = "docs/adding-a-workflow.md";

/// The workflow that the page makes.
const NAME: &str = "tag-new-workbook";

/// Where it is in the repository, and what rules say to it, which the page writes into `shared/rules`.
const EXAMPLE: &str = "examples/tag-new-workbook";
const SETTINGS: &str = "shared/rules/src/settings/tag_new_workbook.rs";

/// Commands of the page that a person runs and this test does not: they start the local stack, whose own tests are in
/// `cli/tests/`, or a longer check.
const BY_HAND: [&str; 6] = ["git clone ", "cd ", "cargo run", "token=", "curl ", "cargo xtask check"];

/// What stands between two fences, what it is, and the text before it.
struct Fence<'a> {
    kind: &'a str,
    before: &'a str,
    lines: Vec<&'a str>,
}

fn fences(page: &str) -> Vec<Fence<'_>> {
    let parts: Vec<&str> = page.split("```").collect();
    assert_eq!(parts.len() % 2, 1, "{PAGE} has a fence that does not end");
    let fences = parts.chunks_exact(2).map(|pair| {
        let mut lines = pair[1].lines();
        let kind = lines.next().unwrap();
        Fence { kind, before: pair[0], lines: lines.collect() }
    });
    fences.collect()
}

/// The file that a text names last.
fn file_in(text: &str) -> Option<&str> {
    let is_path = |word: &&str| (word.contains('/') && !word.contains(' ')) || *word == "rules.yaml";
    text.split('`').skip(1).step_by(2).filter(is_path).last()
}

/// A file with a change in it: the lines with a minus, or without a sign, stand there once and one after the other.
fn changed(file: &str, text: &str, change: &[&str]) -> String {
    let side = |sign: char| -> String {
        let lines = change.iter().filter(|line| line.starts_with([sign, ' ']) || line.is_empty());
        lines.map(|line| format!("{}\n", line.get(1..).unwrap_or_default())).collect()
    };
    let old = side('-');
    let new = side('+');
    assert_ne!(old, new, "a change of {file} changes nothing");
    assert_eq!(text.matches(&old).count(), 1, "{file} does not have once:\n{old}in\n{text}");
    text.replacen(&old, &new, 1)
}

/// Runs a command of the page in the copy; `None` when a person runs it.
fn run(copy: &Copy, command: &str) -> Option<Output> {
    let words: Vec<&str> = command.split_whitespace().collect();
    if BY_HAND.iter().any(|start| command.starts_with(start)) {
        return None;
    }
    match words.as_slice() {
        ["cargo", "xtask", arguments @ ..] => Some(copy.xtask(arguments)),
        ["cargo", "test", arguments @ ..] => {
            // With the features that other tests compile the dependencies with, so that they are not compiled again.
            let packages = ["repository-tests", "local-aws", "runtime", "tableau-webhooks"];
            let packages = packages.map(|package| ["--package", package]);
            let targets = ["--lib", "--test", "workflow"];
            let all = [&["test", "--offline"], arguments, packages.as_flattened(), &targets].concat();
            Some(copy.cargo(&all))
        }
        _ => panic!("{PAGE} has a command that is neither run here nor listed as run by hand: {command}"),
    }
}

/// Whether a person has followed the page in this clone. Then the name is taken, and there is nothing to compare with.
fn is_followed_here() -> bool {
    let is_there = repository().join("functions").join(NAME).exists();
    if is_there {
        println!("SKIPPED: functions/{NAME} is there already");
    }
    is_there
}

/// Follows the page in the copy.
fn follow(copy: &Copy, page: &str) {
    let mut printed = String::new();
    let mut file = "";
    for fence in fences(page) {
        file = file_in(fence.before).unwrap_or(file);
        match fence.kind {
            "sh" => {
                printed.clear();
                let commands = fence.lines.join("\n").replace("\\\n", " ");
                for command in commands.lines() {
                    let command = command.split(" #").next().unwrap().trim();
                    if let Some(output) = run(copy, command) {
                        printed.push_str(&text(&output));
                    }
                }
            }
            // What the commands before print, if this test has run them.
            "text" if !printed.is_empty() => {
                for line in fence.lines.iter().filter(|line| !line.trim().is_empty()) {
                    assert!(printed.contains(line.trim()), "no `{line}` in\n{printed}");
                }
            }
            "diff" => {
                let path = copy.root.join(file);
                let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
                fs::write(&path, changed(file, &text, &fence.lines)).unwrap();
            }
            _ => {}
        }
    }
}

#[test]
fn the_tutorial_makes_the_example_and_its_commands_print_what_it_shows() {
    if is_followed_here() {
        return;
    }
    let copy = Copy::fresh();
    let page = fs::read_to_string(repository().join(PAGE)).unwrap();

    follow(&copy, &page);

    let mut made = listing(&copy.root.join("functions").join(NAME));
    // Its links lead to the READMEs of other functions.
    made.remove("README.md").expect("the scaffold writes a README");
    made.insert("settings.rs".to_owned(), fs::read(copy.root.join(SETTINGS)).unwrap());
    let example = listing(&repository().join(EXAMPLE));
    assert_eq!(made.keys().collect::<Vec<_>>(), example.keys().collect::<Vec<_>>(), "{EXAMPLE}");
    for (file, text) in made {
        let made = String::from_utf8(text).unwrap();
        let ours = String::from_utf8(example[&file].clone()).unwrap();
        assert!(made == ours, "{EXAMPLE}/{file} is not what {PAGE} makes, which is\n{made}");
    }

    let packages = [NAME, "repository-tests", "local-aws", "runtime", "tableau-webhooks"];
    let packages = packages.map(|package| ["--package", package]);
    let targets = ["--lib", "--test", "workflow", "--test", "template", "--test", "architecture"];
    let tests = copy.cargo(&[&["test", "--offline"], packages.as_flattened(), &targets].concat());
    let report = text(&tests);
    assert!(tests.status.success(), "{report}");
    assert!(!report.contains(&format!("warning: `{NAME}`")), "{report}");
    let formatted = copy.cargo(&["fmt", "--check", "--package", NAME, "--package", "rules"]);
    assert!(formatted.status.success(), "{}", text(&formatted));
}

#[test]
fn the_example_is_neither_deployed_nor_a_package_of_the_workspace() {
    if is_followed_here() {
        return;
    }
    let read = |path: &str| fs::read_to_string(repository().join(path)).unwrap();
    for path in ["template.yaml", "shared/rules/src/settings/mod.rs", "Cargo.lock"] {
        let text = read(path);
        for name in [NAME, "TagNewWorkbook", "tag_new_workbook"] {
            assert!(!text.contains(name), "{path} has {name}");
        }
    }
}

#[test]
fn a_change_that_does_not_fit_its_file_is_found() {
    let file = "a\nb\nc\n";
    assert_eq!(changed("f", file, &[" a", "-b", "+d", "+", " c"]), "a\nd\n\nc\n");
    for wrong in [&["-x", "+y"][..], &[" a", " c", "+d"], &[" a", " b"]] {
        let result = std::panic::catch_unwind(|| changed("f", file, wrong));
        assert!(result.is_err(), "{wrong:?}");
    }
}
