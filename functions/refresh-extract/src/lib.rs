//! Refreshes workbooks and data sources for callers of its API and for rules, and waits for the end.

mod answer;
mod api;
mod body;
mod callback;
mod chains;
mod config;
mod end;
mod engine;
mod history;
mod jobs;
mod look;
mod meaning;
mod problem;
mod resolve;
mod start;

pub use config::{Config, SCOPES};

use answer::Front;
use api_keys::Keys;
use callback::{Sent, wait_after};
use engine::{Engine, MOST_STARTS};
use facts::FactLookups;
use jiff::{SignedDuration, Timestamp};
use look::Look;
use refreshes::{
    Accepted, Board, By, CallbackState, Limits, NewRequest, Place, Request, Run, Runs, State, place_of_timer,
    request_of_timer, site_of_timer,
};
use resolve::Known;
use rules::LoadedRules;
use std::sync::Arc;
use store::records::Records;
use tableau::{Action, Event};
use timer::{Timer, TimerMessage};
use workflow::{ApiAnswer, ApiRequest, Failure, Invocation, Outcome, Workflow};

/// How soon a job is looked at again whose event came before its end could be seen.
const SOON: SignedDuration = SignedDuration::from_secs(15);
/// How many starts the answer to a request waits for: others may be before its own.
const MOST_STARTS_OF_A_REQUEST: usize = 2;
/// How much earlier than the start of a run its end may seem to be, since the difference of the clocks is known roughly.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(5);

/// What the workflow works with.
pub struct Parts {
    /// The keys of callers.
    pub keys: Keys,
    /// The table.
    pub records: Arc<dyn Records>,
    /// What may be started.
    pub limits: Limits,
    /// How long a caller may wait for the result within one request. Each wait holds one of the account's concurrent executions.
    pub most_wait_seconds: u64,
    /// Tableau, and what rules ask it.
    pub facts: FactLookups,
    /// The rules.
    pub rules: LoadedRules,
    /// The workflow's timers; `None` in inline mode.
    pub timer: Option<Arc<dyn Timer>>,
    /// The site's name in URLs.
    pub site: String,
    /// Where the API is.
    pub public_url: String,
    /// The client for callbacks, which connects to public addresses only.
    pub http: reqwest::Client,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}

/// The workflow `refresh-extract`.
pub struct RefreshExtract {
    keys: Keys,
    engine: Engine,
    most_wait_seconds: u64,
    rules: LoadedRules,
    front: Front,
    http: reqwest::Client,
    known: Known,
}

impl std::fmt::Debug for RefreshExtract {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RefreshExtract").field("board", &self.engine.board).finish_non_exhaustive()
    }
}

impl RefreshExtract {
    /// The workflow with its parts.
    pub fn new(parts: Parts) -> Self {
        let Parts { keys, records, limits, most_wait_seconds, facts, rules, timer, site, public_url, http } =
            parts;
        Self {
            keys,
            engine: Engine { board: Board::new(records, limits), facts, timer },
            most_wait_seconds,
            rules,
            front: Front { public_url, site },
            http,
            known: Known::default(),
        }
    }

    /// Stores a request, sets its timers, and starts what may start. A start that fails is no trouble of this request: a timer goes on.
    async fn accept(&self, new: &NewRequest, invocation: &Invocation) -> Result<Accepted, Failure> {
        let now = invocation.time();
        let place = Place::new(&new.site, &new.target.luid);
        let (runs, _) = self.engine.board.runs(&place).await?;
        let mut set = Vec::new();
        if runs.run.is_none() || new.callback_url.is_some() {
            set = self.engine.board.timers_before(new, now);
            self.engine.arm(&set, now).await?;
        }
        let changed = self.engine.board.accept(new, now).await?;
        let is_set =
            |timer: &TimerMessage| set.iter().any(|other| other.key == timer.key && other.due == timer.due);
        let timers: Vec<TimerMessage> =
            changed.timers.iter().filter(|timer| !is_set(timer)).cloned().collect();
        self.engine.arm(&timers, now).await?;
        if let Accepted::Stored(request) = &changed.result
            && changed.runs.open(request.run).is_some_and(Run::is_to_start)
            && let Err(failure) = self.engine.pump(&new.site, MOST_STARTS_OF_A_REQUEST, invocation).await
        {
            tracing::warn!(site.luid = new.site, reason = failure.reason(), "a refresh was not started yet");
        }
        Ok(changed.result)
    }

    /// Goes on with a request that was stored before: the process that stored it may have died before it set a timer.
    async fn resume(&self, request: &Request, invocation: &Invocation) -> Result<(), Failure> {
        let place = Place::new(&request.site, &request.target.luid);
        self.engine.arm_again(&place, Some(&request.id), invocation).await?;
        if request.outcome.is_none()
            && let Err(failure) = self.engine.pump(&request.site, MOST_STARTS_OF_A_REQUEST, invocation).await
        {
            tracing::warn!(
                site.luid = request.site,
                reason = failure.reason(),
                "a refresh was not started yet"
            );
        }
        Ok(())
    }

