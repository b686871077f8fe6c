//! A warning comes with the first failure, changes with the next ones, and goes with the recovery.

use crate::support::{Person, RULES, failed, handle, last, queued, start, succeeded};
use serde_json::json;
use testkit::simulator::{RestVersion, TableauSimulator, notes};
use testkit::{Request, TestEnvironment};

// Q01, Q02, Q06
#[tokio::test]
async fn a_warning_is_there_while_the_refresh_fails_whatever_the_version_of_tableau() {
    for (version, minor) in [("3.21", 21), ("3.22", 22), ("3.29", 29)] {
        let tableau = TableauSimulator::sample().max_version(RestVersion { major: 3, minor });
        let environment = start(RULES, tableau).await;
        let person = Person::at(&environment, version);
        let function = queued(&environment);
        let first = failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN, 0);
        handle(&function, &first).await;
        handle(&function, &first).await;
        assert_eq!(environment.tableau.calls("POST */dataQualityWarnings/*"), 1, "a second delivery");
        let warnings = person.warnings(&environment, "Sales Orders").await;
        let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
        assert_eq!(
            (warning.kind.as_deref(), warning.is_active, warning.is_severe),
            (Some("STALE"), true, true)
        );
        let text = warning.text();
        assert!(text.starts_with("The data may be old: its refresh has failed since "), "{text}");
        assert!(text.contains(" CET (") || text.contains(" CEST ("), "the site's own time: {text}");
        assert!(text.contains(" Cause: Credentials refused. "), "{text}");
        assert!(!text.contains("Incorrect username"), "no details: {text}");

        handle(&function, &failed(&environment, "Sales Orders", notes::POSTGRES_TIMEOUT, 60)).await;
        let again = person.warnings(&environment, "Sales Orders").await;
        assert_eq!((again.len(), &again[0].id), (1, &warning.id), "the same warning");
        let cause = |text: &str| text.split_once(" Cause: ").map(|(_, cause)| cause.to_owned());
        assert_ne!(cause(&again[0].text()), cause(&text));
        let since = |text: &str| text.split_once(" Cause: ").map(|(since, _)| since.to_owned());
        assert_eq!(since(&again[0].text()), since(&text), "since the first failure");

        handle(&function, &succeeded(&environment, "Sales Orders", 120)).await;
        assert_eq!(person.texts(&environment, "Sales Orders").await, [""; 0]);
        handle(&function, &succeeded(&environment, "Sales Orders", 180)).await;
        assert_eq!(environment.tableau.calls("DELETE */dataQualityWarnings/*"), 1);
        assert_eq!(environment.tableau.failed_calls(), 0, "{version}");
        environment.assert_no_secret_in(&function.logs());
    }
}

#[tokio::test]
async fn what_a_rule_says_stands_in_the_warning_and_words_for_a_few_people_do_not() {
    let rules = "
rules:
  - name: warn readers
    on: [DatasourceRefreshFailed]
    message: { title: For the team only, text: \"{{ detail }} call {{ owner_email }}\" }
    do: [{ set-quality-warning: { type: maintenance, details: true, note: \"<b>Ask</b> finance & co\" } }]
";
    let environment = start(rules, TableauSimulator::sample()).await;
    let person = Person::at(&environment, "");
    let function = queued(&environment);
    handle(&function, &failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN, 0)).await;
    let warnings = person.warnings(&environment, "Sales Orders").await;
    assert_eq!((warnings[0].kind.as_deref(), warnings[0].is_severe), (Some("MAINTENANCE"), false));
    let text = warnings[0].text();
    assert!(text.starts_with("‹b›Ask‹/b› finance ＆ co. Its refresh has failed since "), "{text}");
    assert!(text.contains(" Cause: Credentials refused: Incorrect username or password"), "{text}");
    assert!(!text.contains("team only") && !text.contains('@'), "{text}");
}

#[tokio::test]
async fn a_success_that_a_rule_names_sets_no_warning() {
    let rules = "
rules:
  - name: warn readers
    on: [DatasourceRefreshFailed, DatasourceRefreshSucceeded]
    do: [{ set-quality-warning: {} }]
";
    let environment = start(rules, TableauSimulator::sample()).await;
    let function = queued(&environment);
    handle(&function, &succeeded(&environment, "Sales Orders", 0)).await;
    let expected = "a warning is set for a refresh that fails, and for nothing else".to_owned();
    assert_eq!(last(&function), ("skipped".to_owned(), expected));
    handle(&function, &failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN, 1)).await;
    handle(&function, &succeeded(&environment, "Sales Orders", 2)).await;
    assert_eq!(environment.tableau.calls("POST */dataQualityWarnings/*"), 1);
    assert_eq!(Person::at(&environment, "").texts(&environment, "Sales Orders").await, [""; 0]);
}

#[tokio::test]
async fn an_event_of_another_site_is_skipped_and_its_warnings_are_not_asked_for() {
    let environment = TestEnvironment::with_rules(RULES).await;
    let function = queued(&environment);
    let mut event = failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN, 0);
    event["site_luid"] = json!("00000000-0000-4000-8000-000000000000");
    handle(&function, &event).await;
    assert_eq!(last(&function).1, "the event is of another site than the one that Tableau is asked about");
    assert_eq!(environment.tableau.calls("* */dataQualityWarnings/*"), 0);
}

#[tokio::test]
async fn nobody_is_called_so_quiet_hours_hold_nothing_back_and_a_mute_does() {
    let quiet = "quiet: { from: \"00:00\", to: \"23:59\", timezone: UTC }";
    let muted = "mute_until: 2099-01-01T00:00:00Z";
    for (setting, expected) in [(quiet, 1), (muted, 0)] {
        let rules = RULES.replace("    on:", &format!("    {setting}\n    on:"));
        let environment = start(&rules, TableauSimulator::sample()).await;
        let person = Person::at(&environment, "");
        let function = queued(&environment);
        for round in 0..5 {
            // A data source that fails and recovers all the time has a warning each time too.
            handle(&function, &failed(&environment, "Budget", notes::SNOWFLAKE_LOGIN, round * 20)).await;
            assert_eq!(person.texts(&environment, "Budget").await.len(), expected, "{setting} {round}");
            handle(&function, &succeeded(&environment, "Budget", round * 20 + 10)).await;
            assert_eq!(person.texts(&environment, "Budget").await.len(), 0, "{setting} {round}");
        }
    }
}

#[tokio::test]
async fn nothing_happens_without_a_rule_or_for_what_is_no_published_data_source() {
    let environment = start("rules: []\n", TableauSimulator::sample()).await;
    let function = queued(&environment);
    handle(&function, &failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN, 0)).await;
    assert_eq!(last(&function).0, "skipped");

    let environment = start(RULES, TableauSimulator::sample()).await;
    let function = environment.inline(crate::support::NAME, crate::support::BINARY);
    let answer = function.answer(&Request::of_fixture("workbook-refresh-failed")).await;
    let expected = json!("only published data sources have quality warnings");
    assert_eq!((&answer.body["status"], &answer.body["reason"]), (&json!("skipped"), &expected));
    let gone = function.answer(&Request::of_fixture("datasource-refresh-failed")).await;
    assert_eq!(gone.body["status"], "skipped", "{:?}", gone.body);
    assert!(
        gone.body["reason"].as_str().unwrap().starts_with("Tableau does not have the data source"),
        "{:?}",
        gone.body
    );
    assert_eq!(environment.tableau.calls("POST */dataQualityWarnings/*"), 0);
}
