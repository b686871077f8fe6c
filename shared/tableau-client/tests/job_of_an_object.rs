//! The job of an object is found among hundreds, by the object that it says itself.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use jiff::{SignedDuration, Timestamp};
use simulator::{
    Clock, Datasource, Fault, Feature, Flow, JobShape, SAMPLE_CONNECTED_APP, SAMPLE_PAT, TableauSimulator,
    Workbook, notes,
};
use std::sync::Arc;
use std::time::Duration;
use tableau::Subject;
use tableau_client::{
    ConnectedApp, ContentLuid, Error, FixedCredential, FoundJob, JobLookup, MemorySessionStore, RefreshKind,
    RefreshNow, RunFlow, Settings, TableauClient, TableauCredential,
};

fn client_with(simulator: &TableauSimulator, credential: TableauCredential) -> TableauClient {
    let settings = Settings::new(&simulator.url(), "marketing", "").unwrap();
    let credential = Arc::new(FixedCredential::new(credential));
    let http = http_client::client(None).unwrap();
    TableauClient::new(http, settings, credential, Arc::<MemorySessionStore>::default())
}

fn client(simulator: &TableauSimulator) -> TableauClient {
    client_with(simulator, TableauCredential::personal_access_token(SAMPLE_PAT.0, SAMPLE_PAT.1))
}

fn clock() -> Clock {
    Clock::manual("2026-03-02T06:14:44.900Z".parse::<Timestamp>().unwrap())
}

fn found(lookup: JobLookup) -> FoundJob {
    match lookup {
        JobLookup::Found(found) => *found,
        other => panic!("{other:?}"),
    }
}

fn earlier(clock: &Clock, seconds: i64) -> Timestamp {
    clock.now().checked_sub(SignedDuration::from_secs(seconds)).unwrap()
}

// R01: the answer was a 403 or was lost, and the job is in the list.
#[tokio::test]
async fn a_job_whose_answer_was_lost_is_found_among_hundreds_with_few_calls() {
    let clock = clock();
    let simulator = TableauSimulator::sample().clock(clock.clone()).start().await.unwrap();
    for at in 0..400 {
        let other = simulator.add(Datasource::named(&format!("Other {at}")));
        simulator.fail_refresh(&other, notes::NO_SPACE).unwrap();
    }
    let sales = simulator.add(Datasource::named("Sales"));
    let client = client(&simulator);
    let object = ContentLuid::Datasource(sales.clone());
    let since = clock.now();
    clock.advance(Duration::from_secs(1));
    assert_eq!(client.find_job(&object, "Sales", since).await.unwrap(), JobLookup::NoneListed);
    for fault in [Fault::Lost, Fault::DoneThen(403), Fault::DoneThen(502)] {
        let since = clock.now();
        simulator.fail_next("POST */refresh", 1, fault.clone());
        let subject = Subject::Datasource(sales.clone());
        client.refresh_now(&subject, RefreshKind::Full).await.unwrap_err();
        let before = simulator.calls("GET *");

        let job = found(client.find_job(&object, "Sales", since).await.unwrap());

        assert_eq!((job.job.subject(), job.job.end()), (Some(subject), None), "{fault:?}");
        assert_eq!((job.is_since, job.kind), (true, Some(RefreshKind::Full)));
        assert!(simulator.calls("GET *") - before <= 6, "{}", simulator.calls("GET *") - before);
        simulator.cancel_job(&job.job.id);
        // Ended since then: still the one.
        assert_eq!(found(client.find_job(&object, "Sales", since).await.unwrap()).job.id, job.job.id);
        clock.advance(Duration::from_secs(60));
    }
    // A schedule's job of a moment ago is not taken for ours.
    simulator.start_refresh(&sales).unwrap();
    simulator.succeed_refresh(&sales).unwrap();
    clock.advance(Duration::from_secs(1));
    let since = clock.now();
    let subject = Subject::Datasource(sales);
    let RefreshNow::Queued(ours) = client.refresh_now(&subject, RefreshKind::Full).await.unwrap() else {
        panic!("not queued");
    };
    assert_eq!(found(client.find_job(&object, "Sales", since).await.unwrap()).job.id, ours.id);
}

#[tokio::test]
async fn a_job_is_found_though_the_clocks_differ_and_one_that_ended_before_is_not_taken_for_it() {
    let mut cases = tokio::task::JoinSet::new();
    for ahead in [-240, -90, -8, 8, 90, 240] {
        cases.spawn(found_though_the_clock_is(ahead));
    }
    cases.join_all().await;
}

