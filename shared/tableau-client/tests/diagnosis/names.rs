//! What a line names is no cause: tables, columns and files may be called like any error.

use crate::files::{MARKS, examples};
use tableau_client::{CauseClass, diagnose};

/// The longest text that is taken for a name.
const NAME_LIMIT: usize = 60;

#[test]
fn a_column_that_is_called_like_an_error_is_a_missing_column() {
    let (examples, _) = examples();
    let texts = examples.iter().map(|example| example.pattern.trim_start_matches(MARKS));
    let names: Vec<&str> =
        texts.filter(|text| !text.contains(['*', '#', '\'', '"']) && text.len() <= NAME_LIMIT).collect();
    let mut wrong = Vec::new();
    for name in &names {
        let underscored = name.replace(' ', "_");
        let mut notes = vec![
            format!("Unknown column '{name}' in 'field list'"),
            format!("Object \"{name}\" does not exist."),
        ];
        if underscored.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            notes.push(format!("no such column: t.{underscored}"));
            notes.push(format!("SELECT {underscored}_id FROM sales.{underscored}"));
        }
        for note in notes {
            let class = diagnose(&note).class;
            if ![CauseClass::Schema, CauseClass::Unknown].contains(&class) {
                wrong.push(format!("{class:?}: {note}"));
            }
        }
    }
    assert!(
        names.len() > 2_000 && wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        names.len(),
        wrong.join("\n")
    );
}

#[test]
fn a_number_means_nothing_in_notes_of_another_source() {
    let (examples, _) = examples();
    let numbers = examples.iter().filter_map(|example| {
        let text = example.pattern.strip_prefix('=')?;
        let number = text.trim_matches(['(', ')', '[', ']', '-']);
        let is_general = example.known_by.is_empty() && number.len() > 4;
        (!is_general && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
    });
    let numbers: Vec<&str> = numbers.collect();
    for number in &numbers {
        let note = format!("Zendesk: the plan {number} has changed");
        assert_eq!(diagnose(&note).class, CauseClass::Unknown, "{note}");
    }
    assert!(numbers.len() > 20, "{}", numbers.len());
}
