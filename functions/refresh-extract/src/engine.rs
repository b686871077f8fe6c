//! Starts runs, looks at their jobs, and ends them.

use crate::jobs::{self, Found, Posted, Seen};
use crate::meaning::{Meaning, may_not_see, of_start, signed};
use circuit::Guarded;
use facts::FactLookups;
use guarded_tableau::TableauError;
use jiff::{SignedDuration, Timestamp};
use refreshes::{
    Begin, Board, Cause, Changed, End, EndStatus, LONGEST_RUN, Past, Place, Refusal, Run, Runs, Start, State,
    Taken, Target,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tableau::{ContentKind, Subject};
use tableau_client::{Error, JobEnd, RefreshKind, diagnose};
use timer::{Timer, TimerMessage};
use tokio::task::JoinSet;
use workflow::{Failure, Invocation, chain};

/// How often the start of a run is sent at most, after answers that said neither yes nor no, or not yet.
const MOST_POSTS: u32 = 4;
/// The gaps before a start that Tableau refused for now is sent again: content that was published a moment ago is not known everywhere.
///
/// Together they are two minutes.
const GAPS: [SignedDuration; 3] =
    [SignedDuration::from_secs(5), SignedDuration::from_secs(25), SignedDuration::from_secs(90)];
/// The shortest and the longest gap before a start is sent again that has to wait for the end of an earlier refresh of the object. They
/// grow with the wait, and the event of that end makes it shorter.
const AFTER_ANOTHER: (SignedDuration, SignedDuration) =
    (SignedDuration::from_secs(45), SignedDuration::from_mins(10));
/// How long before an attempt a timer was said to be set that the attempt finds out of date: by then it is set, or its process died.
const TIMER_IS_LOST: SignedDuration = SignedDuration::from_secs(10);
/// How much earlier than it was a time of Tableau may seem to be: the difference of the clocks is known to about 2 s.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(3);
/// How long a run is in the lane before it is looked whether its document is still there.
const PERHAPS_LOST: SignedDuration = SignedDuration::from_mins(15);
/// How long after a start a job may appear in the list, if the answer was lost.
///
/// Longer than the function may run, so that no process can still be about to send it.
const JOB_APPEARS: SignedDuration = SignedDuration::from_secs(75);
/// The gap between two looks at the list for it.
const LIST_AGAIN: SignedDuration = SignedDuration::from_secs(15);
/// How many starts one invocation sends. A timer goes on with the rest.
pub(crate) const MOST_STARTS: usize = 8;
/// The time that a start needs at least.
const TIME_OF_START: Duration = Duration::from_secs(12);
/// How many requests are settled at the same time, before that is written down.
const SETTLED_AT_ONCE: usize = 16;
/// The time that settling so many needs at most.
const TIME_OF_SETTLING: Duration = Duration::from_secs(8);

const NO_INCREMENTAL: &str =
    "it cannot be refreshed incrementally, or is not set up for it: set allow_full to refresh it fully";
const LOST: &str = "Tableau's job list, because the answer to the start was lost";
const NOT_YET: &str = "Tableau to know the content, which was perhaps published a moment ago";
const EARLIER: &str = "a refresh that began before the request: a new one follows it";
const EARLIER_UNSEEN: &str =
    "a refresh that Tableau has queued, and does not show to the user of the service: a new one follows it";
const QUEUED_ELSEWHERE: &str = "a refresh that is queued already, and that Tableau does not list yet";

/// What a look at a job has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// The run has ended.
    Ended,
    /// The job has not ended.
    Open,
    /// The job cannot be seen.
    Unseen {
        /// Whether that is so until a person changes it, and not for a moment.
        for_good: bool,
    },
}

/// What the engine works with.
pub(crate) struct Engine {
    pub(crate) board: Board,
    /// Tableau, and what rules ask it.
    pub(crate) facts: FactLookups,
    /// `None` in inline mode.
    pub(crate) timer: Option<Arc<dyn Timer>>,
}