async fn found_though_the_clock_is(ahead: i64) {
    let clock = Clock::ahead(SignedDuration::from_secs(ahead));
    let simulator = TableauSimulator::sample().clock(clock).start().await.unwrap();
    let sales = simulator.add(Datasource::named("Sales"));
    let subject = Subject::Datasource(sales.clone());
    let object = ContentLuid::Datasource(sales.clone());
    let schedules = simulator.start_refresh(&sales).unwrap();
    simulator.succeed_refresh(&sales).unwrap();
    // More than the whole seconds of the times.
    tokio::time::sleep(Duration::from_secs(7)).await;
    let since = Timestamp::now();
    let client = client(&simulator);
    simulator.fail_next("POST */refresh", 1, Fault::Lost);
    client.refresh_now(&subject, RefreshKind::Full).await.unwrap_err();
    simulator.succeed_refresh(&sales).unwrap();

    let ours = found(client.find_job(&object, "Sales", since).await.unwrap());

    assert!(ours.job.id != schedules && ours.is_since, "{ahead}: {ours:?}");
    // Also by a process that has not heard of Tableau's clock yet.
    let other = crate::client(&simulator);
    assert_eq!(found(other.find_job(&object, "Sales", since).await.unwrap()).job.id, ours.job.id);
    let later = Timestamp::now() + SignedDuration::from_secs(20);
    assert_eq!(client.find_job(&object, "Sales", later).await.unwrap(), JobLookup::NoneListed, "{ahead}");
}

#[tokio::test]
async fn of_objects_with_one_name_each_has_its_own_job() {
    let clock = clock();
    let simulator = TableauSimulator::empty().clock(clock.clone()).start().await.unwrap();
    let workbook = simulator.add(Workbook::named("Sales").in_project("A"));
    let other = simulator.add(Workbook::named("Sales").in_project("B"));
    let datasource = simulator.add(Datasource::named("Sales"));
    let idle = simulator.add(Datasource::named("Sales").in_project("C"));
    let client = client(&simulator);
    let since = clock.now();
    let mut expected = Vec::new();
    for luid in [workbook.as_str(), other.as_str(), datasource.as_str()] {
        expected.push(simulator.start_refresh(luid).unwrap());
    }

    let objects =
        [ContentLuid::Workbook(workbook), ContentLuid::Workbook(other), ContentLuid::Datasource(datasource)];
    for (object, job) in objects.iter().zip(&expected) {
        assert_eq!(found(client.find_job(object, "Sales", since).await.unwrap()).job.id, *job);
    }
    let nothing = client.find_job(&ContentLuid::Datasource(idle), "Sales", since).await.unwrap();
    assert_eq!(nothing, JobLookup::NoneListed);
    // Renamed since the job was queued.
    let renamed = client.find_job(&objects[0], "Umsatz", since).await.unwrap();
    assert_eq!(found(renamed).job.id, expected[0]);
}

// R03: a running job is joined. R02: the one that was created since our call is ours.
#[tokio::test]
async fn an_open_job_from_before_is_found_and_one_since_then_comes_first() {
    let clock = clock();
    let simulator = TableauSimulator::empty().clock(clock.clone()).start().await.unwrap();
    let sales = simulator.add(Datasource::named("Sales"));
    let client = client(&simulator);
    let (object, subject) = (ContentLuid::Datasource(sales.clone()), Subject::Datasource(sales.clone()));
    let running = simulator.start_refresh(&sales).unwrap();
    clock.advance(Duration::from_secs(9 * 3_600));
    let since = clock.now();

    let before = found(client.find_job(&object, "Sales", since).await.unwrap());
    let RefreshNow::Queued(ours) = client.refresh_now(&subject, RefreshKind::Full).await.unwrap() else {
        panic!("not queued");
    };
    let again = client.refresh_now(&subject, RefreshKind::Full).await.unwrap();
    let now = found(client.find_job(&object, "Sales", since).await.unwrap());

    assert_eq!((before.job.id, before.is_since), (running.clone(), false));
    assert_eq!((again, now.job.id, now.is_since), (RefreshNow::AlreadyQueued, ours.id, true));
    simulator.cancel_job(&running);
    // Ended before the time: not ours.
    clock.advance(Duration::from_secs(60));
    let later = client.find_job(&object, "Sales", earlier(&clock, 30)).await.unwrap();
    assert!(matches!(&later, JobLookup::Found(job) if job.job.id != running), "{later:?}");
}

// R05
#[tokio::test]
async fn a_job_says_whether_it_refreshes_in_full() {
    let clock = clock();
    let simulator = TableauSimulator::empty().clock(clock.clone()).start().await.unwrap();
    let full = simulator.add(Datasource::named("Full").only_full());
    let both = simulator.add(Datasource::named("Both"));
    let client = client(&simulator);
    for (luid, name, kind) in [(full, "Full", RefreshKind::Full), (both, "Both", RefreshKind::Incremental)] {
        let subject = Subject::Datasource(luid.clone());
        client.refresh_now(&subject, RefreshKind::Incremental).await.unwrap();
        let job = client.find_job(&ContentLuid::Datasource(luid), name, clock.now()).await.unwrap();
        assert_eq!(found(job).kind, Some(kind), "{name}");
    }
}

