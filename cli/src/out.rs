//! Writes to the terminal, or to the program that reads the output.
//!
//! `println!` panics when its reader has ended, as `head` does. Here that is an error like any other: commands return
//! it, clean up, and `main` ends the program without a message.

use crate::colour::is_coloured;
use anstyle::{AnsiColor, Style};
use plain_text::visible;
use std::fmt::{Arguments, Display};
use std::io::{self, IsTerminal, Write};
use terminal_size::terminal_size;

/// The width of the output if it is not a terminal.
const USUAL_WIDTH: usize = 80;

/// Writes a line to standard output. Returns [`Error`] when nothing reads the output any more.
macro_rules! line {
    () => {
        $crate::out::write(format_args!(""))
    };
    ($($part:tt)+) => {
        $crate::out::write(format_args!($($part)+))
    };
}
pub(crate) use line;

/// The error that a line could not be written.
#[derive(Debug)]
pub(crate) struct Error(io::Error);

impl Error {
    /// Whether the reader of the output has ended, which is normal for programs such as `head`.
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

/// The function behind the macro `line!`.
pub(crate) fn write(line: Arguments<'_>) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(Error)
}

/// The width of standard output in columns.
pub(crate) fn width() -> usize {
    let size = || terminal_size().map(|(width, _)| usize::from(width.0)).filter(|width| *width > 0);
    // Some terminals, such as those that scripts create, do not report a width.
    io::stdout().is_terminal().then(size).flatten().unwrap_or(USUAL_WIDTH)
}

/// Writes an error to standard error. If that fails, nothing more can be done.
pub(crate) fn problem(what: impl Display) {
    let style = if is_coloured(&io::stderr()) { AnsiColor::Red.on_default().bold() } else { Style::new() };
    let _ = writeln!(io::stderr().lock(), "{style}error:{style:#} {}", plain(&what.to_string()));
}

/// Writes a note to standard error.
pub(crate) fn note(what: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{}", plain(&what.to_string()));
}

/// `1 event`, `2 events`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// The text on one line, without characters that control a terminal or are invisible. Any user who may publish
/// chooses names of workbooks, and answers may come from any server.
pub(crate) fn plain(text: &str) -> String {
    visible(text).chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect()
}

fn is_obeyed(c: char) -> bool {
    c.is_control() || plain_text::is_invisible(c) || matches!(c, '\u{2028}' | '\u{2029}')
}

/// The value as JSON on one line. Characters that control a terminal or are invisible are escaped, which does not
/// change the value.
pub(crate) fn json(value: &impl serde::Serialize) -> String {
    let json = serde_json::to_string(value).unwrap_or_default();
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if !is_obeyed(c) {
            shown.push(c);
            continue;
        }
        // Characters outside ASCII occur only in JSON strings, where they may be escaped.
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
