//! Why a rules file is not right.

use std::path::PathBuf;

/// Why there are no rules.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the rules file {}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
    /// Something in it is wrong.
    #[error("line {line}: {problem}")]
    Wrong {
        /// Counted from 1.
        line: u64,
        /// What is wrong there.
        problem: String,
    },
    /// A workflow does not understand what a rule says to it.
    #[error("line {line}, rule `{rule}`: {problem}")]
    Settings {
        /// Counted from 1.
        line: u64,
        /// The rule's name.
        rule: String,
        /// What is wrong with its settings.
        problem: String,
    },
}
