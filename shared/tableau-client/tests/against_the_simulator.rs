//! The client against the Tableau simulator: sessions, content, causes, errors.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use simulator::{Clock, Datasource, Fault, SAMPLE_PAT, TableauSimulator, User, Workbook, notes};
use std::sync::Arc;
use std::time::Duration;
use tableau::{Event, EventName, Payload, Subject};
use tableau_client::{
    BroadcastOptions, CauseClass, CauseLookup, CredentialError, CredentialSource, Error, FixedCredential,
    JobEnd, MemorySessionStore, RefreshKind, RefreshNow, Settings, TableauClient, TableauCredential, Waited,
};

fn client_with(
    simulator: &TableauSimulator,
    sessions: &Arc<MemorySessionStore>,
    credential: TableauCredential,
) -> TableauClient {
    let settings = Settings::new(&simulator.url(), "marketing", "").unwrap();
    let credentials: Arc<dyn CredentialSource> = Arc::new(FixedCredential::new(credential));
    let http = http_client::client(None).unwrap();
    TableauClient::new(http, settings, credentials, Arc::<MemorySessionStore>::clone(sessions))
}

fn pat() -> TableauCredential {
    TableauCredential::personal_access_token(SAMPLE_PAT.0, SAMPLE_PAT.1)
}

fn client(simulator: &TableauSimulator) -> TableauClient {
    client_with(simulator, &Arc::default(), pat())
}

fn event(simulator: &TableauSimulator, name: EventName, luid: &str, resource_name: &str) -> Event {
    let payload = Payload {
        event_type: Some(name.as_str().to_owned()),
        site_luid: Some(simulator.site().as_str().to_owned()),
        resource_luid: Some(luid.to_owned()),
        resource_name: Some(resource_name.to_owned()),
        created_at: Some(simulator.clock().now().to_string()),
        ..Payload::default()
    };
    Event::try_from(&payload).unwrap()
}

#[tokio::test]
async fn clients_that_share_a_store_sign_in_once() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let sessions = Arc::default();
    let luid = simulator.workbook("Superstore").unwrap();
    let clients: Vec<TableauClient> = (0..10).map(|_| client_with(&simulator, &sessions, pat())).collect();

    for client in &clients {
        client.workbook(&luid).await.unwrap();
    }

    assert_eq!(simulator.sign_ins(SAMPLE_PAT.0), 1);
    assert_eq!(simulator.failed_calls(), 0);
}

#[tokio::test]
async fn the_site_of_the_session_is_found_without_knowing_it() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let site = client(&simulator).own_site().await.unwrap();
    assert_eq!((site.id, site.content_url.as_str()), (simulator.site(), "marketing"));
}

#[tokio::test]
async fn a_session_that_someone_else_ended_is_replaced_unnoticed() {
    let simulator = TableauSimulator::empty().start().await.unwrap();
    let luid = simulator.add(Workbook::named("Superstore"));
    let client = client(&simulator);
    client.workbook(&luid).await.unwrap();

    simulator.end_sessions();
    let workbook = client.workbook(&luid).await.unwrap();

    assert_eq!(workbook.name, "Superstore");
    assert_eq!(simulator.sign_ins(SAMPLE_PAT.0), 2);
}

// R10, R17
#[tokio::test]
async fn what_was_just_published_is_refreshed_in_a_new_session_that_all_share() {
    let simulator = TableauSimulator::empty().start().await.unwrap();
    let sessions = Arc::default();
    let clients: Vec<TableauClient> = (0..3).map(|_| client_with(&simulator, &sessions, pat())).collect();
    let luid = simulator.add(Datasource::named("Sales"));
    let subject = Subject::Datasource(luid.clone());
    clients[0].datasource(&luid).await.unwrap();
    simulator.publish(&luid);
    let refused = clients[0].refresh_now(&subject, RefreshKind::Full).await.unwrap_err();
    assert!(matches!(refused, Error::Refused { status: 400, .. }), "{refused}");

    clients[1].renew_session().await.unwrap();
    let queued = clients[0].refresh_now(&subject, RefreshKind::Full).await.unwrap();

    assert!(matches!(queued, RefreshNow::Queued(_)), "{queued:?}");
    clients[2].datasource(&luid).await.unwrap();
    assert_eq!(simulator.sign_ins(SAMPLE_PAT.0), 2);
    let fresh = client_with(&simulator, &Arc::default(), pat());
    fresh.renew_session().await.unwrap();
    assert_eq!(simulator.sign_ins(SAMPLE_PAT.0), 3, "the first session is new enough");
}

