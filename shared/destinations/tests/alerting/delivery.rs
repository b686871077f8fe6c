//! Posting, editing and closing messages.

use crate::environment::{at, notification};
use crate::{by_token, by_webhook, channel, notifier_from};
use alerting::Capabilities;
use alerting::incident::MessageRef;
use alerting::notifier::{Delivered, Delivery, Notifier, Undelivered};
use async_trait::async_trait;
use destinations::slack::{SlackCredential, SlackNotifier};
use rules::settings::{NotifySlack, Recovery};
use simulator::{SlackCall, SlackFault, SlackSimulator};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use workflow::{CredentialError, CredentialSource, Failure, Invocation};

async fn deliver(
    notifier: &SlackNotifier,
    delivery: Delivery<'_>,
    title: &str,
) -> Result<Delivered, Undelivered> {
    deliver_to(&channel("#data-alerts"), notifier, delivery, title).await
}

async fn deliver_to(
    target: &NotifySlack,
    notifier: &SlackNotifier,
    delivery: Delivery<'_>,
    title: &str,
) -> Result<Delivered, Undelivered> {
    let invocation = Invocation::new("r", at(0), Duration::from_secs(60));
    notifier.deliver(target, delivery, &notification(title), &invocation).await
}

/// The accepted calls: kind, headline, whether it is a reply, and whether the reply shows in the channel.
fn calls(slack: &SlackSimulator) -> Vec<(SlackCall, String, bool, bool)> {
    let call = |message: simulator::SlackMessage| {
        (message.call, message.text, message.thread_ts.is_some(), message.reply_broadcast)
    };
    slack.messages().into_iter().map(call).collect()
}

fn post(title: &str) -> (SlackCall, String, bool, bool) {
    (SlackCall::PostMessage, format!("{title}: Sales"), false, false)
}

fn update(title: &str) -> (SlackCall, String, bool, bool) {
    (SlackCall::Update, format!("{title}: Sales"), false, false)
}

fn reply(title: &str) -> (SlackCall, String, bool, bool) {
    (SlackCall::PostMessage, format!("{title}: Sales"), true, true)
}

#[tokio::test]
async fn a_bot_token_edits_and_replies_and_a_webhook_url_only_posts() {
    let slack = SlackSimulator::start().await.unwrap();
    let posts = Capabilities { edit: false, thread: false, idempotency_key: false, grouping: true };
    assert_eq!(by_webhook(&slack).capabilities().await.unwrap(), posts);
    let edits = Capabilities { edit: true, thread: true, ..posts };
    assert_eq!(by_token(&slack).capabilities().await.unwrap(), edits);
    let sent = deliver(&by_webhook(&slack), Delivery::Post, "Opened").await.unwrap();
    assert_eq!(sent, Delivered { message: None, audible: true, note: None, skipped: None });
}

#[tokio::test]
async fn a_message_is_posted_edited_and_closed_in_its_place_with_a_reply() {
    let slack = SlackSimulator::start().await.unwrap();
    let notifier = by_token(&slack);
    let posted = deliver(&notifier, Delivery::Post, "Opened").await.unwrap();
    let message = posted.message.as_ref().unwrap();
    assert!(posted.audible);
    let edit = Delivery::Edit { message, audible: true };
    assert_eq!(deliver(&notifier, edit, "Updated").await.unwrap(), Delivered::default());
    let close = Delivery::Close { message: Some(message), audible: true };
    let closed = deliver(&notifier, close, "Recovered").await.unwrap();
    assert_eq!(closed, Delivered { message: None, audible: true, note: None, skipped: None });
    let quiet = Delivery::Close { message: Some(message), audible: false };
    assert_eq!(deliver(&notifier, quiet, "Recovered").await.unwrap(), Delivered::default());
    assert_eq!(
        calls(&slack),
        [post("Opened"), update("Updated"), update("Recovered"), reply("Recovered"), update("Recovered")]
    );
    let messages = slack.messages();
    assert_eq!(messages[3].thread_ts.as_ref(), Some(&message.id), "the reply is below the message");
}

