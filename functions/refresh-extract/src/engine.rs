//! Starts runs, looks at their jobs, and ends them.

use crate::jobs::{self, Found, Posted, Seen};
use crate::meaning::{Meaning, may_not_see, of_start, signed};
use circuit::Guarded;
use facts::FactLookups;
use guarded_tableau::TableauError;
use jiff::{SignedDuration, Timestamp};
use refreshes::{
    Begin, Board, Cause, End, EndStatus, LONGEST_RUN, Place, Refusal, Run, Runs, State, Target, Waiter,
};
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
const GAPS: [SignedDuration; 3] =
    [SignedDuration::from_secs(5), SignedDuration::from_secs(20), SignedDuration::from_secs(60)];
/// How long after a start a job may appear in the list, if the answer was lost.
///
/// Longer than the function may run, so that no process can still be about to send it.
const JOB_APPEARS: SignedDuration = SignedDuration::from_secs(75);
/// The gap between two looks at the list for it.
const LIST_AGAIN: SignedDuration = SignedDuration::from_secs(15);
/// How many starts one invocation sends. A timer goes on with the rest.
const MOST_STARTS: usize = 8;
/// The time that a start needs at least.
const TIME_OF_START: Duration = Duration::from_secs(6);
/// How many requests are settled at the same time.
const SETTLED_AT_ONCE: usize = 16;

const NO_INCREMENTAL: &str =
    "it cannot be refreshed incrementally, or is not set up for it: set allow_full to refresh it fully";
