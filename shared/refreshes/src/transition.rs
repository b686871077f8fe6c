//! What happens to a run, in its own document and in the lane. No I/O.

use crate::end::{End, EndStatus};
use crate::keys::Place;
use crate::lane::{Lane, later};
use crate::request::{Outcome, Request, Status};
use crate::run::{Past, Run, Runs, State, Waiter};
use jiff::{SignedDuration, Timestamp};

/// The most requests that wait for one run: their list has to fit into the document.
pub(crate) const MOST_WAITERS: usize = 2_000;
/// When a start is looked after that did not get an answer, and an end whose requests are not settled.
pub(crate) const RECOVERY: SignedDuration = SignedDuration::from_secs(20);

/// The documents that a change is about.
#[derive(Clone, Debug)]
pub(crate) struct Documents {
    pub(crate) runs: Runs,
    pub(crate) lane: Lane,
    pub(crate) request: Option<Request>,
}

/// What becomes of a new request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joined {
    /// It has a run of its own.
    New,
    /// It waits for a run that was there, or for the one after it.
    There,
    /// Too many wait for the run.
    Full,
}

impl Documents {
    /// Lets a request wait for the open run, or for a new one. `trail`: what led to the request.
    pub(crate) fn join(
        &mut self,
        request: &mut Request,
        allow_full: bool,
        trail: &[String],
        place: &Place,
    ) -> Joined {
        let waiter = Waiter { id: request.id.clone(), until: request.until };
        let Some(run) = &mut self.runs.run else {
            self.runs.last = self.runs.last.saturating_add(1);
            request.run = self.runs.last;
            let run = Run {
                number: self.runs.last,
                target: request.target.clone(),
                incremental: request.incremental,
                allow_full,
                made_at: request.requested_at,
                state: State::Waiting,
                posts: 0,
                waiters: vec![waiter],
                trail: trail.to_vec(),
                hindered: None,
                looked_at: None,
            };
            self.lane.enqueue(run.ticket(&place.luid));
            self.runs.run = Some(run);
            return Joined::New;
        };
        if run.waiters.len().saturating_add(self.runs.next.len()) >= MOST_WAITERS {
            return Joined::Full;
        }
        for luid in trail {
            if !run.trail.contains(luid) {
                run.trail.push(luid.clone());
            }
        }
        request.joined = true;
        if run.incremental && !request.incremental && run.state != State::Waiting {
            request.run = run.number.saturating_add(1);
            self.runs.next.push(waiter);
            return Joined::There;
        }
        // One that has not begun becomes what the widest request asks for.
        run.incremental &= request.incremental;
        run.allow_full |= allow_full;
        request.run = run.number;
        run.waiters.push(waiter);
        Joined::There
    }

    /// Begins the start of a run that waits, and writes down when. `None` if no one waits for it any more: it has ended then.
    pub(crate) fn begin(&mut self, number: u64, place: &Place, now: Timestamp) -> Option<Run> {
        let run = self.runs.run.as_mut().filter(|run| run.number == number && run.state == State::Waiting)?;
        if !run.is_wanted(now) {
            let end = run.end(EndStatus::Cancelled, now, "No request waits for the refresh any more.");
            self.end(number, end, place, now);
            return None;
        }
        run.state = State::Starting { at: now, refused: false };
        run.posts = run.posts.saturating_add(1);
        run.hindered = None;
        let run = run.clone();
        self.lane.start(&run.ticket(&place.luid), now);
        self.runs.wake(Some(later(now, RECOVERY)));
        Some(run)
    }

    /// Notes the job of a run. Whether the run was one that could get a job.
    pub(crate) fn running(
        &mut self,
        (number, place): (u64, &Place),
        job: Option<&str>,
        ours: bool,
        incremental: bool,
        now: Timestamp,
    ) -> bool {
        let Some(run) = self.runs.run.as_mut().filter(|run| run.number == number) else { return false };
        let State::Starting { at, .. } = run.state else { return false };
        run.state = State::Running { at, job: job.map(str::to_owned), ours, began: None };
        run.incremental = incremental;
        run.hindered = None;
        run.looked_at = Some(now);
        let look = run.next_look(now);
        let ticket = run.ticket(&place.luid);
        self.runs.wake(Some(look));
        self.lane.answered(&ticket);
        if ours {
            self.lane.resume();
        }
        true
    }

    /// Puts a run back into the lane: Tableau has not taken it. `was_sent`: it may have counted all the same.
    pub(crate) fn put_back(
        &mut self,
        number: u64,
        place: &Place,
        was_sent: bool,
        hindered: Option<&str>,
    ) -> bool {
        let Some(run) = self.runs.run.as_mut().filter(|run| run.number == number) else { return false };
        let State::Starting { at, .. } = run.state else { return false };
        run.state = State::Waiting;
        run.hindered = hindered.map(str::to_owned);
        self.lane.put_back(&run.ticket(&place.luid), at, was_sent);
        self.runs.wake(None);
        true
    }

