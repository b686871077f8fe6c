//! Holds that what Tableau, a driver or a language prints around a cause does not change its class to a wrong one.
//!
//! The causes are the reported notes and every example of the knowledge files.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use proptest::prelude::*;
use std::path::PathBuf;
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
    class: CauseClass,
}

fn read(path: &str) -> String {
    std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Reported notes, with the class that they have alone.
static REPORTED: LazyLock<Vec<Note>> = LazyLock::new(|| {
    let notes = read("tests/causes/reported.tsv");
    let notes = notes.lines().skip(1).map(|line| line.split('\t').nth(2).unwrap().replace("\\n", "\n"));
    notes.map(|text| Note { class: diagnose(&text).class, text }).collect()
});

/// Examples of knowledge files, with the class of their block.
static EXAMPLES: LazyLock<Vec<Note>> = LazyLock::new(|| {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/cause/sources");
    let mut notes = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let mut class = None;
        for line in std::fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            let head = line.strip_prefix('[').and_then(|line| line.split_once("] "));
            let named = |name: &str| CauseClass::ALL.into_iter().find(|class| class.name() == name);
            if let Some(named) = head.and_then(|(name, _)| named(name)) {
                class = Some(named);
            } else if let (Some(class), Some((_, text))) = (class, line.split_once(" | "))
                && !line.starts_with('#')
            {
                notes.push(Note { text: text.to_owned(), class });
            }
        }
    }
    notes
});

/// Whole lines of `wrappers.txt`, and Tableau's closing sentences.
static LINES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let wrappers = read("src/cause/sources/wrappers.txt");
    let entries =
        wrappers.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" | "));
    let lines = entries.filter(|(pattern, _)| !pattern.ends_with('…')).map(|(_, example)| example.to_owned());
    lines.chain(CLOSING.iter().cloned()).collect()
});

static CLOSING: LazyLock<Vec<String>> = LazyLock::new(|| {
    let closing = read("src/cause/sources/closing.txt");
    let entries =
        closing.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" | "));
    let mut closing: Vec<String> = entries.map(|(_, example)| example.to_owned()).collect();
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

/// What became of wrapped notes.
#[derive(Default)]
struct Result {
    count: usize,
    unknown: Vec<String>,
    wrong: Vec<String>,
}

impl Result {
    /// Diagnoses a wrapped note. Fails if a closing sentence is shown, or more than one short line.
    fn add(&mut self, wrapped: &str, class: CauseClass) {
        let found = diagnose(wrapped);
        let line = &found.line;
        assert!(line.chars().count() <= 300 && !line.contains('\n'), "{line}");
        assert!(!line.contains("Check that the server is running"), "{line}\n{wrapped}");
        self.count += 1;
        if found.class == CauseClass::Unknown && class != CauseClass::Unknown {
            self.unknown.push(wrapped.to_owned());
        } else if found.class != class {
            self.wrong.push(format!("{} became {}: {wrapped}\n", class.name(), found.class.name()));
        }
    }

    /// Fails if a class has become wrong, or too many unknown.
    fn check(&self) {
        assert!(
            self.wrong.is_empty(),
            "{} of {} are wrong:\n{}",
            self.wrong.len(),
            self.count,
            self.wrong.join("\n")
        );
        let unknown = self.unknown.len();
        assert!(
            unknown * 100 <= self.count * UNKNOWN_PERCENT,
            "{unknown} of {} became unknown:\n{}",
            self.count,
            self.unknown.join("\n")
        );
    }
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
    let mut result = Result::default();
    for (n, note) in REPORTED.iter().enumerate() {
        for step in 0..6 {
            wrappings(&note.text, n * 7 + step).iter().for_each(|wrapped| result.add(wrapped, note.class));
        }
    }
    assert!(result.count > 2_000);
    result.check();
}

#[test]
fn no_wrapper_changes_the_class_of_an_example() {
    let mut result = Result::default();
    for (n, note) in EXAMPLES.iter().enumerate() {
        let wrapped = wrappings(&note.text, n).into_iter().skip(n % 4).step_by(4);
        wrapped.for_each(|wrapped| result.add(&wrapped, note.class));
    }
    assert!(result.count > 5_000);
    result.check();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

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
        let mut result = Result::default();
        result.add(&lines.join("\n"), note.class);
        prop_assert!(result.wrong.is_empty(), "{:?}", result.wrong);
    }
}
