//! SQS batch requests: up to ten entries in a request, each with its own result.

use crate::aws::Account;
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry as Visibility,
    DeleteMessageBatchRequestEntry as Delete, SendMessageBatchRequestEntry as Send,
};
use std::collections::BTreeSet;
use workflow::BoxError;

/// The most entries in one SQS batch request.
pub(super) const LIMIT: usize = 10;
/// The most bytes in one SQS batch request: 256 KiB is allowed in every account, more in some.
const LIMIT_BYTES: usize = 200_000;
/// How often an entry is sent that failed on SQS's side.
const TRIES: u32 = 3;

/// The result of a batch: the positions of the confirmed entries, and the refusal, if any.
#[derive(Debug, Default)]
pub(super) struct Confirmed {
    pub(super) done: BTreeSet<usize>,
    pub(super) refused: Option<BoxError>,
}

/// The answer to a batch request: the ids of the successful entries, and the failed entries.
type Answer = Result<(Vec<String>, Vec<BatchResultErrorEntry>), BoxError>;

impl Confirmed {
    /// Repeats the request for `all` entries until each is confirmed or refused.
    async fn of(all: usize, action: &str, mut ask: impl AsyncFnMut(&[usize]) -> Answer) -> Self {
        let mut confirmed = Self::default();
        let mut pending: Vec<usize> = (0..all).collect();
        for again in (0..TRIES).rev() {
            if pending.is_empty() {
                break;
            }
            let (done, failed) = match ask(&pending).await {
                Ok(answer) => answer,
                Err(error) => {
                    confirmed.refused = Some(error);
                    break;
                }
            };
            // An entry that is also listed as failed does not count as confirmed.
            let is_failed = |id: &&String| failed.iter().any(|entry| entry.id() == id.as_str());
            let done = done.iter().filter(|id| !is_failed(id)).filter_map(|id| id.parse::<usize>().ok());
            confirmed.done.extend(done.filter(|at| pending.contains(at)));
            pending.retain(|at| !confirmed.done.contains(at));
            let refused = failed.iter().find(|entry| entry.sender_fault() || again == 0);
            if let Some(entry) = refused {
                // Only the error code is shown: the text of an entry's error may repeat the request, and nothing was
                // removed from it.
                confirmed.refused = Some(format!("{action} failed: {}", aws_http::code(entry.code())).into());
            }
            let may_pass = |at: &usize| {
                let id = at.to_string();
                failed.iter().any(|entry| entry.id() == id && !entry.sender_fault())
            };
            pending.retain(may_pass);
        }
        // An entry that the answer does not mention is not confirmed.
        if confirmed.done.len() < all && confirmed.refused.is_none() {
            confirmed.refused = Some(format!("{action} was answered without a confirmation").into());
        }
        confirmed
    }
}

fn entries<T>(
    at: &[usize],
    entry: impl Fn(usize) -> Result<T, BuildError>,
) -> Result<Option<Vec<T>>, BuildError> {
    at.iter().map(|at| entry(*at)).collect::<Result<Vec<T>, _>>().map(Some)
}

/// Splits bodies into runs that fit into one request, and returns the length of each run.
pub(super) fn runs(bodies: &[&str]) -> Vec<usize> {
    let mut runs = Vec::new();
    let mut bytes = 0;
    for body in bodies {
        bytes += body.len();
        match runs.last_mut() {
            Some(run) if *run < LIMIT && bytes <= LIMIT_BYTES => *run += 1,
            _ => {
                runs.push(1);
                bytes = body.len();
            }
        }
    }
    runs
}

/// A queue that accepts batch requests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Queue<'a> {
    pub(super) account: &'a Account,
    pub(super) sqs: &'a aws_sdk_sqs::Client,
    pub(super) url: &'a str,
}

