//! The circuit breaker of the Slack destination: one circuit for all of Slack, and one per channel.

use crate::environment::{at, notification};
use crate::{by_token, channel};
use alerting::notifier::{Delivery, Notifier, Undelivered};
use circuit::FAILURES;
use destinations::slack::SlackNotifier;
use simulator::{SlackFault, SlackSimulator};
use std::time::Duration;
use workflow::{Failure, Invocation};

async fn post(notifier: &SlackNotifier, to: &str, second: i64) -> Result<(), Undelivered> {
    let invocation = Invocation::new("r", at(second), Duration::from_secs(60));
    let sent = notifier.deliver(&channel(to), Delivery::Post, &notification("Opened"), &invocation).await;
    sent.map(|_| ())
}

#[tokio::test]
async fn a_slack_that_is_down_is_not_called_before_it_is_time_to_probe() {
    let slack = SlackSimulator::start().await.unwrap();
    let notifier = by_token(&slack);
    slack.add_channel("other", true);
    slack.fail_next(1_000, SlackFault::ServerError);
    for n in 0..FAILURES {
        assert!(post(&notifier, "data-alerts", n.try_into().unwrap()).await.unwrap_err().maybe_sent);
    }
    let calls = slack.calls();
    for to in ["data-alerts", "other"] {
        let undelivered = post(&notifier, to, 10).await.unwrap_err();
        assert!(!undelivered.maybe_sent, "it was not sent");
        let Failure::Transient { retry_after: Some(wait), .. } = undelivered.failure else {
            panic!("{:?}", undelivered.failure)
        };
        assert!((1..=30).contains(&wait.as_secs()), "{wait:?}");
    }
    assert_eq!(slack.calls(), calls);
    slack.recover();
    post(&notifier, "other", 60).await.unwrap();
    post(&notifier, "data-alerts", 60).await.unwrap();
}

#[tokio::test]
async fn a_channel_that_takes_no_more_for_now_holds_no_other_channel_back() {
    let slack = SlackSimulator::start().await.unwrap();
    let notifier = by_token(&slack);
    slack.add_channel("other", true);
    slack.fail_next(1, SlackFault::RateLimited { retry_after: 30 });
    post(&notifier, "data-alerts", 0).await.unwrap_err();
    let calls = slack.calls();
    // A name with `#` is the same channel.
    for to in ["data-alerts", "#data-alerts"] {
        post(&notifier, to, 1).await.unwrap_err();
    }
    assert_eq!(slack.calls(), calls);
    post(&notifier, "other", 1).await.unwrap();
    post(&notifier, "data-alerts", 40).await.unwrap();
}
