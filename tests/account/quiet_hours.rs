//! An event that waits is sent to the function's own queue each quarter of an hour. To Lambda that is a recursive loop.
//!
//! The binary goes by the machine's clock, so the quiet hours end for real, at the next full minute that is far enough
//! away. What is cut short is the delay of messages: a millisecond each, until the event was sent round as often as
//! thirteen hours have quarters. What is left of the minute then passes as it is.

use crate::site::{DEAD_LETTERS, QUEUE, Site, template, until};
use jiff::tz::TimeZone;
use jiff::{RoundMode, Timestamp, ToSpan as _, Unit, ZonedRound};
use local_aws::StackEvent;
use simulator::{TableauSimulator, render};
use std::time::Duration;
use tableau::EventName;

/// How often thirteen hours have a quarter.
const QUARTERS: usize = 13 * 4;
/// How long the machine has for those at least.
const LEAST_SECONDS: i64 = 45;
/// The quiet hours that are left at most, and time for the message.
const PATIENCE: Duration = Duration::from_secs(180);
const SETTING: &str = "RecursiveLoop: Allow";

/// Rules whose thirteen quiet hours end at the next full minute that is far enough away.
fn rules() -> String {
    let earliest = Timestamp::now().to_zoned(TimeZone::UTC) + LEAST_SECONDS.seconds();
    let to = earliest.round(ZonedRound::new().smallest(Unit::Minute).mode(RoundMode::Ceil)).unwrap();
    let from = &to - 13.hours();
    format!(
        "
rules:
  - name: night
    on: [WorkbookCreated]
    quiet: {{ from: {}, to: {}, timezone: UTC }}
    do: [{{ notify-slack: {{ channel: data-news }} }}]
",
        from.strftime("%H:%M"),
        to.strftime("%H:%M")
    )
}

/// How a night went.
#[derive(Debug, Default)]
struct Night {
    /// Invocations of notify-slack for its queue.
    invocations: usize,
    /// Invocations that Lambda dropped as recursive.
    dropped: usize,
}

impl Night {
    fn note(&mut self, events: &[StackEvent]) {
        for event in events {
            match event {
                StackEvent::Delivered { function, failures: 0, .. } if function == "notify-slack" => {
                    self.invocations += 1;
                }
                StackEvent::RecursionStopped { .. } => self.dropped += 1,
                _ => {}
            }
        }
    }
}

/// A workbook is published in quiet hours.
async fn quiet_hours(template: &str) -> Site {
    let site = Site::start(template, &rules(), TableauSimulator::sample(), &[], None).await;
    site.register(&EventName::WorkbookCreated);
    site.stack.aws().set_longest_delay(QUEUE, Duration::from_millis(1));
    let workbook = site.tableau.workbook("Superstore").unwrap();
    site.tableau.fire(&EventName::WorkbookCreated, &workbook).unwrap();
    site
}

// 11-A1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_in_thirteen_quiet_hours_is_told_when_they_end() {
    assert!(template().contains(SETTING));
    let mut site = quiet_hours(&template()).await;
    let mut night = Night::default();

    until(PATIENCE, "thirteen hours in quarters", || {
        night.note(&site.news());
        night.invocations >= QUARTERS
    })
    .await;
    assert!(site.slack.messages().is_empty(), "it is still quiet");
    site.stack.aws().set_longest_delay(QUEUE, Duration::MAX);
    let messages = site.slack.wait_for(1, PATIENCE).await.unwrap();

    assert!(render(&messages[0]).contains("in quiet hours"), "{}", render(&messages[0]));
    until(PATIENCE, "an empty queue", || site.stack.aws().messages(QUEUE).is_empty()).await;
    night.note(&site.news());
    assert!(night.invocations > QUARTERS, "{night:?}");
    assert_eq!((night.dropped, site.slack.messages().len()), (0, 1));
    assert!(site.stack.aws().messages(DEAD_LETTERS).is_empty());
    site.stack.shutdown().await;
}

// 11-A1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_setting_lambda_drops_what_waits_for_the_end_of_quiet_hours() {
    let mut site = quiet_hours(&template().replace(SETTING, "RecursiveLoop: Terminate")).await;
    // What Lambda drops stays in the queue until it was received as often as the redrive policy says.
    site.stack.aws().set_visibility_timeout(QUEUE, Duration::from_millis(50));
    let mut night = Night::default();

    until(PATIENCE, "a dead letter", || {
        night.note(&site.news());
        !site.stack.aws().messages(DEAD_LETTERS).is_empty()
    })
    .await;

    night.note(&site.news());
    assert_eq!(night.invocations, 16);
    assert!(night.dropped > 0, "{night:?}");
    assert!(site.stack.aws().messages(QUEUE).is_empty(), "nothing is left that could send the message");
    assert!(site.slack.messages().is_empty());
    site.stack.shutdown().await;
}
