//! What happens to a run, in its own document and in the lane. No I/O.

use crate::end::{End, EndStatus};
use crate::keys::Place;
use crate::lane::{Lane, Limits};
use crate::request::{Outcome, Request, Status};
use crate::run::{Past, Run, Runs, Start, State, Waiter};
use crate::wake::later;
use jiff::{SignedDuration, Timestamp};

/// The most requests of an object that wait, or have not got their result yet: their list has to fit into the document.
const MOST_WAITERS: usize = 1_000;
/// When a start is looked after that did not get an answer, and an end whose requests are not settled.
const RECOVERY: SignedDuration = SignedDuration::from_secs(20);

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
    /// Too many wait.
    Full,
}

/// A refresh that Tableau has for a start: its own, or another of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken<'a> {
    /// The job, if Tableau lets the service see it.
    pub job: Option<&'a str>,
    /// Whether this start has made it.
    pub ours: bool,
    /// Whether it is incremental.
    pub incremental: bool,
}

impl Documents {
    /// Lets a request wait for the open run, for the one after it, or for a new one. `trail`: what led to the request.
    pub(crate) fn join(
        &mut self,
        request: &mut Request,
        allow_full: bool,
        trail: &[String],
        place: &Place,
    ) -> Joined {
        if self.runs.waiting() >= MOST_WAITERS {
            return Joined::Full;
        }
        let Some(run) = &mut self.runs.run else {
            if self.lane.is_full() {
                return Joined::Full;
            }
            let run = self.new_run(request, allow_full, trail);
            self.lane.enqueue(run.ticket(&place.luid));
            self.runs.run = Some(run);
            return Joined::New;
        };
        let is_less = run.incremental && !request.incremental;
        if run.cancelling || (!run.is_to_start() && (request.fresh || is_less)) {
            if let Some(next) = &mut self.runs.next {
                next.take(request, allow_full, trail);
                (request.run, request.joined) = (next.number, true);
            } else {
                self.runs.next = Some(self.new_run(request, allow_full, trail));
            }
            return Joined::There;
        }
        run.take(request, allow_full, trail);
        (request.run, request.joined) = (run.number, true);
        if run.state == State::Waiting {
            // It is there already, unless the lane was lost.
            self.lane.enqueue(run.ticket(&place.luid));
        }
        Joined::There
    }

    fn new_run(&mut self, request: &mut Request, allow_full: bool, trail: &[String]) -> Run {
        self.runs.last = self.runs.last.saturating_add(1);
        (request.run, request.joined) = (self.runs.last, false);
        let mut run = Run {
            number: self.runs.last,
            target: request.target.clone(),
            incremental: request.incremental,
            allow_full,
            made_at: request.requested_at,
            state: State::Waiting,
            posts: 0,
            fresh_since: None,
            cancelling: false,
            waiters: Vec::new(),
            trail: Vec::new(),
            hindered: None,
            looked_at: None,
        };
        run.take(request, allow_full, trail);
        run
    }

    /// Begins the start of a run that waits, and writes down when. `None` if no one waits for it any more: it has ended then.
    pub(crate) fn begin(
        &mut self,
        number: u64,
        place: &Place,
        limits: Limits,
        now: Timestamp,
    ) -> Option<Run> {
        let run = self.runs.run.as_mut().filter(|run| run.number == number && run.state == State::Waiting)?;
        if !run.is_wanted(now) {
            let end = run.end(EndStatus::Cancelled, now, "No request waits for the refresh any more.");
            self.end(number, end, place, now);
            return None;
        }
        run.state = State::Starting { at: now };
        run.posts = run.posts.saturating_add(1);
        run.hindered = None;
        run.looked_at = None;
        let run = run.clone();
        self.lane.start(&run.ticket(&place.luid), limits, now);
        self.runs.wake.set(Some(later(now, RECOVERY)), now);
        Some(run)
    }

    /// The open run, if this start is its present one.
    fn starting(&mut self, start: Start) -> Option<&mut Run> {
        self.runs.run.as_mut().filter(|run| run.start() == Some(start))
    }

