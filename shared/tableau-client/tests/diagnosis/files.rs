//! Reads the knowledge files and the tables of notes, as they are in the repository.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::{fs, iter};
use tableau_client::CauseClass;

pub(crate) const MARKS: [char; 3] = ['=', '~', '@'];
/// The longest next step, in characters.
const NEXT_STEP_LIMIT: usize = 160;

/// An example of a knowledge file, with what it has to give.
pub(crate) struct Example {
    /// The file and the line.
    pub(crate) at: String,
    /// The pattern with its mark.
    pub(crate) pattern: String,
    /// A text by which notes show that they are about the source. Empty for what all sources say.
    pub(crate) known_by: String,
    pub(crate) text: String,
    pub(crate) class: CauseClass,
    pub(crate) next_step: String,
}

fn files() -> Vec<(String, String)> {
    let files = fs::read_dir(path("src/cause/sources")).unwrap().map(|file| file.unwrap().path());
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
pub(crate) fn examples() -> (Vec<Example>, Vec<String>) {
    let mut examples = Vec::new();
    let mut wrong = Vec::new();
    for (file, text) in files().into_iter().filter(|(file, _)| file != "wrappers.txt") {
        let mut block = None;
        let mut header = HashSet::new();
        let mut known_by = String::new();
        for (number, line) in iter::zip(1.., text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            let at = format!("{file}:{number}");
            if line == "#" || line.starts_with("# ") {
                continue;
            }
            if let Some(key) = ["name:", "known by:"].into_iter().find(|key| line.starts_with(key)) {
                header.insert(key);
                if let Some(texts) = line.strip_prefix("known by:") {
                    let text = texts.split('|').find(|text| !text.contains(['*', '#'])).unwrap_or_default();
                    known_by = text.trim().to_owned();
                }
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
                    known_by: known_by.clone(),
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

/// The lines of `wrappers.txt` that hold something.
pub(crate) fn wrappers() -> Vec<String> {
    let text = fs::read_to_string(path("src/cause/sources/wrappers.txt")).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with("# ") && *line != "#");
    lines.map(str::to_owned).collect()
}

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

/// A note, and what is right about it. `origin` says where it was reported.
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) database: String,
    pub(crate) note: String,
    pub(crate) classes: Vec<CauseClass>,
    pub(crate) line_contains: String,
    /// Words of the next step; empty if only its sense is noted.
    pub(crate) next_step_contains: String,
}

/// The rows of a table of notes in `tests/causes`.
pub(crate) fn rows(file: &str) -> Vec<Row> {
    let text = fs::read_to_string(path("tests/causes").join(file)).unwrap();
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().unwrap().split('\t').collect();
    let row = |line: &str| {
        let values: Vec<&str> = line.split('\t').collect();
        assert_eq!(values.len(), columns.len(), "{line}");
        let value = |name: &str| {
            let at = columns.iter().position(|column| *column == name);
            at.map_or("", |at| values[at]).to_owned()
        };
        let class =
            |name: &str| CauseClass::named(name).unwrap_or_else(|| panic!("{name} is no class: {line}"));
        assert!(!value("origin").is_empty(), "{line}");
        Row {
            id: value("id"),
            database: value("database"),
            note: value("note").replace("\\n", "\n"),
            classes: value("right_class").split('|').map(class).collect(),
            line_contains: value("line_contains"),
            next_step_contains: value("next_step_contains"),
        }
    };
    lines.map(row).collect()
}
