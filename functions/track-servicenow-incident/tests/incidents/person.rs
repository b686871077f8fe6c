//! What a person has done to an incident stays as it is.

use crate::support::{NOTE, RESOLVE, done, failed, only, queued, readable, start, succeeded};

#[tokio::test]
async fn an_incident_that_a_person_closed_stays_closed_and_its_recovery_is_a_note() {
    let environment = start(RESOLVE).await;
    let function = queued(&environment);
    done(&function, &failed(&environment)).await;
    let number = only(&environment).number().to_owned();
    environment.servicenow.close(&number);
    done(&function, &failed(&environment)).await;
    done(&function, &succeeded(&environment)).await;
    let incident = only(&environment);
    for (field, value) in
        [("state", "7"), ("close_code", "Resolved by caller"), ("close_notes", "Repaired by hand")]
    {
        assert_eq!(incident.field(field), value, "{}", readable(&environment));
    }
    let notes = incident.work_notes();
    assert_eq!(notes.len(), 2, "{}", readable(&environment));
    assert!(notes[0].contains("2 failures in a row") && notes[1].starts_with("Recovered after"), "{notes:?}");
    assert!(!environment.servicenow.calls().iter().any(|call| call.body.contains("\"state\"")));
}

#[tokio::test]
async fn an_incident_that_a_person_resolved_keeps_the_persons_code_and_notes() {
    let environment = start(RESOLVE).await;
    let function = queued(&environment);
    done(&function, &failed(&environment)).await;
    let number = only(&environment).number().to_owned();
    for (field, value) in [("close_code", "Resolved by caller"), ("close_notes", "By Beth"), ("state", "6")] {
        environment.servicenow.set(&number, field, value);
    }
    done(&function, &succeeded(&environment)).await;
    let incident = only(&environment);
    assert_eq!(
        (incident.field("close_code"), incident.field("close_notes")),
        ("Resolved by caller", "By Beth")
    );
    assert_eq!(incident.work_notes().len(), 1, "{}", readable(&environment));
}

#[tokio::test]
async fn a_closed_incident_that_takes_no_notes_stops_nothing() {
    let environment = start(NOTE).await;
    environment.servicenow.lock_closed();
    let function = queued(&environment);
    done(&function, &failed(&environment)).await;
    environment.servicenow.close(only(&environment).number());
    done(&function, &failed(&environment)).await;
    done(&function, &succeeded(&environment)).await;
    assert!(only(&environment).work_notes().is_empty());
    assert!(environment.aws.messages("dead-letters").is_empty());
}

// D056
#[tokio::test]
async fn an_incident_that_was_deleted_or_is_another_ones_now_gets_nothing_and_no_successor() {
    let environment = start(RESOLVE).await;
    let function = queued(&environment);
    done(&function, &failed(&environment)).await;
    let number = only(&environment).number().to_owned();
    environment.servicenow.set(&number, "correlation_id", "another-tool:17");
    done(&function, &failed(&environment)).await;
    let incident = only(&environment);
    assert_eq!((incident.changes, incident.work_notes().len()), (1, 0), "{}", readable(&environment));

    environment.servicenow.delete(&number);
    done(&function, &failed(&environment)).await;
    done(&function, &succeeded(&environment)).await;
    assert!(environment.servicenow.incidents().is_empty(), "{}", readable(&environment));
}
