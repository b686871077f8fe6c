//! Answers that are lost, and a process that dies.

use crate::support::{Person, RULES, failed, handle, message, queued, start, succeeded};
use std::time::Duration;
use testkit::simulator::{Fault, TableauSimulator, notes};

const ADD: &str = "POST */dataQualityWarnings/*";

#[tokio::test]
async fn a_lost_answer_sets_no_second_warning_and_leaves_none_behind() {
    // The answer to the first try is lost. The refresh succeeds before the retry, or after it.
    for retry_first in [true, false] {
        let environment = start(RULES, TableauSimulator::sample()).await;
        let person = Person::at(&environment, "");
        let function = queued(&environment);
        environment.tableau.fail_next(ADD, 1, Fault::Lost);
        let failure = failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN, 0);
        assert_eq!(function.failures(&message(&failure)).await.len(), 1);
        assert_eq!(person.texts(&environment, "Sales Orders").await.len(), 1);
        if retry_first {
            assert!(function.failures(&message(&failure).received(2)).await.is_empty());
            assert_eq!(person.texts(&environment, "Sales Orders").await.len(), 1);
        }
        handle(&function, &succeeded(&environment, "Sales Orders", 60)).await;
        if !retry_first {
            assert!(function.failures(&message(&failure).received(2)).await.is_empty());
        }
        assert_eq!(person.texts(&environment, "Sales Orders").await, [""; 0], "retry first: {retry_first}");
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
