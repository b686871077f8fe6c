//! Why an extract refresh failed.
//!
//! Tableau sends neither the reason nor the job with the event, so the job is looked for: among the refreshes
//! that failed about then, the one of this workbook or data source. Its notes are the reason.

use crate::{Error, Job, JobFilter, JobSummary, TableauClient};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tableau::{Event, JobLuid};

/// Why a refresh failed, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What kind of reason it is.
    pub class: CauseClass,
    /// The job's own words, on one line of at most 300 characters, without passwords.
    pub line: String,
    /// The job.
    pub job: JobLuid,
}

/// What kind of reason a failure has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CauseClass {
    /// The data source did not accept user and password, or a token ran out.
    Credentials,
    /// The user is known but may not read the data.
    Permission,
    /// A table or column is not there any more, or not to be seen.
    Schema,
    /// It took longer than Tableau allows.
    TimeLimit,
    /// Memory or disk ran out.
    Resources,
    /// Tableau Bridge is not connected.
    Bridge,
    /// The data source's server could not be reached.
    Unreachable,
    /// Something else.
    Other,
}

/// Events come a moment after the job's end; clocks differ.
const BEFORE_EVENT: SignedDuration = SignedDuration::from_mins(15);
/// How many jobs are looked at, at most: each is a call.
const CANDIDATES: usize = 8;
/// How long to wait before a second look: the event may be faster than the list of jobs.
const SECOND_LOOK: Duration = Duration::from_secs(2);
/// Chat messages are for reading.
const LINE_LIMIT: usize = 300;

impl TableauClient {
    /// Why the refresh that `event` tells of failed. `None` when the job is not found or has no notes. Needs an
    /// administrator's credential.
    ///
    /// # Errors
    /// [`Error`] when Tableau does not answer, or refuses to list jobs (403000, 403079).
    pub async fn failure_cause(&self, event: &Event, now: Timestamp) -> Result<Option<Cause>, Error> {
        let around = event.created_at.unwrap_or(now);
        if let Some(cause) = self.look_for_cause(event, around).await? {
            return Ok(Some(cause));
        }
        tokio::time::sleep(SECOND_LOOK).await;
        self.look_for_cause(event, around).await
    }

    async fn look_for_cause(&self, event: &Event, around: Timestamp) -> Result<Option<Cause>, Error> {
        let since = around.checked_sub(BEFORE_EVENT).unwrap_or(around);
        let jobs = self.jobs(&JobFilter::FailedRefreshesSince(since), 100).await?;
        for candidate in candidates(jobs, event, around) {
            let job = match self.job(&candidate.id).await {
                Ok(job) => job,
                Err(error) if error.is_not_found() => continue,
                Err(error) => return Err(error),
            };
            if job.subject().as_ref() == Some(&event.subject) {
                return Ok(cause(&job));
            }
        }
        Ok(None)
    }
}

/// The jobs most likely to be the event's: first those that bear its name, then those that ended nearest to it.
fn candidates(mut jobs: Vec<JobSummary>, event: &Event, around: Timestamp) -> Vec<JobSummary> {
    let named = |job: &JobSummary| match (&job.title, &event.resource_name) {
        (Some(title), Some(name)) => title.contains(name.as_str()),
        _ => false,
    };
    let distance = |job: &JobSummary| {
        job.ended_at.map_or(i64::MAX, |ended| (ended.as_millisecond() - around.as_millisecond()).abs())
    };
    jobs.sort_by_key(|job| (!named(job), distance(job)));
    jobs.truncate(CANDIDATES);
    jobs
}

fn cause(job: &Job) -> Option<Cause> {
    let notes = job.notes()?;
    Some(Cause { class: CauseClass::of(notes), line: one_line(notes), job: job.id.clone() })
}

/// Words that tell a class, in lower case, looked for in this order: a failed login is often wrapped into "cannot
/// connect", so what is more telling comes first.
const SIGNS: [(CauseClass, &[&str]); 7] = [
    (CauseClass::Bridge, &["bridge"]),
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
        ],
    ),
    (
        CauseClass::Resources,
        &["out of memory", "no space left", "disk full", "not enough disk", "memory limit", "disk space"],
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
    /// The class of a job's notes.
    pub fn of(notes: &str) -> Self {
        let notes = notes.to_lowercase();
        let sign = SIGNS.iter().find(|(_, words)| words.iter().any(|word| notes.contains(word)));
        sign.map_or(Self::Other, |(class, _)| *class)
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
            Self::Other => "Error",
        }
    }

    /// What the owner can do about it.
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
            Self::Other => "Open the job's details in Tableau.",
        }
    }
}

/// The first line with something to say, without the names of Java classes around it, without secrets, and short.
fn one_line(notes: &str) -> String {
    let lines = notes.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines.map(strip_classes).find(|line| !line.is_empty()).unwrap_or_default();
    let line = redact(line);
    if line.chars().count() <= LINE_LIMIT {
        return line;
    }
    let short: String = line.chars().take(LINE_LIMIT - 1).collect();
    format!("{}…", short.trim_end())
}

/// `java.lang.RuntimeException: com.x.YException: text` → `text`.
fn strip_classes(mut line: &str) -> &str {
    while let Some((head, rest)) = line.split_once(':') {
        let is_class = head.contains('.') && (head.ends_with("Exception") || head.ends_with("Error"));
        if !is_class || head.contains(char::is_whitespace) {
            break;
        }
        line = rest.trim_start();
    }
    line
}

/// Notes may repeat a connection string. Only ASCII is folded, so that positions in both texts are the same.
fn redact(line: &str) -> String {
    const KEYS: [&str; 6] = ["password=", "pwd=", "passwd=", "secret=", "token=", "apikey="];
    let mut out = line.to_owned();
    for key in KEYS {
        let mut from = 0;
        while let Some(at) = out.to_ascii_lowercase().get(from..).and_then(|rest| rest.find(key)) {
            let start = from + at + key.len();
            let end = out[start..].find([';', '&', ' ', ',', ')']).map_or(out.len(), |length| start + length);
            out.replace_range(start..end, "…");
            from = start + '…'.len_utf8();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn notes_tell_their_class() {
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
            ("Something nobody has seen", CauseClass::Other),
        ] {
            assert_eq!(CauseClass::of(notes), class, "{notes}");
        }
    }

    #[test]
    fn the_line_has_no_class_names_and_no_secrets() {
        let notes = "\n java.lang.RuntimeException: com.tableausoftware.nativeapi.exceptions.DataSourceException: \
                     Login failed. Server=db1;Uid=svc;PWD=hunter2;Port=1433\n  at com.tableau.X(Y.java:1)";
        assert_eq!(one_line(notes), "Login failed. Server=db1;Uid=svc;PWD=…;Port=1433");
        assert_eq!(one_line("Error: 5: text"), "Error: 5: text");
    }

    proptest! {
        #[test]
        fn a_line_is_short_and_one_line(notes in "(?s).*") {
            let line = one_line(&notes);
            prop_assert!(line.chars().count() <= LINE_LIMIT);
            prop_assert!(!line.contains('\n'));
        }

        #[test]
        fn a_password_never_shows(before in "[^=]*", key in "(PWD|password|Token)", after in ".*") {
            let line = redact(&format!("{before};{key}=hunter2;{after}"));
            prop_assert!(!line.contains("=hunter2"));
        }
    }
}
