//! The documents in the table. Each change is a transaction over those that it touches.

use crate::end::End;
use crate::keys::{self, Place};
use crate::lane::{Lane, Limits, NET, Next, Ticket};
use crate::request::{By, Callback, CallbackState, Request, Target};
use crate::run::{Past, Run, Runs, Start};
use crate::table::{CONTENDED, Changed, TRIES, Table};
use crate::transition::{Documents, Joined, Taken};
use crate::wake::Wake;
use jiff::{SignedDuration, Timestamp};
use std::fmt;
use std::sync::Arc;
use store::records::Records;
use timer::TimerMessage;
use workflow::Failure;

/// The requests, runs and lanes in the table.
#[derive(Clone)]
pub struct Board {
    pub(crate) table: Table,
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

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board").field("limits", &self.table.limits).finish_non_exhaustive()
    }
}

impl Board {
    /// The documents in these records.
    pub fn new(records: Arc<dyn Records>, limits: Limits) -> Self {
        Self { table: Table { records, limits } }
    }

    /// What may be started.
    pub fn limits(&self) -> Limits {
        self.table.limits
    }

    /// A request.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn request(&self, id: &str) -> Result<Option<Request>, Failure> {
        self.table.request(id).await
    }

    /// The runs of an object, and the lane of its site.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn runs(&self, place: &Place) -> Result<(Runs, Lane), Failure> {
        let read = self.table.read(place, None).await?;
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
        self.table
            .change(&place, Some(&new.id), now, |documents| {
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
            let lane = self.table.lane(site).await?;
            let Next::Start(ticket) = lane.next(self.table.limits, now) else {
                // Only the time of the next look may have to be written.
                let changed = self.table.change_lane(&lane_alone, now, |_| ()).await?;
                timers.extend(changed.timers);
                return Ok((Begin::Nothing, timers));
            };
            let place = Place::new(site, &ticket.luid);
            let changed = self
                .table
                .change(&place, None, now, |documents| {
                    // Others may have changed the lane since.
                    if documents.lane.next(self.table.limits, now) != Next::Start(ticket.clone()) {
                        return None;
                    }
                    let begun = documents.begin(ticket.run, &place, self.table.limits, now);
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
        let again = self.table.change(place, request, now, |all| {
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
        self.table.change(place, None, now, |all| all.running((start, place), taken, now)).await
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
        self.table
            .change(place, None, now, |all| match &mut all.runs.run {
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
        self.table
            .change(place, None, now, |all| {
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
        self.table.change(place, None, now, |all| all.put_back(start, place, true, now)).await
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
        self.table.change(place, None, now, |all| all.hold((start, place), hindered, until, now)).await
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
        self.table.change(place, None, now, |all| all.release(number, place, until, now)).await
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
        self.table.change(place, None, now, |all| all.refuse(start, end.clone(), place, now)).await
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
        self.table.change(place, None, now, |all| all.end(number, end.clone(), place, now)).await
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
        self.table.change(place, None, now, |all| all.claim_look(number, now)).await
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
        self.table.change(place, None, now, |all| all.looked(number, began, hindered, is_asked, now)).await
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
        self.table.change(place, None, now, |all| all.recover_at(start, hindered, at, now)).await
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
        self.table
            .change(&Place::new(site, &ticket.luid), None, now, |all| {
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
        self.table
            .change(place, None, now, |all| {
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
        self.table.change(place, None, now, |all| all.settled(number, ids, now)).await
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
        let changed = self.table.change_request(id, now, |request| {
            if request.outcome.is_none()
                && let Some(outcome) = request.result(&runs, now)
            {
                request.end(outcome, now);
            }
        });
        let Some((before, request)) = changed.await? else { return Ok(None) };
        // If it was written down before, the process that did so may have died before it set the timer.
        let since = if before == request { Wake::default() } else { before.wake };
        let timer = request.wake.timer_since(&since, &keys::request(id));
        Ok(timer.filter(|_| request.has_callback_to_send()))
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
        self.table.change(place, None, now, |all| all.goes_on(number)).await
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
            .table
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
            .table
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
        let changed =
            self.table.change_lane(&Place::new(site, ""), now, |lane| lane.wake_by(at, now)).await?;
        Ok(changed.timers)
    }

    /// The keys of documents whose timer was due a while ago.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn overdue(&self, now: Timestamp) -> Result<Vec<String>, Failure> {
        self.table.overdue(now).await
    }

    /// The lane of a site.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn lane(&self, site: &str) -> Result<Lane, Failure> {
        self.table.lane(site).await
    }
}
