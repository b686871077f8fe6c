//! A test notification. An operator invokes the function directly, so nothing is queued, claimed or tried again, and the answer
//! is the destination's.

use crate::attempt::{RESERVE, Request};
use crate::batch::Batches;
use serde_json::{Value, json};
use workflow::{Failure, Invocation, TestRequest, Tested, Workflow};

impl<W: Workflow> Batches<W> {
    /// Sends test notifications. Returns the invocation's answer.
    pub(crate) async fn test(&self, test: &TestRequest, request: &Request) -> Value {
        match self.tested(test, request).await {
            Ok(targets) => {
                let accepted = targets.iter().filter(|tested| tested.outcome == "accepted").count();
                let (workflow, all) = (W::NAME, targets.len());
                tracing::info!(workflow, request.id = request.id, accepted, all, "test notifications sent");
                json!({ "targets": targets })
            }
            Err(failure) => {
                let (outcome, reason) = (failure.kind(), failure.reason());
                tracing::info!(
                    workflow = W::NAME,
                    request.id = request.id,
                    test.outcome = outcome,
                    "no test notification sent"
                );
                json!({ "outcome": outcome, "reason": reason })
            }
        }
    }

    async fn tested(&self, test: &TestRequest, request: &Request) -> Result<Vec<Tested>, Failure> {
        let invocation = Invocation::new(request.id.clone(), request.now(), request.remaining());
        let workflow = self.worker.workflow()?;
        let time = request.remaining().saturating_sub(RESERVE);
        match tokio::time::timeout(time, workflow.on_test(test, &invocation)).await {
            Ok(tested) => tested,
            Err(_) => Err(Failure::transient("the test did not finish before the function's timeout")),
        }
    }
}
