//! The documents in the table: read, changed together, and written if no other process wrote meanwhile.

use crate::keys::{self, Place, key};
use crate::lane::{Lane, Limits};
use crate::request::Request;
use crate::run::Runs;
use crate::transition::Documents;
use crate::wake::Wake;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use store::records::{Change, Commit, Key, Record, Records, Write};
use timer::TimerMessage;
use workflow::Failure;

/// How long a document is kept after its last change.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How often a change is tried again after another process wrote first. Many requests may come at once, and all of them enter one lane.
pub(crate) const TRIES: u32 = 60;
pub(crate) const CONTENDED: &str = "too many requests change the same documents at the same time";
/// How many documents one sweep looks at.
const MOST_OF_SWEEP: usize = 50;

/// What was written, and the timers that have to be set before it is acknowledged.
#[derive(Clone, Debug)]
#[must_use = "the timers have to be set"]
pub struct Changed<T> {
    /// The runs of the object.
    pub runs: Runs,
    /// The lane of the site.
    pub lane: Lane,
    /// What the change gave.
    pub result: T,
    /// The timers.
    pub timers: Vec<TimerMessage>,
}

/// Documents as they were read.
pub(crate) struct Read {
    pub(crate) documents: Documents,
    versions: [u64; 3],
}

/// The table with the documents.
#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) records: Arc<dyn Records>,
    pub(crate) limits: Limits,
}

impl Table {
    /// A request.
    pub(crate) async fn request(&self, id: &str) -> Result<Option<Request>, Failure> {
        let found = self.load(&[key(keys::request(id))]).await?;
        Ok(found.first().and_then(|(record, _)| read("refresh", record.as_ref())))
    }

    /// The keys of documents whose timer was due a while ago.
    pub(crate) async fn overdue(&self, now: Timestamp) -> Result<Vec<String>, Failure> {
        let found = self.records.due(now, MOST_OF_SWEEP).await.map_err(Failure::transient)?;
        Ok(found.into_iter().map(|key| key.partition).collect())
    }

    /// Applies a change to a request alone. The request before and after, if there is one.
    pub(crate) async fn change_request(
        &self,
        id: &str,
        now: Timestamp,
        change: impl Fn(&mut Request),
    ) -> Result<Option<(Request, Request)>, Failure> {
        for attempt in 0..TRIES {
            let found = self.load(&[key(keys::request(id))]).await?;
            let (record, version) = found.into_iter().next().unwrap_or_default();
            let Some(before) = read::<Request>("refresh", record.as_ref()) else { return Ok(None) };
            let mut request = before.clone();
            change(&mut request);
            let at = request.wake.at;
            let change = changed(key(keys::request(id)), version, &before, &request, at, now)?;
            let is_done = match change {
                None => true,
                Some(change) => matches!(
                    self.records.commit(&[change]).await.map_err(Failure::transient)?,
                    Commit::Done(_)
                ),
            };
            if is_done {
                return Ok(Some((before, request)));
            }
            pause(attempt).await;
        }
        Err(Failure::transient(CONTENDED))
    }

    /// The lane of a site.
    pub(crate) async fn lane(&self, site: &str) -> Result<Lane, Failure> {
        let found = self.load(&[key(keys::lane(site))]).await?;
        Ok(found.first().and_then(|(record, _)| read("refresh-lane", record.as_ref())).unwrap_or_default())
    }

    pub(crate) async fn read(&self, place: &Place, request: Option<&str>) -> Result<Read, Failure> {
        let mut wanted = vec![key(place.runs()), key(place.lane())];
        wanted.extend(request.map(|id| key(keys::request(id))));
        let found = self.load(&wanted).await?;
        let at = |n: usize| found.get(n).and_then(|(record, _)| record.as_ref());
        let version = |n: usize| found.get(n).map_or(0, |(_, version)| *version);
        Ok(Read {
            documents: Documents {
                runs: read("refresh-of", at(0)).unwrap_or_default(),
                lane: read("refresh-lane", at(1)).unwrap_or_default(),
                request: read("refresh", at(2)),
            },
            versions: [version(0), version(1), version(2)],
        })
    }

    async fn load(&self, wanted: &[Key]) -> Result<Vec<(Option<Record>, u64)>, Failure> {
        let found = self.records.load(wanted).await.map_err(Failure::transient)?;
        Ok(found
            .into_iter()
            .map(|record| (record.clone(), record.map_or(0, |record| record.version)))
            .collect())
    }