    /// Notes the refresh that Tableau has for a start. Whether the run could take it.
    pub(crate) fn running(
        &mut self,
        (start, place): (Start, &Place),
        taken: Taken<'_>,
        now: Timestamp,
    ) -> bool {
        let Taken { job, ours, incremental } = taken;
        let Some(run) = self.runs.run.as_mut().filter(|run| run.number == start.run) else { return false };
        match &mut run.state {
            State::Starting { at } if *at == start.at => {
                let job = job.map(str::to_owned);
                run.state = State::Running { at: start.at, job, ours, began: None };
            }
            // Another process did not see a job, while the answer was on its way to this one.
            State::Running { at, job: known @ None, ours: is_ours, .. }
                if *at == start.at && job.is_some() =>
            {
                *known = job.map(str::to_owned);
                *is_ours = ours;
            }
            _ => return false,
        }
        run.incremental = incremental;
        run.hindered = None;
        run.looked_at = Some(now);
        // Another's job is not cancelled.
        run.cancelling &= ours || job.is_none();
        let look = if run.cancelling { later(now, RECOVERY) } else { run.next_look(now) };
        let ticket = run.ticket(&place.luid);
        self.runs.wake.set(Some(look), now);
        self.lane.answered(&ticket);
        if ours {
            self.lane.resume(start.at);
        }
        true
    }

    /// Puts a run back to the front of the lane: it has no job. `was_sent`: Tableau may have counted the start all the same.
    pub(crate) fn put_back(&mut self, start: Start, place: &Place, was_sent: bool, now: Timestamp) -> bool {
        let Some(run) = self.starting(start) else { return false };
        run.state = State::Waiting;
        run.hindered = None;
        run.posts = run.posts.saturating_sub(u32::from(!was_sent));
        let ticket = run.ticket(&place.luid);
        self.lane.remove(&ticket);
        self.lane.enqueue_first(ticket);
        if !was_sent {
            self.lane.uncount(start.at);
        }
        self.idle(now);
        true
    }

    /// Takes a run whose start Tableau has refused for now out of the lane, until then. `is_tried`: the start is one of those that a
    /// run has at most.
    pub(crate) fn hold(
        &mut self,
        (start, place): (Start, &Place),
        (hindered, is_tried): (&str, bool),
        until: Timestamp,
        now: Timestamp,
    ) -> bool {
        let Some(run) = self.starting(start) else { return false };
        run.state = State::Held { until };
        run.hindered = Some(hindered.to_owned());
        run.posts = run.posts.saturating_sub(u32::from(!is_tried));
        let ticket = run.ticket(&place.luid);
        self.lane.remove(&ticket);
        self.lane.uncount(start.at);
        self.runs.wake.set(Some(until), now);
        true
    }

    /// Lets a run wait at the front of the lane again that is held until then or before.
    pub(crate) fn release(&mut self, number: u64, place: &Place, until: Timestamp, now: Timestamp) -> bool {
        let Some(run) = self.runs.run.as_mut().filter(|run| run.number == number) else { return false };
        if !matches!(run.state, State::Held { until: held } if held <= until) {
            return false;
        }
        run.state = State::Waiting;
        run.hindered = None;
        let ticket = run.ticket(&place.luid);
        self.lane.enqueue_first(ticket);
        self.idle(now);
        true
    }

    /// Looks after a start again at `at`.
    pub(crate) fn recover_at(&mut self, start: Start, hindered: &str, at: Timestamp, now: Timestamp) -> bool {
        let Some(run) = self.starting(start) else { return false };
        run.hindered = Some(hindered.to_owned());
        run.looked_at = Some(now);
        self.runs.wake.set(Some(at), now);
        true
    }

    /// Notes that what came of these requests of an ended run is written down.
    pub(crate) fn settled(&mut self, number: u64, ids: &[String], now: Timestamp) {
        for past in self.runs.past.iter_mut().filter(|past| past.number == number) {
            past.unsettled.retain(|waiter| !ids.contains(&waiter.id));
        }
        let is_idle = self.runs.run.as_ref().is_none_or(|run| run.state == State::Waiting);
        if is_idle && self.runs.unsettled().next().is_none() {
            self.runs.wake.set(None, now);
        }
    }

    /// The object waits for nothing but its turn in the lane, and for the results of its requests to be written down.
    fn idle(&mut self, now: Timestamp) {
        let is_settled = self.runs.unsettled().next().is_none();
        self.runs.wake.set((!is_settled).then(|| later(now, RECOVERY)), now);
    }

