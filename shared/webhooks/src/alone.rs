//! Work beside the reconciler that no run may disturb, and what is left of a run that was interrupted.

use crate::error::Error;
use crate::reconciler::Reconciler;
use crate::registry::{Registry, Start};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use workflow::chain;

/// How long the work may take. If its process is killed, runs are kept back for this long at most.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// How long before the lease ends the work has to end.
const RESERVE: Duration = Duration::from_secs(5);
/// How long another run is waited for: more than the longest one of the function.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(200);
/// How often is looked whether it has ended.
const POLL: Duration = Duration::from_millis(500);

impl Reconciler {
    /// Does `work` while no run works on the webhooks: one that has read the secret before has ended. `id` names the work: no other
    /// work or run has the same.
    ///
    /// # Errors
    /// [`Error::Busy`] if another run does not end; [`Error::OutOfTime`] if the work does not; [`Error::Table`].
    pub async fn undisturbed<T>(&self, id: &str, work: impl Future<Output = T>) -> Result<T, Error> {
        let registry = Registry::new(self.documents.clone(), id.to_owned());
        let began = Timestamp::now();
        loop {
            let now = Timestamp::now();
            match registry.begin(Start::ByHand, now, now + LEASE).await {
                Ok(_) => break,
                Err(Error::Busy(_)) if now.duration_since(began) < TIMEOUT => {
                    tokio::time::sleep(POLL).await;
                }
                Err(error) => return Err(error),
            }
        }
        let longest = LEASE.unsigned_abs().saturating_sub(RESERVE);
        let done = tokio::time::timeout(longest, work).await;
        // The work is done, whatever the table says: the lease ends by itself.
        if let Err(error) = registry.release(Timestamp::now()).await {
            tracing::error!(reason = chain(&error), "the lease is not given back");
        }
        done.map_err(|_| Error::OutOfTime)
    }

    /// Gives back the lease of a run or work that was interrupted, so that the next one need not wait for its end.
    ///
    /// # Errors
    /// [`Error::Table`].
    pub async fn give_back(&self, id: &str) -> Result<(), Error> {
        Registry::new(self.documents.clone(), id.to_owned()).release(Timestamp::now()).await
    }
}