    /// Applies a change to the newest lane, and sets the time of its next look.
    pub(crate) async fn change_lane(
        &self,
        place: &Place,
        now: Timestamp,
        change: impl Fn(&mut Lane),
    ) -> Result<Changed<()>, Failure> {
        for attempt in 0..TRIES {
            let found = self.load(&[key(place.lane())]).await?;
            let (record, version) = found.into_iter().next().unwrap_or_default();
            let before: Lane = read("refresh-lane", record.as_ref()).unwrap_or_default();
            let mut lane = before.clone();
            change(&mut lane);
            lane.plan(self.limits, now);
            let timers = lane.wake.timer_since(&before.wake, &place.lane());
            let wake = lane.wake.at.filter(|_| !lane.queue.is_empty());
            let changes = changed(key(place.lane()), version, &before, &lane, wake, now)?;
            if changes.is_none() {
                return Ok(Changed { runs: Runs::default(), lane, result: (), timers: Vec::new() });
            }
            let changes: Vec<Change> = changes.into_iter().collect();
            if let Commit::Done(_) = self.records.commit(&changes).await.map_err(Failure::transient)? {
                return Ok(Changed {
                    runs: Runs::default(),
                    lane,
                    result: (),
                    timers: timers.into_iter().collect(),
                });
            }
            pause(attempt).await;
        }
        Err(Failure::transient(CONTENDED))
    }

    /// Applies a change to the newest documents, and writes those that it changed, all or none. `change` runs again if another process
    /// wrote first.
    pub(crate) async fn change<T: Send>(
        &self,
        place: &Place,
        request: Option<&str>,
        now: Timestamp,
        change: impl Fn(&mut Documents) -> T,
    ) -> Result<Changed<T>, Failure> {
        for attempt in 0..TRIES {
            let Read { documents: before, versions } = self.read(place, request).await?;
            let mut after = before.clone();
            let result = change(&mut after);
            if before.lane != after.lane {
                after.lane.plan(self.limits, now);
            }
            let mut changes = Vec::new();
            let mut timers = Vec::new();
            let runs_key = place.runs();
            let lane_key = place.lane();
            let runs_wake = after.runs.wake.at;
            changes.extend(changed(
                key(runs_key.clone()),
                versions[0],
                &before.runs,
                &after.runs,
                runs_wake,
                now,
            )?);
            timers.extend(after.runs.wake.timer_since(&before.runs.wake, &runs_key));
            let lane_wake = after.lane.wake.at.filter(|_| !after.lane.queue.is_empty());
            changes.extend(changed(
                key(lane_key.clone()),
                versions[1],
                &before.lane,
                &after.lane,
                lane_wake,
                now,
            )?);
            timers.extend(after.lane.wake.timer_since(&before.lane.wake, &lane_key));
            if let (Some(id), Some(document)) = (request, &after.request) {
                let was = before.request.as_ref();
                let request_key = keys::request(id);
                let none = Wake::default();
                timers.extend(
                    document.wake.timer_since(was.map_or(&none, |request| &request.wake), &request_key),
                );
                if was != Some(document) {
                    let write = write(document, document.wake.at, now)?;
                    changes.push(Change {
                        key: key(request_key),
                        expected: Some(versions[2]),
                        write: Some(write),
                    });
                }
            }
            let is_done = changes.is_empty()
                || matches!(
                    self.records.commit(&changes).await.map_err(Failure::transient)?,
                    Commit::Done(_)
                );
            if is_done {
                return Ok(Changed { runs: after.runs, lane: after.lane, result, timers });
            }
            pause(attempt).await;
        }
        Err(Failure::transient(CONTENDED))
    }
}

/// Waits for a random time, longer after more attempts.
async fn pause(attempt: u32) {
    let longest = Duration::from_millis(15 * u64::from(attempt.min(20) + 1));
    tokio::time::sleep(longest.mul_f64(fastrand::f64())).await;
}

fn changed<D: Serialize + PartialEq>(
    key: Key,
    version: u64,
    before: &D,
    after: &D,
    wake_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<Change>, Failure> {
    if before == after {
        return Ok(None);
    }
    Ok(Some(Change { key, expected: Some(version), write: Some(write(after, wake_at, now)?) }))
}

fn write<D: Serialize>(document: &D, wake_at: Option<Timestamp>, now: Timestamp) -> Result<Write, Failure> {
    Ok(Write {
        text: serde_json::to_string(document).map_err(Failure::permanent)?,
        expires_at: now.checked_add(KEPT).unwrap_or(Timestamp::MAX),
        due: wake_at.map(|at| at.checked_add(keys::OVERDUE).unwrap_or(Timestamp::MAX)),
        is_active: false,
    })
}

/// A stored document. One that cannot be read counts as none.
fn read<D: DeserializeOwned>(kind: &str, record: Option<&Record>) -> Option<D> {
    let read = serde_json::from_str(&record?.text);
    // The error itself would repeat what it could not read.
    let read = read.inspect_err(|error| {
        tracing::error!(
            kind,
            column = error.column(),
            "a stored document cannot be read, and counts as none"
        );
    });
    read.ok()
}
