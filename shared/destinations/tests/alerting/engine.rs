//! Alerting with Slack, from the event to the channel.

use crate::environment::{Environment, FAILED, SUCCEEDED, at, event};
use crate::{by_token, by_webhook};
use simulator::{SlackCall, SlackFault, SlackMessage, SlackSimulator};
use tableau::Event;

const HOUR: i64 = 3_600;

fn each(name: &str, count: i64, second: i64) -> Vec<(i64, Event)> {
    (0..count).map(|n| (second + n / 60, event(name, &format!("object-{n:03}"), second + n / 60))).collect()
}

/// The header of a message.
fn header(message: &SlackMessage) -> String {
    message.blocks[0]["text"]["text"].as_str().unwrap().to_owned()
}

fn assert_taken(slack: &SlackSimulator) {
    assert_eq!(slack.refusals(), []);
    assert!(slack.messages().iter().all(|message| !message.blocks.is_empty()));
}

#[tokio::test]
async fn an_incident_is_one_message_that_is_edited_and_closed_with_a_reply() {
    let slack = SlackSimulator::start().await.unwrap();
    let environment = Environment::new(by_token(&slack), None);
    environment
        .run(vec![
            (0, event(FAILED, "Sales", 0)),
            (HOUR, event(FAILED, "Sales", HOUR)),
            (2 * HOUR, event(SUCCEEDED, "Sales", 2 * HOUR)),
        ])
        .await;
    let messages = slack.messages();
    let calls: Vec<_> = messages.iter().map(|message| (message.call, header(message))).collect();
    let failed = "🔴 Extract refresh failed: Sales".to_owned();
    let recovered = "✅ Recovered after 2 failures in 2 h: Sales".to_owned();
    assert_eq!(
        calls,
        [
            (SlackCall::PostMessage, failed.clone()),
            (SlackCall::Update, failed),
            (SlackCall::Update, recovered.clone()),
            (SlackCall::PostMessage, recovered)
        ]
    );
    assert!(
        messages[1].all_text().contains("*2 failures in a row* within 1 h, since "),
        "{}",
        messages[1].all_text()
    );
    assert_eq!(messages[3].thread_ts.as_ref(), Some(&messages[0].ts));
    assert!(messages[3].reply_broadcast);
    assert_eq!(slack.channel("data-alerts").len(), 2);
    assert_taken(&slack);
}

#[tokio::test]
async fn a_storm_is_three_messages_that_account_for_all_and_ends_in_their_place() {
    for with_token in [true, false] {
        let slack = SlackSimulator::start().await.unwrap();
        let notifier = if with_token { by_token(&slack) } else { by_webhook(&slack) };
        let environment = Environment::new(notifier, None);
        environment.run(each(FAILED, 500, 0)).await;
        let shown = slack.channel("data-alerts");
        assert!(shown.len() <= 3, "{:?}", shown.iter().map(header).collect::<Vec<_>>());
        let texts: Vec<String> = shown.iter().map(SlackMessage::all_text).collect();
        let named = (0..500).filter(|n| texts.iter().any(|text| text.contains(&format!("object-{n:03}"))));
        let named = named.count();
        let counted = texts.iter().flat_map(|text| text.split("… and ").skip(1));
        let counted: usize =
            counted.map(|rest| rest.split(' ').next().unwrap().parse::<usize>().unwrap()).sum();
        assert_eq!(named + counted, 500, "{texts:?}");
        environment.run(each(SUCCEEDED, 500, HOUR)).await;
        let ended = slack.channel("data-alerts");
        assert!(ended.len() <= shown.len() + 2, "{:?}", ended.iter().map(header).collect::<Vec<_>>());
        let last = ended.last().unwrap();
        assert!(header(last).starts_with("✅ All 500 recovered after 1 h"), "{}", header(last));
        if with_token {
            let failing = ended.iter().filter(|message| header(message).starts_with('🔴'));
            assert_eq!(failing.count(), 0, "{:?}", ended.iter().map(header).collect::<Vec<_>>());
        }
        assert_taken(&slack);
    }
}

#[tokio::test]
async fn quiet_hours_end_with_one_message_about_all_that_happened() {
    let slack = SlackSimulator::start().await.unwrap();
    let morning = 8 * HOUR;
    let environment = Environment::new(by_token(&slack), Some((at(0), at(morning))));
    environment
        .run(vec![
            (0, event(FAILED, "Sales", 0)),
            (HOUR, event(FAILED, "Returns", HOUR)),
            (2 * HOUR, event(SUCCEEDED, "Sales", 2 * HOUR)),
            (3 * HOUR, event("WorkbookUpdated", "Forecast", 3 * HOUR)),
        ])
        .await;
    let messages = slack.messages();
    assert_eq!(messages.len(), 1, "{:?}", messages.iter().map(header).collect::<Vec<_>>());
    assert_eq!(header(&messages[0]), "🌅 4 events in quiet hours");
    let text = messages[0].all_text();
    for line in
        ["*1 still failing*\n• Returns – Credentials refused", "*All events in quiet hours*", "Forecast"]
    {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert_taken(&slack);
}

#[tokio::test]
async fn an_announcement_that_slack_does_not_take_for_now_arrives_later_and_once() {
    for fault in [SlackFault::ServerError, SlackFault::RateLimited { retry_after: 20 }, SlackFault::Html(503)]
    {
        let slack = SlackSimulator::start().await.unwrap();
        let environment = Environment::new(by_token(&slack), None);
        slack.fail_next(1, fault.clone());
        environment.run(vec![(0, event(FAILED, "Sales", 0)), (HOUR, event(SUCCEEDED, "Sales", HOUR))]).await;
        // The circuit counts Slack's wait from the answer, a moment after the attempt began: the first retry may come too early.
        let retries = environment.retries.lock().unwrap().len();
        assert!((1..=2).contains(&retries), "{fault:?}: {retries}");
        let headers: Vec<String> = slack.channel("data-alerts").iter().map(header).collect();
        assert_eq!(headers, ["✅ Recovered after 1 h: Sales"; 2], "{fault:?}");
    }
}
