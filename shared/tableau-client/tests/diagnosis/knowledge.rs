//! Every example of the knowledge files is a test: alone, it has the class and the next step of its block.

use crate::files::{Example, MARKS, examples, wrappers};
use std::collections::HashSet;
use tableau_client::{CauseClass, diagnose};

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

/// Alone, an example has no wrong class: it may be a number that means nothing without the name of its source.
#[test]
fn every_example_has_the_class_and_the_next_step_of_its_block() {
    let (examples, _) = examples();
    let mut wrong = Vec::new();
    for example in &examples {
        let Example { at, known_by, text, class, next_step, .. } = example;
        let alone = diagnose(text);
        if ![*class, CauseClass::Unknown].contains(&alone.class) {
            wrong.push(format!(
                "{at}: {text}\n    is {:?}: {}\n    not {class:?}: {next_step}",
                alone.class, alone.next_step
            ));
        }
        let named = diagnose(&format!("{known_by}\n{text}"));
        if named.class != *class || named.next_step != next_step {
            let (class, step) = (named.class, named.next_step);
            wrong.push(format!("{at}: {known_by} {text}\n    is {class:?}: {step}\n    not: {next_step}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} examples:\n{}", wrong.len(), examples.len(), wrong.join("\n"));
}

#[test]
fn every_wrapper_is_removed_and_every_beginning_leaves_the_rest() {
    let mut wrong = Vec::new();
    for line in wrappers() {
        let Some((pattern, example)) = line.split_once(" | ") else {
            wrong.push(format!("`{line}` is no `pattern | example`"));
            continue;
        };
        // What Tableau adds is shown less than anything else, and nothing is known of it.
        let words = "Something new 4711";
        let is_beginning = pattern.ends_with('…');
        let notes = if is_beginning { example.to_owned() } else { format!("{example}\n{words}") };
        let found = diagnose(&notes);
        if !is_beginning && (found.line != words || found.class != CauseClass::Unknown) {
            wrong.push(format!("`{pattern}`: `{}` is shown, {:?}", found.line, found.class));
        }
        if is_beginning && found.line == example {
            wrong.push(format!("`{pattern}`: `{}` is shown whole", found.line));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