impl Engine {
    /// Sets timers, before what was written is acknowledged.
    pub(crate) async fn arm(&self, timers: &[TimerMessage], now: Timestamp) -> Result<(), Failure> {
        let Some(timer) = &self.timer else { return Ok(()) };
        for message in timers {
            timer.ensure(message, now).await?;
        }
        Ok(())
    }

    /// Sets the timers of these documents once more, if they may have been lost.
    pub(crate) async fn arm_again(
        &self,
        place: &Place,
        request: Option<&str>,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        // An attempt that failed, or whose process died, is made again. It may have written a time, and set no timer.
        let age = if invocation.attempt > 1 { SignedDuration::ZERO } else { TIMER_IS_LOST };
        let now = invocation.time();
        let timers = self.board.timers_again(place, request, age, now).await?;
        self.arm(&timers, now).await
    }

    /// Looks after starts whose process may have died, and starts what may start. A start that cannot be looked after does not hinder
    /// the others.
    pub(crate) async fn tend(&self, site: &str, invocation: &Invocation) -> Result<(), Failure> {
        let lane = self.board.lane(site).await?;
        let mut failed = None;
        for ticket in lane.unanswered(invocation.time()).take(MOST_STARTS) {
            let place = Place::new(site, &ticket.luid);
            let (runs, _) = self.board.runs(&place).await?;
            let Some(run) = runs.open(ticket.run).filter(|run| run.may_be_looked_at(invocation.time()))
            else {
                continue;
            };
            if let Err(failure) = self.recover(&place, run, invocation).await {
                failed = Some(Failure::worse(failed, failure));
            }
        }
        if invocation.attempt > 1 {
            for started in &lane.running {
                self.arm_again(&Place::new(site, &started.ticket.luid), None, invocation).await?;
            }
        }
        self.pump(site, MOST_STARTS, invocation).await?;
        failed.map_or(Ok(()), Err)
    }

    /// Forgets runs in the lane whose documents were lost: they would hold the others up for ever.
    pub(crate) async fn forget_lost(&self, site: &str, invocation: &Invocation) -> Result<(), Failure> {
        let now = invocation.time();
        let lane = self.board.lane(site).await?;
        for ticket in lane.started_before(PERHAPS_LOST, now) {
            let (runs, _) = self.board.runs(&Place::new(site, &ticket.luid)).await?;
            if runs.open(ticket.run).is_none() {
                let changed = self.board.forget_lost(site, ticket, now).await?;
                self.arm(&changed.timers, now).await?;
                tracing::error!(
                    resource.luid = ticket.luid,
                    run = ticket.run,
                    "the document of a refresh is lost"
                );
            }
        }
        Ok(())
    }

    /// Starts what may start, `most` at most.
    pub(crate) async fn pump(&self, site: &str, most: usize, invocation: &Invocation) -> Result<(), Failure> {
        for _ in 0..most {
            if invocation.remaining() < TIME_OF_START {
                break;
            }
            let now = invocation.time();
            let (begin, timers) = self.board.begin(site, now).await?;
            self.arm(&timers, now).await?;
            match begin {
                Begin::Nothing => return Ok(()),
                Begin::Start(place, run) => self.start(&place, &run, invocation).await?,
            }
        }
        let now = invocation.time();
        let timers = self.board.wake_lane(site, now, now).await?;
        self.arm(&timers, now).await
    }

