//! A destination that records notifications, and is down when a test says so. It shows what alerting decides, without
//! Slack.

use alerting::Capabilities;
use alerting::incident::MessageRef;
use alerting::notification::Notification;
use alerting::notifier::{Delivered, Delivery, Notifier, Undelivered};
use async_trait::async_trait;
use destinations::slack::{self, SlackNotifier};
use rules::settings;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use testkit::simulator::{SlackCall, SlackFault, SlackMessage, render};
use workflow::{Failure, Invocation};

/// A new message, an edit, or a reply.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) channel: String,
    /// The id of the message, or of the reply.
    pub(crate) id: String,
    pub(crate) is_edit: bool,
    pub(crate) reply_to: Option<String>,
    /// Whether a reply is shown in the channel as well.
    pub(crate) is_broadcast: bool,
    /// Whether the sender received an answer.
    pub(crate) answered: bool,
    pub(crate) text: String,
}

#[derive(Debug, Default)]
struct Recorded {
    said: Vec<Said>,
    deleted: Vec<String>,
    faults: VecDeque<SlackFault>,
}

/// A destination that records notifications.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    can_edit: bool,
    recorded: Arc<Mutex<Recorded>>,
}

impl Recorder {
    pub(crate) fn new(can_edit: bool) -> Self {
        Self { can_edit, recorded: Arc::default() }
    }

    fn recorded(&self) -> MutexGuard<'_, Recorded> {
        self.recorded.lock().unwrap()
    }

    pub(crate) fn said(&self) -> Vec<Said> {
        self.recorded().said.clone()
    }

    pub(crate) fn delete(&self, id: &str) {
        self.recorded().deleted.push(id.to_owned());
    }

    pub(crate) fn fail_next(&self, times: u32, fault: &SlackFault) {
        self.recorded().faults.extend((0..times).map(|_| fault.clone()));
    }

    pub(crate) fn recover(&self) {
        self.recorded().faults.clear();
    }
}

impl Recorded {
    /// One notification call, which would be one request to Slack. Returns the id of the message.
    fn call(
        &mut self,
        channel: &str,
        notification: &Notification,
        edits: Option<&str>,
        reply_to: Option<&str>,
    ) -> Result<String, Undelivered> {
        let fault = self.faults.pop_front();
        let failed = |maybe_sent, retry_after| {
            let source = "the destination is down".into();
            Err(Undelivered { failure: Failure::Transient { source, retry_after }, maybe_sent })
        };
        match fault {
            Some(SlackFault::RateLimited { retry_after }) => {
                return failed(false, Some(Duration::from_secs(retry_after)));
            }
            Some(SlackFault::ServerError | SlackFault::Reset) => return failed(true, None),
            _ => {}
        }
        let id = edits.map_or_else(|| format!("{}", self.said.len()), str::to_owned);
        let answered = !matches!(fault, Some(SlackFault::AnswerLost));
        self.said.push(Said {
            channel: channel.to_owned(),
            id: id.clone(),
            is_edit: edits.is_some(),
            reply_to: reply_to.map(str::to_owned),
            is_broadcast: reply_to.is_some(),
            answered,
            text: text_of(notification),
        });
        if answered { Ok(id) } else { failed(true, None) }
    }
}

/// A notification as text, as Slack's users would read it.
fn text_of(notification: &Notification) -> String {
    let message = slack::render(notification);
    let blocks: Vec<Value> = message.blocks().iter().map(|block| json!(block)).collect();
    render(&SlackMessage {
        call: SlackCall::PostMessage,
        path: String::new(),
        channel: String::new(),
        channel_name: String::new(),
        ts: String::new(),
        thread_ts: None,
        reply_broadcast: false,
        text: message.text().to_owned(),
        blocks,
        answered: true,
        raw: Value::Null,
    })
}

#[async_trait]
impl Notifier for Recorder {
    type Target = settings::NotifySlack;

    async fn capabilities(&self) -> Result<Capabilities, Failure> {
        let edit = self.can_edit;
        Ok(Capabilities { edit, thread: edit, idempotency_key: false, grouping: true })
    }

    async fn deliver(
        &self,
        target: &settings::NotifySlack,
        delivery: Delivery<'_>,
        notification: &Notification,
        _: &Invocation,
    ) -> Result<Delivered, Undelivered> {
        // Yield, as a network call does: other attempts run meanwhile.
        tokio::task::yield_now().await;
        let mut recorded = self.recorded();
        let channel = target.channel();
        let (message, audible, closes) = match delivery {
            Delivery::Post => (None, true, false),
            Delivery::Edit { message, audible } => (Some(message), audible, false),
            Delivery::Close { message, audible } => (message, audible, true),
        };
        let message = message.filter(|message| !recorded.deleted.contains(&message.id));
        if let Some(message) = message {
            recorded.call(channel, notification, Some(&message.id), None)?;
            if closes && audible {
                recorded.call(channel, notification, None, Some(&message.id))?;
            }
            let message = (!closes).then(|| message.clone());
            return Ok(Delivered { message, audible: closes && audible, note: None, skipped: None });
        }
        if !audible {
            return Ok(Delivered::default());
        }
        let id = recorded.call(channel, notification, None, None)?;
        let message = MessageRef { conversation: channel.to_owned(), id };
        Ok(Delivered { message: self.can_edit.then_some(message), audible: true, note: None, skipped: None })
    }
}

/// The Slack simulator, or a destination that records.
#[derive(Debug)]
pub(crate) enum Destination {
    Slack(Box<SlackNotifier>),
    Recorder(Recorder),
}

#[async_trait]
impl Notifier for Destination {
    type Target = settings::NotifySlack;

    async fn capabilities(&self) -> Result<Capabilities, Failure> {
        match self {
            Self::Slack(slack) => slack.capabilities().await,
            Self::Recorder(recorder) => recorder.capabilities().await,
        }
    }

    async fn deliver(
        &self,
        target: &settings::NotifySlack,
        delivery: Delivery<'_>,
        notification: &Notification,
        invocation: &Invocation,
    ) -> Result<Delivered, Undelivered> {
        match self {
            Self::Slack(slack) => slack.deliver(target, delivery, notification, invocation).await,
            Self::Recorder(recorder) => recorder.deliver(target, delivery, notification, invocation).await,
        }
    }
}