#[tokio::test]
async fn content_says_where_it_is_and_whose() {
    let simulator = TableauSimulator::empty().start().await.unwrap();
    simulator.add(User::named("ana@example.com").called("Ana Ruiz"));
    let luid = simulator
        .add(Datasource::named("Sales").in_project("Finance").owned_by("ana@example.com").tagged("critical"));
    let client = client(&simulator);

    let content = client.content(&Subject::Datasource(luid)).await.unwrap().unwrap();

    let owner = content.owner.unwrap();
    assert_eq!((content.name.as_str(), content.project.as_deref()), ("Sales", Some("Finance")));
    assert_eq!((owner.name.as_str(), owner.email.as_deref()), ("Ana Ruiz", Some("ana@example.com")));
    assert_eq!(content.tags, ["critical"]);
    assert!(content.link.unwrap().starts_with("http"));
}

#[tokio::test]
async fn content_that_is_gone_is_no_error() {
    let simulator = TableauSimulator::empty().start().await.unwrap();
    let gone = Subject::Workbook("00000000-0000-0000-0000-000000000000".parse().unwrap());
    assert_eq!(client(&simulator).content(&gone).await.unwrap(), None);
}

#[tokio::test]
async fn a_refresh_without_a_finish_code_still_runs_and_has_neither_failed_nor_ended() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let client = client(&simulator);
    let luid = simulator.datasource("Sales Orders").unwrap();
    let short = Duration::from_millis(200);
    let queued = client.refresh_now(&Subject::Datasource(luid.clone()), RefreshKind::Full).await.unwrap();
    let RefreshNow::Queued(queued) = queued else { panic!("not queued: {queued:?}") };
    assert_eq!((queued.end(), queued.finish_code), (None, None));

    for state in ["queued", "running"] {
        if state == "running" {
            simulator.start_refresh(&luid).unwrap();
        }
        let job = client.job(&queued.id).await.unwrap();
        assert_eq!((job.finish_code, job.end(), job.progress), (None, None, Some(0)), "{state}");
        assert_eq!(job.started_at.is_some(), state == "running");
        let waited = client.wait_for_job(&queued.id, short).await.unwrap();
        assert!(matches!(waited, Waited::StillRunning(_)), "{state}: {waited:?}");
    }
    simulator.cancel_job(&queued.id);

    let waited = client.wait_for_job(&queued.id, short).await.unwrap();
    assert!(matches!(waited, Waited::Ended(_, JobEnd::Cancelled)), "{waited:?}");
}

#[tokio::test]
async fn the_cause_is_that_of_the_right_job_among_others() {
    let simulator = TableauSimulator::empty().clock(Clock::real()).start().await.unwrap();
    let sales = simulator.add(Datasource::named("Sales"));
    let orders = simulator.add(Datasource::named("Orders"));
    let dashboard = simulator.add(Workbook::named("Sales"));
    simulator.fail_refresh(&orders, notes::POSTGRES_REFUSED).unwrap();
    simulator.fail_refresh(&sales, notes::SQL_SERVER_LOGIN).unwrap();
    simulator.fail_refresh(&dashboard, notes::QUERY_TIME_LIMIT).unwrap();
    let client = client(&simulator);
    let now = simulator.clock().now();

    for (name, luid, class) in [
        (EventName::DatasourceRefreshFailed, sales.as_str(), CauseClass::Credentials),
        (EventName::DatasourceRefreshFailed, orders.as_str(), CauseClass::Unreachable),
        (EventName::WorkbookRefreshFailed, dashboard.as_str(), CauseClass::TimeLimit),
    ] {
        let event = event(&simulator, name, luid, "Sales");
        let lookup = client.failure_cause(&event, now).await.unwrap();
        let cause = lookup.found().unwrap();
        assert_eq!(cause.class, class, "{}", cause.line);
        assert!(!cause.line.contains("Exception:"), "{}", cause.line);
    }
}

#[tokio::test]
async fn a_failure_without_a_job_has_no_cause() {
    let simulator = TableauSimulator::empty().start().await.unwrap();
    let luid = simulator.add(Datasource::named("Sales"));
    let event = event(&simulator, EventName::DatasourceRefreshFailed, luid.as_str(), "Sales");
    let cause = client(&simulator).failure_cause(&event, simulator.clock().now()).await.unwrap();
    assert_eq!(cause, CauseLookup::NoneListed);
}

