//! The classes of reasons why a refresh fails.

use serde::{Deserialize, Serialize};

/// The class of the reason why a refresh failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CauseClass {
    /// The database refused the user name and password, or a token has expired.
    Credentials,
    /// The database accepts the user, but the user may not read the data.
    Permission,
    /// A table or column does not exist any more or is not visible to the user, or the query does not fit it.
    Schema,
    /// The refresh or its query took longer than Tableau or the source allows.
    TimeLimit,
    /// Tableau or the source ran out of memory or disk space.
    Resources,
    /// Tableau Bridge is not connected.
    Bridge,
    /// The source could not be reached.
    Unreachable,
    /// A person cancelled the refresh or the query.
    Cancelled,
    /// Credits, billing or a limit on calls or bytes of the source are used up.
    Quota,
    /// A value does not fit its type, or the data is not in the form that the query needs.
    DataType,
    /// A file, sheet, folder or page was moved, renamed or deleted.
    SourceMissing,
    /// A driver is not installed, or too old.
    DriverMissing,
    /// Tableau's own engine or worker failed.
    Engine,
    /// Too many connections, a lock or a conflict: the same refresh may succeed when it runs again.
    Busy,
    /// None of the classes above for sure. `Other` in records of earlier versions; also a class of a later version.
    #[serde(alias = "Other", other)]
    Unknown,
}

impl CauseClass {
    /// Every class.
    pub const ALL: [Self; 15] = [
        Self::Credentials,
        Self::Permission,
        Self::Unreachable,
        Self::TimeLimit,
        Self::Cancelled,
        Self::Resources,
        Self::Quota,
        Self::Schema,
        Self::DataType,
        Self::SourceMissing,
        Self::DriverMissing,
        Self::Bridge,
        Self::Engine,
        Self::Busy,
        Self::Unknown,
    ];

    /// The class with this name, as rules and metrics have it.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// Its name, as rules and metrics have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Credentials => "Credentials",
            Self::Permission => "Permission",
            Self::Schema => "Schema",
            Self::TimeLimit => "TimeLimit",
            Self::Resources => "Resources",
            Self::Bridge => "Bridge",
            Self::Unreachable => "Unreachable",
            Self::Cancelled => "Cancelled",
            Self::Quota => "Quota",
            Self::DataType => "DataType",
            Self::SourceMissing => "SourceMissing",
            Self::DriverMissing => "DriverMissing",
            Self::Engine => "Engine",
            Self::Busy => "Busy",
            Self::Unknown => "Unknown",
        }
    }

    /// The class in words.
    pub fn title(self) -> &'static str {
        match self {
            Self::Credentials => "Credentials refused",
            Self::Permission => "No permission",
            Self::Schema => "Table, column or query not valid",
            Self::TimeLimit => "Time limit exceeded",
            Self::Resources => "Out of memory or disk",
            Self::Bridge => "Tableau Bridge",
            Self::Unreachable => "Source unreachable",
            Self::Cancelled => "Cancelled",
            Self::Quota => "Quota used up",
            Self::DataType => "Data does not fit",
            Self::SourceMissing => "File or sheet missing",
            Self::DriverMissing => "Driver missing",
            Self::Engine => "Tableau's engine failed",
            Self::Busy => "Source busy",
            Self::Unknown => "Error",
        }
    }

    /// What the owner can do about a failure of this class.
    pub fn next_step(self) -> &'static str {
        match self {
            Self::Credentials => {
                "Check the user and password saved with the connection, then run the refresh again."
            }
            Self::Permission => {
                "Have the connection's database user granted access to the data, then run the refresh again."
            }
            Self::Schema => {
                "A table or column was renamed, removed or is no longer granted: adapt the data source and publish it again."
            }
            Self::TimeLimit => {
                "Make the query faster or refresh incrementally, or ask an administrator for a longer limit."
            }
            Self::Resources => {
                "Extract less data, or ask an administrator to look at the server's memory and disk."
            }
            Self::Bridge => "Check that the Tableau Bridge client runs and is connected to the site.",
            Self::Unreachable => {
                "Check that the database is up and that Tableau may reach it, then run the refresh again."
            }
            Self::Cancelled => "Run the refresh again, or ask who cancelled it.",
            Self::Quota => {
                "Have the source's quota or limit raised, or run the refresh when it starts again."
            }
            Self::DataType => {
                "Correct the value in the data, or convert it in the custom SQL or the data source."
            }
            Self::SourceMissing => {
                "Put the file or sheet back, or connect the data source to its new place and publish it again."
            }
            Self::DriverMissing => "Have an administrator install the driver on every node of the server.",
            Self::Engine => {
                "Run the refresh again; if it fails again, ask a Tableau administrator to look at the logs."
            }
            Self::Busy => "Run the refresh again, at a quieter time if it fails again.",
            Self::Unknown => "Open the job's details in Tableau.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_of_another_version_is_unknown() {
        for class in CauseClass::ALL {
            assert_eq!(serde_json::to_value(class).unwrap(), class.name());
            assert_eq!(serde_json::from_value::<CauseClass>(class.name().into()).unwrap(), class);
        }
        for name in ["Other", "OfALaterVersion"] {
            assert_eq!(
                serde_json::from_value::<CauseClass>(name.into()).unwrap(),
                CauseClass::Unknown,
                "{name}"
            );
        }
    }
}
