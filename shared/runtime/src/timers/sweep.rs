//! The hourly sweep: repairs the work of timers that were lost.
//!
//! EventBridge invokes the function directly, without the queue and without the timers' role: if one of these was
//! replaced and timers were lost, the sweep must still run. A failed sweep is not retried; the next one comes within
//! the hour.

use super::fire::report;
use crate::attempt::{RESERVE, Request};
use crate::batch::Batches;
use serde_json::{Value, json};
use workflow::{Failure, Invocation, Outcome, Workflow};

impl<W: Workflow> Batches<W> {
    /// Runs one sweep. Returns the invocation's answer.
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
