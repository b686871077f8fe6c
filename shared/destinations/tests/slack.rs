//! Posting over the wire, to a Slack that checks what it is sent.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use async_trait::async_trait;
use destinations::Error;
use destinations::slack::{Block, Message, Sent, Slack, SlackCredential};
use simulator::{SlackCall, SlackRecorder};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use workflow::{CredentialError, CredentialSource, Fixed};

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

#[tokio::test]
async fn a_message_of_a_bot_token_is_replaced_and_replied_to_where_it_stands() {
    let recorder = SlackRecorder::start().await.unwrap();
    let credential = Arc::new(Fixed::new(SlackCredential::bot_token(recorder.token())));
    let slack = Slack::new(http_client::client(None).unwrap(), recorder.api_url(), credential);
    assert!(slack.changes_messages().await.unwrap());
    let sent = slack.post("data-alerts", &message()).await.unwrap().message.unwrap();
    slack.update(&sent, &Message::new("Recovered: Sales", [])).await.unwrap();
    slack.reply(&sent, &Message::new("Recovered after 5 min", [])).await.unwrap();

    let messages = recorder.messages();
    let calls: Vec<_> = messages.iter().map(|message| (message.call, message.text.as_str())).collect();
    assert_eq!(
        calls,
        [
            (SlackCall::PostMessage, "Refresh failed: Sales"),
            (SlackCall::Update, "Recovered: Sales"),
            (SlackCall::PostMessage, "Recovered after 5 min")
        ]
    );
    assert!(messages.iter().all(|message| message.channel_name == "data-alerts"));
    assert_eq!((&messages[1].ts, messages[2].thread_ts.as_ref()), (&sent.ts, Some(&sent.ts)));
    assert!(messages[2].reply_broadcast);

    let gone = Sent { ts: "1.000001".to_owned(), ..sent.clone() };
    assert!(slack.update(&gone, &message()).await.unwrap_err().is_gone());
}

#[tokio::test]
async fn a_message_is_not_changed_through_a_webhook_url() {
    let recorder = SlackRecorder::start().await.unwrap();
    let urls = serde_json::json!({ "webhook_urls": { "data-alerts": recorder.add_webhook("data-alerts") } });
    let credential: SlackCredential = serde_json::from_value(urls).unwrap();
    let http = http_client::client(None).unwrap();
    let slack = Slack::new(http, recorder.api_url(), Arc::new(Fixed::new(credential)));
    assert!(!slack.changes_messages().await.unwrap());
    assert_eq!(slack.post("data-alerts", &message()).await.unwrap().message, None);
    let sent = Sent { channel: "C1".to_owned(), ts: "1.2".to_owned() };
    let error = slack.update(&sent, &message()).await.unwrap_err();
    assert!(error.is_gone() && !error.is_transient(), "{error}");
}