    /// Sends the start of a run, which is written already.
    async fn start(&self, place: &Place, run: &Run, invocation: &Invocation) -> Result<(), Failure> {
        let Some(start) = run.start() else { return Ok(()) };
        // Runs of flows are always full here.
        let mut incremental = run.incremental && run.target.kind != ContentKind::Flow;
        let mut meant = match run.incremental && !incremental && !run.allow_full {
            true => Err(Meaning::NoIncremental),
            false => self.post(&run.target, kind(incremental), invocation).await,
        };
        if let (Err(Meaning::NoIncremental), true) = (&meant, run.allow_full && incremental) {
            incremental = false;
            meant = self.post(&run.target, RefreshKind::Full, invocation).await;
        }
        let now = invocation.time();
        match meant {
            Ok(Posted::Queued(job)) => {
                let taken = Taken { job: job.as_deref(), ours: true, incremental };
                let changed = self.board.running(place, start, taken, now).await?;
                self.arm(&changed.timers, now).await?;
                let target = &run.target;
                tracing::info!(
                    job.luid = job,
                    resource.luid = target.luid,
                    resource.name = target.name,
                    run = run.number,
                    incremental,
                    "refresh started"
                );
                match changed.runs.open(run.number) {
                    Some(run) if run.cancelling => self.cancel(place, run, invocation).await,
                    Some(run) if incremental => self.check_kind(place, run, invocation).await,
                    _ => Ok(()),
                }
            }
            Ok(Posted::AlreadyQueued) => self.join(place, run, start, invocation).await,
            Err(Meaning::Later { wait, why }) => {
                tracing::warn!(resource.luid = run.target.luid, why, "a refresh is put back into the queue");
                let pause = (wait.map(signed), why.as_str());
                let changed = self.board.put_back(place, start, pause, now).await?;
                self.arm(&changed.timers, now).await
            }
            Err(Meaning::Refused(why, text)) => {
                self.refuse(place, start, &refusal(run, why, &text, now), invocation).await
            }
            Err(Meaning::NoIncremental) => {
                let end = refusal(run, Refusal::NoIncremental, NO_INCREMENTAL, now);
                self.refuse(place, start, &end, invocation).await
            }
            Err(Meaning::LacksRight(text)) => {
                // Tableau has been seen to refuse a start and to queue it all the same.
                let doubt = match self.made(place, run, start, true, invocation).await? {
                    Made::Noted => return Ok(()),
                    Made::Nothing | Made::Earlier => String::new(),
                    Made::Unseen(why) => {
                        format!(". Whether Tableau queued it all the same is not known: {why}")
                    }
                };
                let end = refusal(run, Refusal::TableauRefused, &format!("{text}{doubt}"), now);
                self.refuse(place, start, &end, invocation).await
            }
            Err(Meaning::NotYetKnown) if run.posts < MOST_POSTS => {
                // A session that was opened before a publish may not know what was published.
                if run.posts == 1
                    && let Err(error) = self.facts.tableau().client().renew_session().await
                {
                    tracing::warn!(reason = chain(&error), "the session was not renewed");
                }
                let step = usize::try_from(run.posts.saturating_sub(1)).unwrap_or_default();
                let gap = GAPS.get(step).copied().unwrap_or(GAPS[GAPS.len() - 1]);
                let changed = self.board.hold(place, start, (NOT_YET, true), later(now, gap), now).await?;
                self.arm(&changed.timers, now).await
            }
            Err(Meaning::NotYetKnown) => {
                let why = "Tableau does not have it any more, or does not show it to the user of the service";
                let end = refusal(run, Refusal::NotFound, why, now);
                self.refuse(place, start, &end, invocation).await
            }
            Err(Meaning::Unknown(reason)) => {
                tracing::warn!(
                    resource.luid = run.target.luid,
                    reason,
                    "the answer to a start was lost; the job list decides"
                );
                match self.made(place, run, start, true, invocation).await {
                    Ok(Made::Noted) => Ok(()),
                    // Also while Tableau does not answer: a timer looks again.
                    Ok(Made::Nothing | Made::Unseen(_) | Made::Earlier) | Err(_) => {
                        self.list_again(place, start, LOST, invocation).await
                    }
                }
            }
        }
    }

    async fn post(
        &self,
        target: &Target,
        kind: RefreshKind,
        invocation: &Invocation,
    ) -> Result<Posted, Meaning> {
        jobs::post(self.facts.tableau(), target, kind, invocation).await.map_err(|error| of_start(&error))
    }

