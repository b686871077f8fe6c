//! Reads notes that people have reported and holds class, line and next step against a reviewed table.
//!
//! `tests/causes/reported.tsv` is the table of the notes that the knowledge was written with. `tests/causes/public.tsv`,
//! if there, was labelled by people who had not seen the knowledge, and nothing was changed for it afterwards.
//!
//! Columns: `right_class` is one class, or several with ` or ` between them. `line_contains` is a part of the line to
//! show. `next_step_contains` are the words that the next step needs, in any order: `,` separates them, `|` separates
//! words of which one is enough.

#![expect(clippy::print_stdout, reason = "people read the score")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use tableau_client::{CauseClass, diagnose};

struct Row {
    columns: BTreeMap<String, String>,
}

impl Row {
    fn get(&self, column: &str) -> &str {
        self.columns.get(column).map_or("", String::as_str)
    }

    fn note(&self) -> String {
        self.get("note").replace("\\n", "\n")
    }

    fn classes(&self) -> Vec<CauseClass> {
        let named = |name: &str| CauseClass::ALL.into_iter().find(|class| class.name() == name);
        let names = self.get("right_class").split(" or ");
        names.map(|name| named(name.trim()).unwrap_or_else(|| panic!("no class {name}"))).collect()
    }
}

fn rows(file: &str) -> Option<Vec<Row>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/causes").join(file);
    let text = std::fs::read_to_string(path).ok()?;
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next()?.split('\t').collect();
    let row = |line: &str| {
        let columns: Vec<&str> = line.split('\t').collect();
        assert_eq!(columns.len(), names.len(), "{file}: {line}");
        Row {
            columns: names
                .iter()
                .zip(columns)
                .map(|(name, text)| (name.to_string(), text.to_owned()))
                .collect(),
        }
    };
    Some(lines.map(row).collect())
}

/// What is not right about a row.
enum Fault {
    /// A class that is not right: people would do the wrong thing.
    Wrong(String),
    Unknown,
    /// The class is right; the line or the next step is not.
    Text(String),
}

fn fault(row: &Row) -> Option<Fault> {
    let found = diagnose(&row.note());
    let contains = |text: &str, words: &str| text.to_lowercase().contains(&words.trim().to_lowercase());
    if found.class == CauseClass::Unknown && !row.classes().contains(&CauseClass::Unknown) {
        return Some(Fault::Unknown);
    }
    if !row.classes().contains(&found.class) {
        return Some(Fault::Wrong(format!("{}: {}", found.class.name(), found.next_step)));
    }
    if !contains(&found.line, row.get("line_contains")) {
        return Some(Fault::Text(format!("line: {}", found.line)));
    }
    let words = row.get("next_step_contains");
    let has = |words: &str| words.split('|').any(|word| contains(found.next_step, word));
    let missing = words.split(',').find(|words| !has(words));
    missing.map(|words| Fault::Text(format!("next step without {words}: {}", found.next_step)))
}

#[derive(Default)]
struct Score {
    rows: usize,
    right: usize,
    unknown: usize,
    wrong: usize,
}

/// Prints the score of each source and every fault, and returns the score of all.
fn score(file: &str, rows: &[Row]) -> Score {
    let mut all = Score::default();
    let mut of_sources: BTreeMap<&str, Score> = BTreeMap::new();
    for row in rows {
        let fault = fault(row);
        for score in [&mut all, of_sources.entry(row.get("database")).or_default()] {
            score.rows += 1;
            match &fault {
                None => score.right += 1,
                Some(Fault::Unknown) => score.unknown += 1,
                Some(Fault::Wrong(_)) => score.wrong += 1,
                Some(Fault::Text(_)) => {}
            }
        }
        let (id, note) = (row.get("id"), row.get("note"));
        match fault {
            None => {}
            Some(Fault::Wrong(what)) => println!("{id} wrong class {what}\n    {note}"),
            Some(Fault::Unknown) => println!("{id} unknown\n    {note}"),
            Some(Fault::Text(what)) => println!("{id} {what}\n    {note}"),
        }
    }
    println!("{file}:");
    for (source, score) in &of_sources {
        println!(
            "  {source}: {} of {} right, {} unknown, {} wrong",
            score.right, score.rows, score.unknown, score.wrong
        );
    }
    let Score { rows, right, unknown, wrong } = all;
    println!("  all: {right} of {rows} right, {unknown} unknown, {wrong} wrong");
    all
}

#[test]
fn reported_notes_get_the_right_class_line_and_next_step() {
    let rows = rows("reported.tsv").unwrap();
    let score = score("reported.tsv", &rows);
    assert_eq!(score.rows, 59);
    assert_eq!(score.wrong, 0, "wrong classes");
    assert!(score.right >= 56, "{} of 59 right", score.right);
}

#[test]
fn notes_labelled_without_the_knowledge_are_at_most_unknown_and_never_wrong() {
    let Some(rows) = rows("public.tsv") else { return println!("public.tsv is not there") };
    let score = score("public.tsv", &rows);
    assert!(score.rows >= 40);
    assert_eq!(score.wrong, 0, "wrong classes");
    assert!(score.unknown <= 10, "{} unknown", score.unknown);
}
