//! The terminal, or whatever reads in its place.
//!
//! `println!` panics when its reader has gone, as `head` does. Here that is an error like any other: every command hands
//! it on, cleans up on its way, and `main` ends without a word.

use crate::colour::is_coloured;
use anstyle::{AnsiColor, Style};
use plain_text::visible;
use std::fmt::{Arguments, Display};
use std::io::{self, IsTerminal, Write};
use terminal_size::terminal_size;

/// How many columns there are where no terminal says.
const USUAL_WIDTH: usize = 80;

/// Writes a line to standard output. Gives [`Error`] when it has no reader any more.
macro_rules! line {
    () => {
        $crate::out::write(format_args!(""))
    };
    ($($part:tt)+) => {
        $crate::out::write(format_args!($($part)+))
    };
}
pub(crate) use line;

/// A line could not be written.
#[derive(Debug)]
pub(crate) struct Error(io::Error);

impl Error {
    /// Whether the reader has gone, which is its right.
    pub(crate) fn reader_has_gone(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self(error)
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cannot write to standard output")
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// What `line!` calls.
pub(crate) fn write(line: Arguments<'_>) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(Error)
}

/// How many columns standard output has.
pub(crate) fn width() -> usize {
    let size = || terminal_size().map(|(width, _)| usize::from(width.0)).filter(|width| *width > 0);
    // Some terminals, such as those of scripts, do not know how wide they are.
    io::stdout().is_terminal().then(size).flatten().unwrap_or(USUAL_WIDTH)
}

/// Writes what went wrong to standard error. Without a reader of that there is nothing more to do.
pub(crate) fn problem(what: impl Display) {
    let style = if is_coloured(&io::stderr()) { AnsiColor::Red.on_default().bold() } else { Style::new() };
    let _ = writeln!(io::stderr().lock(), "{style}error:{style:#} {}", plain(&what.to_string()));
}

/// Says something beside the output, on standard error.
pub(crate) fn note(what: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{}", plain(&what.to_string()));
}

/// The text on one line, without what a terminal would obey or a reader would not see: control characters, those that change
/// the direction of writing, invisible ones. Names of workbooks are chosen by anyone who may publish, and answers come from
/// anywhere.
pub(crate) fn plain(text: &str) -> String {
    visible(text).chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect()
}

fn is_obeyed(c: char) -> bool {
    c.is_control() || plain_text::is_invisible(c) || matches!(c, '\u{2028}' | '\u{2029}')
}

/// The value as JSON on one line, in which what a terminal would obey or a reader would not see is escaped: the value stays
/// the same.
pub(crate) fn json(value: &impl serde::Serialize) -> String {
    let json = serde_json::to_string(value).unwrap_or_default();
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if !is_obeyed(c) {
            shown.push(c);
            continue;
        }
        // Beyond ASCII there are only strings.
        for unit in c.encode_utf16(&mut [0; 2]) {
            shown.push_str(&format!("\\u{unit:04x}"));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_steer_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\u{9b}31mc"), "abc");
        assert_eq!(plain("two\nlines\tand a tab"), "two lines and a tab");
        assert_eq!(plain("gnp.\u{202e}e\u{61c}x\u{200b}e\u{3164}"), "gnp.exe");
        assert_eq!(plain("Größe 💡 数字"), "Größe 💡 数字");
    }

    #[test]
    fn json_cannot_steer_the_terminal_and_says_the_same() {
        let text = "a\u{1b}[2J\u{7f}\u{9b}31m \u{202e}\u{61c}\u{e0041}\n ü💡";
        let shown = json(&text);
        assert!(!shown.chars().any(is_obeyed), "{shown:?}");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
    }
}
