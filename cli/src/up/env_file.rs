//! Reads the file with settings (`.env`), with line numbers for errors. Errors never repeat a line: it may contain a
//! secret, even before the `=`.

use crate::files;
use std::cell::Cell;
use std::collections::HashMap;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::rc::Rc;
use workflow::BoxError;

/// A setting in the file.
#[derive(PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) value: String,
    /// The line, counted from 1.
    pub(super) line: usize,
}

/// Reads the settings in a file, by name.
///
/// # Errors
/// The first wrong line, what is wrong, and what would be right.
pub(super) fn read(file: &Path) -> Result<HashMap<String, Setting>, BoxError> {
    let text = files::text(file).map_err(|error| match error.kind() {
        ErrorKind::NotFound => format!("there is no {}", file.display()),
        ErrorKind::InvalidData => format!("{} is not UTF-8 text: save it as UTF-8", file.display()),
        _ => format!("cannot read {}: {error}", file.display()),
    })?;
    parse(&text).map_err(|(line, wrong)| format!("{}:{line}: {wrong}", file.display()).into())
}

fn parse(text: &str) -> Result<HashMap<String, Setting>, (usize, &'static str)> {
    let lines: Vec<&str> = text.lines().collect();
    let read = Rc::new(Cell::new(0));
    let mut parser =
        dotenvy::from_read_iter(LineByLine { rest: text.as_bytes(), line: &[], read: read.clone() });
    let mut settings = HashMap::new();
    loop {
        let before = read.get();
        let Some(setting) = parser.next() else { return Ok(settings) };
        // The parser skips empty lines, and reads on to the line that ends a quotation.
        let has_setting = |line: &&usize| lines.get(**line).is_some_and(|line| !is_empty(line));
        let first =
            (before..read.get()).collect::<Vec<_>>().iter().find(has_setting).copied().unwrap_or(before);
        let line = first + 1;
        match setting {
            Ok((name, value)) => drop(settings.insert(name, Setting { value, line })),
            // The parser's own error text repeats the line, so it is left out.
            Err(_) => {
                let text = lines.get(first..read.get().min(lines.len())).unwrap_or_default().join("\n");
                return Err((line, wrong(&text)));
            }
        }
    }
}

fn is_empty(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

/// What is wrong with a setting that the parser refuses, and what would be right.
fn wrong(setting: &str) -> &'static str {
    const FORM: &str = "this is not NAME=value";
    let setting = setting.trim();
    let setting = setting.strip_prefix("export ").unwrap_or(setting);
    let Some((name, value)) = setting.split_once('=') else { return FORM };
    let name = name.trim();
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    if name.is_empty() {
        return "there is no name before the `=`: write NAME=value";
    }
    if !name.chars().all(is_of_name) || name.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return "the name before the `=` has a wrong character: write NAME=value, with letters, digits and `_` in \
                the name";
    }
    wrong_value(value.trim()).unwrap_or(FORM)
}

/// What is wrong with a value, by the parser's rules.
fn wrong_value(value: &str) -> Option<&'static str> {
    const UNQUOTED: &str = "a value with a space goes between single quotes: NAME='value'";
    let mut chars = value.chars().peekable();
    let mut quote = None;
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('\''), _) => {}
            (_, '\\') => match chars.next() {
                Some('\\' | '\'' | '"' | '$' | ' ' | 'n') => {}
                _ => return Some("a value with a backslash goes between single quotes: NAME='value'"),
            },
            (_, '$') if chars.peek() == Some(&'{') && !chars.clone().any(|c| c == '}') => {
                return Some("a value with `${` goes between single quotes: NAME='value'");
            }
            (None, '\'' | '"') => quote = Some(c),
            (None, ' ' | '\t') => {
                let next = chars.find(|c| !matches!(c, ' ' | '\t'));
                return next.filter(|next| *next != '#').map(|_| UNQUOTED);
            }
            _ => {}
        }
    }
    quote.map(|_| "the quotation mark that begins the value is not closed: end the value with the same mark")
}

/// Passes a text on line by line, so that the caller knows which line the parser has reached.
struct LineByLine<'a> {
    rest: &'a [u8],
    /// The unread rest of the present line.
    line: &'a [u8],
    /// The number of lines begun so far.
    read: Rc<Cell<usize>>,
}

impl Read for LineByLine<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.line.is_empty() && !self.rest.is_empty() {
            let end = self.rest.iter().position(|byte| *byte == b'\n').map_or(self.rest.len(), |at| at + 1);
            (self.line, self.rest) = self.rest.split_at(end);
            self.read.set(self.read.get() + 1);
        }
        let size = self.line.len().min(buffer.len());
        buffer[..size].copy_from_slice(&self.line[..size]);
        self.line = &self.line[size..];
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_has_the_line_that_it_begins_on() {
        let text = "# a comment\n\nA=1\nB='x\ny'\n  # more\nexport C=\"3\" # why\r\n\nD=\n";
        let settings = parse(text).ok().unwrap();
        let mut lines: Vec<(&str, &str, usize)> = settings
            .iter()
            .map(|(name, setting)| (name.as_str(), setting.value.as_str(), setting.line))
            .collect();
        lines.sort_unstable();
        assert_eq!(lines, [("A", "1", 3), ("B", "x\ny", 4), ("C", "3", 7), ("D", "", 9)]);
    }

    #[test]
    fn a_wrong_line_is_named_by_its_number_with_what_is_wrong_and_without_what_it_holds() {
        for (text, line, expected) in [
            ("A=1\nhunter2\n", 2, "this is not NAME=value"),
            ("\n# why\nhunter2", 3, "this is not NAME=value"),
            ("=hunter2\n", 1, "there is no name"),
            ("A=1\n\nhunter-2=x\n", 3, "the name before the `=`"),
            ("2hunter=x\n", 1, "the name before the `=`"),
            ("A=1\nB=hunter2 x\nC=1\n", 2, "a value with a space"),
            ("A=\"hunter2\" x\n", 1, "a value with a space"),
            ("A=hunter2\\x\n", 1, "a value with a backslash"),
            ("A=\"hunter2\\x\"\n", 1, "a value with a backslash"),
            ("A='1'\nB='hunter2\nC=1\nD=1\n", 2, "the quotation mark"),
            ("B=\"hunter2", 1, "the quotation mark"),
            ("B=hunter${2\n", 1, "a value with `${`"),
        ] {
            let (found, wrong) = parse(text).err().unwrap();
            assert!(found == line && wrong.starts_with(expected), "{text}: {found}: {wrong}");
            assert!(!wrong.contains("hunter"), "{wrong}");
        }
    }
}
