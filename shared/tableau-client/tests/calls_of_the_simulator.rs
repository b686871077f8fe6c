//! The calls that the simulator answers as Tableau does.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use simulator::{Fault, Recorder, SAMPLE_CONNECTED_APP, SAMPLE_PAT, TableauSimulator, notes};
use std::sync::Arc;
use std::time::Duration;
use tableau::{EventName, Subject};
use tableau_client::{
    ConnectedApp, Error, Filter, JobEnd, MemorySessionStore, NewWebhook, RefreshKind, RefreshNow, Settings,
    TableauClient, TableauCredential, Waited, WebhookChange, WebhookState,
};
use workflow::Fixed;

fn client(simulator: &TableauSimulator) -> TableauClient {
    let settings = Settings::new(&simulator.url(), "marketing", "").unwrap();
    let credential = TableauCredential::personal_access_token(SAMPLE_PAT.0, SAMPLE_PAT.1);
    let http = http_client::client(None).unwrap();
    TableauClient::new(http, settings, Arc::new(Fixed::new(credential)), Arc::<MemorySessionStore>::default())
}

#[tokio::test]
async fn lists_are_the_same_whatever_the_size_of_a_page() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let client = client(&simulator);
    let all = client.workbooks(Filter::all()).all(100).await.unwrap();
    assert!(all.len() > 3);
    for size in [1, 2, 3, 1_000] {
        assert_eq!(client.workbooks(Filter::all()).page_size(size).all(100).await.unwrap(), all, "{size}");
    }
    assert_eq!(simulator.failed_calls(), 0);
}

#[tokio::test]
async fn filters_find_what_they_name() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let client = client(&simulator);
    let critical = client.workbooks(Filter::all().tagged("critical")).all(100).await.unwrap();
    assert!(!critical.is_empty() && critical.iter().all(|w| w.tags.contains(&"critical".to_owned())));
    let named = client.datasources(Filter::all().named("Sales Orders")).next().await.unwrap().unwrap();
    assert_eq!(Some(named.id), simulator.datasource("Sales Orders"));
    let failed = client.jobs(Filter::all().in_state("Failed").refreshes()).all(100).await.unwrap();
    assert!(!failed.is_empty() && failed.iter().all(|job| job.status.as_deref() == Some("Failed")));
}

#[tokio::test]
async fn a_nested_project_has_a_path() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let client = client(&simulator);
    let tree = client.project_tree().await.unwrap();
    let luid = tree.find("Finance/Month End").unwrap();
    assert_eq!(tree.path(luid).unwrap(), "Finance/Month End");
    assert!(tree.find("Month End").is_none());
}

#[tokio::test]
async fn a_refresh_is_waited_for_to_its_end() {
    let took = Duration::from_millis(100);
    let simulator = TableauSimulator::sample().refreshes_take(took).start().await.unwrap();
    let luid = simulator.datasource("Sales Orders").unwrap();
    let client = client(&simulator);
    for (broken, expected) in [(None, JobEnd::Success), (Some(notes::SNOWFLAKE_LOGIN), JobEnd::Failed)] {
        simulator.break_refreshes(&luid, broken);
        let subject = Subject::Datasource(luid.clone());
        let RefreshNow::Queued(job) = client.refresh_now(&subject, RefreshKind::Full).await.unwrap() else {
            panic!("not queued")
        };
        let Waited::Ended(job, end) = client.wait_for_job(&job.id, Duration::from_secs(20)).await.unwrap()
        else {
            panic!("still running")
        };
        assert_eq!((end, job.notes().is_some()), (expected, broken.is_some()));
    }
}

#[tokio::test]
async fn a_second_refresh_is_no_error() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let subject = Subject::Workbook(simulator.workbook("Superstore").unwrap());
    let client = client(&simulator);
    simulator.fail_next("POST */refresh", 1, Fault::Error("409093"));
    let answered = client.refresh_now(&subject, RefreshKind::Full).await.unwrap();
    assert_eq!(answered, RefreshNow::AlreadyQueued);
}

#[tokio::test]
async fn a_webhook_lives_from_creation_to_deletion() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let destination = Recorder::start().await.unwrap();
    let client = client(&simulator);
    let new = NewWebhook {
        name: "refresh-failed".to_owned(),
        event: EventName::WorkbookRefreshFailed,
        url: destination.url(),
        is_enabled: true,
    };

    let made = client.create_webhook(&new).await.unwrap();
    assert!(client.test_webhook(&made.id).await.unwrap().passed());
    destination.answer(500, "");
    assert_eq!(client.test_webhook(&made.id).await.unwrap().status, 500);

    let off = WebhookState::Off { reason: Some("moving".to_owned()) };
    let change =
        WebhookChange { state: Some(off), event: Some(EventName::AdminPromoted), ..Default::default() };
    client.update_webhook(&made.id, &change).await.unwrap();
    let now = client.webhook(&made.id).await.unwrap();
    assert!(!now.is_enabled && now.status_change_reason == "moving" && now.url.starts_with("http://127."));
    assert_eq!(now.event, Some(EventName::AdminPromoted));
    let on = WebhookChange { state: Some(WebhookState::On), ..Default::default() };
    assert!(client.update_webhook(&made.id, &on).await.unwrap().is_enabled);

    client.delete_webhook(&made.id).await.unwrap();
    assert_eq!(client.webhooks().all(10).await.unwrap(), []);
    assert_eq!(client.webhook(&made.id).await.unwrap_err().code(), Some("404034"));
}

#[tokio::test]
async fn a_tag_keeps_its_spaces_and_commas() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let client = client(&simulator);
    let subject = Subject::Datasource(simulator.datasource("Sales Orders").unwrap());
    let tags = client.add_tags(&subject, &["two words", "x,y"]).await.unwrap();
    assert!(["two words", "x,y"].iter().all(|tag| tags.contains(&(*tag).to_owned())), "{tags:?}");
    assert!(client.add_tags(&subject, &["a \"quoted\" one"]).await.is_err());
}

#[tokio::test]
async fn a_scope_that_is_missing_is_a_lasting_failure_after_one_more_sign_in() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let (client_id, secret_id, secret) = SAMPLE_CONNECTED_APP;
    let credential = TableauCredential::ConnectedApp(ConnectedApp {
        client_id: client_id.to_owned(),
        secret_id: secret_id.to_owned(),
        secret_value: secret.to_owned().into(),
        user: "ana@example.com".to_owned(),
        scopes: vec!["tableau:content:read".to_owned()],
    });
    let settings = Settings::new(&simulator.url(), "marketing", "").unwrap();
    let http = http_client::client(None).unwrap();
    let sessions = Arc::<MemorySessionStore>::default();
    let client = TableauClient::new(http, settings, Arc::new(Fixed::new(credential)), sessions);

    let error = client.jobs(Filter::all()).next().await.unwrap_err();

    // The version of a list is asked for first, which opens the session: it is replaced once.
    assert!(simulator.calls("POST */auth/signin") <= 2, "{}", simulator.calls("POST */auth/signin"));
    assert!(matches!(error, Error::SessionRefused { stolen: false, .. }) && !error.is_transient(), "{error}");
}

#[tokio::test]
async fn a_deadline_holds_for_opening_the_session_too() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    simulator.fail_next("*/auth/signin", 5, Fault::Delay(Duration::from_secs(5)));
    let started = std::time::Instant::now();
    let client = client(&simulator).within(Duration::from_millis(300));
    let error = client.workbooks(Filter::all()).next().await.unwrap_err();
    assert!(matches!(error, Error::OutOfTime { .. }), "{error}");
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}
