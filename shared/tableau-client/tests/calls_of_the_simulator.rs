//! The client's calls, answered by the Tableau simulator.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use simulator::{
    Fault, Group, Recorder, SAMPLE_CONNECTED_APP, SAMPLE_PAT, TableauSimulator, Workbook, notes,
};
use std::sync::Arc;
use std::time::Duration;
use tableau::{EventName, Subject};
use tableau_client::{
    ConnectedApp, Error, ExportOptions, Filter, FixedCredential, JobEnd, MemorySessionStore, NewLabel,
    NewQualityWarning, NewWebhook, QualityWarning, RefreshKind, RefreshNow, Settings, TableauClient,
    TableauCredential, Waited, Warnable, WarningKind, WebhookChange, WebhookState,
};

/// A size limit above every export of the simulator.
const LIMIT: u64 = 1 << 20;

fn client(simulator: &TableauSimulator) -> TableauClient {
    let settings = Settings::new(&simulator.url(), "marketing", "").unwrap();
    let credential = TableauCredential::personal_access_token(SAMPLE_PAT.0, SAMPLE_PAT.1);
    let http = http_client::client(None).unwrap();
    TableauClient::new(
        http,
        settings,
        Arc::new(FixedCredential::new(credential)),
        Arc::<MemorySessionStore>::default(),
    )
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
    let client = TableauClient::new(http, settings, Arc::new(FixedCredential::new(credential)), sessions);

    let error = client.jobs(Filter::all()).next().await.unwrap_err();

    // The client asks for the list's version first, which opens the session. The session is replaced once.
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

#[tokio::test]
async fn a_data_source_is_certified_and_no_longer() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let client = client(&simulator);
    let luid = simulator.datasource("Sales Orders").unwrap();

    client.certify(&luid, "checked").await.unwrap();
    let certified = client.datasource(&luid).await.unwrap();
    client.decertify(&luid).await.unwrap();

    assert!(certified.is_certified);
    assert!(!client.datasource(&luid).await.unwrap().is_certified);
}

#[tokio::test]
async fn a_label_comes_beside_the_certification_and_goes() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let client = client(&simulator);
    let luid = simulator.datasource("Sales Orders").unwrap();
    let stale = NewLabel { value: "stale".into(), message: "From May".into(), active: true, elevated: true };

    client.set_label(&luid, &stale).await.unwrap();
    let labels = client.labels(&luid).await.unwrap();
    let of = |value: &str| labels.iter().find(|label| label.value == value).unwrap();
    client.remove_label(&of("stale").id).await.unwrap();

    assert_eq!(of("certified").category.as_deref(), Some("certification"));
    let stale = of("stale");
    assert_eq!((stale.message.as_deref(), stale.active, stale.elevated), (Some("From May"), true, true));
    assert_eq!(stale.content_id.as_ref(), Some(&luid));
    assert_eq!(client.labels(&luid).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_quality_warning_comes_changes_and_goes() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let client = client(&simulator);
    let orders = Warnable::from(simulator.datasource("Sales Orders").unwrap());
    let warning = |message: &str| NewQualityWarning {
        kind: WarningKind::Stale,
        message: message.to_owned(),
        is_active: true,
        is_severe: false,
    };

    let added = client.add_quality_warning(&orders, &warning("old")).await.unwrap().unwrap().id.unwrap();
    // Q01, Q02: by its id, and no other one
    client.change_quality_warning(&added, &warning("<b>older</b> & worse")).await.unwrap();
    let other = NewQualityWarning { kind: WarningKind::Warning, ..warning("a person's") };
    client.add_quality_warning(&orders, &other).await.unwrap();
    let there = client.quality_warnings(&orders).await.unwrap();
    client.remove_quality_warning(&added).await.unwrap();
    let left = client.quality_warnings(&orders).await.unwrap();
    client.remove_quality_warnings(&orders).await.unwrap();

    let texts = |warnings: &[QualityWarning]| warnings.iter().map(QualityWarning::text).collect::<Vec<_>>();
    assert_eq!(texts(&there), ["<b>older</b> & worse", "a person's"]);
    assert_eq!(texts(&left), ["a person's"]);
    assert!(client.quality_warnings(&orders).await.unwrap().is_empty());
}

#[tokio::test]
async fn exports_are_what_they_are_called_and_no_larger_than_allowed() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    simulator.add(Workbook::named("Weekly").with_view("Weekly overview"));
    let client = client(&simulator);
    let workbook = simulator.workbook("Weekly").unwrap();
    let view = simulator.view("Weekly overview").unwrap();
    let options = ExportOptions::fresh();

    let pdf = client.workbook_pdf(&workbook, &options, LIMIT).await.unwrap().bytes().await.unwrap();
    let slides = client.workbook_powerpoint(&workbook, &options, LIMIT).await.unwrap().bytes().await.unwrap();
    let image = client.view_image(&view, &options, LIMIT).await.unwrap().bytes().await.unwrap();
    let csv = client.view_csv(&view, &options, LIMIT).await.unwrap().bytes().await.unwrap();

    assert!(pdf.starts_with(b"%PDF-") && slides.starts_with(b"PK"));
    assert!(image.starts_with(b"\x89PNG") && csv.contains(&b','));
    let cut = match client.workbook_pdf(&workbook, &options, 10).await {
        Ok(pdf) => pdf.bytes().await.map(|_| ()),
        Err(error) => Err(error),
    };
    assert!(cut.is_err(), "over 10 bytes");
}

