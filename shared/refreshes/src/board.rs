//! The documents in the table. Each change is a transaction over those that it touches.

use crate::end::End;
use crate::keys::{self, Place, key};
use crate::lane::{Lane, Limits, NET, Next, Ticket};
use crate::request::{By, Callback, CallbackState, Request, Target};
use crate::run::{Past, Run, Runs, Start};
use crate::transition::{Documents, Joined, Taken};
use crate::wake::Wake;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use store::records::{Change, Commit, Key, Record, Records, Write};
use timer::TimerMessage;
use workflow::Failure;

/// How long a document is kept after its last change.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How often a change is tried again after another process wrote first. Many requests may come at once, and all of them enter one lane.
const TRIES: u32 = 60;
/// How many documents one sweep looks at.
const MOST_OF_SWEEP: usize = 50;
const CONTENDED: &str = "too many requests change the same documents at the same time";

/// The requests, runs and lanes in the table.
#[derive(Clone)]
pub struct Board {
    pub(crate) records: Arc<dyn Records>,
    limits: Limits,
}

/// A request, before it has a run.
#[derive(Clone, Debug)]
pub struct NewRequest {
    /// Its id: a repeated request has the same.
    pub id: String,
    /// Who asks.
    pub by: By,
    /// What is refreshed.
    pub target: Target,
    /// The site's LUID.
    pub site: String,
    /// Whether an incremental refresh is asked for.
    pub incremental: bool,
    /// Whether a full refresh is right too.
    pub allow_full: bool,
    /// Whether the refresh has to begin after the request came.
    pub fresh: bool,
    /// The SHA-256 of what is asked.
    pub asked: String,
    /// How long it waits.
    pub timeout: SignedDuration,
    /// Where the result is sent.
    pub callback_url: Option<String>,
    /// The objects whose refreshes led to it.
    pub trail: Vec<String>,
}

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

/// What became of a new request.
#[derive(Clone, Debug)]
pub enum Accepted {
    /// It is stored, and waits for a run.
    Stored(Request),
    /// A request with this id was stored before.
    Repeated(Request),
    /// Too many requests wait.
    TooMany,
}

/// What the lane lets happen.
#[derive(Clone, Debug)]
pub enum Begin {
    /// The start of this run is written: it has to be sent.
    Start(Place, Box<Run>),
    /// Nothing may start now.
    Nothing,
}

/// Documents as they were read.
struct Read {
    documents: Documents,
    versions: [u64; 3],
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Board {
    /// The documents in these records.
    pub fn new(records: Arc<dyn Records>, limits: Limits) -> Self {
        Self { records, limits }
    }

    /// What may be started.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// A request.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn request(&self, id: &str) -> Result<Option<Request>, Failure> {
        let found = self.load(&[key(keys::request(id))]).await?;
        Ok(found.first().and_then(|(record, _)| read("refresh", record.as_ref())))
    }

