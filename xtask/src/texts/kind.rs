//! A text that was found, and what it is for.

use std::fmt::{self, Display};

/// What a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// What `--help` prints.
    Help,
    /// Why something failed.
    Error,
    /// A line of a log.
    Log,
    /// What is sent to Slack, and why a workflow had nothing to do.
    Message,
    /// What a program prints.
    Output,
    /// A heading of a page.
    Heading,
    /// What template.yaml says in the AWS console.
    Template,
    /// A comment of the code.
    Comment,
    /// The name of a module or of a public item.
    Name,
}

impl Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Help => "help",
            Self::Error => "error",
            Self::Log => "log",
            Self::Message => "message",
            Self::Output => "output",
            Self::Heading => "heading",
            Self::Template => "template",
            Self::Comment => "comment",
            Self::Name => "name",
        })
    }
}

/// A text, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) kind: Kind,
    pub(super) file: String,
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) text: String,
}

impl Text {
    /// `KIND<TAB>FILE:LINE<TAB>TEXT`, on one line.
    pub(super) fn line(&self) -> String {
        let text = self.text.trim().replace('\n', "\\n").replace('\t', "\\t");
        format!("{}\t{}:{}\t{text}", self.kind, self.file, self.line)
    }
}