#[tokio::test]
async fn a_refresh_that_is_cancelled_ends_cancelled() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let client = client(&simulator);
    let subject = Subject::Datasource(simulator.datasource("Sales Orders").unwrap());

    let RefreshNow::Queued(job) = client.refresh_now(&subject, RefreshKind::Full).await.unwrap() else {
        panic!("nothing was queued before");
    };
    client.cancel_job(&job.id).await.unwrap();
    let waited = client.wait_for_job(&job.id, Duration::from_secs(5)).await.unwrap();

    assert!(matches!(waited, Waited::Ended(_, JobEnd::Cancelled)), "{waited:?}");
}

#[tokio::test]
async fn a_task_of_the_schedule_is_run_now() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let client = client(&simulator);
    let task = client.refresh_tasks().next().await.unwrap().unwrap();
    let job = client.run_refresh_task(&task.id).await.unwrap();
    assert!(client.job(&job.id).await.unwrap().subject().is_some());
}

#[tokio::test]
async fn lineage_goes_from_a_data_source_to_its_workbooks_and_back() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let workbook = simulator.add(Workbook::named("Downstream").using("Sales Orders"));
    let datasource = simulator.datasource("Sales Orders").unwrap();
    let client = client(&simulator);

    let down = client.downstream_workbooks(&datasource).await.unwrap();
    let up = client.upstream_datasources(&workbook).await.unwrap();

    assert!(format!("{down:?}").contains("Downstream"), "{down:?}");
    assert!(format!("{up:?}").contains("Sales Orders"), "{up:?}");
    assert!(client.users(Filter::all()).next().await.unwrap().is_some());
}

#[tokio::test]
async fn several_things_are_tagged_at_once() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let workbook = simulator.add(Workbook::named("Weekly").with_view("Weekly overview"));
    let datasource = simulator.datasource("Sales Orders").unwrap();
    let client = client(&simulator);
    let subjects = [Subject::Workbook(workbook.clone()), Subject::Datasource(datasource.clone())];

    client.add_tags_to_all(&subjects, &["month end"]).await.unwrap();

    assert!(client.workbook(&workbook).await.unwrap().tags.contains(&"month end".to_owned()));
    assert!(client.datasource(&datasource).await.unwrap().tags.contains(&"month end".to_owned()));
}

#[tokio::test]
async fn a_site_is_found_by_luid_content_url_and_name() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let client = client(&simulator);
    let site = client.site(&simulator.site_at("marketing").unwrap()).await.unwrap();
    assert_eq!((site.name.as_str(), site.content_url.as_str()), ("Marketing", "marketing"));
    assert_eq!(client.site_at("marketing").await.unwrap(), site);
    assert_eq!(client.site_named("Marketing").await.unwrap(), site);
    assert_eq!(client.site_at("nowhere").await.unwrap_err().code(), Some("404000"));
    assert_eq!(client.site_at("sandbox").await.unwrap_err().code(), Some("403010"));
}

#[tokio::test]
async fn whatever_is_deleted_is_deleted_though_the_answer_was_lost() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let client = client(&simulator);
    let datasource = simulator.datasource("Sales Orders").unwrap();
    let subject = Subject::Datasource(datasource.clone());
    let orders = Warnable::from(datasource.clone());
    let new = NewWebhook {
        name: "n".to_owned(),
        event: EventName::WorkbookCreated,
        url: "https://example.com/".to_owned(),
        is_enabled: true,
    };
    let warning = NewQualityWarning {
        kind: WarningKind::Maintenance,
        message: "m".to_owned(),
        is_active: true,
        is_severe: false,
    };
    let stale = NewLabel { value: "stale".into(), message: "m".into(), active: true, elevated: false };
    client.add_tags(&subject, &["gone"]).await.unwrap();
    client.set_label(&datasource, &stale).await.unwrap();
    let labels = client.labels(&datasource).await.unwrap();
    let label = labels.into_iter().find(|label| label.value == "stale").unwrap().id;
    let webhook = client.create_webhook(&new).await.unwrap().id;

    // After a lost answer, the repeated deletion finds nothing, which counts as success.
    let delete = async |what: &str| match what {
        "tags" => client.remove_tag(&subject, "gone").await,
        "labels" => client.remove_label(&label).await,
        "dataQualityWarnings" => client.remove_quality_warnings(&orders).await,
        _ => client.delete_webhook(&webhook).await,
    };
    for what in ["tags", "labels", "dataQualityWarnings", "webhooks"] {
        if what == "dataQualityWarnings" {
            client.add_quality_warning(&orders, &warning).await.unwrap();
        }
        delete(what).await.unwrap();
        simulator.fail_next(&format!("DELETE */{what}/*"), 1, Fault::Reset);
        let again = delete(what).await;
        assert!(again.is_ok(), "{what}: {again:?}");
        assert!(delete(what).await.is_err(), "{what}: without a try before");
    }
}

// 15, item 1
#[tokio::test]
async fn the_groups_that_a_user_is_in_are_listed_whatever_the_size_of_a_page() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    simulator.add(Group::named("Planning").with("jonas"));
    let client = client(&simulator);
    let jonas = simulator.user("jonas").unwrap();
    for size in [1, 2, 100] {
        let groups = client.groups_of(&jonas).page_size(size).all(100).await.unwrap();
        let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
        assert_eq!(names, ["All Users", "Finance Analysts", "Planning"], "{size}");
    }
    let missing = client.groups_of(&"none".parse().unwrap()).all(100).await.unwrap_err();
    assert_eq!(missing.code(), Some("404002"));
}
