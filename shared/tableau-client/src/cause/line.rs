//! A job's notes on one line, without what chat should not show.

use super::CauseClass;

/// Chat messages are for reading.
const LINE_LIMIT: usize = 300;

/// The line that tells what `class` says, or else the first with something to say; without the names of Java classes
/// around it, without secrets, and short.
pub(super) fn one_line(notes: &str, class: CauseClass) -> String {
    let mut lines = notes.lines().map(|line| strip_classes(line.trim())).filter(|line| !line.is_empty());
    let first = lines.clone().next().unwrap_or_default();
    let line = redact(lines.find(|line| class.shows_in(line)).unwrap_or(first));
    if line.chars().count() <= LINE_LIMIT {
        return line;
    }
    let short: String = line.chars().take(LINE_LIMIT - 1).collect();
    format!("{}…", short.trim_end())
}

/// `java.lang.RuntimeException: com.x.YException: text` → `text`.
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

/// Words before a secret in a connection string, a URL or JSON.
const SECRET_KEYS: [&str; 11] = [
    "password",
    "passwd",
    "pwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "accountkey",
    "access_key",
    "sig",
    "passphrase",
];

/// Notes may repeat a connection string: what follows a word for a secret and `=` or `:`, and the user part of a URL,
/// become an ellipsis.
fn redact(line: &str) -> String {
    let without_users = redact_users(line);
    let mut out = String::with_capacity(without_users.len());
    let mut rest = without_users.as_str();
    while let Some((before, after)) = next_secret(rest) {
        out.push_str(before);
        out.push('…');
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The text up to the first secret, and the text behind it.
fn next_secret(text: &str) -> Option<(&str, &str)> {
    // Only ASCII is folded, so that positions in both texts are the same.
    let lower = text.to_ascii_lowercase();
    let starts = SECRET_KEYS.iter().flat_map(|key| lower.match_indices(key).map(|(at, key)| at + key.len()));
    let start = starts.filter_map(|end| value_after(text, end)).min()?;
    let value = &text[start..];
    let end = match value.chars().next()? {
        quote @ ('"' | '\'') => value[1..].find(quote).map_or(value.len(), |end| end + 2),
        '{' => value.find('}').map_or(value.len(), |end| end + 1),
        _ => value.find(|c: char| c.is_whitespace() || ";&,)}\"'".contains(c)).unwrap_or(value.len()),
    };
    Some((&text[..start], &value[end..]))
}

/// Where the value begins, if `=` or `:` stands behind the word that ends at `end`.
fn value_after(text: &str, end: usize) -> Option<usize> {
    let rest = &text[end..];
    let rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest).trim_start();
    let value = rest.strip_prefix(['=', ':'])?.trim_start();
    (!value.is_empty() && !value.starts_with('…')).then(|| text.len() - value.len())
}

/// `postgres://svc:hunter2@db/sales` → `postgres://…@db/sales`.
fn redact_users(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        out.push_str(head);
        let host = tail.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(tail.len());
        rest = match tail[..host].rfind('@') {
            Some(user) => {
                out.push('…');
                &tail[user..]
            }
            None => tail,
        };
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line_of(notes: &str) -> String {
        one_line(notes, CauseClass::of(notes))
    }

    #[test]
    fn the_line_is_the_one_that_tells_the_cause() {
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
            ("\nSomething nobody has seen\nand more of it", "Something nobody has seen"),
        ] {
            assert_eq!(line_of(notes), line);
        }
    }

    #[test]
    fn the_line_has_no_class_names_and_no_secrets() {
        let notes = "\n java.lang.RuntimeException: com.tableausoftware.nativeapi.exceptions.DataSourceException: \
                     Login failed. Server=db1;Uid=svc;PWD=hunter2;Port=1433\n  at com.tableau.X(Y.java:1)";
        assert_eq!(line_of(notes), "Login failed. Server=db1;Uid=svc;PWD=…;Port=1433");
        assert_eq!(line_of("Error: 5: text"), "Error: 5: text");
    }

    #[test]
    fn a_password_never_shows() {
        for notes in [
            "PWD=hunter2;Port=1",
            "Password = hunter2",
            "password: hunter2",
            r#"{"password":"hunter2"}"#,
            r#"{"password" : "hunter2 and more"}"#,
            "postgres://svc:hunter2@db/sales",
            "jdbc:x://svc:p@ss:hunter2@db:5432 failed",
            "AccountKey=hunter2==;End",
            "PWD={hun;ter2};hunter=1",
            "Password=\"hun ter2\" x",
            "sig=hunter2&se=1, token=hunter2",
        ] {
            let line = redact(notes);
            assert!(!line.contains("hunter2") && !line.contains("ter2"), "{notes} → {line}");
        }
        assert_eq!(redact("Server=db;Uid=svc;PWD=x;Port=1"), "Server=db;Uid=svc;PWD=…;Port=1");
        assert_eq!(redact("The OAuth token has expired."), "The OAuth token has expired.");
    }

    proptest! {
        #[test]
        fn a_line_is_short_and_one_line(notes in "(?s).*") {
            let line = line_of(&notes);
            prop_assert!(line.chars().count() <= LINE_LIMIT);
            prop_assert!(!line.contains('\n'));
        }

        #[test]
        fn no_notes_break_the_redaction(notes in "(?s)[a-z:=;{}'\"@/ pwdsecrt]*") {
            let _ = redact(&notes);
        }
    }
}
