//! Versions of the REST API.

use std::fmt;
use std::str::FromStr;

/// A version of the REST API, such as 3.29. 3.10 comes after 3.9.
///
/// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_concepts_versions.htm>
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RestVersion {
    /// The major version: the number before the point.
    pub major: u16,
    /// The minor version: the number after the point.
    pub minor: u16,
}

impl RestVersion {
    /// The oldest supported version.
    pub(crate) const FIRST: Self = Self { major: 2, minor: 4 };

    /// The Tableau release with this REST version.
    pub(crate) fn product(self) -> &'static str {
        match (self.major, self.minor) {
            (3, 29..) => "2026.2.0",
            (3, 28) => "2026.1.0",
            (3, 27) => "2025.3.0",
            (3, 26) => "2025.2.0",
            (3, 25) => "2025.1.0",
            (3, 24) => "2024.3.0",
            (3, 23) => "2024.2.0",
            (3, 21..) => "2023.3.0",
            (3, 19..) => "2023.1.0",
            (3, 9..) => "2020.3.0",
            (3, 8) => "2020.2.0",
            (3, 6..) => "2019.4.0",
            _ => "2019.1.0",
        }
    }
}

impl FromStr for RestVersion {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (major, minor) = text.split_once('.').unwrap_or((text, ""));
        Ok(Self { major: major.parse()?, minor: minor.parse()? })
    }
}

impl fmt::Display for RestVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_two_numbers() {
        let version = |text: &str| text.parse::<RestVersion>().unwrap();
        assert!(version("3.10") > version("3.9"));
        assert!(version("2.8") < version("3.1"));
        assert!("3".parse::<RestVersion>().is_err() && "exp".parse::<RestVersion>().is_err());
    }
}
