//! The requests in the table: one document each, which of them is about a data source, and a log of what happened.

use crate::request::{Request, State};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use store::records::{Change, Commit, Key, Record, Records, Write};
use workflow::Failure;

/// How long a request and its log are kept after the last change: for an audit of the year before.
const KEPT: SignedDuration = SignedDuration::from_hours(400 * 24);
/// How long after its timer the sweep looks at a request.
pub(crate) const OVERDUE: SignedDuration = SignedDuration::from_mins(15);
/// How many requests one sweep looks at.
const MOST_OF_SWEEP: usize = 50;
/// How often a change is tried again after another worker wrote first.
const TRIES: u32 = 20;
const WORKFLOW: &str = "request-certification";

/// The requests in the table.
pub(crate) struct Requests(pub(crate) Arc<dyn Records>);

/// The request that a data source has, if it has one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Current {
    pub(crate) id: String,
    #[serde(skip)]
    version: u64,
}

/// One line of the log: what happened to a request.
#[derive(Debug, Serialize)]
struct Logged<'a> {
    at: Timestamp,
    /// `requested`, `reminded`, `not-delivered`, or how it ended.
    what: &'a str,
    request: &'a str,
    site: &'a str,
    datasource: &'a str,
    name: &'a str,
    project: Option<&'a str>,
    /// To whom the links were sent: the decision came through one of them.
    steward: &'a str,
    note: &'a str,
}

impl std::fmt::Debug for Requests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Requests").finish_non_exhaustive()
    }
}

/// The key of the timer of a request, which is that of its document.
pub(crate) fn timer_key(id: &str) -> String {
    format!("certification#{WORKFLOW}#{id}")
}

/// The request that a timer is of.
pub(crate) fn of_timer(key: &str) -> Option<&str> {
    key.strip_prefix(&format!("certification#{WORKFLOW}#"))
}

fn key(id: &str) -> Key {
    Key::single(timer_key(id))
}

