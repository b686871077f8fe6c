//! The limit of texts that a recipient gets a day, on the real binary.

use crate::support::{ALL, BINARY, BO, DANA, NAME, dead_letter, hand, message, reason, start, texts};
use serde_json::{Value, json};
use testkit::simulator::TwilioFault;
use testkit::{Function, TestEnvironment};

const LAST: &str = "Last text today, limit of 3 reached; see Tableau for more.";

fn limited(environment: &TestEnvironment) -> Function {
    environment.queued_with(NAME, BINARY, &[("SMS_TEXTS_PER_DAY", "3")])
}

/// An event of a kind of its own each, so that none joins a group.
fn of_kind(environment: &TestEnvironment, n: usize) -> Value {
    let names = [
        "WorkbookCreated",
        "WorkbookUpdated",
        "DatasourceCreated",
        "DatasourceUpdated",
        "ViewDeleted",
        "SiteUpdated",
    ];
    json!({
        "resource": "WORKBOOK", "event_type": names[n], "resource_name": format!("Board {n}"),
        "site_luid": environment.tableau.site().as_str(), "resource_luid": format!("00000000-0000-4000-8000-{n:012}"),
        "created_at": environment.tableau.clock().now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    })
}

#[tokio::test]
async fn the_last_text_of_the_day_says_so_and_what_is_left_out_is_a_dead_letter_that_says_until_when() {
    let environment = start(ALL).await;
    let function = limited(&environment);
    for n in 0..3 {
        hand(&function, &of_kind(&environment, n)).await;
    }
    let said = texts(&environment, DANA);
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[2].contains(LAST) && !said[1].contains("Last text"), "{said:?}");

    let calls = environment.twilio.calls();
    for n in 3..5 {
        let why = dead_letter(&environment, &function, &of_kind(&environment, n)).await;
        assert!(why.starts_with("not sent to …78, who has had 3 texts until 20"), "{why}");
        assert!(why.contains("Raise SmsTextsPerDay"), "{why}");
    }
    assert_eq!(environment.twilio.calls(), calls, "Twilio is not called");
    // The count is in the table: another instance knows it.
    let other = limited(&environment);
    dead_letter(&environment, &other, &of_kind(&environment, 5)).await;
    assert_eq!(texts(&environment, DANA).len(), 3);
}

#[tokio::test]
async fn a_text_that_is_tried_again_counts_once_and_one_that_was_refused_does_not_count() {
    let environment = start(ALL).await;
    let function = limited(&environment);
    // The answer is lost: the text may have been sent, and the next attempt is the same text.
    environment.twilio.fail_next(1, TwilioFault::AnswerLost);
    let first = of_kind(&environment, 0);
    reason(&environment, &function, &message(&first)).await;
    assert!(function.failures(&message(&first).received(2)).await.is_empty());
    // Refused for good.
    environment.twilio.fail_next(1, TwilioFault::Code(400, 21_211));
    dead_letter(&environment, &function, &of_kind(&environment, 1)).await;
    for n in 2..4 {
        hand(&function, &of_kind(&environment, n)).await;
    }
    let said = texts(&environment, DANA);
    assert_eq!(said.len(), 4, "the first one twice, since its answer was lost: {said:?}");
    assert_eq!((said[0] == said[1], said[3].contains(LAST)), (true, true), "{said:?}");
    dead_letter(&environment, &function, &of_kind(&environment, 4)).await;
}

#[tokio::test]
async fn each_recipient_has_a_limit_of_their_own() {
    let rules = format!(
        "rules:\n  - name: all\n    on: [Any]\n    do: [{{ send-sms: {{ to: \"{DANA}\" }} }}]\n  - name: some\n    on: \
         [DatasourceUpdated]\n    do: [{{ send-sms: {{ to: \"{BO}\" }} }}]\n"
    );
    let environment = start(&rules).await;
    let function = limited(&environment);
    for n in 0..3 {
        hand(&function, &of_kind(&environment, n)).await;
    }
    let why = dead_letter(&environment, &function, &of_kind(&environment, 3)).await;
    assert!(why.contains("…78"), "{why}");
    assert_eq!((texts(&environment, DANA).len(), texts(&environment, BO).len()), (3, 1));
    assert!(!texts(&environment, BO)[0].contains("Last text"));
}
