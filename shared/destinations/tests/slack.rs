//! Posting over the wire, to a Slack that checks what it is sent.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use async_trait::async_trait;
use destinations::Error;
use destinations::slack::{Block, Message, Slack, SlackCredential};
use simulator::SlackRecorder;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use workflow::{CredentialError, CredentialSource};

/// Hands out an old token until it is told that it was refused.
struct Rotated {
    old: Arc<SlackCredential>,
    new: Option<Arc<SlackCredential>>,
    reads: AtomicUsize,
}

#[async_trait]
impl CredentialSource<SlackCredential> for Rotated {
    async fn current(&self) -> Result<Arc<SlackCredential>, CredentialError> {
        Ok(Arc::clone(&self.old))
    }

    async fn replacement(
        &self,
        _: &Arc<SlackCredential>,
    ) -> Result<Option<Arc<SlackCredential>>, CredentialError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        Ok(self.new.clone())
    }
}

fn message() -> Message {
    Message::new("Refresh failed: Sales", [Block::header("Refresh failed: Sales")])
}

async fn post(recorder: &SlackRecorder, source: &Arc<Rotated>) -> Result<(), Error> {
    let credentials = Arc::<Rotated>::clone(source);
    let slack = Slack::new(http_client::client(None).unwrap(), recorder.api_url(), credentials);
    slack.post("data-alerts", &message()).await.map(|_| ())
}

fn rotated(old: String, new: Option<String>) -> Arc<Rotated> {
    let new = new.map(|token| Arc::new(SlackCredential::bot_token(token)));
    Arc::new(Rotated { old: Arc::new(SlackCredential::bot_token(old)), new, reads: AtomicUsize::new(0) })
}

#[tokio::test]
async fn a_refused_token_is_read_again_once_and_the_message_posted_with_the_new_one() {
    let recorder = SlackRecorder::start().await.unwrap();
    let old = recorder.token();
    let source = rotated(old, Some(recorder.rotate_token()));
    post(&recorder, &source).await.unwrap();
    assert_eq!((recorder.messages().len(), source.reads.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test]
async fn a_token_that_stays_refused_is_a_permanent_error_after_one_more_read() {
    let recorder = SlackRecorder::start().await.unwrap();
    for new in [None, Some("xoxb-wrong-too".to_owned())] {
        let source = rotated("xoxb-wrong".to_owned(), new);
        let error = post(&recorder, &source).await.unwrap_err();
        assert!(!error.is_transient() && error.to_string().contains("invalid_auth"), "{error}");
        assert_eq!(source.reads.load(Ordering::SeqCst), 1);
        assert!(!format!("{error} {error:?}").contains("xoxb"), "{error:?}");
    }
}
