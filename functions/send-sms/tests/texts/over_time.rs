//! Groups, digests, recoveries and workers that die, on the real binary, with the timers of its queue.

use crate::support::{
    ALL, DANA, ONE, assert_private, assert_texts, failed, hand, inline, message, queued, start, succeeded,
    texts,
};
use std::time::Duration;
use testkit::simulator::TwilioFault;
use testkit::{Request, quiet_until_soon};

/// Longer than a group waits, and quiet hours last.
const LONGEST: Duration = Duration::from_secs(200);

#[tokio::test]
async fn a_storm_of_a_hundred_is_three_texts_the_first_failure_the_others_and_the_end() {
    const STORM: usize = 100;
    let environment = start(ONE).await;
    let function = queued(&environment);
    for n in 0..STORM {
        hand(&function, &environment.event_of_extract("DatasourceRefreshFailed", n, 0)).await;
    }
    environment.run_timers(&function, LONGEST, || texts(&environment, DANA).len() >= 2).await;
    let said = texts(&environment, DANA);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("Extract refresh failed: extract_000"), "{said:?}");
    assert!(said[1].starts_with("100 extract refreshes failed"), "{said:?}");
    for n in 0..STORM {
        hand(&function, &environment.event_of_extract("DatasourceRefreshSucceeded", n, 1)).await;
    }
    environment.run_timers(&function, LONGEST, || texts(&environment, DANA).len() >= 3).await;
    let said = texts(&environment, DANA);
    assert!(said.len() == 3 && said[2].starts_with("All 100 recovered"), "{said:?}");
    assert_eq!(environment.twilio.calls(), 3, "a hundred failures cost three texts");
    assert_texts(&environment);
    assert_private(&environment, &function);
}

#[tokio::test]
async fn quiet_hours_end_with_one_text_about_all_that_happened() {
    let quiet = quiet_until_soon(Duration::from_secs(20));
    let rules = format!(
        "rules:\n  - name: quiet\n    {quiet}\n    on: [Any]\n    do: [{{ send-sms: {{ to: \
         \"{DANA}\" }} }}]\n"
    );
    let environment = start(&rules).await;
    let function = queued(&environment);
    for (name, n, second) in [
        ("DatasourceRefreshFailed", 1, 0),
        ("DatasourceRefreshFailed", 2, 1),
        ("DatasourceRefreshSucceeded", 1, 2),
        ("WorkbookUpdated", 3, 3),
    ] {
        hand(&function, &environment.event_of_extract(name, n, second)).await;
    }
    assert!(environment.twilio.messages().is_empty(), "{:?}", texts(&environment, DANA));
    environment.run_timers(&function, LONGEST, || !texts(&environment, DANA).is_empty()).await;
    let said = texts(&environment, DANA);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains(" events in quiet hours: 1 still failing: extract_002"), "{said:?}");
    assert_texts(&environment);
}

/// An answer that is lost is the same as a worker that dies between the text and its record: the next attempt may repeat the text.
#[tokio::test]
async fn a_lost_answer_is_not_repeated_inside_the_call_and_the_record_says_so_to_the_next_attempt() {
    let environment = start(ONE).await;
    let function = queued(&environment);
    environment.twilio.fail_next(1, TwilioFault::AnswerLost);
    let event = failed(&environment);
    assert_eq!(function.failures(&message(&event)).await, ["m-1"]);
    assert_eq!(environment.twilio.calls(), 1, "nothing is repeated inside of the call");
    assert!(function.failures(&message(&event).received(2)).await.is_empty());
    assert!(function.failures(&message(&event).received(3)).await.is_empty());
    assert_eq!(texts(&environment, DANA).len(), 2, "one repeat, rather than none");
    hand(&function, &succeeded(&environment)).await;
    assert_eq!(texts(&environment, DANA).len(), 3);

    let environment = start(ALL).await;
    let function = inline(&environment);
    environment.twilio.fail_next(1, TwilioFault::AnswerLost);
    let answer = function.answer(&Request::post(failed(&environment).to_string())).await;
    assert_eq!((answer.status, environment.twilio.calls()), (502, 1));
    let reason = answer.body["reason"].as_str().unwrap();
    assert!(reason.starts_with("no answer from Twilio"), "{reason}");
    assert_private(&environment, &function);
}

/// The worker is ended while Twilio has the text and the function waits for the answer. After its claim has expired, the event is handled
/// again, and the count of the day has it once.
#[tokio::test]
async fn a_worker_that_is_ended_between_text_and_record_repeats_at_most_one_text() {
    let environment = start(ONE).await;
    let event = failed(&environment);
    environment.twilio.fail_next(1, TwilioFault::Hang);
    {
        let function = queued(&environment);
        let waiting = message(&event);
        let handed = function.failures(&waiting);
        // The process ends with the function, in the middle of its call.
        assert!(tokio::time::timeout(Duration::from_secs(3), handed).await.is_err());
    }
    let function = queued(&environment);
    let mut left = vec![String::new()];
    for received in 2..40 {
        left = function.failures(&message(&event).received(received)).await;
        if left.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(left.is_empty(), "{}", function.logs().join("\n"));
    assert_eq!(texts(&environment, DANA).len(), 1, "the one that hung was never sent");
    let counted = environment.aws.items("deliveries").into_iter().find(|item| {
        item["pk"]["S"].as_str().is_some_and(|key| key.starts_with("texts#send-sms#phone-78 ("))
    });
    let document = counted.unwrap()["document"]["S"].as_str().unwrap().to_owned();
    assert_eq!(document.matches("opened:").count(), 1, "{document}");
}
