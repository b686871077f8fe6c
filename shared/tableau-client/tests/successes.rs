//! Looks up the refresh that succeeded, at the Tableau simulator.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use simulator::{Clock, Datasource, Feature, SAMPLE_PAT, TableauSimulator, notes};
use std::sync::Arc;
use std::time::Duration;
use tableau::{DatasourceLuid, Event, Payload, Subject};
use tableau_client::{
    FixedCredential, MemorySessionStore, RefreshKind, Settings, TableauClient, TableauCredential,
};

fn client(simulator: &TableauSimulator) -> TableauClient {
    let settings = Settings::new(&simulator.url(), "marketing", "").unwrap();
    let credentials =
        Arc::new(FixedCredential::new(TableauCredential::personal_access_token(SAMPLE_PAT.0, SAMPLE_PAT.1)));
    let http = http_client::client(None).unwrap();
    TableauClient::new(http, settings, credentials, Arc::new(MemorySessionStore::default()))
}

fn event(simulator: &TableauSimulator, name: &str, luid: &DatasourceLuid) -> Event {
    let payload = Payload {
        event_type: Some(name.to_owned()),
        site_luid: Some(simulator.site().as_str().to_owned()),
        resource_luid: Some(luid.as_str().to_owned()),
        resource_name: Some("Sales".to_owned()),
        created_at: Some(simulator.clock().now().to_string()),
        ..Payload::default()
    };
    Event::try_from(&payload).unwrap()
}

/// Advances the clock by an hour.
async fn at_a_manual_clock() -> TableauSimulator {
    let start = "2026-11-28T10:00:00Z".parse().unwrap();
    TableauSimulator::empty().clock(Clock::manual(start)).start().await.unwrap()
}

async fn start(simulator: &TableauSimulator, luid: &DatasourceLuid, kind: RefreshKind) {
    client(simulator).refresh_now(&Subject::Datasource(luid.clone()), kind).await.unwrap();
}

// A success resolves only the kind of refresh that failed.
#[tokio::test]
async fn a_failure_and_a_success_say_how_much_of_the_extract_was_refreshed() {
    let simulator = at_a_manual_clock().await;
    // Content with the same name does not count.
    let others = ["A", "B"].map(|project| simulator.add(Datasource::named("Sales").in_project(project)));
    let sales = simulator.add(Datasource::named("Sales"));
    for kind in [RefreshKind::Full, RefreshKind::Incremental] {
        for other in &others {
            simulator.succeed_refresh(other).unwrap();
        }
        start(&simulator, &sales, kind).await;
        simulator.succeed_refresh(&sales).unwrap();
        let now = simulator.clock().now();
        let succeeded = event(&simulator, "DatasourceRefreshSucceeded", &sales);
        assert_eq!(client(&simulator).succeeded_refresh(&succeeded, now).await.unwrap(), Some(kind));

        start(&simulator, &sales, kind).await;
        simulator.fail_refresh(&sales, notes::SNOWFLAKE_LOGIN).unwrap();
        let failed = event(&simulator, "DatasourceRefreshFailed", &sales);
        let lookup = client(&simulator).failure_cause(&failed, simulator.clock().now()).await.unwrap();
        assert_eq!(lookup.found().unwrap().refresh, Some(kind));
        simulator.clock().advance(Duration::from_secs(3_600));
    }
}

// A success whose event was lost resolves its incident.
#[tokio::test]
async fn the_last_success_after_a_failure_is_found_by_object_and_kind() {
    let simulator = at_a_manual_clock().await;
    let other = simulator.add(Datasource::named("Sales").in_project("A"));
    let sales = simulator.add(Datasource::named("Sales"));
    let client = client(&simulator);
    simulator.succeed_refresh(&sales).unwrap();
    simulator.clock().advance(Duration::from_secs(3_600));
    simulator.fail_refresh(&sales, notes::SNOWFLAKE_LOGIN).unwrap();
    let failed = event(&simulator, "DatasourceRefreshFailed", &sales);
    simulator.clock().advance(Duration::from_secs(3_600));
    simulator.succeed_refresh(&other).unwrap();
    assert_eq!(client.success_after(&failed, None).await.unwrap(), None);

    start(&simulator, &sales, RefreshKind::Incremental).await;
    simulator.succeed_refresh(&sales).unwrap();
    let incremental = client.success_after(&failed, None).await.unwrap();
    assert!(incremental.is_some_and(|at| Some(at) > failed.created_at), "{incremental:?}");
    assert_eq!(client.success_after(&failed, Some(RefreshKind::Full)).await.unwrap(), None);
    assert_eq!(client.success_after(&failed, Some(RefreshKind::Incremental)).await.unwrap(), incremental);

    simulator.clock().advance(Duration::from_secs(3_600));
    start(&simulator, &sales, RefreshKind::Full).await;
    simulator.succeed_refresh(&sales).unwrap();
    let full = client.success_after(&failed, Some(RefreshKind::Full)).await.unwrap();
    assert!(full > incremental);
    assert_eq!(client.success_after(&failed, None).await.unwrap(), full);
}

#[tokio::test]
async fn where_jobs_may_not_be_listed_nothing_is_known() {
    let simulator = at_a_manual_clock().await;
    let sales = simulator.add(Datasource::named("Sales"));
    simulator.fail_refresh(&sales, notes::SNOWFLAKE_LOGIN).unwrap();
    let failed = event(&simulator, "DatasourceRefreshFailed", &sales);
    simulator.succeed_refresh(&sales).unwrap();
    let succeeded = event(&simulator, "DatasourceRefreshSucceeded", &sales);
    simulator.allow(Feature::JobLists, false);
    let client = client(&simulator);
    let now = simulator.clock().now();
    assert_eq!(client.succeeded_refresh(&succeeded, now).await.unwrap(), None);
    assert_eq!(client.success_after(&failed, None).await.unwrap(), None);
}
