//! Decides what the notes of a failed job say: class, source, line and next step.

use super::CauseClass;
use super::knowledge::{Found, KNOWLEDGE, Knowledge, Sign};
use super::line::{Line, lines, shown};
use super::pattern::{Mark, normalised};
use plain_text::without_secrets;
use std::collections::HashSet;

/// How many bytes of the notes are read. Tableau's notes have only a few lines.
const NOTES_LIMIT: usize = 256 * 1024;

/// What the notes of a failed job say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The class of the reason.
    pub class: CauseClass,
    /// The kind of source whose words the reason has, such as `Snowflake`, if they are known.
    pub source: Option<&'static str>,
    /// The line of the notes that says most about the reason. At most 300 characters, without secrets, and with hosts,
    /// addresses and users shortened.
    pub line: String,
    /// What the owner of the content can do.
    pub next_step: &'static str,
}

/// Whether the notes name a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Named {
    Not,
    /// Only in what is printed around the cause, such as the closing sentence.
    Around,
    /// In the cause itself.
    Inside,
}

/// How strong a sign is. The greatest wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    level: u8,
    /// A connection also breaks when the source ends a query for another reason, so that reason counts more.
    is_reason: bool,
    named: Named,
    length: usize,
    /// Of the same words in two files, those of a source count only if the notes name it.
    is_general: bool,
}

/// Where a sign was found first.
struct Hit<'a> {
    sign: &'a Sign,
    line: usize,
}

/// Reads the notes of a failed job.
///
/// A note is [`CauseClass::Unknown`] if it has no known words, or words of two classes that are equally strong.
pub fn diagnose(notes: &str) -> Diagnosis {
    // Secrets are removed before anything is cut: half of a secret is not recognised, and a secret may continue on
    // the next line.
    let notes = without_secrets(beginning(notes));
    let knowledge = &*KNOWLEDGE;
    let (lines, whole) = lines(&notes);
    let (hits, named) = hits(knowledge, &whole, &lines);
    let rank = |hit: &Hit<'_>| {
        let block = &knowledge.blocks[hit.sign.block];
        let named = named[block.source];
        let is_general = knowledge.sources[block.source].is_general;
        Rank {
            level: match hit.sign.mark {
                Mark::Code => 3,
                Mark::Words => 2,
                Mark::Weak if named > Named::Not => 2,
                Mark::Weak => u8::from(is_general),
            },
            is_reason: block.class != CauseClass::Unreachable,
            named,
            length: hit.sign.pattern.length,
            is_general,
        }
    };
    // Of equals the first.
    let best = hits.iter().rev().max_by_key(|hit| rank(hit));
    let class = |hit: &Hit<'_>| knowledge.blocks[hit.sign.block].class;
    let best = best.filter(|best| {
        let mut rivals = hits.iter().filter(|hit| class(hit) != class(best));
        let strength = |hit: &Hit<'_>| Rank { is_general: false, ..rank(hit) };
        !rivals.any(|rival| strength(rival) == strength(best))
    });
    let line = shown(&lines, best.map(|best| (best.line, &best.sign.pattern)));
    let Some(best) = best else {
        let class = CauseClass::Unknown;
        return Diagnosis { class, source: None, line, next_step: class.next_step() };
    };
    let block = &knowledge.blocks[best.sign.block];
    let source = &knowledge.sources[block.source];
    Diagnosis {
        class: block.class,
        source: (!source.is_general).then_some(source.name),
        line,
        next_step: block.next_step,
    }
}

/// The signs in the notes, each once, in order, and which sources the notes name. Everything names a source, also what
/// was removed from the `whole` lines, such as a closing sentence.
fn hits<'a>(knowledge: &'a Knowledge, whole: &[&str], lines: &[Line<'_>]) -> (Vec<Hit<'a>>, Vec<Named>) {
    let mut named = vec![Named::Not; knowledge.sources.len()];
    for line in whole {
        knowledge.search(&normalised(line), |found, _| {
            if let Found::Source(source) = found {
                named[source] = Named::Around;
            }
        });
    }
    let mut hits = Vec::new();
    let mut seen = HashSet::new();
    for (n, line) in lines.iter().enumerate() {
        let mut of_line = Vec::new();
        knowledge.search(&normalised(line.text), |found, place| match found {
            Found::Source(source) => {
                let place = if line.is_wrapper { Named::Around } else { Named::Inside };
                named[source] = named[source].max(place);
            }
            Found::Sign(number, sign) => {
                if (!line.is_wrapper || sign.is_engine) && seen.insert(number) {
                    of_line.push((place.start, Hit { sign, line: n }));
                }
            }
        });
        of_line.sort_by_key(|(start, _)| *start);
        hits.extend(of_line.into_iter().map(|(_, hit)| hit));
    }
    (hits, named)
}

