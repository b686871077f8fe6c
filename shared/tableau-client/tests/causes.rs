//! Looks up the reason of a failed refresh at the Tableau simulator.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use simulator::{Datasource, Fault, Feature, JobShape, SAMPLE_PAT, TableauSimulator, Workbook, notes};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tableau::{DatasourceLuid, Event, Payload};
use tableau_client::{
    CauseClass, CauseLookup, FixedCredential, MemorySessionStore, RefreshKind, Settings, TableauClient,
    TableauCredential,
};

fn client(simulator: &TableauSimulator) -> TableauClient {
    let settings = Settings::new(&simulator.url(), "marketing", "").unwrap();
    let credentials =
        Arc::new(FixedCredential::new(TableauCredential::personal_access_token(SAMPLE_PAT.0, SAMPLE_PAT.1)));
    let http = http_client::client(None).unwrap();
    TableauClient::new(http, settings, credentials, Arc::new(MemorySessionStore::default()))
}

fn event(simulator: &TableauSimulator, luid: &DatasourceLuid) -> Event {
    let payload = Payload {
        event_type: Some("DatasourceRefreshFailed".to_owned()),
        site_luid: Some(simulator.site().as_str().to_owned()),
        resource_luid: Some(luid.as_str().to_owned()),
        resource_name: Some("Sales".to_owned()),
        created_at: Some(simulator.clock().now().to_string()),
        ..Payload::default()
    };
    Event::try_from(&payload).unwrap()
}

async fn look(simulator: &TableauSimulator, luid: &DatasourceLuid) -> CauseLookup {
    let event = event(simulator, luid);
    client(simulator).failure_cause(&event, simulator.clock().now()).await.unwrap()
}

/// The class and the line of the reason that was found.
fn found(lookup: &CauseLookup) -> (CauseClass, &str) {
    let cause = lookup.found().unwrap_or_else(|| panic!("{lookup:?}"));
    (cause.class, cause.line.as_str())
}

/// Data sources with the same name, each in its own project.
fn named_alike(simulator: &TableauSimulator, n: usize) -> Vec<DatasourceLuid> {
    let named = |n: usize| Datasource::named("Sales").in_project(&format!("Project {n}"));
    (0..n).map(|n| simulator.add(named(n))).collect()
}

#[tokio::test]
async fn the_reason_of_a_refresh_through_bridge_is_found() {
    let simulator = TableauSimulator::empty().start().await.unwrap();
    let sales = simulator.add(Datasource::named("Sales"));
    let job = simulator.fail_refresh(&sales, notes::BRIDGE_NOT_CONNECTED).unwrap();
    simulator.run_by_bridge(&job);
    assert_eq!(found(&look(&simulator, &sales).await).0, CauseClass::Bridge);
}

#[tokio::test]
async fn every_shape_of_a_job_is_read() {
    for shape in [
        JobShape::Notes,
        JobShape::ListOfNotes,
        JobShape::NotesBeside,
        JobShape::StatusNotes,
        JobShape::StatusNotesAlone,
    ] {
        let simulator = TableauSimulator::empty().start().await.unwrap();
        let sales = simulator.add(Datasource::named("Sales"));
        let job = simulator.fail_refresh(&sales, notes::SNOWFLAKE_LOGIN).unwrap();
        simulator.show_job_as(&job, shape);
        let expected = (CauseClass::Credentials, "Incorrect username or password was specified.");
        assert_eq!(found(&look(&simulator, &sales).await), expected, "{shape:?}");
    }
}

#[tokio::test]
async fn of_many_failures_of_one_name_in_one_second_each_finds_its_own() {
    let simulator = TableauSimulator::empty().start().await.unwrap();
    let all = named_alike(&simulator, 12);
    // A workbook with the same name, and content with other names whose refreshes end nearer to the event.
    let workbook = simulator.add(Workbook::named("Sales"));
    simulator.fail_refresh(&workbook, notes::POSTGRES_REFUSED).unwrap();
    for (n, luid) in all.iter().enumerate() {
        simulator.fail_refresh(luid, &format!("Reason no. {n}")).unwrap();
    }
    for n in 0..20 {
        let other = simulator.add(Datasource::named(&format!("Other {n}")));
        simulator.fail_refresh(&other, notes::NO_SPACE).unwrap();
    }
    for (n, luid) in all.iter().enumerate() {
        assert_eq!(found(&look(&simulator, luid).await).1, format!("Reason no. {n}"));
    }
}

