//! The hourly sweep: heals what a lost timer left behind.
//!
//! EventBridge invokes the function directly, not through its queue or the timers' role: what a replaced queue or role
//! orphaned must not orphan the sweep too. A sweep that fails is not tried again; the next one comes within the hour.

use super::fire::report;
use crate::attempt::{RESERVE, Request};
use crate::batch::Batches;
use serde_json::{Value, json};
use workflow::{Failure, Invocation, Outcome, Workflow};

impl<W: Workflow> Batches<W> {
    /// Sweeps once; gives the answer to the invocation.
    pub(crate) async fn sweep(&self, request: &Request) -> Value {
        match self.swept(request).await {
            Ok(outcome) => {
                let outcome = outcome.as_str();
                tracing::info!(workflow = W::NAME, request.id = request.id, outcome, "sweep ended");
                json!({ "outcome": outcome })
            }
            Err(failure) => {
                let outcome = failure.kind();
                let reason = failure.reason();
                tracing::error!(
                    workflow = W::NAME,
                    request.id = request.id,
                    outcome,
                    reason,
                    "sweep failed; the next one comes within the hour"
                );
                report::<W>(outcome, request);
                json!({ "outcome": outcome, "reason": reason })
            }
        }
    }

    async fn swept(&self, request: &Request) -> Result<Outcome, Failure> {
        let invocation = Invocation::new(request.id.clone(), request.now(), request.remaining());
        let workflow = self.worker.workflow()?;
        let time = request.remaining().saturating_sub(RESERVE);
        match tokio::time::timeout(time, workflow.on_sweep(&invocation)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::transient("the sweep did not finish before the function's timeout")),
        }
    }
}