#[tokio::test]
async fn a_wrong_token_is_a_permanent_error_that_does_not_repeat_it() {
    let simulator = TableauSimulator::empty().start().await.unwrap();
    let wrong = TableauCredential::personal_access_token(SAMPLE_PAT.0, "hunter2");
    let client = client_with(&simulator, &Arc::default(), wrong);
    let error = client.workbook(&"w".parse().unwrap()).await.unwrap_err();
    assert_eq!(error.code(), Some("401001"));
    assert!(!error.is_transient());
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn trouble_of_a_moment_is_tried_again() {
    let simulator = TableauSimulator::empty().start().await.unwrap();
    let luid = simulator.add(Workbook::named("Superstore"));
    let client = client(&simulator);
    for fault in [
        Fault::Html(503),
        Fault::Status(500),
        Fault::Reset,
        Fault::TooManyRequests { retry_after: Some(0) },
        Fault::TooManyRequests { retry_after: None },
    ] {
        simulator.fail_next("*", 1, fault.clone());
        assert!(client.workbook(&luid).await.is_ok(), "{fault:?}");
    }
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_handed_to_the_caller() {
    let simulator = TableauSimulator::empty().start().await.unwrap();
    simulator.fail_next("*", 1, Fault::TooManyRequests { retry_after: Some(600) });
    let error = client(&simulator).workbook(&"w".parse().unwrap()).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(600)));
}

#[tokio::test]
async fn an_error_names_the_operation_and_tableaus_code() {
    let simulator = TableauSimulator::empty().start().await.unwrap();
    let error = client(&simulator).workbook(&"w".parse().unwrap()).await.unwrap_err();
    assert!(matches!(&error, Error::Refused { status: 404, .. }), "{error}");
    assert!(error.to_string().starts_with("fetch the workbook: Tableau refused with 404 (404006"), "{error}");
}

#[tokio::test]
async fn a_broadcast_is_overwritten() {
    let simulator = TableauSimulator::empty().start().await.unwrap();
    let workbook = simulator.add(Workbook::named("Superstore").with_view("Overview"));
    let view = simulator.view("Overview").unwrap();
    let client = client(&simulator);
    assert_eq!(client.broadcasts().await.unwrap(), []);

    client.overwrite_broadcast(&view, BroadcastOptions::default()).await.unwrap();
    let options = BroadcastOptions { tabs: true, ..BroadcastOptions::default() };
    client.overwrite_broadcast(&view, options).await.unwrap();

    let listed = client.broadcasts().await.unwrap();
    let [listed] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!((&listed.view, &listed.workbook), (&view, &Some(workbook)));
    let recorded = simulator.broadcasts();
    assert!(recorded.len() == 1 && recorded[0].show_tabs && recorded[0].show_watermark, "{recorded:?}");
}

/// A token source that returns a revoked token until it is asked for a replacement.
struct Rotated;

#[async_trait::async_trait]
impl CredentialSource for Rotated {
    async fn current(&self) -> Result<Arc<TableauCredential>, CredentialError> {
        Ok(Arc::new(TableauCredential::personal_access_token(SAMPLE_PAT.0, "revoked")))
    }

    async fn replacement(
        &self,
        _: &Arc<TableauCredential>,
    ) -> Result<Option<Arc<TableauCredential>>, CredentialError> {
        Ok(Some(Arc::new(pat())))
    }
}

#[tokio::test]
async fn a_token_that_was_rotated_is_read_again_once() {
    let simulator = TableauSimulator::empty().start().await.unwrap();
    let luid = simulator.add(Workbook::named("Superstore"));
    let settings = Settings::new(&simulator.url(), "marketing", "").unwrap();
    let http = http_client::client(None).unwrap();
    let client =
        TableauClient::new(http, settings, Arc::new(Rotated), Arc::new(MemorySessionStore::default()));
    assert_eq!(client.workbook(&luid).await.unwrap().name, "Superstore");
    assert_eq!(simulator.calls("POST /auth/signin"), 2);
}

#[tokio::test]
async fn a_wrong_credential_is_tried_once_by_all_who_share_a_store() {
    let simulator = TableauSimulator::empty().start().await.unwrap();
    let luid = simulator.add(Workbook::named("Superstore"));
    let sessions = Arc::default();
    let call = || {
        let wrong = TableauCredential::personal_access_token(SAMPLE_PAT.0, "hunter2");
        let client = client_with(&simulator, &sessions, wrong);
        let luid = luid.clone();
        tokio::spawn(async move { client.workbook(&luid).await.unwrap_err() })
    };
    let mut waits = Vec::new();
    for call in [call(), call(), call(), call(), call()] {
        let error = call.await.unwrap();
        assert_eq!(error.code(), Some("401001"));
        assert_eq!(error.is_transient(), error.retry_after().is_some(), "only who tried knows that it lasts");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        waits.extend(error.retry_after());
    }
    assert!(waits.len() == 4 && waits.iter().all(|wait| (1..=60).contains(&wait.as_secs())), "{waits:?}");
    assert_eq!(simulator.calls("POST /auth/signin"), 1);
}