#[tokio::test]
async fn a_job_that_is_listed_and_cannot_be_fetched_is_reported_with_its_code() {
    let simulator = TableauSimulator::empty().start().await.unwrap();
    let sales = simulator.add(Datasource::named("Sales"));
    let job = simulator.fail_refresh(&sales, notes::SNOWFLAKE_LOGIN).unwrap();
    simulator.show_job_as(&job, JobShape::Unreadable);
    let other = simulator.add(Datasource::named("Orders"));
    simulator.fail_refresh(&other, notes::NO_SPACE).unwrap();
    assert_eq!(look(&simulator, &sales).await, CauseLookup::Unreadable { code: "400031".to_owned() });
    // The job of content with another name is not ours, whatever its state.
    let mine = simulator.add(Datasource::named("Sales"));
    simulator.fail_refresh(&mine, notes::SNOWFLAKE_LOGIN).unwrap();
    assert_eq!(found(&look(&simulator, &mine).await).0, CauseClass::Credentials);
}

#[tokio::test]
async fn an_unreadable_job_of_another_name_hides_nothing() {
    let simulator = TableauSimulator::empty().start().await.unwrap();
    let sales = simulator.add(Datasource::named("Sales"));
    let other = simulator.add(Datasource::named("Orders"));
    let job = simulator.fail_refresh(&other, notes::NO_SPACE).unwrap();
    simulator.show_job_as(&job, JobShape::Unreadable);
    assert_eq!(look(&simulator, &sales).await, CauseLookup::NoneListed);
}

#[tokio::test]
async fn a_job_without_a_text_is_not_the_same_as_no_job() {
    let simulator = TableauSimulator::empty().start().await.unwrap();
    let sales = simulator.add(Datasource::named("Sales"));
    let job = simulator.fail_refresh(&sales, " ").unwrap();
    assert_eq!(look(&simulator, &sales).await, CauseLookup::NoText { job, refresh: Some(RefreshKind::Full) });
}

#[tokio::test]
async fn a_refused_list_is_reported_with_its_code_at_once() {
    let simulator = TableauSimulator::empty().start().await.unwrap();
    let sales = simulator.add(Datasource::named("Sales"));
    simulator.allow(Feature::JobLists, false);
    let started = Instant::now();
    assert_eq!(look(&simulator, &sales).await, CauseLookup::Refused { code: "403079".to_owned() });
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

#[tokio::test]
async fn of_more_jobs_of_one_name_than_there_is_time_for_the_number_is_reported() {
    let simulator = TableauSimulator::empty().start().await.unwrap();
    let all = named_alike(&simulator, 12);
    let (last, others) = all.split_last().unwrap();
    for luid in others {
        simulator.fail_refresh(luid, notes::NO_SPACE).unwrap();
    }
    simulator.fail_always("GET /sites/{site}/jobs/{id}", Fault::Delay(Duration::from_millis(900)));
    let started = Instant::now();
    assert_eq!(look(&simulator, last).await, CauseLookup::TooMany { jobs: 11 });
    assert!(started.elapsed() < Duration::from_secs(11), "{:?}", started.elapsed());
}

#[test]
fn every_simulated_note_has_a_class() {
    let classes = notes::ALL.map(|(name, note)| (name, tableau_client::diagnose(note).class));
    let expected = [
        ("sql-server-login", CauseClass::Credentials),
        ("snowflake-login", CauseClass::Credentials),
        ("postgres-refused", CauseClass::Unreachable),
        ("postgres-timeout", CauseClass::Unreachable),
        ("query-time-limit", CauseClass::TimeLimit),
        ("missing-column", CauseClass::Schema),
        ("missing-table", CauseClass::Schema),
        ("bridge-not-connected", CauseClass::Bridge),
        ("no-space", CauseClass::Resources),
        ("oauth-expired", CauseClass::Credentials),
    ];
    assert_eq!(classes, expected);
}
