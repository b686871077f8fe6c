//! Every example of the knowledge files is a test: alone, it has the class and the next step of its block.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::HashSet;
use std::path::Path;
use std::{fs, iter};
use tableau_client::{CauseClass, diagnose};

const MARKS: [char; 3] = ['=', '~', '@'];
/// The longest next step, in characters.
const NEXT_STEP_LIMIT: usize = 160;

struct Example {
    at: String,
    pattern: String,
    text: String,
    class: CauseClass,
    next_step: String,
}

fn files() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cause/sources");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let texts = files.filter(|file| file.extension().is_some_and(|extension| extension == "txt"));
    let named = texts.map(|file| {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(file).unwrap())
    });
    let mut files: Vec<_> = named.collect();
    files.sort();
    files
}

/// The examples of all files but the wrappers, and what is wrong with the files.
fn examples() -> (Vec<Example>, Vec<String>) {
    let mut examples = Vec::new();
    let mut wrong = Vec::new();
    for (file, text) in files().into_iter().filter(|(file, _)| file != "wrappers.txt") {
        let mut block = None;
        let mut header = HashSet::new();
        for (number, line) in iter::zip(1.., text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            let at = format!("{file}:{number}");
            if line == "#" || line.starts_with("# ") {
                continue;
            }
            if let Some(key) = ["name:", "known by:"].into_iter().find(|key| line.starts_with(key)) {
                header.insert(key);
            } else if let Some(head) = line.strip_prefix('[').filter(|_| !line.contains(" | ")) {
                let (class, next_step) = head.split_once("] ").unwrap_or((head, ""));
                let class = CauseClass::named(class);
                if class.is_none() || next_step.is_empty() || next_step.chars().count() > NEXT_STEP_LIMIT {
                    wrong.push(format!(
                        "{at}: `{line}` is no class with a next step of 160 characters at most"
                    ));
                }
                block = class.map(|class| (class, next_step.to_owned()));
            } else if let (Some((pattern, text)), Some((class, next_step))) = (line.split_once(" | "), &block)
            {
                examples.push(Example {
                    at,
                    pattern: pattern.trim().to_owned(),
                    text: text.trim().to_owned(),
                    class: *class,
                    next_step: next_step.clone(),
                });
            } else {
                wrong.push(format!("{at}: `{line}` is no `pattern | example` of a class"));
            }
        }
        if header.len() != 2 {
            wrong.push(format!("{file}: `name:` or `known by:` is missing"));
        }
    }
    (examples, wrong)
}

#[test]
fn the_files_are_well_formed() {
    let (examples, mut wrong) = examples();
    let mut patterns = HashSet::new();
    for Example { at, pattern, .. } in &examples {
        let text = pattern.trim_start_matches(MARKS);
        let is_normal =
            text == text.to_lowercase() && !text.contains(['_', '\t', '“', '’']) && !text.contains("  ");
        if !is_normal || text.len() < 4 {
            wrong.push(format!("{at}: `{pattern}` is not in lower case with single spaces, or is too short"));
        }
        // A source may have words of its own for what all sources say: there they are weak.
        if !patterns.insert((
            text.to_owned(),
            pattern.starts_with('~').then(|| at.split(':').next().map(str::to_owned)),
        )) {
            wrong.push(format!("{at}: `{pattern}` is there twice"));
        }
    }
    assert!(examples.len() > 1_000 && wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_example_has_the_class_and_the_next_step_of_its_block() {
    let (examples, _) = examples();
    let wrong: Vec<String> = examples
        .iter()
        .filter_map(|example| {
            let found = diagnose(&example.text);
            let is_right = found.class == example.class && found.next_step == example.next_step;
            let Example { at, text, class, next_step, .. } = example;
            (!is_right).then(|| {
                format!(
                    "{at}: {text}\n    is {class:?}: {next_step}\n    not {:?}: {}",
                    found.class, found.next_step
                )
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} examples:\n{}", wrong.len(), examples.len(), wrong.join("\n"));
}

#[test]
fn every_wrapper_is_removed_and_every_beginning_leaves_the_rest() {
    let (_, text) = files().into_iter().find(|(file, _)| file == "wrappers.txt").unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with("# ") && *line != "#");
    let mut wrong = Vec::new();
    for line in lines {
        let Some((pattern, example)) = line.split_once(" | ") else {
            wrong.push(format!("`{line}` is no `pattern | example`"));
            continue;
        };
        // What Tableau adds is not shown beside a vendor's words.
        let words = "Login failed for that account 4711";
        let is_beginning = pattern.ends_with('…');
        let notes = if is_beginning { example.to_owned() } else { format!("{words}\n{example}") };
        let shown = diagnose(&notes).line;
        if !is_beginning && shown != words {
            wrong.push(format!("`{pattern}`: `{shown}` is shown"));
        }
        if is_beginning && shown == example {
            wrong.push(format!("`{pattern}`: `{shown}` is shown whole"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
