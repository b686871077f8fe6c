//! Sites without Data Management, users without rights, connected apps without scopes.

use crate::support::{Person, RULES, event, failed, handle, last, message, queued, start, succeeded};
use serde_json::json;
use testkit::simulator::{Fault, SAMPLE_CONNECTED_APP, TableauSimulator, notes};

// C03
#[tokio::test]
async fn a_site_without_data_management_is_said_once_and_then_only_in_the_history() {
    let environment = start(RULES, TableauSimulator::sample().data_management(false)).await;
    let function = queued(&environment);
    handle(&function, &failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN, 0)).await;
    let (outcome, reason) = last(&function);
    assert_eq!(outcome, "permanent", "{reason}");
    assert!(reason.contains("403157") && reason.contains("they need Data Management"), "{reason}");
    assert_eq!(environment.aws.messages("dead-letters").len(), 1, "for a person, with an alarm");
    let asked = environment.tableau.calls("* */dataQualityWarnings/*");
    for (datasource, seconds) in [("Sales Orders", 60), ("Budget", 0), ("Budget", 90)] {
        handle(&function, &failed(&environment, datasource, notes::SNOWFLAKE_LOGIN, seconds)).await;
        let (outcome, reason) = last(&function);
        assert!(outcome == "skipped" && reason.contains("they need Data Management"), "{outcome}: {reason}");
    }
    handle(&function, &succeeded(&environment, "Budget", 200)).await;
    assert_eq!(environment.tableau.calls("* */dataQualityWarnings/*"), asked, "Tableau is not asked again");
    assert_eq!(environment.aws.messages("dead-letters").len(), 1);
    environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn what_was_refused_for_a_while_is_made_good_and_a_warning_that_is_there_is_removed_all_the_same() {
    const LIST: &str = "GET */dataQualityWarnings/*";
    let environment = start(RULES, TableauSimulator::sample()).await;
    let person = Person::at(&environment, "");
    let function = queued(&environment);
    handle(&function, &failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN, 0)).await;
    // The licence lapses: another data source finds out.
    environment.tableau.fail_always(LIST, Fault::Error("403157"));
    let found_out = failed(&environment, "Budget", notes::SNOWFLAKE_LOGIN, 0);
    handle(&function, &found_out).await;
    assert_eq!(last(&function).0, "permanent");
    let end = succeeded(&environment, "Sales Orders", 60);
    assert_eq!(function.failures(&message(&end)).await.len(), 1);
    assert_eq!(
        last(&function).0,
        "misconfigured",
        "the warning that is there has to go: {:?}",
        last(&function)
    );
    handle(&function, &failed(&environment, "Budget", notes::SNOWFLAKE_LOGIN, 60)).await;
    assert_eq!(last(&function).0, "skipped");

    // It is there again. The end is retried, and what it finds counts for all.
    environment.tableau.clear_faults();
    assert!(function.failures(&message(&end).received(2)).await.is_empty(), "{:?}", last(&function));
    assert_eq!(person.texts(&environment, "Sales Orders").await, [""; 0]);
    handle(&function, &failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN, 120)).await;
    assert_eq!(last(&function).0, "done");
}

#[tokio::test]
async fn a_missing_right_is_named_and_the_warning_is_set_once_it_is_there() {
    let environment = start(RULES, TableauSimulator::sample()).await;
    environment
        .aws
        .create_secret("tableau", json!({ "user_name": "yuki@example.com", "password": "yuki's password" }));
    let function = queued(&environment);
    let failure = event(&environment, "DatasourceRefreshFailed", "Budget", 0);
    assert_eq!(function.failures(&message(&failure)).await.len(), 1);
    let (outcome, reason) = last(&function);
    assert_eq!(outcome, "misconfigured", "{reason}");
    assert!(reason.contains("403004") && reason.contains("the owner or the project leader"), "{reason}");

    environment.aws.create_secret(
        "tableau",
        json!({ "user_name": "jonas@example.com", "password": "jonas's password" }),
    );
    drop(function);
    let function = queued(&environment);
    assert!(function.failures(&message(&failure).received(2)).await.is_empty(), "{:?}", last(&function));
    assert_eq!(Person::at(&environment, "").texts(&environment, "Budget").await.len(), 1);
}

