//! The start of a run, and what comes of it: a job, a refusal, no answer.

use crate::end::refusal;
use crate::engine::Engine;
use crate::jobs::{self, Found, Posted, Seen};
use crate::meaning::{Meaning, may_not_see, of_start, signed};
use jiff::{SignedDuration, Timestamp};
use refreshes::{Changed, EndStatus, Place, Refusal, Run, Start, State, Taken, Target};
use std::collections::BTreeSet;
use tableau::ContentKind;
use tableau_client::RefreshKind;
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
/// How much earlier than it was a time of Tableau may seem to be: the difference of the clocks is known to about 2 s.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(3);
/// How long after a start a job may appear in the list, if the answer was lost.
///
/// Longer than the function may run, so that no process can still be about to send it.
const JOB_APPEARS: SignedDuration = SignedDuration::from_secs(75);
/// The gap between two looks at the list for it.
const LIST_AGAIN: SignedDuration = SignedDuration::from_secs(15);

const NO_INCREMENTAL: &str =
    "it cannot be refreshed incrementally, or is not set up for it: set allow_full to refresh it fully";
const LOST: &str = "Tableau's job list, because the answer to the start was lost";
const NOT_YET: &str = "Tableau to know the content, which was perhaps published a moment ago";
const EARLIER: &str = "a refresh that began before the request: a new one follows it";
const EARLIER_UNSEEN: &str =
    "a refresh that Tableau has queued, and does not show to the user of the service: a new one follows it";
const QUEUED_ELSEWHERE: &str = "a refresh that is queued already, and that Tableau does not list yet";

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

impl Engine {
    /// Sends the start of a run, which is written already.
    pub(crate) async fn start(
        &self,
        place: &Place,
        run: &Run,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
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

    /// Looks into the list for the job of a start. One that is right for the run is noted, with its end if it has ended. `may_be_ours`: Tableau has not
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
                let ours = is_since && may_be_ours;
                let changed = self.note_job(place, run, start, (&seen, ours), invocation).await?;
                match changed.runs.open(run.number) {
                    Some(run) if run.cancelling && seen.end.is_none() => {
                        self.cancel(place, run, invocation).await?;
                    }
                    Some(run) => {
                        self.conclude(place, run, &seen, false, invocation).await?;
                    }
                    None => {}
                }
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
    pub(crate) async fn earlier_jobs(&self, place: &Place) -> Result<BTreeSet<String>, Failure> {
        let (runs, _) = self.board.runs(place).await?;
        Ok(runs.past.into_iter().filter_map(|past| past.end.job).collect())
    }

    /// Notes the job of a start.
    pub(crate) async fn note_job(
        &self,
        place: &Place,
        run: &Run,
        start: Start,
        (seen, ours): (&Seen, bool),
        invocation: &Invocation,
    ) -> Result<Changed<bool>, Failure> {
        let now = invocation.time();
        let luid = seen.id.as_str();
        let incremental = seen.kind.map_or(run.incremental, |kind| kind == RefreshKind::Incremental);
        let taken = Taken { job: Some(luid), ours, incremental };
        let changed = self.board.running(place, start, taken, now).await?;
        self.arm(&changed.timers, now).await?;
        tracing::info!(job.luid = luid, resource.luid = run.target.luid, ours, "refresh joined");
        Ok(changed)
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

    /// Lets a run wait in the lane again that is held until then or before.
    pub(crate) async fn release(
        &self,
        place: &Place,
        run: &Run,
        until: Timestamp,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let now = invocation.time();
        let changed = self.board.release(place, run.number, until, now).await?;
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
            return self.release(place, run, invocation.time(), invocation).await;
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
}

/// Whether a job is of an earlier run, or ended before the start: it is not what a lost answer was about.
fn is_of_earlier(seen: &Seen, start: Start, known: &BTreeSet<String>) -> bool {
    known.contains(&seen.id) || seen.ended_at.is_some_and(|at| later(at, CLOCKS_DIFFER) < start.at)
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

fn kind(incremental: bool) -> RefreshKind {
    if incremental { RefreshKind::Incremental } else { RefreshKind::Full }
}