    /// The runs of an object, and the lane of its site.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn runs(&self, place: &Place) -> Result<(Runs, Lane), Failure> {
        let read = self.read(place, None).await?;
        Ok((read.documents.runs, read.documents.lane))
    }

    /// Stores a request, which joins the open run of its object or gets a new one.
    ///
    /// # Errors
    /// When the table does not answer, or too many processes change the documents.
    pub async fn accept(&self, new: &NewRequest, now: Timestamp) -> Result<Changed<Accepted>, Failure> {
        let place = Place::new(&new.site, &new.target.luid);
        let until = now.checked_add(new.timeout).unwrap_or(Timestamp::MAX);
        let callback = new.callback_url.clone();
        let request = Request {
            id: new.id.clone(),
            by: new.by.clone(),
            target: new.target.clone(),
            site: new.site.to_ascii_lowercase(),
            incremental: new.incremental,
            fresh: new.fresh,
            asked: new.asked.clone(),
            requested_at: now,
            until,
            callback: callback.map(|url| Callback { url, attempts: 0, state: CallbackState::Waits }),
            run: 0,
            joined: false,
            outcome: None,
            wake: Wake::default(),
        };
        self.change(&place, Some(&new.id), now, |documents| {
            if let Some(there) = &documents.request {
                return Accepted::Repeated(there.clone());
            }
            let mut request = request.clone();
            if documents.join(&mut request, new.allow_full, &new.trail, &place) == Joined::Full {
                return Accepted::TooMany;
            }
            let wake = request.callback.is_some().then_some(until);
            request.wake.set(wake, now);
            documents.request = Some(request.clone());
            Accepted::Stored(request)
        })
        .await
    }

    /// Takes the next run out of the lane, if one may start, and writes down that it starts.
    ///
    /// # Errors
    /// As [`Board::accept`].
    pub async fn begin(&self, site: &str, now: Timestamp) -> Result<(Begin, Vec<TimerMessage>), Failure> {
        let lane_alone = Place::new(site, "");
        let mut timers = Vec::new();
        for _ in 0..TRIES {
            let lane = self.read_lane(site).await?;
            let Next::Start(ticket) = lane.next(self.limits, now) else {
                // Only the time of the next look may have to be written.
                let changed = self.change_lane(&lane_alone, now, |_| ()).await?;
                timers.extend(changed.timers);
                return Ok((Begin::Nothing, timers));
            };
            let place = Place::new(site, &ticket.luid);
            let changed = self
                .change(&place, None, now, |documents| {
                    // Others may have changed the lane since.
                    if documents.lane.next(self.limits, now) != Next::Start(ticket.clone()) {
                        return None;
                    }
                    let begun = documents.begin(ticket.run, &place, self.limits, now);
                    if begun.is_none() {
                        documents.lane.remove(&ticket);
                    }
                    begun
                })
                .await?;
            // Also those of a run that no one waits for: it has ended, and its requests get their results.
            timers.extend(changed.timers);
            if let Some(run) = changed.result {
                return Ok((Begin::Start(place, Box::new(run)), timers));
            }
        }
        Err(Failure::transient(CONTENDED))
    }

    /// The timer of the lane, and that of a callback, which are set before a request is stored that will need them. A process that
    /// dies as soon as it has stored the request then leaves no request without a timer. One that nothing needs does nothing.
    pub fn timers_before(&self, new: &NewRequest, now: Timestamp) -> Vec<TimerMessage> {
        let at = now.checked_add(NET).unwrap_or(now);
        let mut timers = vec![TimerMessage::new(Place::new(&new.site, "").lane(), at, 0)];
        if new.callback_url.is_some() {
            let until = now.checked_add(new.timeout).unwrap_or(Timestamp::MAX);
            // A repeated request has another time, and the name of a schedule is made of its key and generation.
            let generation = until.as_second().unsigned_abs();
            timers.push(TimerMessage::new(keys::request(&new.id), until, generation));
        }
        timers
    }

    /// Sets the timers of these documents once more, if they were said to be set `age` ago or earlier.
    ///
    /// # Errors
    /// As [`Board::accept`].
    pub async fn timers_again(
        &self,
        place: &Place,
        request: Option<&str>,
        age: SignedDuration,
        now: Timestamp,
    ) -> Result<Vec<TimerMessage>, Failure> {
        let again = self.change(place, request, now, |all| {
            all.runs.wake.again(age, now);
            if !all.lane.queue.is_empty() {
                all.lane.wake.again(age, now);
            }
            if let Some(request) = &mut all.request {
                request.wake.again(age, now);
            }
        });
        Ok(again.await?.timers)
    }

    /// Notes the refresh that Tableau has for a start. Whether the run could take it.
    ///
    /// # Errors
    /// As [`Board::accept`].
    pub async fn running(
        &self,
        place: &Place,
        start: Start,
        taken: Taken<'_>,
        now: Timestamp,
    ) -> Result<Changed<bool>, Failure> {
        self.change(place, None, now, |all| all.running((start, place), taken, now)).await
    }

    /// Notes that the refresh of a run is a full one.
    ///
    /// # Errors
    /// As [`Board::accept`].
    pub async fn note_full(
        &self,
        place: &Place,
        number: u64,
        now: Timestamp,
    ) -> Result<Changed<bool>, Failure> {
        self.change(place, None, now, |all| match &mut all.runs.run {
            Some(run) if run.number == number => {
                run.incremental = false;
                true
            }
            _ => false,
        })
        .await
    }

    /// Puts a run whose start Tableau has not taken back into the lane, and starts nothing for a while, as long as `wait` says.
    /// Whether the start was the run's present one.
    ///
    /// # Errors
    /// As [`Board::accept`].
    pub async fn put_back(
        &self,
        place: &Place,
        start: Start,
        (wait, why): (Option<SignedDuration>, &str),
        now: Timestamp,
    ) -> Result<Changed<bool>, Failure> {
        self.change(place, None, now, |all| {
            let is_back = all.put_back(start, place, false, now);
            if is_back {
                all.lane.pause(wait, why, now);
            }
            is_back
        })
        .await
    }

    /// Puts a run whose start has certainly made no job back into the lane. It is counted: Tableau may have done so. Whether the start
    /// was the run's present one.
    ///
    /// # Errors
    /// As [`Board::accept`].
    pub async fn send_again(
        &self,
        place: &Place,
        start: Start,
        now: Timestamp,
    ) -> Result<Changed<bool>, Failure> {
        self.change(place, None, now, |all| all.put_back(start, place, true, now)).await
    }

    /// Takes a run whose start Tableau has refused for now out of the lane, until then. `is_tried`: the start is one of those that a
    /// run has at most. Whether the start was the run's present one.
    ///
    /// # Errors
    /// As [`Board::accept`].
    pub async fn hold(
        &self,
        place: &Place,
        start: Start,
        hindered: (&str, bool),
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Changed<bool>, Failure> {
        self.change(place, None, now, |all| all.hold((start, place), hindered, until, now)).await
    }

    /// Lets a run wait in the lane again that is held until then or before. Whether there was such a run.
    ///
    /// # Errors
    /// As [`Board::accept`].
    pub async fn release(
        &self,
        place: &Place,
        number: u64,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Changed<bool>, Failure> {
        self.change(place, None, now, |all| all.release(number, place, until, now)).await
    }

    /// Ends a run whose start Tableau has refused. Whether the start was the run's present one.
    ///
    /// # Errors
    /// As [`Board::accept`].
    pub async fn refuse(
        &self,
        place: &Place,
        start: Start,
        end: &End,
        now: Timestamp,
    ) -> Result<Changed<bool>, Failure> {
        self.change(place, None, now, |all| all.refuse(start, end.clone(), place, now)).await
    }

    /// Ends a run. Whether it was open. Those who waited for it have to be settled.
    ///
    /// # Errors
    /// As [`Board::accept`].
    pub async fn end(
        &self,
        place: &Place,
        number: u64,
        end: &End,
        now: Timestamp,
    ) -> Result<Changed<bool>, Failure> {
        self.change(place, None, now, |all| all.end(number, end.clone(), place, now)).await
    }

    /// Says that a job is being looked at, for a caller who asks. `None` if another process did so a moment ago.
    ///
    /// # Errors
    /// As [`Board::accept`].
    pub async fn claim_look(
        &self,
        place: &Place,
        number: u64,
        now: Timestamp,
    ) -> Result<Changed<Option<Run>>, Failure> {
        self.change(place, None, now, |all| all.claim_look(number, now)).await
    }

    /// Notes a look at a job that has not ended, or that could not be seen. `is_asked`: a caller asked, and the time of the next look
    /// stays.
    ///
    /// # Errors
    /// As [`Board::accept`].
    pub async fn looked(
        &self,
        place: &Place,
        number: u64,
        began: Option<Timestamp>,
        (hindered, is_asked): (Option<&str>, bool),
        now: Timestamp,
    ) -> Result<Changed<bool>, Failure> {
        self.change(place, None, now, |all| all.looked(number, began, hindered, is_asked, now)).await
    }

    /// Looks after a start again at `at`. Whether it is the run's present one.
    ///
    /// # Errors
    /// As [`Board::accept`].
    pub async fn recover_at(
        &self,
        place: &Place,
        start: Start,
        hindered: &str,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<Changed<bool>, Failure> {
        self.change(place, None, now, |all| all.recover_at(start, hindered, at, now)).await
    }

    /// Forgets a run in the lane that is not open any more: its document was lost.
    ///
    /// # Errors
    /// As [`Board::accept`].
    pub async fn forget_lost(
        &self,
        site: &str,
        ticket: &Ticket,
        now: Timestamp,
    ) -> Result<Changed<bool>, Failure> {
        self.change(&Place::new(site, &ticket.luid), None, now, |all| {
            let is_lost = all.runs.open(ticket.run).is_none();
            if is_lost {
                all.lane.remove(ticket);
            }
            is_lost
        })
        .await
    }

    /// Sets the time of the next look at a job, if it is later.
    ///
    /// # Errors
    /// As [`Board::accept`].
    pub async fn look_by(
        &self,
        place: &Place,
        number: u64,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<Changed<bool>, Failure> {
        self.change(place, None, now, |all| {
            let is_open = all.runs.open(number).is_some();
            if is_open {
                all.runs.wake.by(at, now);
            }
            is_open
        })
        .await
    }

    /// Notes that these requests of an ended run are settled.
    ///
    /// # Errors
    /// As [`Board::accept`].
    pub async fn settled(
        &self,
        place: &Place,
        number: u64,
        ids: &[String],
        now: Timestamp,
    ) -> Result<Changed<()>, Failure> {
        self.change(place, None, now, |all| all.settled(number, ids, now)).await
    }

    /// Writes down what came of a request by the end of its run. The timer of its callback.
    ///
    /// # Errors
    /// As [`Board::accept`].
    pub async fn settle_by(
        &self,
        past: &Past,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<TimerMessage>, Failure> {
        let runs = Runs { last: past.number, past: vec![past.clone()], ..Runs::default() };
        for attempt in 0..TRIES {
            let found = self.load(&[key(keys::request(id))]).await?;
            let (record, version) = found.into_iter().next().unwrap_or_default();
            let Some(before) = read::<Request>("refresh", record.as_ref()) else { return Ok(None) };
            let mut request = before.clone();
            if request.outcome.is_none()
                && let Some(outcome) = request.result(&runs, now)
            {
                request.end(outcome, now);
            }
            let at = request.wake.at;
            let request_key = keys::request(id);
            let Some(change) = changed(key(request_key.clone()), version, &before, &request, at, now)? else {
                // The process that wrote it may have died before it set the timer.
                let timer = request.wake.timer_since(&Wake::default(), &request_key);
                return Ok(timer.filter(|_| request.has_callback_to_send()));
            };
            if let Commit::Done(_) = self.records.commit(&[change]).await.map_err(Failure::transient)? {
                return Ok(request.wake.timer_since(&before.wake, &request_key));
            }
            pause(attempt).await;
        }
        Err(Failure::transient(CONTENDED))
    }

    /// Writes down what came of a request, if that is settled. `None` if there is no such request.
    ///
    /// # Errors
    /// As [`Board::accept`].
    pub async fn settle(&self, id: &str, now: Timestamp) -> Result<Option<Changed<Request>>, Failure> {
        self.change_request(id, now, |documents| documents.settle(now)).await
    }

    /// Cancels a request for its caller. `None` if there is no such request.
    ///
    /// # Errors
    /// As [`Board::accept`].
    pub async fn cancel(&self, id: &str, now: Timestamp) -> Result<Option<Changed<Request>>, Failure> {
        let Some(request) = self.request(id).await? else { return Ok(None) };
        let place = Place::new(&request.site, &request.target.luid);
        self.change_request(id, now, |documents| {
            // What has ended in the meantime counts.
            documents.settle(now);
            documents.cancel(&place, now);
        })
        .await
    }

    /// Notes that Tableau does not cancel the job of a run: it goes on.
    ///
    /// # Errors
    /// As [`Board::accept`].
    pub async fn goes_on(&self, place: &Place, number: u64, now: Timestamp) -> Result<Changed<()>, Failure> {
        self.change(place, None, now, |all| all.goes_on(number)).await
    }

    async fn change_request(
        &self,
        id: &str,
        now: Timestamp,
        change: impl Fn(&mut Documents),
    ) -> Result<Option<Changed<Request>>, Failure> {
        let Some(request) = self.request(id).await? else { return Ok(None) };
        let place = Place::new(&request.site, &request.target.luid);
        let changed = self
            .change(&place, Some(id), now, |documents| {
                change(documents);
                documents.request.clone()
            })
            .await?;
        let Changed { runs, lane, result, timers } = changed;
        Ok(result.map(|result| Changed { runs, lane, result, timers }))
    }

    /// Notes what came of an attempt at a callback: when the next one is made, or how it ended.
    ///
    /// # Errors
    /// As [`Board::accept`].
    pub async fn called_back(
        &self,
        request: &Request,
        next: Result<CallbackState, Timestamp>,
        now: Timestamp,
    ) -> Result<Vec<TimerMessage>, Failure> {
        let place = Place::new(&request.site, &request.target.luid);
        let generation = request.wake.generation;
        let changed = self
            .change(&place, Some(&request.id), now, |documents| {
                let Some(request) =
                    documents.request.as_mut().filter(|request| request.is_current(generation))
                else {
                    return;
                };
                let Some(callback) = &mut request.callback else { return };
                callback.attempts = callback.attempts.saturating_add(1);
                let wake = match &next {
                    Ok(state) => {
                        callback.state = state.clone();
                        None
                    }
                    Err(at) => Some(*at),
                };
                request.wake.set(wake, now);
            })
            .await?;
        Ok(changed.timers)
    }

    /// Lets the lane be looked at by `at`.
    ///
    /// # Errors
    /// As [`Board::accept`].
    pub async fn wake_lane(
        &self,
        site: &str,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<TimerMessage>, Failure> {
        let changed = self.change_lane(&Place::new(site, ""), now, |lane| lane.wake_by(at, now)).await?;
        Ok(changed.timers)
    }

    /// The keys of documents whose timer was due a while ago.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn overdue(&self, now: Timestamp) -> Result<Vec<String>, Failure> {
        let found = self.records.due(now, MOST_OF_SWEEP).await.map_err(Failure::transient)?;
        Ok(found.into_iter().map(|key| key.partition).collect())
    }

    /// The lane of a site.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn lane(&self, site: &str) -> Result<Lane, Failure> {
        self.read_lane(site).await
    }

    async fn read_lane(&self, site: &str) -> Result<Lane, Failure> {
        let found = self.load(&[key(keys::lane(site))]).await?;
        Ok(found.first().and_then(|(record, _)| read("refresh-lane", record.as_ref())).unwrap_or_default())
    }

    async fn read(&self, place: &Place, request: Option<&str>) -> Result<Read, Failure> {
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

    async fn change_lane(
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
    async fn change<T: Send>(
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
            let (runs_key, lane_key) = (place.runs(), place.lane());
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
