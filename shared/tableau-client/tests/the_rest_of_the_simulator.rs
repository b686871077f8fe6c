//! Certification, quality warnings, exports, tasks, lineage and cancelled jobs, as the simulator answers them.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use simulator::{SAMPLE_PAT, TableauSimulator, Workbook};
use std::sync::Arc;
use std::time::Duration;
use tableau::Subject;
use tableau_client::{
    ExportOptions, Filter, JobEnd, MemorySessionStore, NewQualityWarning, RefreshKind, RefreshNow, Settings,
    TableauClient, TableauCredential, Waited, WarningKind,
};
use workflow::Fixed;

const LIMIT: u64 = 1 << 20;

fn client(simulator: &TableauSimulator) -> TableauClient {
    let settings = Settings::new(&simulator.url(), "marketing", "").unwrap();
    let credential = TableauCredential::personal_access_token(SAMPLE_PAT.0, SAMPLE_PAT.1);
    let http = http_client::client(None).unwrap();
    TableauClient::new(http, settings, Arc::new(Fixed::new(credential)), Arc::<MemorySessionStore>::default())
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
async fn a_quality_warning_comes_changes_and_goes() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let client = client(&simulator);
    let luid = simulator.datasource("Sales Orders").unwrap();
    let warning = |message: &str| NewQualityWarning {
        kind: WarningKind::Stale,
        message: message.to_owned(),
        is_active: true,
        is_severe: false,
    };

    client.add_quality_warning(&luid, &warning("old")).await.unwrap();
    client.change_quality_warning(&luid, &warning("older")).await.unwrap();
    let there = client.quality_warnings(&luid).await.unwrap();
    client.remove_quality_warnings(&luid).await.unwrap();

    assert_eq!(there.len(), 1);
    assert_eq!(there[0].message.as_deref(), Some("older"));
    assert!(client.quality_warnings(&luid).await.unwrap().is_empty());
}

#[tokio::test]
async fn exports_are_what_they_are_called_and_no_larger_than_allowed() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    simulator.add(Workbook::named("Weekly").with_view("Weekly overview"));
    let client = client(&simulator);
    let (workbook, view) =
        (simulator.workbook("Weekly").unwrap(), simulator.view("Weekly overview").unwrap());
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
async fn a_site_has_a_name() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let site = client(&simulator).site(&simulator.site_at("marketing").unwrap()).await.unwrap();
    assert_eq!((site.name.as_str(), site.content_url.as_str()), ("Marketing", "marketing"));
}
