//! Holds that what Tableau, a driver or a language prints around a cause does not change its class to a wrong one.
//!
//! The causes are the reported notes and every example of the knowledge files.

use crate::files::{Example, examples, rows, wrappers};
use proptest::prelude::*;
use std::sync::LazyLock;
use tableau_client::{CauseClass, diagnose};

/// How many of the wrapped notes in a hundred may become unknown.
const UNKNOWN_PERCENT: usize = 2;

/// Stack traces of five languages, with invented places.
const TRACES: [&str; 5] = [
    "\tat com.example.jdbc.Connection.open(Connection.java:120)\n\tat java.base/java.lang.Thread.run(Thread.java:840)\n\t... 12 more",
    "Traceback (most recent call last):\n  File \"/srv/app/refresh.py\", line 31, in run\n    connection.execute(query)",
    "   at Acme.Data.Reader.Read(String sql) in C:\\src\\Reader.cs:line 12\n   at Acme.Program.Main(String[] args)\n   --- End of inner exception stack trace ---",
    "    at Socket.connect (node:net:1012:16)\n    at async run (/srv/app/index.js:3:1)\n    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)",
    "goroutine 1 [running]:\nmain.run(0xc000010000)\n\t/src/main.go:12 +0x1d\nexit status 2",
];

/// What languages print before the words of an error.
const PREFIXES: [&str; 10] = [
    "java.lang.RuntimeException: ",
    "java.util.concurrent.ExecutionException: com.example.AcmeException: ",
    "com.tableausoftware.nativeapi.exceptions.DataSourceException: ",
    "Exception: ",
    "RuntimeError: ",
    "System.Exception: ",
    "Unhandled exception. System.Exception: ",
    "Uncaught Error: ",
    "panic: ",
    "Caused by: ",
];

struct Note {
    text: String,
    classes: Vec<CauseClass>,
}

/// Reported notes, with the classes that are right for them.
static REPORTED: LazyLock<Vec<Note>> = LazyLock::new(|| {
    rows("reported.tsv").into_iter().map(|row| Note { text: row.note, classes: row.classes }).collect()
});

/// Examples of knowledge files, with the class of their block.
static EXAMPLES: LazyLock<Vec<Note>> = LazyLock::new(|| {
    let note = |example: Example| Note { text: example.text, classes: vec![example.class] };
    examples().0.into_iter().map(note).collect()
});

/// Whole lines of `wrappers.txt`, and Tableau's closing sentences.
static LINES: LazyLock<Vec<String>> =
    LazyLock::new(|| sentences().into_iter().chain(CLOSING.iter().cloned()).collect());

/// Tableau's closing sentences in its languages, and for several sources.
static CLOSING: LazyLock<Vec<String>> = LazyLock::new(|| {
    let is_closing =
        |line: &String| line.contains(". ") && line.chars().count() > 60 && line.contains("server");
    let mut closing: Vec<String> = sentences().into_iter().filter(is_closing).collect();
    let sources =
        ["Snowflake", "Oracle", "Microsoft SQL Server", "Amazon Redshift", "MySQL", "Tableau Data Extract"];
    closing.extend(sources.map(|source| {
        format!(
            "Unable to connect to the {source} server \"host.example.com\". Check that the server is running and \
             that you have access privileges to the requested database."
        )
    }));
    closing
});

/// The sentences and lines of `wrappers.txt`.
fn sentences() -> Vec<String> {
    let all = wrappers();
    let entries = all.iter().filter_map(|line| line.split_once(" | "));
    entries.filter(|(pattern, _)| !pattern.ends_with('…')).map(|(_, example)| example.to_owned()).collect()
}

/// Whether a wrapped note has become unknown. Fails if its class has become wrong, or if a closing sentence is shown.
fn is_lost(wrapped: &str, right: &[CauseClass]) -> bool {
    let found = diagnose(wrapped);
    let is_unknown = found.class == CauseClass::Unknown;
    assert!(
        is_unknown || right.contains(&found.class),
        "{right:?} became {:?}: {wrapped}\nline: {}",
        found.class,
        found.line
    );
    let line = &found.line;
    assert!(line.chars().count() <= 300 && !line.contains('\n'), "{line}");
    assert!(!line.contains("Check that the server is running"), "{line}\n{wrapped}");
    is_unknown && !right.contains(&CauseClass::Unknown)
}

/// Fails if too many became unknown.
fn assert_few(lost: &[String], of: usize) {
    assert!(of > 100);
    assert!(
        lost.len() * 100 <= of * UNKNOWN_PERCENT,
        "{} of {of} became unknown:\n{}",
        lost.len(),
        lost.join("\n")
    );
}

fn wrappings(text: &str, n: usize) -> Vec<String> {
    let closing = &CLOSING[n % CLOSING.len()];
    let line = &LINES[n % LINES.len()];
    let trace = TRACES[n % TRACES.len()];
    let prefix = PREFIXES[n % PREFIXES.len()];
    vec![
        format!("{text}\n{closing}"),
        format!("{text} {closing}"),
        format!("{closing}\n{text}"),
        format!("{text}\n{trace}"),
        format!("{line}\n{text}"),
        format!("{text}\n{line}"),
        format!("{prefix}{text}"),
        format!("{prefix}{line}\n{text}\n{trace}\n{closing}"),
    ]
}

#[test]
fn no_wrapper_changes_the_class_of_a_reported_note() {
    let mut lost = Vec::new();
    let mut count = 0;
    for (n, note) in REPORTED.iter().enumerate() {
        for step in 0..3 {
            for wrapped in wrappings(&note.text, n * 7 + step) {
                count += 1;
                if is_lost(&wrapped, &note.classes) {
                    lost.push(wrapped);
                }
            }
        }
    }
    assert_few(&lost, count);
}

#[test]
fn no_wrapper_changes_the_class_of_an_example() {
    let mut lost = Vec::new();
    let mut count = 0;
    for (n, note) in EXAMPLES.iter().enumerate() {
        for wrapped in wrappings(&note.text, n).into_iter().skip(n % 4).step_by(4) {
            count += 1;
            if is_lost(&wrapped, &note.classes) {
                lost.push(wrapped);
            }
        }
    }
    assert_few(&lost, count);
}

/// The same number means something else to another vendor: the longer text counts where the notes name both.
#[test]
fn a_code_of_two_sources_is_told_apart_by_its_words() {
    let closing = "Unable to connect to the Microsoft SQL Server server \"host.example.com\".";
    for (text, class) in [
        ("Vertica: ERROR 4060: new session rejected", CauseClass::Busy),
        ("ERROR 4060: login refused", CauseClass::Permission),
    ] {
        assert_eq!(diagnose(&format!("{text}\n{closing}")).class, class, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn wrappers_in_any_combination_do_not_make_a_class_wrong(
        note in any::<prop::sample::Index>(),
        is_reported in any::<bool>(),
        before in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        after in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        prefix in prop::option::of(prop::sample::select(&PREFIXES[..])),
        trace in prop::option::of(prop::sample::select(&TRACES[..])),
    ) {
        let notes = if is_reported { &*REPORTED } else { &*EXAMPLES };
        let note = note.get(notes);
        let mut lines: Vec<&str> = before.iter().map(|line| line.get(&LINES).as_str()).collect();
        let first = format!("{}{}", prefix.unwrap_or_default(), note.text);
        lines.push(&first);
        lines.extend(trace);
        lines.extend(after.iter().map(|line| line.get(&LINES).as_str()));
        is_lost(&lines.join("\n"), &note.classes);
    }
}