    /// Looks whether Tableau has made an incremental job: where the extract is not set up for it, it makes a full one and says nothing.
    /// What cannot be seen counts as what was asked for.
    async fn check_kind(&self, place: &Place, run: &Run, invocation: &Invocation) -> Result<(), Failure> {
        let since = run.began().unwrap_or(run.made_at);
        let Some(job) = run.job() else { return Ok(()) };
        let kind = jobs::kind_of(self.facts.tableau(), job, since, invocation).await;
        if !matches!(kind, Ok(Some(RefreshKind::Full))) {
            return Ok(());
        }
        let mut goes_on = run.allow_full;
        if !goes_on && let Err(error) = jobs::cancel(self.facts.tableau(), &run.target, job, invocation).await
        {
            // It has begun, so it is waited for, and the result says that it is a full one.
            tracing::warn!(job.luid = job, reason = chain(&error), "a job was not cancelled");
            goes_on = true;
        }
        let now = invocation.time();
        if goes_on {
            let changed = self.board.note_full(place, run.number, now).await?;
            return self.arm(&changed.timers, now).await;
        }
        let end = refusal(run, Refusal::NoIncremental, NO_INCREMENTAL, now);
        self.end(place, run.number, &end, invocation).await
    }

    /// Looks into the list for the job of a start. One that is found is noted, if it is right for the run. `may_be_ours`: Tableau has not
    /// said that another refresh is queued.
    async fn made(
        &self,
        place: &Place,
        run: &Run,
        start: Start,
        may_be_ours: bool,
        invocation: &Invocation,
    ) -> Result<Made, Failure> {
        let known = self.earlier_jobs(place).await?;
        match jobs::find(self.facts.tableau(), &run.target, start.at, &known, invocation).await {
            Ok(Found::Job { seen, .. }) if is_of_earlier(&seen, start, &known) => Ok(Made::Nothing),
            Ok(Found::Job { seen, is_since: false }) if run.is_too_old(seen.began) => Ok(Made::Earlier),
            Ok(Found::Job { seen, is_since }) => {
                self.note(place, run, start, (&seen, is_since && may_be_ours), invocation).await?;
                Ok(Made::Noted)
            }
            Ok(Found::None) => Ok(Made::Nothing),
            Ok(Found::Unclear(why)) => Ok(Made::Unseen(why)),
            Err(error) => match may_not_see(&error) {
                Some(why) => Ok(Made::Unseen(why)),
                None => Err(error.into()),
            },
        }
    }

    /// The jobs of the earlier runs of an object.
    async fn earlier_jobs(&self, place: &Place) -> Result<BTreeSet<String>, Failure> {
        let (runs, _) = self.board.runs(place).await?;
        Ok(runs.past.into_iter().filter_map(|past| past.end.job).collect())
    }

    /// Notes the job of a run, and its end if it has ended.
    async fn note(
        &self,
        place: &Place,
        run: &Run,
        start: Start,
        (seen, ours): (&Seen, bool),
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let now = invocation.time();
        let luid = seen.id.as_str();
        let incremental = seen.kind.map_or(run.incremental, |kind| kind == RefreshKind::Incremental);
        let taken = Taken { job: Some(luid), ours, incremental };
        let changed = self.board.running(place, start, taken, now).await?;
        self.arm(&changed.timers, now).await?;
        tracing::info!(job.luid = luid, resource.luid = run.target.luid, ours, "refresh joined");
        match changed.runs.open(run.number) {
            Some(run) if run.cancelling && seen.end.is_none() => self.cancel(place, run, invocation).await,
            Some(run) => self.conclude(place, run, seen, false, invocation).await.map(drop),
            None => Ok(()),
        }
    }

    /// A refresh of the object is queued at Tableau: this run waits for it, or for its end if it is not right for the run.
    async fn join(
        &self,
        place: &Place,
        run: &Run,
        start: Start,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        match self.made(place, run, start, false, invocation).await {
            Ok(Made::Noted) => Ok(()),
            // It may have begun before the request.
            Ok(Made::Unseen(_)) if run.fresh_since.is_some() => {
                self.after_another(place, run, start, EARLIER_UNSEEN, invocation).await
            }
            Ok(Made::Unseen(why)) => self.unseen(place, run, start, &why, invocation).await,
            Ok(Made::Earlier) => self.after_another(place, run, start, EARLIER, invocation).await,
            Ok(Made::Nothing) => self.list_again(place, start, QUEUED_ELSEWHERE, invocation).await,
            Err(_) => self.list_again(place, start, LOST, invocation).await,
        }
    }