    /// Ends a run, and lets the next one wait in the lane if requests wait for it. Whether it was open.
    pub(crate) fn end(&mut self, number: u64, end: End, place: &Place, now: Timestamp) -> bool {
        let Some(run) = self.runs.run.take_if(|run| run.number == number) else { return false };
        self.lane.remove(&run.ticket(&place.luid));
        let began = run.began();
        let Run { trail, waiters, .. } = run;
        self.runs.keep(Past { number, began, trail, end, unsettled: waiters });
        self.idle(now);
        if let Some(next) = self.runs.next.take().filter(|next| next.is_wanted(now)) {
            self.lane.enqueue(next.ticket(&place.luid));
            self.runs.run = Some(next);
        }
        true
    }

    /// Ends a run whose start Tableau has refused, if this start is its present one.
    pub(crate) fn refuse(&mut self, start: Start, end: End, place: &Place, now: Timestamp) -> bool {
        self.starting(start).is_some() && self.end(start.run, end, place, now)
    }

    /// Says that a job is being looked at, for a caller who asks. `None` if another process did so a moment ago.
    pub(crate) fn claim_look(&mut self, number: u64, now: Timestamp) -> Option<Run> {
        let run = self.runs.run.as_mut().filter(|run| run.number == number && run.may_be_looked_at(now))?;
        run.looked_at = Some(now);
        Some(run.clone())
    }

    /// Notes a look at the job that has not ended. `hindered`: why it could not be seen. A caller's question leaves the time of the
    /// next look as it is.
    pub(crate) fn looked(
        &mut self,
        number: u64,
        began: Option<Timestamp>,
        hindered: Option<&str>,
        is_asked: bool,
        now: Timestamp,
    ) -> bool {
        let Some(run) = self.runs.run.as_mut().filter(|run| run.number == number) else { return false };
        if let State::Running { began: known, .. } = &mut run.state {
            *known = known.or(began);
        }
        run.hindered = hindered.map(str::to_owned);
        let look = if run.cancelling { later(now, RECOVERY) } else { run.next_look(now) };
        if is_asked {
            self.runs.wake.by(look, now);
        } else {
            run.looked_at = Some(now);
            self.runs.wake.set(Some(look), now);
        }
        true
    }

    /// Writes down what came of the request, if that is known.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        if let Some(request) = self.request.as_mut().filter(|request| request.outcome.is_none())
            && let Some(outcome) = request.result(&self.runs, now)
        {
            request.end(outcome, now);
        }
    }

    /// Ends a request for its caller. If no request waits for its run any more, what Tableau may have of it is to be cancelled.
    pub(crate) fn cancel(&mut self, place: &Place, now: Timestamp) {
        let Some(request) = self.request.as_mut().filter(|request| request.outcome.is_none()) else { return };
        let id = request.id.clone();
        let number = request.run;
        let run = self.runs.open(number);
        let outcome = Outcome {
            status: Status::Cancelled,
            started_at: run.and_then(|run| run.end(EndStatus::Cancelled, now, "").started_at),
            ended_at: now,
            job: run.and_then(|run| run.job().map(str::to_owned)),
            incremental: run.map_or(request.incremental, |run| run.incremental),
            message: "The request was cancelled by its caller.".to_owned(),
            cause: None,
            refusal: None,
        };
        request.end(outcome, now);
        let others = |waiters: &mut Vec<Waiter>| waiters.retain(|waiter| waiter.id != id);
        if let Some(next) = &mut self.runs.next {
            others(&mut next.waiters);
        }
        self.runs.next.take_if(|next| next.waiters.is_empty());
        let Some(run) = self.runs.run.as_mut().filter(|run| run.number == number) else { return };
        others(&mut run.waiters);
        if run.is_wanted(now) {
            return;
        }
        match run.state {
            State::Waiting | State::Held { .. } => {
                let end = run.end(EndStatus::Cancelled, now, "All requests for the refresh were cancelled.");
                self.end(number, end, place, now);
            }
            State::Running { ours: false, job: Some(_), .. } => {}
            State::Starting { .. } | State::Running { .. } => {
                run.cancelling = true;
                self.runs.wake.by(later(now, RECOVERY), now);
            }
        }
    }

    /// Notes that Tableau does not cancel the job of a run: it goes on.
    pub(crate) fn goes_on(&mut self, number: u64) {
        if let Some(run) = self.runs.run.as_mut().filter(|run| run.number == number) {
            run.cancelling = false;
        }
    }
}
