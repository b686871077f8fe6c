//! Slack as a destination of alerting, tested with the Slack simulator.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod breaker;
mod delivery;
mod engine;
mod environment;

use circuit::Circuits;
use destinations::slack::{Slack, SlackCredential, SlackNotifier};
use rules::settings::NotifySlack;
use simulator::SlackSimulator;
use std::sync::Arc;
use workflow::{CredentialSource, Fixed};

fn notifier_with(slack: &SlackSimulator, credential: SlackCredential) -> SlackNotifier {
    notifier_from(slack, Arc::new(Fixed::new(credential)))
}

fn notifier_from(
    slack: &SlackSimulator,
    credentials: Arc<dyn CredentialSource<SlackCredential>>,
) -> SlackNotifier {
    let http = http_client::client(None).unwrap();
    let client = Slack::new(http, slack.api_url().parse().unwrap(), credentials);
    SlackNotifier::new(client, Circuits::new(store::documents(None), "notify-test", "Slack"))
}

/// Posts with a bot token.
fn by_token(slack: &SlackSimulator) -> SlackNotifier {
    notifier_with(slack, SlackCredential::bot_token(slack.token()))
}

/// Posts through an incoming webhook of the channel `data-alerts`.
fn by_webhook(slack: &SlackSimulator) -> SlackNotifier {
    let urls = serde_json::json!({ "webhook_urls": { "data-alerts": slack.webhook_url() } });
    notifier_with(slack, serde_json::from_value(urls).unwrap())
}

fn channel(name: &str) -> NotifySlack {
    NotifySlack { channel: name.to_owned(), ..NotifySlack::default() }
}
