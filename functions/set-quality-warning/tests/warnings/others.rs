//! Warnings that people have set, and what they do to ours.

use crate::support::{Person, RULES, failed, handle, last, queued, start, succeeded};
use tableau_client::WarningKind;
use testkit::simulator::{RestVersion, TableauSimulator, notes};

// Q02
#[tokio::test]
async fn a_warning_that_a_person_has_set_stays_as_it_is_beside_ours() {
    let environment = start(RULES, TableauSimulator::sample()).await;
    let person = Person::at(&environment, "");
    let function = queued(&environment);
    let theirs = "Under review. It is removed when a refresh succeeds.";
    person.set(&environment, "Sales Orders", WarningKind::Warning, theirs).await;
    handle(&function, &failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN, 0)).await;
    let texts = person.texts(&environment, "Sales Orders").await;
    assert!(texts.len() == 2 && texts[0] == theirs, "{texts:?}");
    handle(&function, &failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN, 60)).await;
    handle(&function, &succeeded(&environment, "Sales Orders", 120)).await;
    assert_eq!(person.texts(&environment, "Sales Orders").await, [theirs]);
}

// Q03
#[tokio::test]
async fn where_a_person_holds_the_only_place_nothing_is_set_and_the_outcome_says_why() {
    for (version, minor, kind) in [("3.23", 23, WarningKind::Warning), ("3.25", 25, WarningKind::Stale)] {
        let tableau = TableauSimulator::sample().max_version(RestVersion { major: 3, minor });
        let environment = start(RULES, tableau).await;
        let person = Person::at(&environment, version);
        let function = queued(&environment);
        person.set(&environment, "Sales Orders", kind, "Under review").await;
        handle(&function, &failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN, 0)).await;
        let (outcome, reason) = last(&function);
        assert!(outcome == "skipped" && reason.starts_with("a person has set a quality warning"), "{reason}");
        handle(&function, &failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN, 60)).await;
        handle(&function, &succeeded(&environment, "Sales Orders", 120)).await;
        assert_eq!(person.texts(&environment, "Sales Orders").await, ["Under review"], "{version}");
        assert!(environment.aws.messages("dead-letters").is_empty());
    }
}

#[tokio::test]
async fn a_warning_of_ours_that_a_person_has_changed_or_removed_is_theirs_from_then_on() {
    let environment = start(RULES, TableauSimulator::sample()).await;
    let person = Person::at(&environment, "");
    let function = queued(&environment);
    for (datasource, text) in [("Sales Orders", Some("The supplier is down until Monday")), ("Budget", None)]
    {
        handle(&function, &failed(&environment, datasource, notes::SNOWFLAKE_LOGIN, 0)).await;
        let ours = person.warnings(&environment, datasource).await.remove(0).id.unwrap();
        match text {
            Some(text) => person.change(&ours, text).await,
            None => person.remove(&ours).await,
        }
        handle(&function, &failed(&environment, datasource, notes::SNOWFLAKE_LOGIN, 60)).await;
        let (outcome, reason) = last(&function);
        let verb = if text.is_some() { "changed" } else { "removed" };
        assert!(
            outcome == "skipped" && reason.starts_with(&format!("a person has {verb} the warning")),
            "{reason}"
        );
        handle(&function, &succeeded(&environment, datasource, 120)).await;
        let left: Vec<&str> = text.into_iter().collect();
        assert_eq!(person.texts(&environment, datasource).await, left);

        // The next incident starts anew. A person's own warning of this type is in the way of it.
        handle(&function, &failed(&environment, datasource, notes::SNOWFLAKE_LOGIN, 180)).await;
        assert_eq!(person.texts(&environment, datasource).await.len(), 1);
        assert_eq!(last(&function).0, if text.is_some() { "skipped" } else { "done" });
    }
}
