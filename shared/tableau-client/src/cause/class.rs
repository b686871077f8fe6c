//! Classifies the reason that a failed job's notes give.

use serde::{Deserialize, Serialize};

/// The class of the reason why a refresh failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CauseClass {
    /// The database refused the user name and password, or a token has expired.
    Credentials,
    /// The database accepts the user, but the user may not read the data.
    Permission,
    /// A table or column does not exist any more, or is not visible to the user.
    Schema,
    /// The refresh took longer than Tableau allows.
    TimeLimit,
    /// Tableau ran out of memory or disk space.
    Resources,
    /// Tableau Bridge is not connected.
    Bridge,
    /// The database server could not be reached.
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
    /// None of the classes above for sure. `Other` in records of earlier versions.
    #[serde(alias = "Other")]
    Unknown,
}

/// Texts by which a class is recognised, in lower case. They are searched in this order: a failed login is often
/// reported inside "cannot connect", so more specific texts come first.
const SIGNS: [(CauseClass, &[&str]); 7] = [
    (CauseClass::Bridge, &["tableau bridge", "bridge client", "bridge pool"]),
    (
        CauseClass::Credentials,
        &[
            "login failed",
            "logon failed",
            "logon denied",
            "incorrect username or password",
            "authentication failed",
            "authentication token",
            "access denied for user",
            "invalid username",
            "invalid credentials",
            "ora-01017",
            "invalid_grant",
            "oauth",
            "token has expired",
            "token expired",
            "account is locked",
            "password has expired",
            "password expired",
            "user account has been disabled",
        ],
    ),
    (
        CauseClass::Schema,
        &[
            "invalid column",
            "invalid object name",
            "unknown column",
            "unknown table",
            "does not exist",
            "doesn't exist",
            "no such table",
            "no such column",
            "ora-00942",
            "ora-00904",
            "invalid identifier",
        ],
    ),
    (
        CauseClass::Permission,
        &[
            "permission denied",
            "not authorized",
            "insufficient privilege",
            "access denied",
            "permission was denied",
        ],
    ),
    (
        CauseClass::TimeLimit,
        &[
            "time resource limit",
            "query time",
            "statement timeout",
            "canceling statement",
            "exceeded the time",
            "query execution timed out",
        ],
    ),
    (
        CauseClass::Resources,
        &[
            "out of memory",
            "no space left",
            "disk full",
            "not enough disk",
            "memory limit",
            "disk space",
            "outofmemory",
            "heap space",
        ],
    ),
    (
        CauseClass::Unreachable,
        &[
            "connection refused",
            "could not connect",
            "unable to connect",
            "can't connect",
            "cannot connect",
            "unknown host",
            "could not translate host name",
            "name or service not known",
            "not reachable",
            "connection reset",
            "communication link failure",
            "communications link failure",
            "tcp provider",
            "timed out",
            "timeout expired",
            "network",
            "server was not found",
        ],
    ),
];

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

    /// The class of the reason in a job's notes.
    pub fn of(notes: &str) -> Self {
        let mut classes = SIGNS.iter().map(|(class, _)| *class);
        classes.find(|class| class.shows_in(notes)).unwrap_or(Self::Unknown)
    }

    /// Whether a text contains one of the class's signs.
    pub(super) fn shows_in(self, text: &str) -> bool {
        let text = text.to_lowercase();
        let mut signs = SIGNS.iter().filter(|(class, _)| *class == self).flat_map(|(_, words)| words.iter());
        signs.any(|word| text.contains(word))
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
            Self::Schema => "Table or column missing",
            Self::TimeLimit => "Time limit exceeded",
            Self::Resources => "Out of memory or disk",
            Self::Bridge => "Tableau Bridge",
            Self::Unreachable => "Database unreachable",
            Self::Cancelled => "Cancelled",
            Self::Quota => "Quota used up",
            Self::DataType => "Data does not fit",
            Self::SourceMissing => "File or sheet missing",
            Self::DriverMissing => "Driver missing",
            Self::Engine => "Tableau's engine failed",
            Self::Busy => "Database busy",
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
    fn notes_have_words_of_their_class() {
        for (notes, class) in [
            (
                "[Microsoft][ODBC Driver 17 for SQL Server]Login failed for user 'svc'.",
                CauseClass::Credentials,
            ),
            (
                "Unable to connect to the server: Incorrect username or password was specified.",
                CauseClass::Credentials,
            ),
            ("SQL compilation error: Object 'SALES' does not exist or not authorized.", CauseClass::Schema),
            ("ERROR: permission denied for relation orders", CauseClass::Permission),
            ("The query time resource limit (7200 seconds) was exceeded.", CauseClass::TimeLimit),
            ("connection to server at \"db\" failed: Connection refused", CauseClass::Unreachable),
            ("No Tableau Bridge client is connected", CauseClass::Bridge),
            ("java.lang.OutOfMemoryError: Out of memory", CauseClass::Resources),
            ("Login failed for user 'cambridge_svc'", CauseClass::Credentials),
            ("java.lang.OutOfMemoryError: Java heap space", CauseClass::Resources),
            ("Query execution timed out after 7200 seconds", CauseClass::TimeLimit),
            ("Something new", CauseClass::Unknown),
        ] {
            assert_eq!(CauseClass::of(notes), class, "{notes}");
        }
    }
}