// Q04
#[tokio::test]
async fn a_missing_scope_is_named() {
    let (client_id, secret_id, secret) = SAMPLE_CONNECTED_APP;
    let environment = start(RULES, TableauSimulator::sample()).await;
    let base = ["tableau:content:read", "tableau:jobs:read", "tableau:users:read", "tableau:tasks:read"];
    let quality = ["tableau:labels:read", "tableau:labels:update", "tableau:labels:delete"];
    let app = |scopes: &[&str]| {
        let scopes = [base.as_slice(), scopes].concat();
        json!({
            "client_id": client_id, "secret_id": secret_id, "secret_value": secret,
            "user_name": "bea@example.com", "scopes": scopes,
        })
    };
    let first = failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN, 0);
    let end = succeeded(&environment, "Sales Orders", 60);
    for (count, missing) in quality.iter().enumerate() {
        environment.aws.create_secret("tableau", app(&quality[..count]));
        let function = queued(&environment);
        let event = if count == 2 { &end } else { &first };
        if count == 2 {
            // With the scopes that are there by now.
            assert!(
                function.failures(&message(&first).received(3)).await.is_empty(),
                "{:?}",
                last(&function)
            );
        }
        let delivery = message(event).received(if count == 1 { 2 } else { 1 });
        assert_eq!(function.failures(&delivery).await.len(), 1, "{missing}");
        let (outcome, reason) = last(&function);
        assert_eq!(outcome, "misconfigured", "{reason}");
        assert!(reason.contains(&format!("the connected app the scope {missing},")), "{missing}: {reason}");
    }
    environment.aws.create_secret("tableau", app(&quality));
    let function = queued(&environment);
    assert!(function.failures(&message(&end).received(2)).await.is_empty(), "{:?}", last(&function));
    assert_eq!(Person::at(&environment, "").texts(&environment, "Sales Orders").await, [""; 0]);
}

// Issue 19, 5
#[tokio::test]
async fn a_connected_app_without_scopes_in_the_secret_has_exactly_those_that_the_calls_need() {
    let (client_id, secret_id, secret) = SAMPLE_CONNECTED_APP;
    let rules = "
rules:
  - name: warn readers
    on: [DatasourceRefreshFailed]
    unless: { owner_group: Contractors }
    do: [{ set-quality-warning: {} }]
";
    let environment = start(rules, TableauSimulator::sample()).await;
    environment.aws.create_secret(
        "tableau",
        json!({
            "client_id": client_id, "secret_id": secret_id, "secret_value": secret, "user_name": "bea@example.com",
        }),
    );
    let function = queued(&environment);
    for event in [
        failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN, 0),
        failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN, 1),
        succeeded(&environment, "Sales Orders", 2),
    ] {
        handle(&function, &event).await;
        assert_eq!(last(&function).0, "done", "{:?}", last(&function));
    }
    let used: Vec<&str> = environment.tableau.used_scopes().into_iter().collect();
    assert_eq!(used, set_quality_warning::SCOPES);
    let readme =
        std::fs::read_to_string(testkit::repository::root().join("functions/set-quality-warning/README.md"))
            .unwrap();
    assert!(used.iter().all(|scope| readme.contains(&format!("`{scope}`"))), "{used:?}");
}

#[tokio::test]
async fn the_command_test_says_whether_the_site_has_warnings_and_sets_none() {
    for (licensed, expected) in
        [(true, "Tableau lists the quality warnings"), (false, "they need Data Management")]
    {
        let environment = start(RULES, TableauSimulator::sample().data_management(licensed)).await;
        let function = queued(&environment);
        // A second test says the same, and no test takes the place of the dead letter.
        for _ in 0..2 {
            let tested = function.invoke(&json!({ "test": {} })).await.unwrap().to_string();
            assert!(tested.contains(expected) && tested.contains("accepted") == licensed, "{tested}");
        }
        assert_eq!(environment.tableau.calls("POST */dataQualityWarnings/*"), 0);
        handle(&function, &failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN, 0)).await;
        assert_eq!(last(&function).0, if licensed { "done" } else { "permanent" });
    }
    let environment = start(RULES, TableauSimulator::sample()).await;
    environment.tableau.fail_always("GET */dataQualityWarnings/*", Fault::Status(503));
    let tested = queued(&environment).invoke(&json!({ "test": {} })).await.unwrap();
    assert!(tested.to_string().contains("transient"), "{tested}");
}