    /// Begins a start anew, after Tableau has refused it or has certainly made no job. Whether it may be sent.
    pub(crate) fn restart(&mut self, number: u64, now: Timestamp) -> Option<Run> {
        let run = self.runs.run.as_mut().filter(|run| run.number == number)?;
        let State::Starting { at, refused } = run.state else { return None };
        if refused && let Some(start) = self.lane.starts.iter().position(|start| *start == at) {
            self.lane.starts.remove(start);
        }
        self.lane.starts.push(now);
        self.lane.starts.sort_unstable();
        run.state = State::Starting { at: now, refused: false };
        run.posts = run.posts.saturating_add(1);
        let run = run.clone();
        self.runs.wake(Some(later(now, RECOVERY)));
        Some(run)
    }

    /// Notes that what came of the requests of an ended run is written down.
    pub(crate) fn settled(&mut self, number: u64) {
        for past in self.runs.past.iter_mut().filter(|past| past.number == number) {
            past.unsettled.clear();
        }
        let is_idle = self.runs.run.as_ref().is_none_or(|run| run.state == State::Waiting);
        if is_idle && self.runs.unsettled().next().is_none() {
            self.runs.wake(None);
        }
    }

    /// Ends a run, and begins the next if some wait for it. Whether it was open.
    pub(crate) fn end(&mut self, number: u64, end: End, place: &Place, now: Timestamp) -> bool {
        let Some(run) = self.runs.run.take_if(|run| run.number == number) else { return false };
        self.lane.remove(&run.ticket(&place.luid));
        let unsettled = run.waiters.clone();
        let has_waiters = !unsettled.is_empty();
        self.runs.keep(Past { number, began: run.began(), trail: run.trail.clone(), end, unsettled });
        self.runs.wake(has_waiters.then(|| later(now, RECOVERY)));
        let next = std::mem::take(&mut self.runs.next);
        if next.iter().any(|waiter| waiter.until > now) {
            self.runs.last = self.runs.last.saturating_add(1);
            let next = Run {
                number: self.runs.last,
                incremental: false,
                made_at: now,
                state: State::Waiting,
                posts: 0,
                waiters: next,
                hindered: None,
                looked_at: None,
                ..run.clone()
            };
            self.lane.enqueue(next.ticket(&place.luid));
            self.runs.run = Some(next);
        }
        true
    }

    /// Notes a look at the job that has not ended. `hindered`: why it could not be seen.
    pub(crate) fn looked(
        &mut self,
        number: u64,
        began: Option<Timestamp>,
        hindered: Option<&str>,
        now: Timestamp,
    ) -> bool {
        let Some(run) = self.runs.run.as_mut().filter(|run| run.number == number) else { return false };
        if let State::Running { began: known, .. } = &mut run.state {
            *known = known.or(began);
        }
        run.looked_at = Some(now);
        run.hindered = hindered.map(str::to_owned);
        let look = run.next_look(now);
        self.runs.wake(Some(look));
        true
    }

    /// Ends a request for its caller. Whether a job has to be cancelled: the last request that waited for it is gone, and this service
    /// has started it.
    pub(crate) fn cancel(&mut self, place: &Place, now: Timestamp) -> Option<String> {
        let request = self.request.as_mut().filter(|request| request.outcome.is_none())?;
        let id = request.id.clone();
        let run = self.runs.open(request.run);
        request.outcome = Some(Outcome {
            status: Status::Cancelled,
            started_at: run.and_then(|run| run.end(EndStatus::Cancelled, now, "").started_at),
            ended_at: now,
            job: run.and_then(|run| run.job().map(str::to_owned)),
            incremental: run.map_or(request.incremental, |run| run.incremental),
            message: "The request was cancelled by its caller.".to_owned(),
            cause: None,
            refusal: None,
        });
        let wake = request.callback.is_some().then_some(now);
        request.wake(wake);
        let number = request.run;
        self.runs.next.retain(|waiter| waiter.id != id);
        let run = self.runs.run.as_mut().filter(|run| run.number == number)?;
        run.waiters.retain(|waiter| waiter.id != id);
        if run.is_wanted(now) {
            return None;
        }
        match &run.state {
            State::Waiting => {
                let end = run.end(EndStatus::Cancelled, now, "All requests for the refresh were cancelled.");
                self.end(number, end, place, now);
                None
            }
            State::Running { job: Some(job), ours: true, .. } => Some(job.clone()),
            State::Starting { .. } | State::Running { .. } => None,
        }
    }
}