    /// The event of a refresh that has ended: it may be that of a run.
    async fn refresh_ended(
        &self,
        event: &Event,
        succeeded: bool,
        invocation: &Invocation,
    ) -> Result<Option<&'static str>, Failure> {
        let place = Place::new(event.site.as_str(), event.subject.luid());
        let (runs, _) = self.engine.board.runs(&place).await?;
        if runs.last == 0 {
            return Ok(None);
        }
        if invocation.attempt > 1 {
            self.engine.arm_again(&place, None, invocation).await?;
        }
        let ended = self.end_of_run(event, &place, &runs, succeeded, invocation).await;
        // Also if the event came before: the process that handled it may have died before it started the next refresh.
        match (ended, self.engine.tend(&place.site, invocation).await) {
            (ended, Ok(())) => ended,
            (Ok(_), Err(failure)) => Err(failure),
            (Err(one), Err(two)) => Err(Failure::worse(Some(one), two)),
        }
    }

    async fn end_of_run(
        &self,
        event: &Event,
        place: &Place,
        runs: &Runs,
        succeeded: bool,
        invocation: &Invocation,
    ) -> Result<Option<&'static str>, Failure> {
        self.engine.settle(place, runs, invocation).await?;
        let Some(run) = &runs.run else { return Ok(None) };
        let State::Running { at: began, .. } = run.state else {
            match run.state {
                State::Starting { .. } => self.engine.recover(place, run, invocation).await?,
                // It may have waited for the refresh that has ended.
                State::Held { .. } => self.engine.release(place, run, Timestamp::MAX, invocation).await?,
                State::Waiting | State::Running { .. } => {}
            }
            return Ok(None);
        };
        let at = event.credible_time(invocation.now).unwrap_or(invocation.now);
        let look = self.engine.look(place, run, false, invocation).await?;
        // The event has its time by Tableau's clock.
        let ahead = self.engine.facts.tableau().client().clock_ahead();
        let is_since = at.checked_add(CLOCKS_DIFFER - ahead).is_ok_and(|at| at >= began);
        match look {
            Look::Ended => Ok(Some("the event ended the wait for the refresh")),
            Look::Open => {
                let now = invocation.time();
                let soon = now.checked_add(SOON).unwrap_or(now);
                let changed = self.engine.board.look_by(place, run.number, soon, now).await?;
                self.engine.arm(&changed.timers, now).await?;
                Ok(None)
            }
            Look::Unseen { for_good: true } if is_since => {
                self.engine.end_by_event(place, run, succeeded, at, invocation).await?;
                Ok(Some("the event ended the wait for the refresh"))
            }
            Look::Unseen { for_good: true } => Ok(None),
            Look::Unseen { for_good: false } => {
                Err(Failure::transient("the job of the refresh could not be looked at"))
            }
        }
    }

    /// A timer of an object's runs.
    async fn run_is_due(
        &self,
        place: &Place,
        generation: Option<u64>,
        invocation: &Invocation,
    ) -> Result<Outcome, Failure> {
        let (runs, _) = self.engine.board.runs(place).await?;
        self.engine.settle(place, &runs, invocation).await?;
        if generation.is_some_and(|generation| !runs.is_current(generation)) {
            self.engine.arm_again(place, None, invocation).await?;
            return Ok(Outcome::skipped("the timer is out of date"));
        }
        let Some(run) = &runs.run else { return Ok(Outcome::skipped("no refresh of the object is open")) };
        match run.state {
            State::Waiting => return Ok(Outcome::skipped("the refresh waits in the queue")),
            State::Starting { .. } | State::Held { .. } => {
                self.engine.recover(place, run, invocation).await?
            }
            State::Running { .. } if run.cancelling && run.job().is_some() => {
                self.engine.cancel(place, run, invocation).await?;
            }
            State::Running { .. } => {
                self.engine.look(place, run, false, invocation).await?;
            }
        }
        self.engine.pump(&place.site, MOST_STARTS, invocation).await?;
        Ok(Outcome::Done)
    }

    /// A timer of a request: its time is over, or its result is to be sent.
    async fn request_is_due(
        &self,
        id: &str,
        generation: Option<u64>,
        invocation: &Invocation,
    ) -> Result<Outcome, Failure> {
        let now = invocation.time();
        let Some(settled) = self.engine.board.settle(id, now).await? else {
            return Ok(Outcome::skipped("there is no such request"));
        };
        let request = &settled.result;
        let is_current = generation.is_none_or(|generation| request.is_current(generation));
        // A timer of the time before the result was written is one of the result too.
        if !request.has_callback_to_send() || (!is_current && settled.timers.is_empty()) {
            self.engine.arm(&settled.timers, now).await?;
            if request.has_callback_to_send() {
                let place = Place::new(&request.site, &request.target.luid);
                self.engine.arm_again(&place, Some(id), invocation).await?;
            }
            return Ok(Outcome::skipped("there is nothing to send"));
        }
        self.call_back(request, invocation).await
    }

    async fn call_back(&self, request: &Request, invocation: &Invocation) -> Result<Outcome, Failure> {
        let now = invocation.time();
        let (Some(callback), By::Key { id: key, caller }) = (&request.callback, &request.by) else {
            return Ok(Outcome::skipped("there is nothing to send"));
        };
        let Some(key) = self.keys.get(key).await.map_err(Failure::transient)? else {
            let reason = "the key of the request is gone".to_owned();
            let state = CallbackState::GivenUp { reason };
            self.engine.board.called_back(request, Ok(state), now).await?;
            return Ok(Outcome::skipped("the key of the request is gone"));
        };
        let secret = key.signing_secret().map_err(Failure::permanent)?;
        let place = Place::new(&request.site, &request.target.luid);
        let (runs, lane) = self.engine.board.runs(&place).await?;
        let view = request.view(&runs, &lane, self.engine.board.limits(), now);
        let body = self.front.refresh(request, &view).to_string();
        let sent = callback::send(&self.http, &callback.url, &request.id, &secret, body, now).await;
        let now = invocation.time();
        let next = match &sent {
            Sent::Taken => Ok(CallbackState::Delivered),
            Sent::Never(reason) => Ok(CallbackState::GivenUp { reason: reason.clone() }),
            Sent::NotNow(reason) => match wait_after(callback.attempts) {
                Some(wait) => Err(now.checked_add(wait).unwrap_or(Timestamp::MAX)),
                None => Ok(CallbackState::GivenUp { reason: reason.clone() }),
            },
        };
        let timers = self.engine.board.called_back(request, next.clone(), now).await?;
        self.engine.arm(&timers, now).await?;
        let (outcome, reason) = match (&sent, &next) {
            (Sent::Taken, _) => ("delivered", ""),
            (Sent::NotNow(reason), Err(_)) => ("later", reason.as_str()),
            (Sent::NotNow(reason) | Sent::Never(reason), _) => ("given up", reason.as_str()),
        };
        let attempt = callback.attempts.saturating_add(1);
        tracing::info!(
            refresh.id = request.id,
            key.id = key.id,
            caller,
            attempt,
            outcome,
            reason,
            "callback sent"
        );
        Ok(Outcome::Done)
    }

    async fn is_due(
        &self,
        key: &str,
        generation: Option<u64>,
        invocation: &Invocation,
    ) -> Result<Outcome, Failure> {
        if let Some(id) = request_of_timer(key) {
            return self.request_is_due(id, generation, invocation).await;
        }
        if let Some(place) = place_of_timer(key) {
            return self.run_is_due(&place, generation, invocation).await;
        }
        if let Some(site) = site_of_timer(key) {
            self.engine.tend(site, invocation).await?;
            self.engine.forget_lost(site, invocation).await?;
            return Ok(Outcome::Done);
        }
        Err(Failure::permanent("the timer is of no refresh"))
    }
}

