//! Finds the class of a job's notes, the line that says most, and what to do about it.

use super::class::CauseClass;
use super::knowledge::{Entry, Knowledge, Level, Number};
use super::line::{beginning, shown};
use super::names::Names;
use super::normal::Normal;
use super::pattern::Steps;
use super::strip::{Stripped, strip};
use plain_text::{REMOVED, visible, without_secrets};
use std::ops::Range;

/// How much of one line is read, in bytes.
const LINE_READ: usize = 8 * 1024;
/// How many lines are read. Tableau's notes have only a few.
const LINES_READ: usize = 1_000;

/// Beginnings of lines that explain the line before, or announce the next: `Msg 8115, Level 16`.
const DETAILS: [&str; 5] = ["detail:", "hint:", "context:", "msg ", "sql compilation error: error line"];

/// What a job's notes say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The class of the reason; [`CauseClass::Unknown`] if it is not sure.
    pub class: CauseClass,
    /// The line that says most, without secrets and with private parts shortened: at most 300 characters.
    pub line: String,
    /// What the owner can do about it.
    pub next_step: &'static str,
}

/// A line of the notes without what Tableau and languages put around it.
struct Line<'a> {
    text: &'a str,
    normal: Normal,
    names: Names,
}

/// A match of a line.
struct Match<'a> {
    rank: Rank,
    entry: &'a Entry,
    range: Range<usize>,
    line: usize,
    is_sure_of_source: bool,
}

impl Match<'_> {
    /// What to do. A source that the notes do not name is not named here either, if the words are weak.
    fn next_step(&self) -> &'static str {
        if self.is_sure_of_source { self.entry.next_step } else { self.entry.class.next_step() }
    }
}

/// How much a match counts; the greatest wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    level: Level,
    /// Details and hints count less than the error that they are about.
    is_main: bool,
    /// "Cannot connect" and "Bridge reports" are printed around other reasons, which count more.
    is_reason: bool,
    is_named: bool,
    length: usize,
}

/// Reads the notes of a failed job: why it failed, and what to do about it.
pub fn diagnose(notes: &str) -> Diagnosis {
    // Secrets are removed before anything is cut: half of a secret is not recognised, and a secret may continue on
    // the next line.
    let notes = without_secrets(&visible(beginning(notes)));
    let knowledge = Knowledge::get();
    let steps = Steps::new();
    let read = notes.lines().take(LINES_READ).map(|line| &line[..line.floor_char_boundary(LINE_READ)]);
    let kept: Vec<Stripped> = read.filter_map(|line| strip(line, knowledge, &steps)).collect();
    let lines: Vec<Line<'_>> = kept.iter().map(Line::of).collect();
    let search = Search { knowledge, named: knowledge.named(&notes, &steps), steps };
    let best = search.best_match(&lines).or_else(|| {
        let with_classes: Vec<String> = kept.iter().map(|line| line.classes.clone() + &line.text).collect();
        let pairs: Vec<String> =
            kept.windows(2).map(|pair| format!("{} {}", pair[0].text, pair[1].text)).collect();
        // The first of two lines announces the second, which is shown.
        let of_pair = |found: Match<'static>| Match { line: found.line + 1, ..found };
        search.best_match_of_texts(&with_classes).or_else(|| search.best_match_of_texts(&pairs).map(of_pair))
    });
    match best {
        Some(found) => {
            let line = lines.get(found.line).map(|line| shown(line.text, line.normal.origin(&found.range)));
            Diagnosis {
                class: found.entry.class,
                line: line.unwrap_or_default(),
                next_step: found.next_step(),
            }
        }
        None => Diagnosis {
            class: CauseClass::Unknown,
            line: first_line(&lines, &notes),
            next_step: CauseClass::Unknown.next_step(),
        },
    }
}

impl<'a> Line<'a> {
    fn of(stripped: &'a Stripped) -> Self {
        Self::new(&stripped.text)
    }

    fn new(text: &'a str) -> Self {
        let text = &text[..text.floor_char_boundary(LINE_READ)];
        let normal = Normal::of(text);
        let names = Names::of(&normal, text);
        Self { text, normal, names }
    }
}

/// What a search in the notes of one job has at hand.
struct Search {
    knowledge: &'static Knowledge,
    /// Which sources the notes name.
    named: Vec<bool>,
    steps: Steps,
}