#[tokio::test]
async fn a_rule_says_whether_the_end_is_in_the_channel_in_the_thread_or_in_a_new_message() {
    for (recovery, end) in [
        (Some(Recovery::Channel), reply("Recovered")),
        (None, reply("Recovered")),
        (Some(Recovery::Thread), (SlackCall::PostMessage, "Recovered: Sales".to_owned(), true, false)),
        (Some(Recovery::Message), post("Recovered")),
    ] {
        let slack = SlackSimulator::start().await.unwrap();
        let target = NotifySlack { recovery, ..channel("data-alerts") };
        let notifier = by_token(&slack);
        let posted = deliver_to(&target, &notifier, Delivery::Post, "Opened").await.unwrap();
        let close = Delivery::Close { message: posted.message.as_ref(), audible: true };
        assert!(deliver_to(&target, &notifier, close, "Recovered").await.unwrap().audible);
        assert_eq!(calls(&slack), [post("Opened"), update("Recovered"), end], "{recovery:?}");

        // Through a webhook URL it is a new message, whatever the rule says.
        let slack = SlackSimulator::start().await.unwrap();
        let close = Delivery::Close { message: None, audible: true };
        deliver_to(&target, &by_webhook(&slack), close, "Recovered").await.unwrap();
        let messages = slack.messages();
        assert_eq!((messages.len(), messages[0].call), (1, SlackCall::Webhook));
        assert!(messages[0].thread_ts.is_none() && !messages[0].reply_broadcast);
    }
}

// D125: also a message of another app or token.
#[tokio::test]
async fn a_message_that_is_gone_is_sent_anew_if_it_may_be_audible() {
    let slack = SlackSimulator::start().await.unwrap();
    let notifier = by_token(&slack);
    for audible in [true, false] {
        let message = deliver(&notifier, Delivery::Post, "Opened").await.unwrap().message.unwrap();
        slack.delete(&message.conversation, &message.id);
        let before = slack.message_count();
        let edited = deliver(&notifier, Delivery::Edit { message: &message, audible }, "Updated").await;
        let close = Delivery::Close { message: Some(&message), audible };
        let closed = deliver(&notifier, close, "Recovered").await;
        let none = deliver(&notifier, Delivery::Close { message: None, audible }, "Over").await;
        for delivered in [edited.unwrap(), closed.unwrap(), none.unwrap()] {
            assert_eq!((delivered.audible, delivered.message.is_some()), (audible, audible));
        }
        let new = if audible { vec![post("Updated"), post("Recovered"), post("Over")] } else { Vec::new() };
        assert_eq!(calls(&slack)[before..], new);
    }
}

#[tokio::test]
async fn a_message_of_a_bot_token_is_gone_for_a_webhook_url() {
    let slack = SlackSimulator::start().await.unwrap();
    let message = deliver(&by_token(&slack), Delivery::Post, "Opened").await.unwrap().message.unwrap();
    let notifier = by_webhook(&slack);
    let close = Delivery::Close { message: Some(&message), audible: true };
    let closed = deliver(&notifier, close, "Recovered").await.unwrap();
    assert_eq!(closed, Delivered { message: None, audible: true, note: None, skipped: None });
    let edit = Delivery::Edit { message: &message, audible: false };
    assert_eq!(deliver(&notifier, edit, "Updated").await.unwrap(), Delivered::default());
    let calls: Vec<SlackCall> = slack.messages().iter().map(|message| message.call).collect();
    assert_eq!(calls, [SlackCall::PostMessage, SlackCall::Webhook]);
}

#[tokio::test]
async fn a_forged_reference_to_a_message_is_not_sent_to_slack() {
    let slack = SlackSimulator::start().await.unwrap();
    let notifier = by_token(&slack);
    let real = deliver(&notifier, Delivery::Post, "Opened").await.unwrap().message.unwrap();
    let long = "1".repeat(33);
    for (conversation, id) in [
        ("#general", real.id.as_str()),
        ("@U0123456789", real.id.as_str()),
        ("", real.id.as_str()),
        (long.as_str(), real.id.as_str()),
        (real.conversation.as_str(), ""),
        (real.conversation.as_str(), "1.2 or 1"),
        (real.conversation.as_str(), long.as_str()),
    ] {
        let forged = MessageRef { conversation: conversation.to_owned(), id: id.to_owned() };
        let before = slack.calls();
        for delivery in [
            Delivery::Edit { message: &forged, audible: false },
            Delivery::Close { message: Some(&forged), audible: false },
        ] {
            assert_eq!(deliver(&notifier, delivery, "Updated").await.unwrap(), Delivered::default());
        }
        assert_eq!(slack.calls(), before, "{conversation} {id}");
        let audible = Delivery::Edit { message: &forged, audible: true };
        deliver(&notifier, audible, "Updated").await.unwrap();
        let last = slack.messages().pop().unwrap();
        assert_eq!((last.call, last.channel_name.as_str()), (SlackCall::PostMessage, "data-alerts"));
    }
}