impl Queue<'_> {
    /// Sends messages with these bodies.
    pub(super) async fn send(self, bodies: &[&str]) -> Confirmed {
        let action = "sqs:SendMessage";
        let body = |at: usize| bodies.get(at).copied().unwrap_or_default();
        let entry = |at: usize| Send::builder().id(at.to_string()).message_body(body(at)).build();
        Confirmed::of(bodies.len(), action, async |at| {
            let request = self.sqs.send_message_batch().queue_url(self.url);
            let sent = request.set_entries(entries(at, entry)?).send().await;
            let sent = sent.map_err(|error| self.account.explain(action, error))?;
            // A message without an id in the answer was not stored.
            let stored = sent.successful.into_iter().filter(|entry| !entry.message_id.is_empty());
            Ok((stored.map(|entry| entry.id).collect(), sent.failed))
        })
        .await
    }

    /// Deletes the messages with these receipts.
    pub(super) async fn delete(self, receipts: &[&str]) -> Confirmed {
        let action = "sqs:DeleteMessage";
        let receipt = |at: usize| receipts.get(at).copied().unwrap_or_default();
        let entry = |at: usize| Delete::builder().id(at.to_string()).receipt_handle(receipt(at)).build();
        Confirmed::of(receipts.len(), action, async |at| {
            let request = self.sqs.delete_message_batch().queue_url(self.url);
            let deleted = request.set_entries(entries(at, entry)?).send().await;
            let deleted = deleted.map_err(|error| self.account.explain(action, error))?;
            Ok((deleted.successful.into_iter().map(|entry| entry.id).collect(), deleted.failed))
        })
        .await
    }

    /// Makes the messages with these receipts visible again.
    pub(super) async fn show(self, receipts: &[&str]) -> Confirmed {
        let action = "sqs:ChangeMessageVisibility";
        let receipt = |at: usize| receipts.get(at).copied().unwrap_or_default();
        let entry = |at: usize| {
            let entry = Visibility::builder().id(at.to_string()).receipt_handle(receipt(at));
            entry.visibility_timeout(0).build()
        };
        Confirmed::of(receipts.len(), action, async |at| {
            let request = self.sqs.change_message_visibility_batch().queue_url(self.url);
            let shown = request.set_entries(entries(at, entry)?).send().await;
            let shown = shown.map_err(|error| self.account.explain(action, error))?;
            Ok((shown.successful.into_iter().map(|entry| entry.id).collect(), shown.failed))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(id: &str, sender_fault: bool) -> BatchResultErrorEntry {
        let entry = BatchResultErrorEntry::builder().id(id).code("InternalError").sender_fault(sender_fault);
        entry.build().unwrap()
    }

    #[tokio::test]
    async fn what_fails_through_no_fault_of_ours_is_tried_again_and_nothing_else() {
        let mut asked = Vec::new();
        let confirmed = Confirmed::of(3, "sqs:SendMessage", async |at| {
            asked.push(at.to_vec());
            Ok(match asked.len() {
                1 => (vec!["0".to_owned()], vec![failed("1", false), failed("2", true)]),
                _ => (vec!["1".to_owned()], vec![]),
            })
        });
        let confirmed = confirmed.await;
        assert_eq!(asked, [vec![0, 1, 2], vec![1]]);
        assert_eq!(confirmed.done, BTreeSet::from([0, 1]));
        assert_eq!(confirmed.refused.unwrap().to_string(), "sqs:SendMessage failed: InternalError");
    }

    #[tokio::test]
    async fn what_fails_again_and_again_is_refused_in_the_end() {
        let mut asked = 0;
        let confirmed = Confirmed::of(1, "sqs:SendMessage", async |_| {
            asked += 1;
            Ok((vec![], vec![failed("0", false)]))
        });
        let confirmed = confirmed.await;
        assert!(confirmed.done.is_empty() && confirmed.refused.is_some());
        assert_eq!(asked, 3);
    }

    #[tokio::test]
    async fn what_an_answer_does_not_name_is_not_confirmed() {
        for done in [vec![], vec!["0".to_owned()], vec!["7".to_owned(), "x".to_owned()]] {
            let confirmed = Confirmed::of(2, "sqs:SendMessage", async |_| Ok((done.clone(), vec![]))).await;
            assert!(!confirmed.done.contains(&1), "{done:?}");
            let refused = confirmed.refused.unwrap().to_string();
            assert_eq!(refused, "sqs:SendMessage was answered without a confirmation", "{done:?}");
        }
    }

    #[test]
    fn a_run_is_no_more_than_sqs_takes() {
        let long = "x".repeat(LIMIT_BYTES - 5);
        assert_eq!(runs(&[]), [0; 0]);
        assert_eq!(runs(&["x"; 23]), [10, 10, 3]);
        assert_eq!(runs(&["x", &long, "x", &long, &long]), [3, 1, 1]);
    }
}