fn key_of_datasource(site: &str, datasource: &str) -> Key {
    let lower = |text: &str| text.to_ascii_lowercase();
    Key::single(format!("certification-of#{WORKFLOW}#{}#{}", lower(site), lower(datasource)))
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

fn document(request: &Request, now: Timestamp) -> Result<Write, Failure> {
    Ok(Write {
        text: serde_json::to_string(request).map_err(Failure::permanent)?,
        expires_at: later(request.expires_at.max(now), KEPT),
        due: request.wake_at.map(|at| later(at, OVERDUE)),
        is_active: false,
    })
}

/// The stored request. One that is damaged, or that another version of this code has written, counts as none: the steward is asked again,
/// which is better than never.
fn read(id: &str, record: &Record) -> Option<Request> {
    let read = serde_json::from_str(&record.text);
    // The error itself would repeat what it could not read.
    read.inspect_err(|error| {
        tracing::warn!(
            certification.id = id,
            column = error.column(),
            "a stored request cannot be read, and counts as none"
        );
    })
    .ok()
}

/// The change that writes a line of the log.
fn logged(request: &Request, what: &str, note: &str, now: Timestamp) -> Result<Change, Failure> {
    let line = Logged {
        at: now,
        what,
        request: &request.id,
        site: &request.site,
        datasource: &request.datasource,
        name: &request.about.name,
        project: request.about.project.as_deref(),
        steward: &request.steward,
        note,
    };
    let write = Write {
        text: serde_json::to_string(&line).map_err(Failure::permanent)?,
        expires_at: later(now, KEPT),
        due: None,
        is_active: false,
    };
    let sort = format!("{now:.3}#{}#{what}", request.id);
    let partition = format!("certification-log#{WORKFLOW}");
    Ok(Change { key: Key { partition, sort }, expected: None, write: Some(write) })
}

/// What the log says of an end, and the note that belongs to it.
fn word(state: &State) -> Option<(&'static str, &str)> {
    Some(match state {
        State::Open | State::Deciding { .. } => return None,
        State::Certified { note, .. } => ("certified", note),
        State::Declined { note, .. } => ("declined", note),
        State::CertifiedElsewhere { .. } => ("certified-in-tableau", ""),
        State::Deleted { .. } => ("deleted", ""),
        State::Expired { .. } => ("expired", ""),
        State::Superseded { .. } => ("superseded", ""),
    })
}

impl Requests {
    async fn record(&self, key: Key) -> Result<Option<Record>, Failure> {
        let found = self.0.load(&[key]).await.map_err(Failure::transient)?;
        Ok(found.into_iter().next().flatten())
    }

    /// The request with this id; `None` if there is none that can be read.
    ///
    /// # Errors
    /// If the table does not answer.
    pub(crate) async fn get(&self, id: &str) -> Result<Option<Request>, Failure> {
        Ok(self.record(key(id)).await?.and_then(|record| read(id, &record)))
    }

    /// Which request a data source has.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub(crate) async fn current(&self, site: &str, datasource: &str) -> Result<Current, Failure> {
        let Some(record) = self.record(key_of_datasource(site, datasource)).await? else {
            return Ok(Current::default());
        };
        let current: Current = serde_json::from_str(&record.text).unwrap_or_default();
        Ok(Current { version: record.version, ..current })
    }

    /// Writes a new request, if the data source still has the one in `current`. Whether it was written.
    ///
    /// # Errors
    /// If the table does not answer.
    pub(crate) async fn create(
        &self,
        request: &Request,
        current: &Current,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let of_datasource = Current { id: request.id.clone(), version: 0 };
        let pointer = Write {
            text: serde_json::to_string(&of_datasource).map_err(Failure::permanent)?,
            ..document(request, now)?
        };
        let changes = [
            Change {
                key: key_of_datasource(&request.site, &request.datasource),
                expected: Some(current.version),
                write: Some(Write { due: None, ..pointer }),
            },
            Change { key: key(&request.id), expected: Some(0), write: Some(document(request, now)?) },
            logged(request, "requested", "", now)?,
        ];
        match self.0.commit(&changes).await.map_err(Failure::transient)? {
            Commit::Done(_) => Ok(true),
            Commit::Conflict(_) => Ok(false),
        }
    }

    /// Applies `change` to the newest version, and writes it if that changed it. `None` if there is no such request that can be read. `change` runs again
    /// if another worker wrote first.
    ///
    /// # Errors
    /// If the table does not answer.
    pub(crate) async fn change<T>(
        &self,
        id: &str,
        now: Timestamp,
        mut change: impl FnMut(&mut Request) -> T + Send,
    ) -> Result<Option<(Request, T)>, Failure> {
        for attempt in 0..TRIES {
            let Some(record) = self.record(key(id)).await? else { return Ok(None) };
            let Some(before) = read(id, &record) else { return Ok(None) };
            let mut request = before.clone();
            let result = change(&mut request);
            if request == before {
                return Ok(Some((request, result)));
            }
            let write = document(&request, now)?;
            let mut changes =
                vec![Change { key: key(id), expected: Some(record.version), write: Some(write) }];
            if let Some((what, note)) = word(&request.state).filter(|_| before.is_unended()) {
                changes.push(logged(&request, what, note, now)?);
            }
            for what in std::mem::take(&mut request.happened) {
                changes.push(logged(&request, what, "", now)?);
            }
            if let Commit::Done(_) = self.0.commit(&changes).await.map_err(Failure::transient)? {
                return Ok(Some((request, result)));
            }
            let longest = Duration::from_millis(20 * u64::from(attempt + 1));
            tokio::time::sleep(longest.mul_f64(fastrand::f64())).await;
        }
        Err(Failure::transient("other workers change the request at the same time"))
    }

    /// Requests whose timer was due a while ago.
    ///
    /// # Errors
    /// If the table does not answer.
    pub(crate) async fn overdue(&self, now: Timestamp) -> Result<Vec<String>, Failure> {
        let keys = self.0.due(now, MOST_OF_SWEEP).await.map_err(Failure::transient)?;
        Ok(keys.iter().filter_map(|key| of_timer(&key.partition)).map(str::to_owned).collect())
    }
}
