//! One version of the rules. No I/O.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::{self, Write as _};

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
    /// By `rules rollback`, from this version.
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
}

pub(crate) fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}
