//! Posting over HTTP to a Slack simulator that checks the messages.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use async_trait::async_trait;
use destinations::Error;
use destinations::slack::{Block, Message, Sent, Slack, SlackCredential};
use simulator::{SlackCall, SlackFault, SlackSimulator};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use workflow::{CredentialError, CredentialSource, Failure, Fixed};

/// A token source that returns an old token until a caller reports that Slack refused it.
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

async fn post(recorder: &SlackSimulator, source: &Arc<Rotated>) -> Result<(), Error> {
    let credentials = Arc::<Rotated>::clone(source);
    let slack =
        Slack::new(http_client::client(None).unwrap(), recorder.api_url().parse().unwrap(), credentials);
    slack.post("data-alerts", &message()).await.map(|_| ())
}

fn rotated(old: String, new: Option<String>) -> Arc<Rotated> {
    let new = new.map(|token| Arc::new(SlackCredential::bot_token(token)));
    Arc::new(Rotated { old: Arc::new(SlackCredential::bot_token(old)), new, reads: AtomicUsize::new(0) })
}

#[tokio::test]
async fn a_refused_token_is_read_again_once_and_the_message_posted_with_the_new_one() {
    let recorder = SlackSimulator::start().await.unwrap();
    let old = recorder.token();
    let source = rotated(old, Some(recorder.rotate_token()));
    post(&recorder, &source).await.unwrap();
    assert_eq!((recorder.messages().len(), source.reads.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test]
async fn a_token_that_stays_refused_waits_for_a_person_after_one_more_read() {
    let recorder = SlackSimulator::start().await.unwrap();
    for new in [None, Some("xoxb-wrong-too".to_owned())] {
        let source = rotated("xoxb-wrong".to_owned(), new);
        let error = post(&recorder, &source).await.unwrap_err();
        assert!(error.is_misconfiguration() && error.to_string().contains("invalid_auth"), "{error}");
        assert_eq!(source.reads.load(Ordering::SeqCst), 1);
        assert!(!format!("{error} {error:?}").contains("xoxb"), "{error:?}");
        assert_eq!(Failure::from(error).kind(), "misconfigured");
    }
}

// D054: the channel is not looked up. D080: the edit names the channel's id that Slack answered.
#[tokio::test]
async fn a_message_of_a_bot_token_is_replaced_and_replied_to_where_it_stands() {
    let recorder = SlackSimulator::start().await.unwrap();
    let credential = Arc::new(Fixed::new(SlackCredential::bot_token(recorder.token())));
    let slack =
        Slack::new(http_client::client(None).unwrap(), recorder.api_url().parse().unwrap(), credential);
    assert!(slack.changes_messages().await.unwrap());
    let sent = slack.post("data-alerts", &message()).await.unwrap().message.unwrap();
    assert_eq!(recorder.calls(), 1);
    assert!(sent.channel.starts_with('C'), "{sent:?}");
    slack.update(&sent, &Message::new("Recovered: Sales", [])).await.unwrap();
    slack.reply(&sent, true, &Message::new("Recovered after 5 min", [])).await.unwrap();

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
    let recorder = SlackSimulator::start().await.unwrap();
    let urls = serde_json::json!({ "webhook_urls": { "data-alerts": recorder.add_webhook("data-alerts") } });
    let credential: SlackCredential = serde_json::from_value(urls).unwrap();
    let http = http_client::client(None).unwrap();
    let slack = Slack::new(http, recorder.api_url().parse().unwrap(), Arc::new(Fixed::new(credential)));
    assert!(!slack.changes_messages().await.unwrap());
    assert_eq!(slack.post("data-alerts", &message()).await.unwrap().message, None);
    let sent = Sent { channel: "C1".to_owned(), ts: "1.2".to_owned() };
    let error = slack.update(&sent, &message()).await.unwrap_err();
    assert!(error.is_gone() && !error.is_transient(), "{error}");
}

/// A client that posts with the bot token, or through a webhook of the channel `data-alerts`.
fn client(recorder: &SlackSimulator, by_token: bool) -> Slack {
    let urls = serde_json::json!({ "webhook_urls": { "data-alerts": recorder.webhook_url() } });
    let credential = match by_token {
        true => SlackCredential::bot_token(recorder.token()),
        false => serde_json::from_value(urls).unwrap(),
    };
    Slack::new(
        http_client::client(None).unwrap(),
        recorder.api_url().parse().unwrap(),
        Arc::new(Fixed::new(credential)),
    )
}

#[tokio::test]
async fn a_layout_that_slack_refuses_is_posted_once_more_as_plain_text() {
    for word in
        ["invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "invalid_payload", "no_text"]
    {
        for by_token in [true, false] {
            let recorder = SlackSimulator::start().await.unwrap();
            recorder.fail_next(2, SlackFault::Blocks(word));
            client(&recorder, by_token).post("data-alerts", &message()).await.unwrap();
            let messages = recorder.messages();
            assert_eq!((recorder.calls(), messages.len()), (2, 1), "{word}");
            assert_eq!((messages[0].text.as_str(), messages[0].blocks.len()), ("*Refresh failed: Sales*", 0));
        }
    }
}

#[tokio::test]
async fn a_change_and_a_reply_are_sent_as_plain_text_too_and_no_old_block_stays() {
    let recorder = SlackSimulator::start().await.unwrap();
    let slack = client(&recorder, true);
    let sent = slack.post("data-alerts", &message()).await.unwrap().message.unwrap();
    recorder.fail_next(4, SlackFault::Blocks("invalid_blocks"));
    slack.update(&sent, &Message::new("Recovered", [Block::header("Recovered: Sales")])).await.unwrap();
    slack.reply(&sent, true, &Message::new("Recovered", [Block::header("After 5 min")])).await.unwrap();
    let seen = recorder.channel("data-alerts");
    let seen: Vec<_> = seen.iter().map(|message| (message.text.as_str(), message.blocks.len())).collect();
    assert_eq!(seen, [("*Recovered: Sales*", 0), ("*After 5 min*", 0)]);
}

#[tokio::test]
async fn plain_text_that_is_refused_too_is_a_permanent_error() {
    let recorder = SlackSimulator::start().await.unwrap();
    let error = client(&recorder, true).post("data-alerts", &Message::new(" ", [])).await.unwrap_err();
    assert!(!error.is_transient() && error.to_string().contains("no_text"), "{error}");
    assert_eq!(recorder.calls(), 2);
}

#[tokio::test]
async fn an_answer_that_is_not_slacks_may_pass_and_says_so() {
    let recorder = SlackSimulator::start().await.unwrap();
    for (fault, content) in [
        (SlackFault::Html(200), "HTML with status 200"),
        (SlackFault::Html(403), "HTML with status 403"),
        (SlackFault::Html(302), "a redirect with status 302"),
        (SlackFault::Html(503), "HTML with status 503"),
        (SlackFault::Empty(204), "an empty body with status 204"),
        (SlackFault::Empty(200), "an empty body with status 200"),
    ] {
        for by_token in [true, false] {
            recorder.fail_next(1, fault.clone());
            let error = client(&recorder, by_token).post("data-alerts", &message()).await.unwrap_err();
            assert!(
                error.to_string().starts_with(&format!("the answer is not Slack's: {content}")),
                "{error}"
            );
            assert!(!format!("{error} {error:?}").contains("Sign in"), "{error:?}");
            assert_eq!(Failure::from(error).kind(), "transient");
        }
    }
    assert!(recorder.messages().is_empty());
}

#[tokio::test]
async fn a_url_that_the_secret_lacks_is_looked_for_again_and_waits_for_a_person() {
    let recorder = SlackSimulator::start().await.unwrap();
    let with = |channel: &str| {
        let urls = serde_json::json!({ "webhook_urls": { channel: recorder.add_webhook("data-alerts") } });
        Arc::new(serde_json::from_value::<SlackCredential>(urls).unwrap())
    };
    let source = |new| Arc::new(Rotated { old: with("other"), new, reads: AtomicUsize::new(0) });
    let error = post(&recorder, &source(None)).await.unwrap_err();
    assert_eq!(Failure::from(error).kind(), "misconfigured");
    post(&recorder, &source(Some(with("data-alerts")))).await.unwrap();
    assert_eq!(recorder.messages().len(), 1);
}

#[tokio::test]
async fn a_bot_token_that_no_header_can_carry_is_the_secrets_fault_and_is_not_sent() {
    let recorder = SlackSimulator::start().await.unwrap();
    for token in
        ["", "xoxb-hunter2\n", "xoxb hunter2", "xoxb-hunter2\u{e4}", "xoxb-\0hunter2", "\"xoxb-hunter2\""]
    {
        let error = post(&recorder, &rotated(token.to_owned(), None)).await.unwrap_err();
        assert!(matches!(error, Error::BadToken) && error.is_misconfiguration(), "{error:?}");
        assert!(error.to_string().contains("paste it again"), "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        assert_eq!(Failure::from(error).kind(), "misconfigured");
    }
    assert_eq!(recorder.calls(), 0);
}
