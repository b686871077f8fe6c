//! The end of an incident or a group.

use super::guarded::Trouble;
use super::key::Key;
use super::notifier::ServiceNowNotifier;
use super::record::{Record, Reference};
use super::task::Task;
use alerting::incident::MessageRef;
use alerting::notifier::Delivered;
use rules::settings::OnRecovery;

impl ServiceNowNotifier {
    /// Writes the end to the incident, and to its children first.
    pub(super) async fn close(
        &self,
        task: Task<'_>,
        message: Option<&MessageRef>,
        audible: bool,
    ) -> Result<Delivered, Trouble> {
        let delivered = Delivered { message: None, audible, note: None, skipped: None };
        if task.target.on_recovery == OnRecovery::Nothing {
            return Ok(delivered);
        }
        let key = task.key()?;
        let Some(record) = self.existing(task, &key, message).await? else { return Ok(delivered) };
        self.children(task, &record.reference).await?;
        self.table.end(task.target, &record, &task.texts().long, task.invocation).await?;
        Ok(delivered)
    }

    /// The incident with this key, as it is now: by our own record, or else by a search. `None` if there is none, if the account may not
    /// see it any more, or if it is another one's by now: the first object's incident may have become that of its group.
    pub(super) async fn existing(
        &self,
        task: Task<'_>,
        key: &Key,
        message: Option<&MessageRef>,
    ) -> Result<Option<Record>, Trouble> {
        let reference = match message.and_then(Reference::of_message) {
            Some(reference) => Some(reference),
            None => self.claims.known(key).await?,
        };
        let Some(reference) = reference else {
            return self.table.find(key, task.target.resolved_state(), task.invocation).await;
        };
        let record = self.table.read(&reference.sys_id, task.invocation).await?;
        let number = &reference.number;
        match &record {
            None => {
                tracing::info!(number, "the incident was deleted, or the account may not see it any more")
            }
            Some(record) if !record.is_of(key) => {
                tracing::info!(number, "the incident has another correlation_id: nothing is written to it");
            }
            Some(_) => {}
        }
        Ok(record.filter(|record| record.is_of(key)))
    }
}
