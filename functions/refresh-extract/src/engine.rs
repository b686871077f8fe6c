//! Sets timers, tends to the lane, and starts what may start. The other parts of [`Engine`] are what comes of a start (`start.rs`), of a
//! look at a job (`look.rs`), and of an end (`end.rs`).

use facts::FactLookups;
use jiff::{SignedDuration, Timestamp};
use refreshes::{Begin, Board, Place};
use std::sync::Arc;
use std::time::Duration;
use timer::{Timer, TimerMessage};
use workflow::{Failure, Invocation};

/// How many starts one invocation sends. A timer goes on with the rest.
pub(crate) const MOST_STARTS: usize = 8;
/// The time that a start needs at least.
const TIME_OF_START: Duration = Duration::from_secs(12);
/// How long before an attempt a timer was said to be set that the attempt finds out of date: by then it is set, or its process died.
const TIMER_IS_LOST: SignedDuration = SignedDuration::from_secs(10);
/// How long a run is in the lane before it is looked whether its document is still there.
const PERHAPS_LOST: SignedDuration = SignedDuration::from_mins(15);

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
}