/// The beginning of the notes, up to the limit, without an incomplete word at the end.
fn beginning(notes: &str) -> &str {
    if notes.len() <= NOTES_LIMIT {
        return notes;
    }
    let start = &notes[..notes.floor_char_boundary(NOTES_LIMIT)];
    start.rfind(char::is_whitespace).map_or(start, |end| &start[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
                "[Microsoft][ODBC Driver 17 for SQL Server][SQL Server]Conversion failed when converting 'x'.",
                "Conversion failed when converting 'x'.",
            ),
            (
                "{\"error\":\"invalid_grant\",\"error_description\":\"Bad Request\"}",
                "invalid_grant: Bad Request",
            ),
            (
                "{\"error\":{\"code\":403,\"message\":\"Permission denied on orders\"}}",
                "Permission denied on orders",
            ),
            ("ERROR: it broke\nHINT: Use the REFRESH MATERIALIZED VIEW command.", "ERROR: it broke"),
            ("SQL syntax error:\nline 1 near 'form'", "SQL syntax error: line 1 near 'form'"),
            ("\nSomething new\nand more of it", "Something new"),
            ("java.lang.RuntimeException: Something new", "Something new"),
        ] {
            assert_eq!(line_of(notes), line);
        }
    }

    #[test]
    fn a_closing_sentence_is_shown_only_if_nothing_else_is_there() {
        let closing = "Unable to connect to the PostgreSQL server \"db.example.com\". Check that the server is running \
                       and that you have access privileges to the requested database.";
        let alone = diagnose(closing);
        assert_eq!(alone.class, CauseClass::Unknown);
        assert!(
            alone.line.starts_with("Unable to connect to the PostgreSQL server \"db.…\"."),
            "{}",
            alone.line
        );
        for notes in [format!("{closing}\nDivision by zero"), format!("Division by zero. {closing}")] {
            let found = diagnose(&notes);
            assert_eq!(
                (found.class, found.line.trim_end_matches('.')),
                (CauseClass::DataType, "Division by zero")
            );
        }
        let new = diagnose(&format!("{closing}\nSomething new"));
        assert_eq!((new.class, new.line.as_str()), (CauseClass::Unknown, "Something new"));
    }

    #[test]
    fn two_equally_strong_classes_are_unknown() {
        let (one, other) = ("Deadlock victim", "Invalid API key");
        assert_eq!(diagnose(one).class, CauseClass::Busy);
        assert_eq!(diagnose(other).class, CauseClass::Credentials);
        assert_eq!(diagnose(&format!("{one}\n{other}")).class, CauseClass::Unknown);
        assert_eq!(diagnose(&format!("{one}\n{other}\nToo many requests")).class, CauseClass::Quota);
    }

    #[test]
    fn the_line_has_no_class_names_and_no_secrets() {
        let notes = "\n java.lang.RuntimeException: com.tableausoftware.nativeapi.exceptions.DataSourceException: \
                     Login failed. Server=db1;Uid=svc;PWD=hunter2;Port=1433\n  at com.tableau.X(Y.java:1)";
        assert_eq!(line_of(notes), "Login failed. Server=db1;Uid=sv…;PWD=[removed];Port=1433");
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
    fn recognised_words_stay_visible_in_a_long_line() {
        for words in [0, 40, 100, 2_000] {
            let line = line_of(&format!("{}division by zero{}", "word ".repeat(words), " word".repeat(100)));
            assert!(line.contains("division by zero") && line.ends_with('…'), "{line}");
            assert_eq!(line.starts_with('…'), words > 60, "{line}");
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
    fn hostile_notes_take_time_in_proportion_to_their_length() {
        let start = std::time::Instant::now();
        for text in [
            "table and column error ",
            "at a.",
            "{",
            "e\n",
            "error 1 ",
            "sql = a,",
            "user \"",
            "permission * ",
        ] {
            diagnose(&text.repeat(64 * 1024 / text.len()));
        }
        // Quadratic time would be many minutes.
        assert!(start.elapsed() < std::time::Duration::from_secs(120), "{:?}", start.elapsed());
    }

    proptest! {
        #[test]
        fn a_line_is_short_and_one_line(notes in "(?s).*") {
            let line = line_of(&notes);
            prop_assert!(line.chars().count() <= 300);
            prop_assert!(!line.contains('\n'));
        }
    }
}