const LOST: &str = "Tableau's job list, because the answer to the start was lost";
const NOT_YET: &str = "Tableau to know the content, which was perhaps published a moment ago";
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

    /// Looks after starts whose process may have died, and starts what may start.
    pub(crate) async fn tend(&self, site: &str, invocation: &Invocation) -> Result<(), Failure> {
        let lane = self.board.lane(site).await?;
        for ticket in lane.unanswered(invocation.time()).take(MOST_STARTS) {
            let place = Place::new(site, &ticket.luid);
            let (runs, _) = self.board.runs(&place).await?;
            if let Some(run) = runs.open(ticket.run).filter(|run| run.may_be_looked_at(invocation.time())) {
                self.recover(&place, run, invocation).await?;
            }
        }
        self.pump(site, invocation).await
    }

    /// Starts what may start.
    pub(crate) async fn pump(&self, site: &str, invocation: &Invocation) -> Result<(), Failure> {
        for _ in 0..MOST_STARTS {
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
                let job = job.as_deref();
                let changed = self.board.running(place, run.number, job, true, incremental, now).await?;
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
                match changed.runs.open(run.number).filter(|_| incremental) {
                    Some(run) => self.check_kind(place, run, invocation).await,
                    None => Ok(()),
                }
            }
            Ok(Posted::AlreadyQueued) => self.join(place, run, invocation).await,
            Err(Meaning::Later { wait, why }) => {
                tracing::warn!(resource.luid = run.target.luid, why, "a refresh is put back into the queue");
                let pause = (wait.map(signed), why.as_str());
                let changed = self.board.put_back(place, run.number, false, pause, now).await?;
                self.arm(&changed.timers, now).await
            }
            Err(Meaning::Refused(why, text)) => {
                let end = refusal(run, why, &text, now);
                self.end(place, run.number, &end, invocation).await
            }
            Err(Meaning::NoIncremental) => {
                let end = refusal(run, Refusal::NoIncremental, NO_INCREMENTAL, now);
                self.end(place, run.number, &end, invocation).await
            }
            Err(Meaning::LacksRight(text)) => {
                // Tableau has been seen to refuse a start and to queue it all the same.
                match self.made(place, run, invocation).await? {
                    Made::Noted => Ok(()),
                    Made::Nothing | Made::Unseen(_) => {
                        let end = refusal(run, Refusal::TableauRefused, &text, now);
                        self.end(place, run.number, &end, invocation).await
                    }
                }
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
                let at = later(now, gap);
                let changed = self.board.recover_at(place, run.number, (NOT_YET, true), at, now).await?;
                self.arm(&changed.timers, now).await
            }
            Err(Meaning::NotYetKnown) => {
                let why = "Tableau does not have it any more, or does not show it to the user of the service";
                let end = refusal(run, Refusal::NotFound, why, now);
                self.end(place, run.number, &end, invocation).await
            }
            Err(Meaning::Unknown(reason)) => {
                tracing::warn!(
                    resource.luid = run.target.luid,
                    reason,
                    "the answer to a start was lost; the job list decides"
                );
                match self.made(place, run, invocation).await {
                    Ok(Made::Noted) => Ok(()),
                    // Also while Tableau does not answer: a timer looks again.
                    Ok(Made::Nothing | Made::Unseen(_)) | Err(_) => {
                        self.list_again(place, run, LOST, invocation).await
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
        let now = invocation.time();
        if run.allow_full {
            let changed = self.board.is_full(place, run.number, now).await?;
            return self.arm(&changed.timers, now).await;
        }
        if let Err(error) = jobs::cancel(self.facts.tableau(), &run.target, job, invocation).await {
            tracing::warn!(job.luid = job, reason = chain(&error), "a job was not cancelled");
        }
        let end = refusal(run, Refusal::NoIncremental, NO_INCREMENTAL, now);
        self.end(place, run.number, &end, invocation).await
    }

    /// Looks into the list for the job of a start. One that is found is noted.
    async fn made(&self, place: &Place, run: &Run, invocation: &Invocation) -> Result<Made, Failure> {
        let since = run.began().unwrap_or(run.made_at);
        match jobs::find(self.facts.tableau(), &run.target, since, invocation).await {
            Ok(Found::Job { seen, is_since }) => {
                self.note(place, run, &seen, is_since, invocation).await?;
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

    /// Notes the job of a run, and its end if it has ended.
    async fn note(
        &self,
        place: &Place,
        run: &Run,
        seen: &Seen,
        ours: bool,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let now = invocation.time();
        let luid = seen.id.as_str();
        let incremental = seen.kind.map_or(run.incremental, |kind| kind == RefreshKind::Incremental);
        let changed = self.board.running(place, run.number, Some(luid), ours, incremental, now).await?;
        self.arm(&changed.timers, now).await?;
        tracing::info!(job.luid = luid, resource.luid = run.target.luid, ours, "refresh joined");
        let Some(run) = changed.runs.open(run.number) else { return Ok(()) };
        self.conclude(place, run, seen, invocation).await.map(drop)
    }

    /// A refresh of the object is queued at Tableau: this run waits for it.
    async fn join(&self, place: &Place, run: &Run, invocation: &Invocation) -> Result<(), Failure> {
        match self.made(place, run, invocation).await {
            Ok(Made::Noted) => Ok(()),
            Ok(Made::Unseen(why)) => {
                // Its event will end the wait.
                let now = invocation.time();
                let changed =
                    self.board.running(place, run.number, None, false, run.incremental, now).await?;
                self.arm(&changed.timers, now).await?;
                tracing::warn!(resource.luid = run.target.luid, why, "the job of a refresh is not shown");
                Ok(())
            }
            Ok(Made::Nothing) => self.list_again(place, run, QUEUED_ELSEWHERE, invocation).await,
            Err(_) => self.list_again(place, run, LOST, invocation).await,
        }
    }

    async fn list_again(
        &self,
        place: &Place,
        run: &Run,
        why: &str,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let now = invocation.time();
        let at = later(now, LIST_AGAIN);
        let changed = self.board.recover_at(place, run.number, (why, false), at, now).await?;
        self.arm(&changed.timers, now).await
    }

    /// Goes on with a start that has not got its answer.
    pub(crate) async fn recover(
        &self,
        place: &Place,
        run: &Run,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let State::Starting { at, refused } = run.state else { return Ok(()) };
        let made = match refused {
            true => Made::Nothing,
            false => self.made(place, run, invocation).await?,
        };
        let now = invocation.time();
        let is_fresh = now.duration_since(at) < JOB_APPEARS;
        match made {
            Made::Noted => Ok(()),
            Made::Unseen(why) => {
                // Without the list it is not known whether there is a job: sending again could refresh twice. An event ends the wait.
                let changed =
                    self.board.running(place, run.number, None, false, run.incremental, now).await?;
                self.arm(&changed.timers, now).await?;
                tracing::warn!(resource.luid = run.target.luid, why, "the job of a refresh is not shown");
                Ok(())
            }
            Made::Nothing if !refused && is_fresh => self.list_again(place, run, LOST, invocation).await,
            Made::Nothing if run.posts >= MOST_POSTS => {
                let message = format!(
                    "{} was not refreshed: Tableau did not answer {} requests, and lists no job.",
                    run.target.sentence(),
                    run.posts
                );
                let end = run.end(EndStatus::Failed, now, message);
                self.end(place, run.number, &end, invocation).await
            }
            Made::Nothing => {
                let changed = self.board.restart(place, run.number, now).await?;
                self.arm(&changed.timers, now).await?;
                match changed.result {
                    Some(run) => self.start(place, &run, invocation).await,
                    None => Ok(()),
                }
            }
        }
    }

    /// Looks at the job of a run. What cannot be seen is no failure.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(crate) async fn look(
        &self,
        place: &Place,
        run: &Run,
        invocation: &Invocation,
    ) -> Result<Look, Failure> {
        let job = match run.job() {
            Some(job) => job,
            None => match self.find_unknown(place, run, invocation).await? {
                Ok(job) => return self.conclude(place, run, &job, invocation).await,
                Err(for_good) => return Ok(Look::Unseen { for_good }),
            },
        };
        match jobs::fetch(self.facts.tableau(), &run.target, job, invocation).await {
            Ok(seen) => self.conclude(place, run, &seen, invocation).await,
            Err(error) => {
                let refused = may_not_see(&error);
                let for_good = refused.is_some();
                let why = refused.unwrap_or_else(|| trouble(&error));
                let hindered = format!("a look at its job: {why}");
                self.looked(place, run, None, Some(&hindered), invocation).await?;
                Ok(Look::Unseen { for_good })
            }
        }
    }

    /// Looks for the job of a run of which none is known. If it is not seen: whether that is for good.
    async fn find_unknown(
        &self,
        place: &Place,
        run: &Run,
        invocation: &Invocation,
    ) -> Result<Result<Box<Seen>, bool>, Failure> {
        let since = run.began().unwrap_or(run.made_at);
        let (why, for_good) = match jobs::find(self.facts.tableau(), &run.target, since, invocation).await {
            Ok(Found::Job { seen, .. }) => return Ok(Ok(seen)),
            Ok(Found::None) => ("Tableau does not list it".to_owned(), true),
            Ok(Found::Unclear(why)) => (why, true),
            Err(error) => match may_not_see(&error) {
                Some(why) => (why, true),
                None => (trouble(&error), false),
            },
        };
        let hindered = format!("the event of its end, because Tableau does not show its job: {why}");
        self.looked(place, run, None, Some(&hindered), invocation).await?;
        Ok(Err(for_good))
    }

    async fn looked(
        &self,
        place: &Place,
        run: &Run,
        began: Option<Timestamp>,
        hindered: Option<&str>,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let now = invocation.time();
        if run.began().is_some_and(|began| now.duration_since(began) >= LONGEST_RUN) {
            let hours = LONGEST_RUN.as_hours();
            let message =
                format!("The end of the refresh is not known: Tableau has not told it for {hours} hours.");
            return self.end(place, run.number, &run.end(EndStatus::Failed, now, message), invocation).await;
        }
        let changed = self.board.looked(place, run.number, began, hindered, now).await?;
        self.arm(&changed.timers, now).await
    }

    /// Draws the conclusion from what a job says.
    async fn conclude(
        &self,
        place: &Place,
        run: &Run,
        seen: &Seen,
        invocation: &Invocation,
    ) -> Result<Look, Failure> {
        let Some(how) = seen.end else {
            self.looked(place, run, seen.began, None, invocation).await?;
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
            true => run.end(EndStatus::Succeeded, at, format!("{} was refreshed.", run.target.sentence())),
            false => {
                let text = "failed. Tableau does not show the service why: the user of its credential may not see jobs.";
                run.end(EndStatus::Failed, at, format!("The refresh of {} {text}", run.target.name))
            }
        };
        self.end(place, run.number, &end, invocation).await
    }

    /// Ends a run, settles who waited for it, and starts the next.
    pub(crate) async fn end(
        &self,
        place: &Place,
        number: u64,
        end: &End,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let now = invocation.time();
        let changed = self.board.end(place, number, end, now).await?;
        self.arm(&changed.timers, now).await?;
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

    /// Writes down what came of the requests of runs that have ended.
    pub(crate) async fn settle(
        &self,
        place: &Place,
        runs: &Runs,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let unsettled: Vec<(u64, Vec<Waiter>)> =
            runs.unsettled().map(|past| (past.number, past.unsettled.clone())).collect();
        for (number, waiters) in unsettled {
            for some in waiters.chunks(SETTLED_AT_ONCE) {
                let mut settling = JoinSet::new();
                for waiter in some {
                    let board = self.board.clone();
                    let id = waiter.id.clone();
                    let now = invocation.time();
                    settling.spawn(async move { board.settle(&id, now).await });
                }
                while let Some(settled) = settling.join_next().await {
                    if let Some(changed) = settled.map_err(Failure::transient)?? {
                        self.arm(&changed.timers, invocation.time()).await?;
                    }
                }
            }
            let now = invocation.time();
            let changed = self.board.settled(place, number, now).await?;
            self.arm(&changed.timers, now).await?;
        }
        Ok(())
    }

    /// Cancels the job of a run that no one waits for any more.
    pub(crate) async fn cancel(
        &self,
        place: &Place,
        number: u64,
        job: &str,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let (runs, _) = self.board.runs(place).await?;
        let Some(run) = runs.open(number) else { return Ok(()) };
        let cancelled = jobs::cancel(self.facts.tableau(), &run.target, job, invocation).await;
        match cancelled {
            Ok(()) => {
                let message = "All callers have cancelled the refresh.";
                let end = run.end(EndStatus::Cancelled, invocation.time(), message);
                self.end(place, number, &end, invocation).await
            }
            Err(error) => {
                // The job may have ended meanwhile. If it runs on, that harms no one.
                tracing::warn!(job.luid = job, reason = chain(&error), "a job was not cancelled");
                self.look(place, run, invocation).await.map(drop)
            }
        }
    }
}

/// What came of looking for the job of a start.
enum Made {
    /// A job was found and noted.
    Noted,
    /// Tableau lists none.
    Nothing,
    /// Tableau does not let the service see jobs.
    Unseen(String),
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