    /// Tableau has a job for the run, or may have one, and does not show it: the event of its end ends the wait.
    async fn unseen(
        &self,
        place: &Place,
        run: &Run,
        start: Start,
        why: &str,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let now = invocation.time();
        let taken = Taken { job: None, ours: false, incremental: run.incremental };
        let changed = self.board.running(place, start, taken, now).await?;
        self.arm(&changed.timers, now).await?;
        tracing::warn!(resource.luid = run.target.luid, why, "the job of a refresh is not shown");
        Ok(())
    }

    /// Sends a start again after the end of a refresh that began too early for the run.
    async fn after_another(
        &self,
        place: &Place,
        run: &Run,
        start: Start,
        why: &str,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let now = invocation.time();
        let waited = now.duration_since(run.made_at) / 4;
        let until = later(now, waited.clamp(AFTER_ANOTHER.0, AFTER_ANOTHER.1));
        let changed = self.board.hold(place, start, (why, false), until, now).await?;
        self.arm(&changed.timers, now).await
    }

    async fn list_again(
        &self,
        place: &Place,
        start: Start,
        why: &str,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let now = invocation.time();
        let changed = self.board.recover_at(place, start, why, later(now, LIST_AGAIN), now).await?;
        self.arm(&changed.timers, now).await
    }

    /// Lets a run that is held wait in the lane again, before its time has come.
    pub(crate) async fn release(
        &self,
        place: &Place,
        run: &Run,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let now = invocation.time();
        let changed = self.board.release(place, run.number, Timestamp::MAX, now).await?;
        self.arm(&changed.timers, now).await
    }

    /// Goes on with a start that has not got its answer, or that Tableau has refused for now. What may start then is started by
    /// [`Engine::pump`].
    pub(crate) async fn recover(
        &self,
        place: &Place,
        run: &Run,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        if let State::Held { .. } = run.state {
            let now = invocation.time();
            let changed = self.board.release(place, run.number, now, now).await?;
            return self.arm(&changed.timers, now).await;
        }
        let Some(start) = run.start() else { return Ok(()) };
        let made = self.made(place, run, start, true, invocation).await?;
        let now = invocation.time();
        match made {
            Made::Noted => Ok(()),
            // Without the list it is not known whether there is a job: sending again could refresh twice. An event ends the wait.
            Made::Unseen(why) => self.unseen(place, run, start, &why, invocation).await,
            Made::Nothing | Made::Earlier if now.duration_since(start.at) < JOB_APPEARS => {
                self.list_again(place, start, LOST, invocation).await
            }
            Made::Nothing | Made::Earlier if run.posts >= MOST_POSTS => {
                let message = format!(
                    "{} was not refreshed: its start was sent {} times, and Tableau lists no job of it. The last trouble: {}.",
                    run.target.sentence(),
                    run.posts,
                    run.hindered.as_deref().unwrap_or("no answer")
                );
                self.refuse(place, start, &run.end(EndStatus::Failed, now, message), invocation).await
            }
            Made::Nothing | Made::Earlier => {
                let changed = self.board.send_again(place, start, now).await?;
                self.arm(&changed.timers, now).await
            }
        }
    }

