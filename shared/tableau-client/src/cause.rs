//! Why an extract refresh failed.
//!
//! Tableau sends neither the reason nor the job with the event, so the job is looked for: among the refreshes
//! that failed about then, the one of this workbook or data source. Its notes are the reason.

use crate::{Error, Filter, Job, JobSummary, TableauClient};
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

/// An event comes a moment after its job's end. A job that ended earlier is another run of the same refresh, and only
/// taken when a second look finds none nearer: events can be late.
const NEAR: SignedDuration = SignedDuration::from_mins(2);
const LATE: SignedDuration = SignedDuration::from_mins(15);
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
        if let Some(cause) = self.look_for_cause(event, around, NEAR).await? {
            return Ok(Some(cause));
        }
        tokio::time::sleep(SECOND_LOOK).await;
        self.look_for_cause(event, around, LATE).await
    }

    async fn look_for_cause(
        &self,
        event: &Event,
        around: Timestamp,
        within: SignedDuration,
    ) -> Result<Option<Cause>, Error> {
        let since = around.checked_sub(within).unwrap_or(around);
        let failed = Filter::all().in_state("Failed").refreshes().ended_since(since);
        let jobs = self.jobs(failed).page().await?.unwrap_or_default();
        for candidate in candidates(jobs, event, around) {
            let job = match self.job(&candidate.id).await {
                Ok(job) => job,
                Err(error) if error.is_transient() => return Err(error),
                // One that is gone, or that we may not see or cannot read, does not hide the others.
                Err(_) => continue,
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

/// Words before a secret in a connection string, a URL or JSON.
const SECRET_KEYS: [&str; 11] = [
    "password",
    "passwd",
    "pwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "accountkey",
    "access_key",
    "sig",
    "passphrase",
];

/// Notes may repeat a connection string: what follows a word for a secret and `=` or `:`, and the user part of a URL,
/// become an ellipsis.
fn redact(line: &str) -> String {
    let without_users = redact_users(line);
    let mut out = String::with_capacity(without_users.len());
    let mut rest = without_users.as_str();
    while let Some((before, after)) = next_secret(rest) {
        out.push_str(before);
        out.push('…');
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The text up to the first secret, and the text behind it.
fn next_secret(text: &str) -> Option<(&str, &str)> {
    // Only ASCII is folded, so that positions in both texts are the same.
    let lower = text.to_ascii_lowercase();
    let starts = SECRET_KEYS.iter().flat_map(|key| lower.match_indices(key).map(|(at, key)| at + key.len()));
    let start = starts.filter_map(|end| value_after(text, end)).min()?;
    let value = &text[start..];
    let end = match value.chars().next()? {
        quote @ ('"' | '\'') => value[1..].find(quote).map_or(value.len(), |end| end + 2),
        '{' => value.find('}').map_or(value.len(), |end| end + 1),
        _ => value.find(|c: char| c.is_whitespace() || ";&,)}\"'".contains(c)).unwrap_or(value.len()),
    };
    Some((&text[..start], &value[end..]))
}

/// Where the value begins, if `=` or `:` stands behind the word that ends at `end`.
fn value_after(text: &str, end: usize) -> Option<usize> {
    let rest = &text[end..];
    let rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest).trim_start();
    let value = rest.strip_prefix(['=', ':'])?.trim_start();
    (!value.is_empty() && !value.starts_with('…')).then(|| text.len() - value.len())
}

/// `postgres://svc:hunter2@db/sales` → `postgres://…@db/sales`.
fn redact_users(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        out.push_str(head);
        let host = tail.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(tail.len());
        rest = match tail[..host].rfind('@') {
            Some(user) => {
                out.push('…');
                &tail[user..]
            }
            None => tail,
        };
    }
    out.push_str(rest);
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
            ("Login failed for user 'cambridge_svc'", CauseClass::Credentials),
            ("java.lang.OutOfMemoryError: Java heap space", CauseClass::Resources),
            ("Query execution timed out after 7200 seconds", CauseClass::TimeLimit),
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

    #[test]
    fn a_password_never_shows() {
        for notes in [
            "PWD=hunter2;Port=1",
            "Password = hunter2",
            "password: hunter2",
            r#"{"password":"hunter2"}"#,
            r#"{"password" : "hunter2 and more"}"#,
            "postgres://svc:hunter2@db/sales",
            "jdbc:x://svc:p@ss:hunter2@db:5432 failed",
            "AccountKey=hunter2==;End",
            "PWD={hun;ter2};hunter=1",
            "Password=\"hun ter2\" x",
            "sig=hunter2&se=1, token=hunter2",
        ] {
            let line = redact(notes);
            assert!(!line.contains("hunter2") && !line.contains("ter2"), "{notes} → {line}");
        }
        assert_eq!(redact("Server=db;Uid=svc;PWD=x;Port=1"), "Server=db;Uid=svc;PWD=…;Port=1");
        assert_eq!(redact("The OAuth token has expired."), "The OAuth token has expired.");
    }

    proptest! {
        #[test]
        fn a_line_is_short_and_one_line(notes in "(?s).*") {
            let line = one_line(&notes);
            prop_assert!(line.chars().count() <= LINE_LIMIT);
            prop_assert!(!line.contains('\n'));
        }

        #[test]
        fn no_notes_break_the_redaction(notes in "(?s)[a-z:=;{}'\"@/ pwdsecrt]*") {
            let _ = redact(&notes);
        }
    }
}
