//! The keys of documents.

use std::fmt;
use std::str::FromStr;

/// The longest partition key that DynamoDB accepts, in bytes.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const LIMIT_BYTES: usize = 2_048;

/// A document's key: `{kind}#{name}`. The kind consists of lower-case letters and hyphens; IAM policies and request
/// counts refer to it. The name is any text without secrets: keys are logged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

/// The error that a text is not a valid key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKey {
    /// The part before the first `#` is missing, or has characters other than lower-case letters and hyphens.
    #[error("a key begins with its kind, in lower-case letters and hyphens, and `#`")]
    Kind,
    /// Nothing follows the kind.
    #[error("a key of the kind `{0}` needs a name after `#`")]
    NoName(String),
    /// The key is longer than DynamoDB accepts.
    #[error("a key of the kind `{kind}` has {bytes} bytes: {LIMIT_BYTES} is the most")]
    TooLong {
        /// The key's kind.
        kind: String,
        /// The key's length in bytes.
        bytes: usize,
    },
}

impl Key {
    /// Creates the key of the document `name` of this kind.
    ///
    /// # Errors
    /// [`InvalidKey`].
    pub fn new(kind: &str, name: &str) -> Result<Self, InvalidKey> {
        format!("{kind}#{name}").parse()
    }

    /// The whole key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key's kind: the part before the first `#`.
    pub fn kind(&self) -> &str {
        self.0.split('#').next().unwrap_or_default()
    }
}

impl FromStr for Key {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let (kind, name) = text.split_once('#').ok_or(InvalidKey::Kind)?;
        if kind.is_empty() || !kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') {
            return Err(InvalidKey::Kind);
        }
        let kind = kind.to_owned();
        match text.len() {
            _ if name.is_empty() => Err(InvalidKey::NoName(kind)),
            bytes if bytes > LIMIT_BYTES => Err(InvalidKey::TooLong { kind, bytes }),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_a_kind_and_a_name_and_fits_dynamodb() {
        let long = format!("board#{}", "x".repeat(LIMIT_BYTES - 6));
        for text in ["board#a", "incident#notify-slack#data ü", "a-b#\n", long.as_str()] {
            let key: Key = text.parse().unwrap();
            assert_eq!((key.as_str(), key.to_string().as_str()), (text, text));
            assert_eq!(key.kind(), text.split('#').next().unwrap());
        }
        for text in ["", "board", "#a", "Board#a", "b 1#a", "ü#a"] {
            assert_eq!(text.parse::<Key>(), Err(InvalidKey::Kind), "{text}");
        }
        assert_eq!(Key::new("board", ""), Err(InvalidKey::NoName("board".to_owned())));
        let too_long = InvalidKey::TooLong { kind: "board".to_owned(), bytes: 2_049 };
        assert_eq!(format!("{long}x").parse::<Key>(), Err(too_long));
    }
}