    /// Looks at the job of a run. What cannot be seen is no failure. `is_asked`: a caller asked, and the time of the next look stays.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(crate) async fn look(
        &self,
        place: &Place,
        run: &Run,
        is_asked: bool,
        invocation: &Invocation,
    ) -> Result<Look, Failure> {
        let job = match run.job() {
            Some(job) => job,
            None => match self.find_unknown(place, run, is_asked, invocation).await? {
                Ok(job) => {
                    let now = invocation.time();
                    let start = Start { run: run.number, at: run.began().unwrap_or(run.made_at) };
                    let incremental =
                        job.seen.kind.map_or(run.incremental, |kind| kind == RefreshKind::Incremental);
                    let taken = Taken { job: Some(&job.seen.id), ours: job.is_since, incremental };
                    let changed = self.board.running(place, start, taken, now).await?;
                    self.arm(&changed.timers, now).await?;
                    return self.conclude(place, run, &job.seen, is_asked, invocation).await;
                }
                Err(for_good) => return Ok(Look::Unseen { for_good }),
            },
        };
        match jobs::fetch(self.facts.tableau(), &run.target, job, invocation).await {
            Ok(seen) => self.conclude(place, run, &seen, is_asked, invocation).await,
            Err(error) => {
                let refused = may_not_see(&error);
                let for_good = refused.is_some();
                let why = refused.unwrap_or_else(|| trouble(&error));
                let hindered = format!("a look at its job: {why}");
                self.looked(place, run, None, (Some(&hindered), is_asked), invocation).await?;
                Ok(Look::Unseen { for_good })
            }
        }
    }

    /// Looks for the job of a run of which none is known. If it is not seen: whether that is for good.
    async fn find_unknown(
        &self,
        place: &Place,
        run: &Run,
        is_asked: bool,
        invocation: &Invocation,
    ) -> Result<Result<FoundLate, bool>, Failure> {
        let since = run.began().unwrap_or(run.made_at);
        let known = self.earlier_jobs(place).await?;
        let found = jobs::find(self.facts.tableau(), &run.target, since, &known, invocation).await;
        let (why, for_good) = match found {
            Ok(Found::Job { seen, is_since }) => return Ok(Ok(FoundLate { seen, is_since })),
            Ok(Found::None) => ("Tableau does not list it".to_owned(), true),
            Ok(Found::Unclear(why)) => (why, true),
            Err(error) => match may_not_see(&error) {
                Some(why) => (why, true),
                None => (trouble(&error), false),
            },
        };
        let hindered = format!("the event of its end, because Tableau does not show its job: {why}");
        self.looked(place, run, None, (Some(&hindered), is_asked), invocation).await?;
        Ok(Err(for_good))
    }

    async fn looked(
        &self,
        place: &Place,
        run: &Run,
        began: Option<Timestamp>,
        (hindered, is_asked): (Option<&str>, bool),
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let now = invocation.time();
        if run.began().is_some_and(|began| now.duration_since(began) >= LONGEST_RUN) {
            let hours = LONGEST_RUN.as_hours();
            let message = format!(
                "It is not known how the refresh of {} ended: Tableau has not shown its end for {hours} hours.",
                run.target.name
            );
            return self.end(place, run.number, &run.end(EndStatus::Failed, now, message), invocation).await;
        }
        let changed = self.board.looked(place, run.number, began, (hindered, is_asked), now).await?;
        self.arm(&changed.timers, now).await
    }

    /// Draws the conclusion from what a job says.
    async fn conclude(
        &self,
        place: &Place,
        run: &Run,
        seen: &Seen,
        is_asked: bool,
        invocation: &Invocation,
    ) -> Result<Look, Failure> {
        let Some(how) = seen.end else {
            self.looked(place, run, seen.began, (None, is_asked), invocation).await?;
            return Ok(Look::Open);
        };
        let mut end = of_job(run, seen, how, invocation.time());
        if end.status == EndStatus::Failed {
            self.name_owner(&run.target, &mut end, invocation).await;
        }
        self.end(place, run.number, &end, invocation).await?;
        Ok(Look::Ended)
    }

    /// Says whose the content is, and where its page is: who reads the result has to know whom to ask.
    async fn name_owner(&self, target: &Target, end: &mut End, invocation: &Invocation) {
        let (Some(cause), Some(subject)) = (&mut end.cause, subject(target)) else { return };
        let content = match self
            .facts
            .tableau()
            .call(invocation, self.facts.tableau().client().content(&subject))
            .await
        {
            Ok(Some(content)) => content,
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(reason = chain(&error), "the owner of failed content is not known");
                return;
            }
        };
        if let Some(owner) = content.owner {
            cause.next_step.push_str(&format!(" Owner: {}.", owner.name));
        }
        if let Some(link) = content.link {
            cause.next_step.push_str(&format!(" Page: {link}"));
        }
    }

    /// The word of an event about a run whose job Tableau does not show.
    pub(crate) async fn end_by_event(
        &self,
        place: &Place,
        run: &Run,
        succeeded: bool,
        at: Timestamp,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let end = match succeeded {
            // Without the job it is not known of which refresh the event is.
            _ if run.fresh_since.is_some() => {
                let text = format!(
                    "It is not known whether the refresh of {} has ended, or one that began before: Tableau does not show jobs to the user of \
                     the service. Make that user a site administrator, or ask without fresh.",
                    run.target.name
                );
                run.end(EndStatus::Failed, at, text)
            }
            true => run.end(EndStatus::Succeeded, at, format!("{} was refreshed.", run.target.sentence())),
            false => {
                let text = "failed. Tableau does not show the service why: the user of its credential may not see jobs.";
                run.end(EndStatus::Failed, at, format!("The refresh of {} {text}", run.target.name))
            }
        };
        self.end(place, run.number, &end, invocation).await
    }

    /// Ends a run, and settles who waited for it.
    pub(crate) async fn end(
        &self,
        place: &Place,
        number: u64,
        end: &End,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let now = invocation.time();
        let changed = self.board.end(place, number, end, now).await?;
        self.ended(place, number, end, &changed, invocation).await
    }

    /// Ends a run whose start Tableau has refused, and settles who waited for it.
    async fn refuse(
        &self,
        place: &Place,
        start: Start,
        end: &End,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let now = invocation.time();
        let changed = self.board.refuse(place, start, end, now).await?;
        self.ended(place, start.run, end, &changed, invocation).await
    }

    async fn ended(
        &self,
        place: &Place,
        number: u64,
        end: &End,
        changed: &Changed<bool>,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        self.arm(&changed.timers, invocation.time()).await?;
        if changed.result {
            tracing::info!(
                resource.luid = place.luid,
                site.luid = place.site,
                run = number,
                job.luid = end.job,
                outcome = ?end.status,
                "refresh ended"
            );
        }
        self.settle(place, &changed.runs, invocation).await
    }

    /// Writes down what came of the requests of runs that have ended, as many as there is time for. Each time some are noted, so that
    /// the timer or the next attempt goes on with the others.
    pub(crate) async fn settle(
        &self,
        place: &Place,
        runs: &Runs,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        for past in runs.unsettled() {
            let past = Arc::new(Past { unsettled: Vec::new(), ..past.clone() });
            let waiting = runs.ended(past.number).map(|past| past.unsettled.as_slice()).unwrap_or_default();
            for some in waiting.chunks(SETTLED_AT_ONCE) {
                if invocation.remaining() < TIME_OF_SETTLING {
                    let what = "some requests have not got the result of their refresh yet";
                    return if invocation.retried { Err(Failure::transient(what)) } else { Ok(()) };
                }
                let now = invocation.time();
                let mut settling = JoinSet::new();
                for waiter in some {
                    let (board, past, id) = (self.board.clone(), Arc::clone(&past), waiter.id.clone());
                    settling.spawn(async move { board.settle_by(&past, &id, now).await });
                }
                while let Some(settled) = settling.join_next().await {
                    let timer = settled.map_err(Failure::transient)??;
                    self.arm(timer.as_slice(), now).await?;
                }
                let ids: Vec<String> = some.iter().map(|waiter| waiter.id.clone()).collect();
                let changed = self.board.settled(place, past.number, &ids, now).await?;
                self.arm(&changed.timers, now).await?;
            }
        }
        Ok(())
    }

    /// Cancels the job of a run that no one waits for any more. If Tableau does not answer, the timer does it again.
    pub(crate) async fn cancel(
        &self,
        place: &Place,
        run: &Run,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let State::Running { job: Some(job), .. } = &run.state else { return Ok(()) };
        let Err(error) = jobs::cancel(self.facts.tableau(), &run.target, job, invocation).await else {
            let message = "All callers have cancelled the refresh.";
            let end = run.end(EndStatus::Cancelled, invocation.time(), message);
            return self.end(place, run.number, &end, invocation).await;
        };
        tracing::warn!(job.luid = job, reason = chain(&error), "a job was not cancelled");
        let is_refused = match &error {
            Guarded::Call(TableauError(error @ Error::Refused { .. })) => !error.is_transient(),
            _ => false,
        };
        // It may have ended meanwhile.
        let look = self.look(place, run, false, invocation).await?;
        if is_refused && matches!(look, Look::Open | Look::Unseen { for_good: true }) {
            let now = invocation.time();
            let changed = self.board.goes_on(place, run.number, now).await?;
            self.arm(&changed.timers, now).await?;
        }
        Ok(())
    }
}

