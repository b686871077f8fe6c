//! Notes of failed refreshes from public reports, and the class, line and next step that are right.

use crate::files::{Row, rows};
use std::collections::BTreeMap;
use tableau_client::{CauseClass, diagnose};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Score {
    Right,
    Unknown,
    Wrong,
}

fn score(row: &Row) -> (Score, String) {
    let found = diagnose(&row.note);
    let contains = |text: &str, words: &str| text.to_lowercase().contains(&words.to_lowercase());
    let is_class = row.classes.contains(&found.class);
    let is_right = is_class
        && contains(&found.line, &row.line_contains)
        && contains(found.next_step, &row.next_step_contains);
    let score = match found.class {
        _ if is_right => Score::Right,
        CauseClass::Unknown => Score::Unknown,
        _ => Score::Wrong,
    };
    (score, format!("{} {:?} {} → {}", row.id, found.class, found.line, found.next_step))
}

/// Prints the score per source, and returns how many notes are right, unknown and wrong.
fn scores(file: &str) -> [usize; 3] {
    let mut sources: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    let mut sum = [0; 3];
    for row in rows(file) {
        let (score, said) = score(&row);
        let at = score as usize;
        sources.entry(row.database).or_default()[at] += 1;
        sum[at] += 1;
        if score != Score::Right {
            println!("{}: {said}", if score == Score::Wrong { "wrong" } else { "unknown" });
        }
    }
    for (source, [right, unknown, wrong]) in sources {
        println!("{source}: {right} right, {unknown} unknown, {wrong} wrong");
    }
    println!("{file}: {} right, {} unknown, {} wrong", sum[0], sum[1], sum[2]);
    sum
}

#[test]
fn notes_with_known_answers_are_right_in_class_line_and_next_step() {
    let [right, unknown, wrong] = scores("reported.tsv");
    assert_eq!(right + unknown + wrong, 59);
    assert!(right >= 56 && wrong == 0, "{right} right, {wrong} wrong");
}

#[test]
fn notes_from_public_reports_are_never_wrong() {
    let [right, unknown, wrong] = scores("public.tsv");
    assert_eq!(right + unknown + wrong, 48);
    assert!(unknown <= 10 && wrong == 0, "{unknown} unknown, {wrong} wrong");
}