#[tokio::test]
async fn what_is_known_of_a_failed_call_says_whether_the_message_may_be_there() {
    let slack = SlackSimulator::start().await.unwrap();
    for (fault, maybe_sent, kind) in [
        // D059: the call is not made again in the same attempt.
        (SlackFault::AnswerLost, true, "transient"),
        (SlackFault::Reset, true, "transient"),
        (SlackFault::ServerError, true, "transient"),
        (SlackFault::Html(503), true, "transient"),
        (SlackFault::Html(403), false, "transient"),
        (SlackFault::RateLimited { retry_after: 30 }, false, "transient"),
        (SlackFault::Revoked, false, "misconfigured"),
        (SlackFault::Archived, false, "permanent"),
    ] {
        slack.fail_next(2, fault.clone());
        let before = slack.message_count();
        let undelivered = deliver(&by_token(&slack), Delivery::Post, "Opened").await.unwrap_err();
        assert_eq!((undelivered.maybe_sent, undelivered.failure.kind()), (maybe_sent, kind), "{fault:?}");
        let posted = slack.message_count() - before;
        assert_eq!(posted, usize::from(matches!(fault, SlackFault::AnswerLost)), "{fault:?}");
        slack.recover();
    }
    let unreachable = {
        let stopped = SlackSimulator::start().await.unwrap();
        by_token(&stopped)
    };
    let undelivered = deliver(&unreachable, Delivery::Post, "Opened").await.unwrap_err();
    assert!(!undelivered.maybe_sent && matches!(undelivered.failure, Failure::Transient { .. }));
}

/// Runs a closure just before the reply of the first end, which is the third time that the token is read.
struct BeforeReply<F> {
    token: Arc<SlackCredential>,
    reads: AtomicUsize,
    act: F,
}

#[async_trait]
impl<F: Fn() + Send + Sync> CredentialSource<SlackCredential> for BeforeReply<F> {
    async fn current(&self) -> Result<Arc<SlackCredential>, CredentialError> {
        if self.reads.fetch_add(1, Ordering::SeqCst) == 2 {
            (self.act)();
        }
        Ok(Arc::clone(&self.token))
    }

    async fn replacement(
        &self,
        _: &Arc<SlackCredential>,
    ) -> Result<Option<Arc<SlackCredential>>, CredentialError> {
        Ok(None)
    }
}

fn before_reply(slack: &SlackSimulator, act: impl Fn() + Send + Sync + 'static) -> SlackNotifier {
    let token = Arc::new(SlackCredential::bot_token(slack.token()));
    notifier_from(slack, Arc::new(BeforeReply { token, reads: AtomicUsize::new(0), act }))
}

#[tokio::test]
async fn an_end_whose_reply_fails_is_sent_again_as_a_whole() {
    let slack = SlackSimulator::start().await.unwrap();
    let workspace = slack.clone();
    let fail = move || workspace.fail_next(1, SlackFault::ServerError);
    let notifier = before_reply(&slack, fail);
    let message = deliver(&notifier, Delivery::Post, "Opened").await.unwrap().message.unwrap();
    let close = Delivery::Close { message: Some(&message), audible: true };
    assert!(deliver(&notifier, close, "Recovered").await.unwrap_err().maybe_sent);
    deliver(&notifier, close, "Recovered").await.unwrap();
    assert_eq!(calls(&slack)[1..], [update("Recovered"), update("Recovered"), reply("Recovered")]);
}

#[tokio::test]
async fn an_end_that_cannot_be_a_reply_any_more_is_a_new_message() {
    let slack = SlackSimulator::start().await.unwrap();
    let workspace = slack.clone();
    let delete = move || {
        let message = workspace.messages().remove(0);
        workspace.delete(&message.channel, &message.ts);
    };
    let notifier = before_reply(&slack, delete);
    let message = deliver(&notifier, Delivery::Post, "Opened").await.unwrap().message.unwrap();
    let close = Delivery::Close { message: Some(&message), audible: true };
    assert!(deliver(&notifier, close, "Recovered").await.unwrap().audible);
    assert_eq!(calls(&slack)[1..], [update("Recovered"), post("Recovered")]);
}