/// A job that was not shown before.
struct FoundLate {
    seen: Box<Seen>,
    /// Whether it was made since the start.
    is_since: bool,
}

/// What came of looking for the job of a start.
enum Made {
    /// A job was found and noted.
    Noted,
    /// Tableau lists none.
    Nothing,
    /// Tableau has one that began before a request of the run came which needs a later one.
    Earlier,
    /// Tableau does not let the service see jobs.
    Unseen(String),
}

/// Whether a job is of an earlier run, or ended before the start: it is not what a lost answer was about.
fn is_of_earlier(seen: &Seen, start: Start, known: &BTreeSet<String>) -> bool {
    known.contains(&seen.id) || seen.ended_at.is_some_and(|at| later(at, CLOCKS_DIFFER) < start.at)
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// What Tableau refreshes. `None` for a flow.
pub(crate) fn subject(target: &Target) -> Option<Subject> {
    match target.kind {
        ContentKind::Workbook => target.luid.parse().ok().map(Subject::Workbook),
        ContentKind::Datasource => target.luid.parse().ok().map(Subject::Datasource),
        ContentKind::Flow => None,
    }
}

fn kind(incremental: bool) -> RefreshKind {
    if incremental { RefreshKind::Incremental } else { RefreshKind::Full }
}

/// The end of a run that was not started.
fn refusal(run: &Run, refusal: Refusal, why: &str, now: Timestamp) -> End {
    let message = format!("{} was not refreshed: {why}.", run.target.sentence());
    End { refusal: Some(refusal), ..run.end(EndStatus::Failed, now, message) }
}

/// The end of a run by its job.
fn of_job(run: &Run, seen: &Seen, how: JobEnd, now: Timestamp) -> End {
    let at = seen.ended_at.unwrap_or(now);
    let sentence = run.target.sentence();
    let end = |status, message: String| End {
        started_at: seen.began,
        job: Some(seen.id.clone()),
        ..run.end(status, at, message)
    };
    match how {
        JobEnd::Success | JobEnd::CompletedByBridge => {
            end(EndStatus::Succeeded, format!("{sentence} was refreshed."))
        }
        JobEnd::Cancelled => {
            end(EndStatus::Cancelled, format!("The refresh of {} was cancelled in Tableau.", run.target.name))
        }
        JobEnd::Failed => {
            let cause = seen.notes.as_ref().map(|notes| {
                let found = diagnose(notes);
                Cause {
                    class: found.class.name().to_owned(),
                    line: found.line,
                    next_step: found.next_step.to_owned(),
                }
            });
            let message = match &cause {
                Some(cause) => {
                    format!("The refresh of {} failed: {}", run.target.name, full_stop(&cause.line))
                }
                None => format!("The refresh of {} failed, and its job does not say why.", run.target.name),
            };
            End { cause, ..end(EndStatus::Failed, message) }
        }
        _ => {
            let message = format!("The job of {} has ended, and Tableau does not say how.", run.target.name);
            end(EndStatus::Failed, message)
        }
    }
}

fn full_stop(line: &str) -> String {
    if line.ends_with(['.', '!', '?']) { line.to_owned() } else { format!("{line}.") }
}

/// Why a look failed, in few words.
fn trouble(error: &Guarded<TableauError>) -> String {
    match error {
        Guarded::CircuitOpen(_) => "Tableau does not answer at the moment".to_owned(),
        Guarded::Call(TableauError(Error::Refused { status, code, .. })) => {
            format!("Tableau answered {status} ({code})")
        }
        Guarded::Call(TableauError(error)) if error.is_misconfiguration() => {
            "the service's sign-in to Tableau has to be repaired".to_owned()
        }
        Guarded::Call(_) => "Tableau did not answer".to_owned(),
    }
}
