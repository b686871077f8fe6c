//! One version of the rules. No I/O.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::{self, Write as _};
use store::records::Record;
use workflow::BoxError;

/// One version of the rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Counts versions, from 1.
    pub number: u64,
    /// When it was published.
    pub published_at: Timestamp,
    /// Who published it, as AWS or the operating system names the user. Empty if not known.
    #[serde(default)]
    pub published_by: String,
    /// How it was published.
    pub source: Source,
    /// The ARN of the layer with the file: of the stack deploy that published this version, or of the one that this version takes
    /// back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// The SHA-256 of the file of the last stack deploy, whose text need not be in force. Empty if there was none. `None` in
    /// versions of programs that did not note it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_file: Option<String>,
    /// The text of the file, with its comments.
    pub text: String,
    /// The JSON form, which functions read.
    pub form: String,
}

/// How a version was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "how", content = "of")]
pub enum Source {
    /// By `rules deploy`.
    RulesDeploy,
    /// By a deploy of the stack, whose file had changed.
    StackDeploy,
    /// By `rules rollback`, or since a deploy of the stack was rolled back: from this version.
    Rollback(u64),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RulesDeploy => f.write_str("rules deploy"),
            Self::StackDeploy => f.write_str("stack deploy"),
            Self::Rollback(version) => write!(f, "rollback to version {version}"),
        }
    }
}

impl Version {
    /// The SHA-256 of the text, in hexadecimal digits.
    pub fn sha256(&self) -> String {
        sha256(&self.text)
    }

    /// The SHA-256 of the file of the last stack deploy, if this version says it.
    pub(crate) fn stack_file(&self) -> Option<String> {
        let is_of_stack = self.source == Source::StackDeploy;
        self.stack_file.clone().or_else(|| is_of_stack.then(|| self.sha256()))
    }
}

/// The record of the version in force as it was when it was read: counts its changes. 0 if there was none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen(pub(crate) u64);

/// What is in force, as an author sees it before publishing.
#[derive(Clone, Debug)]
pub enum InForce {
    /// There is no version in force.
    Nothing,
    /// This version.
    Version(Box<Version>, Seen),
    /// A version that cannot be read, and why.
    Damaged(String, Seen),
}

impl InForce {
    /// The number of the version, 0 for none. `None` where it is not known.
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Nothing => Some(0),
            Self::Version(version, _) => Some(version.number),
            Self::Damaged(..) => None,
        }
    }

    /// The text, as far as there is one.
    pub fn text(&self) -> &str {
        match self {
            Self::Version(version, _) => &version.text,
            Self::Nothing | Self::Damaged(..) => "",
        }
    }

    pub(crate) fn seen(&self) -> Seen {
        match self {
            Self::Nothing => Seen(0),
            Self::Version(_, seen) | Self::Damaged(_, seen) => *seen,
        }
    }
}

pub(crate) fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// The version in a record.
pub(crate) fn read(record: &Record) -> Result<Version, BoxError> {
    serde_json::from_str(&record.text).map_err(|error| format!("the version is damaged: {error}").into())
}