impl Workflow for RefreshExtract {
    const NAME: &'static str = "refresh-extract";
    const API: Option<&'static str> = Some("refreshes");

    async fn handle(&self, event: &Event, invocation: &Invocation) -> Result<Outcome, Failure> {
        // Before the next run begins: what led to that is not what led to this event.
        let trail = self.trail(event, invocation).await?;
        let ended = match event.name.action() {
            Some(Action::RefreshSucceeded) => self.refresh_ended(event, true, invocation).await,
            Some(Action::RefreshFailed) => self.refresh_ended(event, false, invocation).await,
            _ => Ok(None),
        };
        // A start that cannot be looked after holds no rule up.
        let started = self.by_rules(event, &trail, invocation).await;
        let (ended, started) = match (ended, started) {
            (Ok(ended), Ok(started)) => (ended, started),
            (Err(one), Err(two)) => return Err(Failure::worse(Some(one), two)),
            (Err(failure), _) | (_, Err(failure)) => return Err(failure),
        };
        Ok(match (ended, started) {
            (_, Some(Outcome::Done)) | (Some(_), None) => Outcome::Done,
            (_, Some(outcome)) => outcome,
            (None, None) => Outcome::skipped("no refresh waits for the event, and no rule starts one"),
        })
    }

    async fn on_timer(&self, timer: &TimerMessage, invocation: &Invocation) -> Result<Outcome, Failure> {
        self.is_due(&timer.key, Some(timer.generation), invocation).await
    }

    async fn on_sweep(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let mut failed = None;
        let overdue = self.engine.board.overdue(invocation.time()).await?;
        let is_empty = overdue.is_empty();
        for key in overdue {
            tracing::warn!(timer.key = key, "a timer was lost; the sweep does its work");
            if let Err(failure) = self.is_due(&key, None, invocation).await {
                failed = Some(Failure::worse(failed, failure));
            }
        }
        match failed {
            Some(failure) => Err(failure),
            None if is_empty => Ok(Outcome::skipped("no timer was lost")),
            None => Ok(Outcome::Done),
        }
    }

    async fn on_api(&self, request: &ApiRequest, invocation: &Invocation) -> Result<ApiAnswer, Failure> {
        // Boxed, because the nested futures would otherwise be too deep for the compiler.
        Box::pin(self.answer(request, invocation)).await
    }
}