impl Search {
    /// The best match of all lines. `None` if nothing matches, or if two classes fit equally well.
    fn best_match(&self, lines: &[Line<'_>]) -> Option<Match<'static>> {
        let found = lines.iter().enumerate().flat_map(|(at, line)| self.matches(at, line));
        let mut matches: Vec<Match<'_>> = found.collect();
        let rank = matches.iter().map(|found| found.rank).max()?;
        let first = matches.iter().position(|found| found.rank == rank)?;
        let best = matches.swap_remove(first);
        let is_unsure = matches.iter().any(|found| {
            found.rank == best.rank && found.entry.class != best.entry.class && found.line == best.line
        });
        (!is_unsure).then(|| with_words(best, &matches))
    }

    /// The best match of texts that are made of lines, and not shown themselves.
    fn best_match_of_texts(&self, texts: &[String]) -> Option<Match<'static>> {
        let lines: Vec<Line<'_>> = texts.iter().map(|text| Line::new(text)).collect();
        self.best_match(&lines).map(|found| Match { range: 0..0, ..found })
    }

    fn matches(&self, at: usize, line: &Line<'_>) -> Vec<Match<'static>> {
        let text = &line.normal.text;
        let is_main = !DETAILS.iter().any(|word| text.starts_with(word));
        let found = self.knowledge.candidates(text).into_iter().filter_map(|entry| {
            let is_named = entry.is_engine || self.named.get(entry.source).copied().unwrap_or_default();
            let is_general = self.knowledge.is_general(entry.source);
            let is_of_another = match entry.number {
                Number::None => false,
                Number::Short => !is_named,
                Number::Long => !is_named && !is_general,
            };
            if is_of_another {
                return None;
            }
            let range = entry.pattern.find(text, &self.steps).filter(|range| !line.names.hold(range))?;
            let level = match entry.level {
                // Words that are weak alone are as good as others where the notes name their source.
                Level::Weak if is_named => Level::Words,
                Level::Weak if !is_general => Level::Foreign,
                // Another source may print the same words, but hardly the same code.
                Level::Code if !is_named && !is_general && !entry.has_digit => Level::Words,
                level => level,
            };
            let rank = Rank {
                level,
                is_main,
                is_reason: !matches!(entry.class, CauseClass::Unreachable | CauseClass::Bridge),
                is_named,
                length: entry.pattern.0.len(),
            };
            let is_sure_of_source = level != Level::Foreign;
            Some(Match { rank, entry, range, line: at, is_sure_of_source })
        });
        found.collect()
    }
}

/// A match with the words that say the same: those in its own line or, where this is no main line, in another.
fn with_words(best: Match<'static>, others: &[Match<'static>]) -> Match<'static> {
    let in_words = |found: &&Match<'_>| {
        found.entry.class == best.entry.class && found.rank.level == Level::Words && found.rank.is_main
    };
    let in_line = others.iter().filter(in_words).filter(|found| found.line == best.line);
    if let Some(words) = in_line.max_by_key(|found| found.rank) {
        let range = if best.rank.level == Level::Code { words.range.clone() } else { best.range.clone() };
        return Match { range, ..best };
    }
    if best.rank.is_main {
        return best;
    }
    match others.iter().filter(in_words).max_by_key(|found| found.rank) {
        Some(words) => Match { line: words.line, range: words.range.clone(), ..best },
        None => best,
    }
}

