//! Reduces a job's notes to one line that may be shown in a chat.

use super::CauseClass;
use plain_text::{REMOVED, without_secrets};

/// The longest line, in characters.
const LINE_LIMIT: usize = 300;
/// How many bytes of the notes are read. Tableau's notes have only a few lines.
const NOTES_LIMIT: usize = 256 * 1024;

/// Returns the line of the notes that shows `class`, or else the first line with any text. Removes Java class names,
/// secrets and invisible characters, and shortens the line.
pub(super) fn one_line(notes: &str, class: CauseClass) -> String {
    // Secrets are removed before anything is cut: half of a secret is not recognised, and a secret may continue on
    // the next line.
    let notes = without_secrets(beginning(notes));
    let lines = || notes.lines().map(|line| strip_classes(line.trim())).filter(|line| !line.is_empty());
    let of_class = lines().find(|line| class.shows_in(line));
    let line = of_class.or_else(|| lines().find(|line| says_something(line))).or_else(|| lines().next());
    short(line.unwrap_or_default())
}

/// The beginning of the notes, up to the limit, without an incomplete word at the end.
fn beginning(notes: &str) -> &str {
    if notes.len() <= NOTES_LIMIT {
        return notes;
    }
    let start = &notes[..notes.floor_char_boundary(NOTES_LIMIT)];
    start.rfind(char::is_whitespace).map_or(start, |end| &start[..end])
}

/// Whether a line contains words besides `[removed]`.
fn says_something(line: &str) -> bool {
    line.replace(REMOVED, "").contains(char::is_alphanumeric)
}

fn short(line: &str) -> String {
    if line.chars().count() <= LINE_LIMIT {
        return line.to_owned();
    }
    let mut short: String = line.chars().take(LINE_LIMIT - 1).collect();
    // Half of `[removed]` would look like a part of the note, so it is cut off too.
    if let Some(at) = short.rfind('[')
        && short.len() - at < REMOVED.len()
        && REMOVED.starts_with(&short[at..])
    {
        short.truncate(at);
    }
    format!("{}…", short.trim_end())
}

/// Removes Java class names: `java.lang.RuntimeException: com.x.YException: text` becomes `text`.
fn strip_classes(mut line: &str) -> &str {
    while let Some((head, rest)) = line.split_once(':') {
        let is_class = head.contains('.') && (head.ends_with("Exception") || head.ends_with("Error"));
        if !is_class || head.contains(char::is_whitespace) {
            break;
        }
        line = rest.trim_start();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line_of(notes: &str) -> String {
        one_line(notes, CauseClass::of(notes))
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
            ("\nSomething new\nand more of it", "Something new"),
        ] {
            assert_eq!(line_of(notes), line);
        }
    }

    #[test]
    fn the_line_has_no_class_names_and_no_secrets() {
        let notes = "\n java.lang.RuntimeException: com.tableausoftware.nativeapi.exceptions.DataSourceException: \
                     Login failed. Server=db1;Uid=svc;PWD=hunter2;Port=1433\n  at com.tableau.X(Y.java:1)";
        assert_eq!(line_of(notes), "Login failed. Server=db1;Uid=svc;PWD=[removed];Port=1433");
        assert_eq!(line_of("Error: 5: text"), "Error: 5: text");
    }

    #[test]
    fn secrets_are_removed_from_the_whole_notes_before_a_line_is_chosen_and_cut() {
        for (notes, line) in [
            ("Password:\nhunter2\nLogin failed for user 'svc'.", "Login failed for user 'svc'."),
            (
                "-----BEGIN PRIVATE KEY-----\nMIIEvQ\nhunter2\n-----END PRIVATE KEY-----\nThe key was refused",
                "The key was refused",
            ),
            ("The key was refused:\n-----BEGIN PRIVATE KEY-----\nhunter2", "The key was refused:"),
            ("-----BEGIN PRIVATE KEY-----\nhunter2", "[removed]"),
            ("pass\u{200b}word=hunter2 was refused\u{202e}", "password=[removed] was refused"),
            ("log\u{200b}in failed: x", "login failed: x"),
        ] {
            assert_eq!(one_line(notes, CauseClass::of(&plain_text::visible(notes))), line, "{notes:?}");
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

    proptest! {
        #[test]
        fn a_line_is_short_and_one_line(notes in "(?s).*") {
            let line = line_of(&notes);
            prop_assert!(line.chars().count() <= LINE_LIMIT);
            prop_assert!(!line.contains('\n'));
        }
    }
}
