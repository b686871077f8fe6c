//! Every example of the knowledge files is a test: alone, it has the class and the next step of its block.

use crate::files::{Example, MARKS, examples, wrappers};
use std::collections::HashSet;
use tableau_client::diagnose;

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
    let mut wrong = Vec::new();
    for line in wrappers() {
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