#[tokio::test]
async fn a_list_that_may_not_be_read_is_no_answer_about_the_object() {
    let clock = clock();
    let simulator = TableauSimulator::sample().clock(clock.clone()).start().await.unwrap();
    let client = client(&simulator);
    let sales = simulator.datasource("Sales Orders").unwrap();
    let job = simulator.start_refresh(&sales).unwrap();
    let object = ContentLuid::Datasource(sales);
    simulator.show_job_as(&job, JobShape::Unreadable);
    let lookup = client.find_job(&object, "Sales Orders", clock.now()).await.unwrap();
    assert_eq!(lookup, JobLookup::Unreadable { code: "400031".to_owned() });

    simulator.allow(Feature::JobLists, false);
    let lookup = client.find_job(&object, "Sales Orders", clock.now()).await.unwrap();
    assert_eq!(lookup, JobLookup::Refused { code: "403079".to_owned() });
    simulator.fail_always("GET /sites/{site}/jobs", Fault::Status(503));
    let error = client.find_job(&object, "Sales Orders", clock.now()).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    let flow = ContentLuid::Flow(simulator.flow("Load Ledger").unwrap());
    let error = client.find_job(&flow, "Load Ledger", clock.now()).await.unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }), "{error}");
}

// R15
#[tokio::test]
async fn a_connected_app_without_the_scope_for_jobs_is_told_the_scope_after_one_more_sign_in() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let (client_id, secret_id, secret) = SAMPLE_CONNECTED_APP;
    let app = TableauCredential::ConnectedApp(ConnectedApp {
        client_id: client_id.to_owned(),
        secret_id: secret_id.to_owned(),
        secret_value: secret.to_owned().into(),
        user: "bea@example.com".to_owned(),
        scopes: vec!["tableau:content:read".to_owned(), "tableau:tasks:run".to_owned()],
    });
    let client = client_with(&simulator, app);
    let sales = simulator.datasource("Sales Orders").unwrap();
    let queued = client.refresh_now(&Subject::Datasource(sales.clone()), RefreshKind::Full).await.unwrap();
    let RefreshNow::Queued(job) = queued else { panic!("{queued:?}") };

    let looks = [
        client.job(&job.id).await.map(|_| ()),
        client.find_job(&ContentLuid::Datasource(sales), "Sales Orders", Timestamp::now()).await.map(|_| ()),
    ];

    for look in looks {
        let error = look.unwrap_err();
        assert!(matches!(error, Error::SessionRefused { stolen: false, .. }), "{error}");
        assert!(error.to_string().contains("tableau:jobs:read"), "{error}");
    }
    assert!(simulator.calls("POST */auth/signin") <= 3, "{}", simulator.calls("POST */auth/signin"));
}

#[tokio::test]
async fn so_many_of_one_name_that_the_calls_are_used_up_is_said() {
    let clock = clock();
    let simulator = TableauSimulator::empty().clock(clock.clone()).start().await.unwrap();
    for at in 0..60 {
        let other = simulator.add(Datasource::named("Sales").in_project(&format!("P{at}")));
        simulator.start_refresh(&other).unwrap();
    }
    let idle = simulator.add(Datasource::named("Sales"));
    let client = client(&simulator);

    let lookup = client.find_job(&ContentLuid::Datasource(idle), "Sales", clock.now()).await.unwrap();

    assert_eq!(lookup, JobLookup::TooMany { jobs: 60 });
    assert!(simulator.calls("GET /sites/{site}/jobs/{id}") <= 25);
}

#[tokio::test]
async fn a_list_that_is_longer_than_is_read_is_said() {
    let clock = clock();
    let simulator = TableauSimulator::empty().clock(clock.clone()).start().await.unwrap();
    for at in 0..3_001 {
        let other = simulator.add(Datasource::named(&format!("Other {at}")));
        simulator.start_refresh(&other).unwrap();
    }
    let idle = simulator.add(Datasource::named("Sales"));
    let lookup =
        client(&simulator).find_job(&ContentLuid::Datasource(idle), "Sales", clock.now()).await.unwrap();
    assert_eq!(lookup, JobLookup::TooMany { jobs: 0 });
}

#[tokio::test]
async fn a_run_of_a_flow_is_found_by_its_flow() {
    let clock = clock();
    let simulator = TableauSimulator::empty().clock(clock.clone()).start().await.unwrap();
    let flow = simulator.add(Flow::named("Night"));
    let other = simulator.add(Flow::named("Night"));
    let client = client(&simulator);
    let old = simulator.succeed_refresh(&flow).unwrap();
    for _ in 0..150 {
        simulator.succeed_refresh(&other).unwrap();
    }
    clock.advance(Duration::from_secs(3_600));
    let since = clock.now();
    assert_eq!(client.find_flow_run(&flow, since).await.unwrap(), None);

    simulator.fail_next("POST */run", 1, Fault::Lost);
    client.run_flow(&flow).await.unwrap_err();
    let run = client.find_flow_run(&flow, since).await.unwrap().unwrap();

    assert_eq!((run.flow_id.as_ref(), run.status.as_deref()), (Some(&flow), Some("Pending")));
    assert_ne!(run.background_job_id, Some(old));
    assert_eq!(client.run_flow(&flow).await.unwrap(), RunFlow::AlreadyQueued);
    simulator.start_refresh(&flow).unwrap();
    simulator.fail_refresh(&flow, notes::NO_SPACE).unwrap();
    let ended = client.find_flow_run(&flow, since).await.unwrap().unwrap();
    assert_eq!((ended.id, ended.status.as_deref()), (run.id, Some("Failed")));
}
