//! Groups, digests and their ends on the real binary, with the timers of its queue.

use crate::support::{RESOLVE, count, done, queued, readable, start};
use std::collections::BTreeSet;
use std::time::Duration;
use testkit::simulator::ServiceNowIncident;
use testkit::{Function, TestEnvironment, quiet_until_soon};

/// Longer than a group waits, and quiet hours last.
const LONGEST: Duration = Duration::from_secs(200);

/// Runs timers until this holds for the incidents.
async fn until(
    environment: &TestEnvironment,
    function: &Function,
    holds: impl Fn(&[ServiceNowIncident]) -> bool,
) {
    environment.run_timers(function, LONGEST, || holds(&environment.servicenow.incidents())).await;
}

async fn all(environment: &TestEnvironment, function: &Function, name: &str, of: usize, second: u64) {
    for n in 0..of {
        done(function, &environment.event_of_extract(name, n, second)).await;
    }
}

#[tokio::test]
async fn a_storm_of_100_is_one_incident_that_is_resolved_when_all_have_recovered() {
    let environment = start(RESOLVE).await;
    let function = queued(&environment);
    all(&environment, &function, "DatasourceRefreshFailed", 100, 0).await;
    let has_all = |incidents: &[ServiceNowIncident]| {
        incidents.first().is_some_and(|one| one.field("short_description") == "100 extract refreshes failed")
    };
    until(&environment, &function, has_all).await;
    let incidents = environment.servicenow.incidents();
    assert_eq!(incidents.len(), 1, "{}", readable(&environment));
    let description = incidents[0].field("description");
    assert!(description.contains("extract_000") && description.contains("100 objects"), "{description}");
    assert_eq!(count(&environment, "create"), 1);
    let calls = environment.servicenow.calls().len();
    assert!(calls <= 12, "{:?}", environment.servicenow.kinds());

    // The end of the first object, whose incident it was, does not end that of all.
    done(&function, &environment.event_of_extract("DatasourceRefreshSucceeded", 0, 120)).await;
    assert_eq!(environment.servicenow.incidents()[0].field("state"), "1");
    for n in 1..100 {
        done(&function, &environment.event_of_extract("DatasourceRefreshSucceeded", n, 1)).await;
    }
    until(&environment, &function, |incidents| incidents[0].field("state") == "6").await;
    let incident = environment.servicenow.incidents()[0].clone();
    assert!(incident.field("close_notes").contains("All 100 recovered after"), "{}", readable(&environment));
    assert_eq!(
        (environment.servicenow.incidents().len(), environment.servicenow.refusals()),
        (1, Vec::new())
    );
    let calls = environment.servicenow.calls().len();
    assert!(calls <= 30, "{:?}", environment.servicenow.kinds());
    environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn a_storm_that_a_person_closed_in_between_stays_closed_and_its_end_is_a_note() {
    let environment = start(RESOLVE).await;
    let function = queued(&environment);
    all(&environment, &function, "DatasourceRefreshFailed", 6, 0).await;
    until(&environment, &function, |incidents| {
        incidents.first().is_some_and(|one| one.field("short_description").starts_with("6 extract"))
    })
    .await;
    let number = environment.servicenow.incidents()[0].number().to_owned();
    environment.servicenow.close(&number);
    all(&environment, &function, "DatasourceRefreshSucceeded", 6, 120).await;
    let has_end = |incidents: &[ServiceNowIncident]| {
        incidents[0].work_notes().iter().any(|note| note.contains("All 6 recovered"))
    };
    until(&environment, &function, has_end).await;
    let incidents = environment.servicenow.incidents();
    assert_eq!(incidents.len(), 1, "{}", readable(&environment));
    assert_eq!((incidents[0].field("state"), incidents[0].field("close_notes")), ("7", "Repaired by hand"));
}

#[tokio::test]
async fn a_first_incident_that_a_person_closed_before_the_storm_was_known_is_not_that_of_the_others() {
    let environment = start(RESOLVE).await;
    let function = queued(&environment);
    done(&function, &environment.event_of_extract("DatasourceRefreshFailed", 0, 0)).await;
    environment.servicenow.close(environment.servicenow.incidents()[0].number());
    for n in 1..6 {
        done(&function, &environment.event_of_extract("DatasourceRefreshFailed", n, 0)).await;
    }
    until(&environment, &function, |incidents| incidents.len() == 2).await;
    let incidents = environment.servicenow.incidents();
    assert_eq!(incidents[0].field("state"), "7");
    assert!(
        incidents[1].field("short_description").ends_with("extract refreshes failed"),
        "{}",
        readable(&environment)
    );
}

#[tokio::test]
async fn a_failure_after_an_end_is_another_incident_and_the_one_that_a_person_closed_stays_closed() {
    let environment = start(RESOLVE).await;
    let function = queued(&environment);
    done(&function, &environment.event_of_extract("DatasourceRefreshFailed", 0, 0)).await;
    environment.servicenow.close(environment.servicenow.incidents()[0].number());
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    done(&function, &environment.event_of_extract("DatasourceRefreshSucceeded", 0, 0)).await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    done(&function, &environment.event_of_extract("DatasourceRefreshFailed", 0, 0)).await;
    until(&environment, &function, |incidents| incidents.len() == 2).await;
    let incidents = environment.servicenow.incidents();
    let states: Vec<&str> = incidents.iter().map(|one| one.field("state")).collect();
    assert_eq!(states, ["7", "1"], "{}", readable(&environment));
    assert_ne!(incidents[0].field("correlation_id"), incidents[1].field("correlation_id"));
}

#[tokio::test]
async fn a_storm_may_be_one_parent_with_a_child_for_each_object_and_all_are_resolved() {
    const OBJECTS: usize = 40;
    let environment = start(&format!("{RESOLVE}, groups: children")).await;
    let function = queued(&environment);
    all(&environment, &function, "DatasourceRefreshFailed", OBJECTS, 0).await;
    let children = |incidents: &[ServiceNowIncident]| {
        incidents.iter().filter(|one| !one.field("parent_incident").is_empty()).count()
    };
    until(&environment, &function, |incidents| children(incidents) == OBJECTS).await;
    let incidents = environment.servicenow.incidents();
    assert_eq!(incidents.len(), OBJECTS + 1, "the first object's incident is a child too");
    let parent = incidents.iter().find(|one| one.field("parent_incident").is_empty()).unwrap();
    assert!(parent.field("correlation_id").ends_with(":group"));
    let keys: BTreeSet<&str> = incidents.iter().map(|one| one.field("correlation_id")).collect();
    assert_eq!(keys.len(), OBJECTS + 1);
    let names: BTreeSet<&str> = incidents.iter().map(|one| one.field("short_description")).collect();
    assert!(
        (0..OBJECTS).all(|n| names.iter().any(|name| name.contains(&format!("extract_{n:03}")))),
        "{names:?}"
    );

    // A person closes one of them.
    let closed = incidents.iter().find(|one| one.field("short_description").contains("extract_007")).unwrap();
    environment.servicenow.close(closed.number());
    all(&environment, &function, "DatasourceRefreshSucceeded", OBJECTS, 120).await;
    until(&environment, &function, |incidents| incidents.iter().all(|one| one.field("state") != "1")).await;
    let incidents = environment.servicenow.incidents();
    assert_eq!(
        incidents.iter().filter(|one| one.field("state") == "6").count(),
        OBJECTS,
        "{}",
        readable(&environment)
    );
    let by_hand = incidents.iter().find(|one| one.number() == closed.number()).unwrap();
    assert_eq!((by_hand.field("state"), by_hand.field("close_notes")), ("7", "Repaired by hand"));
    assert_eq!((incidents.len(), environment.servicenow.refusals()), (OBJECTS + 1, Vec::new()));
    environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn after_quiet_hours_what_still_fails_has_an_incident_that_ends_and_what_has_recovered_has_none() {
    let quiet = quiet_until_soon(Duration::from_secs(25));
    let rules = format!(
        "rules:\n  - name: quiet\n    {quiet}\n    on: [RefreshFailed]\n    \
         do: [{{ track-servicenow-incident: {{ {RESOLVE} }} }}]\n"
    );
    let environment = TestEnvironment::with_rules(&rules).await;
    let function = queued(&environment);
    for (name, n, second) in [
        ("DatasourceRefreshFailed", 1, 0),
        ("DatasourceRefreshFailed", 2, 1),
        ("DatasourceRefreshSucceeded", 1, 2),
    ] {
        done(&function, &environment.event_of_extract(name, n, second)).await;
    }
    assert!(environment.servicenow.calls().is_empty());
    until(&environment, &function, |incidents| !incidents.is_empty()).await;
    let incidents = environment.servicenow.incidents();
    assert_eq!(incidents.len(), 1, "{}", readable(&environment));
    assert_eq!(incidents[0].field("short_description"), "Extract refresh failed: extract_002");

    done(&function, &environment.event_of_extract("DatasourceRefreshSucceeded", 2, 120)).await;
    let incidents = environment.servicenow.incidents();
    assert_eq!((incidents.len(), incidents[0].field("state")), (1, "6"), "{}", readable(&environment));
    assert_eq!(environment.servicenow.refusals(), []);
}
