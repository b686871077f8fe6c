//! Holds every knowledge file: it can be read, and each of its examples gives the class and next step of its block.

use super::diagnosis::diagnose;
use super::knowledge::{At, Knowledge, read};
use super::pattern::normalised;
use super::sources::{CLOSING, FILES, WRAPPERS};
use super::wrappers::{entries, is_wrapper, without_beginning, without_sentences};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// An example of a knowledge file.
struct Example {
    at: At,
    sign: usize,
    text: &'static str,
}

/// All files, their examples, and what is wrong with them.
fn all() -> (Knowledge, Vec<Example>, Vec<(At, String)>) {
    let mut examples = Vec::new();
    let mut mistakes = Vec::new();
    let knowledge = read(FILES, |at, seen| match seen {
        Ok((sign, text)) => examples.push(Example { at, sign, text }),
        Err(mistake) => mistakes.push((at, mistake.to_owned())),
    });
    (knowledge, examples, mistakes)
}

/// Fails with all mistakes, each with its place.
fn report(mistakes: &[(At, String)]) {
    let mut text = String::new();
    for (At { file, line }, mistake) in mistakes {
        let _ = writeln!(text, "{file}:{line}: {mistake}");
    }
    assert!(mistakes.is_empty(), "{} mistakes\n{text}", mistakes.len());
}

#[test]
fn every_file_of_the_folder_is_listed_and_can_be_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cause/sources");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "wrappers.txt" && name != "closing.txt");
    names.sort();
    let listed: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
    assert_eq!(listed, names);
    report(&all().2);
}

#[test]
fn every_example_has_its_pattern_and_gives_the_class_and_next_step_of_its_block() {
    let (knowledge, examples, _) = all();
    let mut mistakes = Vec::new();
    for example in &examples {
        let sign = &knowledge.signs[example.sign];
        if sign.pattern.find(&normalised(example.text), 0).is_none() {
            mistakes.push((example.at, format!("does not match its example {}", example.text)));
            continue;
        }
        let block = &knowledge.blocks[sign.block];
        let found = diagnose(example.text);
        if (found.class, found.next_step) != (block.class, block.next_step) {
            let (is, class) = (found.class.name(), block.class.name());
            mistakes.push((example.at, format!("{class}, but {is} {}: {}", found.next_step, example.text)));
        }
    }
    report(&mistakes);
}

#[test]
fn no_pattern_is_twice_in_a_file() {
    let mut places: BTreeMap<(&str, String), usize> = BTreeMap::new();
    let mut mistakes = Vec::new();
    for (file, text) in FILES {
        for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with(['#', '['])) {
            let Some((pattern, _)) = line.split_once(" | ").filter(|_| !line.starts_with("known by:")) else {
                continue;
            };
            let pattern = normalised(pattern.trim_start_matches(['=', '~', '@'])).trim().to_owned();
            if let Some(first) = places.insert((file, pattern), n + 1) {
                mistakes.push((At { file, line: n + 1 }, format!("the pattern is also in line {first}")));
            }
        }
    }
    report(&mistakes);
}

#[test]
fn a_next_step_is_short_and_plain() {
    let (knowledge, _, _) = all();
    for block in &knowledge.blocks {
        let step = block.next_step;
        assert!(step.chars().count() <= 160, "{} characters: {step}", step.chars().count());
        assert!(step.ends_with('.') && step.starts_with(|c: char| c.is_uppercase()), "{step}");
        assert!(!step.to_lowercase().contains("please"), "{step}");
    }
}

#[test]
fn every_wrapper_is_removed() {
    let mut mistakes = Vec::new();
    for (pattern, example) in entries(WRAPPERS) {
        let is_right = if pattern.ends_with('…') {
            without_beginning(example) != example
        } else {
            is_wrapper(example)
        };
        if !is_right {
            mistakes.push(format!("{pattern}: {example}"));
        }
    }
    for (pattern, example) in entries(CLOSING) {
        if !without_sentences(&format!("One. {example} Two"))
            .iter()
            .all(|part| ["One.", "Two"].contains(part))
        {
            mistakes.push(format!(
                "{pattern}: {example}: {:?}",
                without_sentences(&format!("One. {example} Two"))
            ));
        }
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}
