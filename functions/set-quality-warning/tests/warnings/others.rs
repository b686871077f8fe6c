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
    let in_front = |text: &str| format!("The supplier is down until Monday. {text}");
    for (datasource, changes) in [("Sales Orders", true), ("Budget", false)] {
        handle(&function, &failed(&environment, datasource, notes::SNOWFLAKE_LOGIN, 0)).await;
        let ours = person.warnings(&environment, datasource).await.remove(0);
        let theirs = in_front(&ours.text());
        let id = ours.id.unwrap();
        match changes {
            true => person.change(&id, &theirs).await,
            false => person.remove(&id).await,
        }
        handle(&function, &failed(&environment, datasource, notes::SNOWFLAKE_LOGIN, 60)).await;
        let (outcome, reason) = last(&function);
        let verb = if changes { "changed" } else { "removed" };
        assert!(
            outcome == "skipped" && reason.starts_with(&format!("a person has {verb} the warning")),
            "{reason}"
        );
        handle(&function, &succeeded(&environment, datasource, 120)).await;
        let left: Vec<&str> = changes.then_some(theirs.as_str()).into_iter().collect();
        assert_eq!(person.texts(&environment, datasource).await, left);

        // The next incident starts anew. A person's own warning of this type is in the way of it.
        handle(&function, &failed(&environment, datasource, notes::SNOWFLAKE_LOGIN, 180)).await;
        assert_eq!(person.texts(&environment, datasource).await.len(), 1);
        assert_eq!(last(&function).0, if changes { "skipped" } else { "done" });
    }
}

#[tokio::test]
async fn a_rule_that_has_another_type_by_now_changes_ours_unless_a_person_has_one_of_that_type() {
    for held in [false, true] {
        let environment = start(RULES, TableauSimulator::sample()).await;
        let person = Person::at(&environment, "");
        let function = queued(&environment);
        handle(&function, &failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN, 0)).await;
        if held {
            person.set(&environment, "Sales Orders", WarningKind::Maintenance, "Under repair").await;
        }
        environment.write_rules(&RULES.replace("severe: true", "type: maintenance, severe: true"));
        drop(function);
        let function = queued(&environment);
        handle(&function, &failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN, 60)).await;
        assert_eq!(last(&function).0, if held { "skipped" } else { "done" }, "{:?}", last(&function));
        handle(&function, &succeeded(&environment, "Sales Orders", 120)).await;
        let left: &[&str] = if held { &["Under repair"] } else { &[] };
        assert_eq!(person.texts(&environment, "Sales Orders").await, left);
        assert!(environment.aws.messages("dead-letters").is_empty());
    }
}
