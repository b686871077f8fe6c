//! The terminal, or whatever reads in its place.
//!
//! `println!` panics when its reader has gone, as `head` does. Here that is an error like any other: every command hands
//! it on, cleans up on its way, and `main` ends without a word.

use std::fmt::{Arguments, Display};
use std::io::{self, Write};

/// Writes a line to standard output. Gives [`Error`] when nobody can read it.
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

/// Says on standard error what went wrong. When nobody reads that either, there is nobody left to tell.
pub(crate) fn problem(what: impl Display) {
    let _ = writeln!(io::stderr().lock(), "error: {}", plain(&what.to_string()));
}

/// The text without what a terminal would obey: control characters, and those that turn the direction of writing.
/// Names of workbooks are chosen by anyone who may publish, and answers come from anywhere.
pub(crate) fn plain(text: &str) -> String {
    let obeyed = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !obeyed(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_steer_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\u{9b}31mc"), "a[2Jb31mc");
        assert_eq!(plain("two\nlines\tand a tab"), "two lines and a tab");
        assert_eq!(plain("gnp.\u{202e}exe"), "gnp.exe");
        assert_eq!(plain("Größe 💡 数字"), "Größe 💡 数字");
    }
}
