//! Events in quiet hours wait in one digest with one timer. Some of them return to their queue, within AWS's recursion
//! limit.
//!
//! The binary goes by the machine's clock, so quiet hours end for real, at the next full minute that is far enough away.

use crate::site::{DEAD_LETTERS, QUEUE, Site, template, until};
use alerting::Capabilities;
use alerting::group::{GroupHead, GroupStep, Member};
use jiff::tz::TimeZone;
use jiff::{RoundMode, SignedDuration, Span, Timestamp, ToSpan as _, Unit, ZonedRound};
use local_aws::StackEvent;
use simulator::{TableauSimulator, render};
use std::time::Duration;
use tableau::EventName;
use timer::TimerMessage;

/// How many events happen in quiet hours.
const EVENTS: usize = 12;
/// The shortest time in which the machine must handle these events.
const LEAST_SECONDS: i64 = 20;
/// The longest time until quiet hours end, plus time for the message.
const TIMEOUT: Duration = Duration::from_secs(180);
const SETTING: &str = "RecursiveLoop: Allow";
/// How many invocations of one function an event may cause before Lambda drops it: "approximately 16".
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html>
const LAMBDAS_LIMIT: usize = 16;

/// Rules whose thirteen quiet hours end at the first full minute after `ahead`.
fn rules(ahead: Span) -> String {
    let earliest = Timestamp::now().to_zoned(TimeZone::UTC) + ahead;
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

/// Publishes workbooks in quiet hours that end after `ahead`, and checks that the digest has all of them.
async fn quiet_hours(template: &str, ahead: Span) -> Site {
    let site = Site::start(template, &rules(ahead), TableauSimulator::sample(), &[], None).await;
    site.register(&EventName::WorkbookCreated);
    for n in 0..EVENTS {
        let workbook = site.tableau.add(simulator::Workbook::named(&format!("Workbook {n}")));
        site.tableau.fire(&EventName::WorkbookCreated, workbook.as_str()).unwrap();
    }
    until(TIMEOUT, "a record of each event", || {
        let records = site.records("notify-slack");
        records.values().filter(|record| record["state"]["S"] == "skipped").count() == EVENTS
    })
    .await;
    for record in site.records("notify-slack").values() {
        let reason = record["reason"]["S"].as_str().unwrap();
        assert!(reason.starts_with("in the digest of the quiet hours until "), "{reason}");
    }
    assert!(site.slack.messages().is_empty(), "it is still quiet");
    site
}

/// Invocations of notify-slack by its queue, and invocations that Lambda dropped as recursive.
fn invocations(events: &[StackEvent]) -> (usize, usize) {
    let of_queue = |event: &&StackEvent| matches!(event, StackEvent::Delivered { function, failures: 0, .. } if function == "notify-slack");
    let dropped = |event: &&StackEvent| matches!(event, StackEvent::RecursionStopped { .. });
    (events.iter().filter(of_queue).count(), events.iter().filter(dropped).count())
}

// A night does not need `RecursiveLoop: Allow`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_in_quiet_hours_is_one_message_when_they_end_with_one_timer_and_nothing_sent_round() {
    let template = template().replace(SETTING, "RecursiveLoop: Terminate");
    let mut site = quiet_hours(&template, LEAST_SECONDS.seconds()).await;
    let waiting = site.bodies(QUEUE);
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    let timer = TimerMessage::parse(waiting.first().unwrap()).unwrap();
    assert!(timer.key.starts_with("digest#notify-slack#data-news#"), "{timer:?}");
    assert_eq!(timer.generation, 1);
    assert!(site.stack.aws().schedules().is_empty());

    let messages = site.slack.wait_for(1, TIMEOUT).await.unwrap();

    assert!(Timestamp::now() >= timer.due, "early");
    let text = render(&messages[0]);
    assert!(text.contains(&format!("{EVENTS} events in quiet hours")), "{text}");
    until(TIMEOUT, "an empty queue", || site.stack.aws().messages(QUEUE).is_empty()).await;
    let (handled, dropped) = invocations(&site.news());
    assert!(handled <= EVENTS + 1, "{handled} invocations");
    assert_eq!((dropped, site.slack.message_count()), (0, 1));
    assert!(site.stack.aws().messages(DEAD_LETTERS).is_empty());
    site.stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_digest_whose_quiet_hours_end_in_hours_has_one_schedule_and_nothing_in_the_queue() {
    let site = quiet_hours(&template(), 6.hours()).await;
    until(TIMEOUT, "an empty queue", || site.bodies(QUEUE).is_empty()).await;
    let schedules = site.stack.aws().schedules();
    assert_eq!(schedules.len(), 1, "{schedules:?}");
    let timer = TimerMessage::parse(&schedules[0].input).unwrap();
    assert!(timer.key.starts_with("digest#notify-slack#data-news#"), "{timer:?}");
    assert_eq!((schedules[0].queue.as_str(), timer.generation, timer.hops), (QUEUE, 1, 0));
    site.stack.shutdown().await;
}

/// The length of the longest chain of invocations that a group's first event starts, if the next member always joins a
/// second after the group's timer fired: the event's own invocation, and one per firing.
fn longest_chain(edit: bool) -> usize {
    let capabilities = Capabilities { edit, thread: edit, idempotency_key: false, grouping: true };
    let mut now: Timestamp = "2026-11-28T22:00:00Z".parse().unwrap();
    let member = |n: usize| (n.to_string(), Member::new(&n.to_string(), "Sales", None, now));
    let members: Vec<_> = (0..3).map(member).collect();
    let mut head = GroupHead::default();
    head.changed(now, true, capabilities);
    let mut invocations = 1;
    while let Some(pending) = head.pending.take() {
        // The last member joined a second after the previous firing; the others joined with the first member.
        now = pending.due;
        invocations += 1;
        if let GroupStep::WaitUntil(due) = head.step(&members, true, now, capabilities) {
            head.set_pending(due);
            head.changed(now + SignedDuration::from_secs(1), true, capabilities);
        }
    }
    invocations
}

#[test]
fn a_group_whose_messages_cannot_be_edited_comes_near_lambdas_limit_so_the_setting_stays() {
    assert!(template().contains(SETTING));
    let edited = longest_chain(true);
    let posted = longest_chain(false);
    println!("invocations in a row: {edited} where messages can be edited, {posted} where they cannot");
    assert!(edited <= 4, "{edited}");
    // A timer that fires early, or a chain that another group's event started, reaches this length.
    assert!(posted >= LAMBDAS_LIMIT - 1, "{posted}: is the setting still needed?");
}