/// The line to show where nothing matches: the first that says something.
fn first_line(lines: &[Line<'_>], notes: &str) -> String {
    let says_something = |line: &&str| line.replace(REMOVED, "").contains(char::is_alphanumeric);
    let kept = lines.iter().map(|line| line.text).find(says_something);
    let all = || notes.lines().map(str::trim);
    let line = kept.or_else(|| all().find(says_something)).or_else(|| all().find(|line| !line.is_empty()));
    line.map(|line| shown(line, 0..0)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LINE_LIMIT: usize = 300;
    const NOTES_LIMIT: usize = 256 * 1024;

    fn line_of(notes: &str) -> String {
        diagnose(notes).line
    }

    #[test]
    fn the_line_is_the_one_that_names_the_cause() {
        for (notes, line) in [
            (
                "x.DataSourceException: [Snowflake][Snowflake] (4) \nREST request failed: code=22\n\
                 Incorrect username or password was specified.\nUnable to connect to the server.",
                "Incorrect username or password was specified.",
            ),
            (
                "[Snowflake] (4)\nSQL compilation error:\nObject 'SALES' does not exist or not authorized.",
                "Object 'SALES' does not exist or not authorized.",
            ),
            (
                "Msg 8115, Level 16, State 2\nArithmetic overflow error converting x.",
                "Arithmetic overflow error converting x.",
            ),
            (
                "[Snowflake]\nSQL compilation error: error line 1 at position 7\ninvalid identifier 'AMOUNT'",
                "invalid identifier 'AMOUNT'",
            ),
            (
                "[Microsoft][ODBC Driver 18 for SQL Server]SSL Provider: The certificate chain was issued by an authority \
                 that is not trusted.",
                "SSL Provider: The certificate chain was issued by an authority that is not trusted.",
            ),
            ("\nSomething new\nand more of it", "Something new"),
        ] {
            assert_eq!(line_of(notes), line);
        }
    }

    #[test]
    fn the_line_has_no_class_names_and_no_secrets() {
        let notes = "\n java.lang.RuntimeException: com.tableausoftware.nativeapi.exceptions.DataSourceException: \
                     Login failed. Server=db1;Uid=svc;PWD=hunter2;Port=1433\n  at com.tableau.X(Y.java:1)";
        assert_eq!(line_of(notes), "Login failed. Server=db1;…");
        assert_eq!(line_of("Error: 5: text"), "Error: 5: text");
    }

    #[test]
    fn secrets_are_removed_from_the_whole_notes_before_a_line_is_chosen_and_cut() {
        for (notes, line) in [
            ("Password:\nhunter2\nLogin failed for user 'svc'.", "Login failed for user 'sv…'."),
            (
                "-----BEGIN PRIVATE KEY-----\nMIIEvQ\nhunter2\n-----END PRIVATE KEY-----\nThe key was refused",
                "The key was refused",
            ),
            ("The key was refused:\n-----BEGIN PRIVATE KEY-----\nhunter2", "The key was refused:"),
            ("-----BEGIN PRIVATE KEY-----\nhunter2", "[removed]"),
            ("pass\u{200b}word=hunter2 was refused\u{202e}", "password=[removed] was refused"),
            ("log\u{200b}in failed: x", "login failed: x"),
        ] {
            assert_eq!(line_of(notes), line, "{notes:?}");
        }
        for spaces in 250..310 {
            let line = line_of(&format!("{}password=hunter2hunter2 and so on", ". ".repeat(spaces / 2)));
            let end = line.trim_end_matches('…').trim_start_matches(['.', ' ']);
            assert!("password=[removed] and so on".starts_with(end), "{end}");
            assert!(!end.contains("=[") || end.contains("[removed]"), "{end}");
        }
    }

    #[test]
    fn notes_of_a_megabyte_are_read_in_part_and_show_no_half_of_a_secret() {
        let filler = "word ".repeat(NOTES_LIMIT / 5 - 4);
        for shift in 0..24 {
            let notes =
                format!("{}\n{}{filler}/4Fh8sKq0Zr7Lm2Xw9Tb5Vc3 end", ".".repeat(shift), "x".repeat(shift));
            let read = beginning(&notes);
            assert!(!read.contains("/4F") || read.contains("5Vc3"), "{shift}");
        }
        let text = "Login failed: password=hunter2 ".repeat(40_000);
        assert!(line_of(&text).starts_with("Login failed: password=[removed] Login"));
        assert!(line_of(&"é".repeat(NOTES_LIMIT)).ends_with('…'));
    }

    #[test]
    fn the_words_that_tell_the_cause_stay_where_a_line_is_cut() {
        let line =
            line_of(&format!("{} Login failed for user 'svc'. {}", "word ".repeat(90), "word ".repeat(90)));
        assert!(
            line.starts_with('…') && line.contains("Login failed") && line.chars().count() <= LINE_LIMIT,
            "{line}"
        );
    }

    #[test]
    fn of_a_long_line_the_words_are_shown_and_not_the_code_at_its_end() {
        let line = line_of(&format!(
            "Database 'dw' on server 'a' is not currently available. {} Azure SQL (40613) (SQLDriverConnect)",
            "word ".repeat(90)
        ));
        assert!(line.starts_with("Database 'dw' on server 'a' is not currently available."), "{line}");
    }

    #[test]
    fn a_name_in_quotes_and_a_number_of_another_vendor_tell_no_cause() {
        for (notes, class) in [
            ("Unknown column 'password expired' in 'field list'", CauseClass::Schema),
            ("Object 'ACCOUNT_LOCKED' does not exist.", CauseClass::Schema),
            ("SELECT a FROM b WHERE msg = 'Login failed for user'", CauseClass::Unknown),
            ("Salesforce: the plan (1227) was changed", CauseClass::Unknown),
            ("Web data connector: the page returned error 208", CauseClass::Unknown),
            ("[MySQL] (1227)", CauseClass::Permission),
            ("{\"error\":\"invalid_grant\"}", CauseClass::Credentials),
        ] {
            assert_eq!(diagnose(notes).class, class, "{notes}");
        }
    }

    #[test]
    fn a_next_step_names_a_product_only_if_the_notes_do() {
        let step = |notes: &str| diagnose(notes).next_step;
        assert!(
            !step("[Amazon][Amazon Redshift] FATAL: password authentication failed for user \"x\"")
                .contains("PostgreSQL")
        );
        assert!(!step("The server said: Login failed for user 'x'").contains("SQL Server"));
        assert!(
            step("[Microsoft][ODBC Driver 17 for SQL Server]Login failed for user 'x'")
                .contains("SQL Server")
        );
        assert!(!step("File not found: orders.csv").contains("Google"));
        assert!(step("[ODBC Driver 18 for SQL Server]The certificate chain was issued by an authority that is not trusted.").contains("trust"));
    }

    #[test]
    fn a_closing_sentence_alone_is_shown_and_says_nothing() {
        let closing = "Unable to connect to the server \"db1\". Check that the server is running and that you have \
                       access privileges to the requested database.";
        let found = diagnose(closing);
        assert_eq!((found.class, found.line.as_str()), (CauseClass::Unknown, closing));
    }

    proptest! {
        #[test]
        fn a_line_is_short_and_one_line(notes in "(?s).*") {
            let line = line_of(&notes);
            prop_assert!(line.chars().count() <= LINE_LIMIT);
            prop_assert!(!line.contains('\n'));
        }
    }
}
