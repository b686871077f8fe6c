//! REST API versions.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A REST API version, such as `3.10`. Version `3.10` is newer than `3.9`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ApiVersion {
    major: u16,
    minor: u16,
}

/// The error that a text is not a REST API version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a REST API version: two numbers with a dot between are expected, such as 3.24")]
pub struct InvalidVersion;

impl ApiVersion {
    /// The version with which `serverinfo` can be asked on every server since Tableau 10.1.
    pub(crate) const SERVER_INFO: Self = Self { major: 2, minor: 4 };
    /// Creates a version from its two numbers.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }

    /// The newest version that this client supports (Tableau 2026.3).
    pub const NEWEST: Self = Self { major: 3, minor: 30 };
}

impl FromStr for ApiVersion {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let (major, minor) = text.trim().split_once('.').ok_or(InvalidVersion)?;
        let number = |text: &str| text.parse().map_err(|_| InvalidVersion);
        Ok(Self { major: number(major)?, minor: number(minor)? })
    }
}

impl TryFrom<String> for ApiVersion {
    type Error = InvalidVersion;

    fn try_from(text: String) -> Result<Self, InvalidVersion> {
        text.parse()
    }
}

impl From<ApiVersion> for String {
    fn from(version: ApiVersion) -> String {
        version.to_string()
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_two_numbers() {
        let version = |text: &str| text.parse::<ApiVersion>().unwrap();
        assert!(version("3.10") > version("3.9"));
        assert_eq!(version("3.20").to_string(), "3.20");
        for text in ["3", "3.x", "", "3.2.1", "-3.1"] {
            assert!(text.parse::<ApiVersion>().is_err(), "{text}");
        }
    }
}
