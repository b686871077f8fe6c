//! Answers that are lost, and a process that dies.

use crate::support::{Person, RULES, failed, handle, message, queued, start, succeeded};
use std::time::Duration;
use testkit::simulator::{Fault, TableauSimulator, notes};

const ADD: &str = "POST */dataQualityWarnings/*";

#[tokio::test]
async fn an_answer_that_does_not_come_sets_no_second_warning_and_leaves_none_behind() {
    // Tableau has carried the call out. The refresh succeeds before the retry, or after it, or while the rule is muted.
    for fault in [Fault::Lost, Fault::DoneThen(500), Fault::DoneThen(504), Fault::DoneThen(408)] {
        for (retry_first, muted) in [(true, false), (false, false), (false, true)] {
            let environment = start(RULES, TableauSimulator::sample()).await;
            let person = Person::at(&environment, "");
            let mut function = queued(&environment);
            environment.tableau.fail_next(ADD, 1, fault.clone());
            let failure = failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN, 0);
            let failures = function.failures(&message(&failure)).await.len();
            assert_eq!(person.texts(&environment, "Sales Orders").await.len(), 1);
            if retry_first && failures == 1 {
                assert!(function.failures(&message(&failure).received(2)).await.is_empty());
                assert_eq!(person.texts(&environment, "Sales Orders").await.len(), 1);
            }
            if muted {
                environment
                    .write_rules(&RULES.replace("    on:", "    mute_until: 2099-01-01T00:00:00Z\n    on:"));
                drop(function);
                function = queued(&environment);
            }
            handle(&function, &succeeded(&environment, "Sales Orders", 60)).await;
            if !retry_first && failures == 1 {
                assert!(function.failures(&message(&failure).received(2)).await.is_empty());
            }
            let left = person.texts(&environment, "Sales Orders").await;
            assert_eq!(left, [""; 0], "{fault:?}, retry first: {retry_first}, muted: {muted}");
        }
    }
}

#[tokio::test]
async fn a_function_that_is_killed_after_the_call_sets_one_warning() {
    let environment = start(RULES, TableauSimulator::sample()).await;
    let person = Person::at(&environment, "");
    let failure = failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN, 0);
    environment.tableau.fail_next(ADD, 1, Fault::Late(Duration::from_secs(60)));
    let function = queued(&environment);
    let batch = message(&failure).event();
    let killed = async {
        while person.texts(&environment, "Sales Orders").await.is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        function.process().kill().await;
    };
    let (invoked, ()) = tokio::join!(function.invoke(&batch), killed);
    assert!(invoked.is_err());

    // The claim lasts until the killed invocation's deadline.
    let next = queued(&environment);
    let mut tries = 2;
    while next.failures(&message(&failure).received(tries)).await == ["m-1"] {
        tokio::time::sleep(Duration::from_secs(2)).await;
        tries += 1;
        assert!(tries < 30, "{}", next.logs().join("\n"));
    }
    assert_eq!(person.texts(&environment, "Sales Orders").await.len(), 1);
    handle(&next, &succeeded(&environment, "Sales Orders", 60)).await;
    assert_eq!(person.texts(&environment, "Sales Orders").await, [""; 0]);
}

#[tokio::test]
async fn the_late_end_of_an_incident_takes_no_warning_of_the_next_one_away() {
    let environment = start(RULES, TableauSimulator::sample()).await;
    let person = Person::at(&environment, "");
    let function = queued(&environment);
    handle(&function, &failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN, 0)).await;
    // Tableau does not answer when the warning is to be removed, and the refresh fails again before the retry.
    environment.tableau.fail_always("DELETE */dataQualityWarnings/*", Fault::Status(503));
    let end = succeeded(&environment, "Sales Orders", 10);
    assert_eq!(function.failures(&message(&end)).await.len(), 1);
    environment.tableau.clear_faults();
    let next = failed(&environment, "Sales Orders", notes::POSTGRES_TIMEOUT, 20);
    handle(&function, &next).await;
    let before = person.texts(&environment, "Sales Orders").await;
    assert_eq!(before.len(), 1, "{before:?}");
    assert!(function.failures(&message(&end).received(2)).await.is_empty());
    assert_eq!(person.texts(&environment, "Sales Orders").await, before);
    handle(&function, &succeeded(&environment, "Sales Orders", 30)).await;
    assert_eq!(person.texts(&environment, "Sales Orders").await, [""; 0]);
}
