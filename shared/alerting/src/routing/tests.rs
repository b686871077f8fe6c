use super::lookups::Lookups;
use crate::context::{Context, Lookup};
use crate::incident::RefreshKind;
use crate::notification::{About, event};
use circuit::Circuits;
use facts::why_no_cause;
use guarded_tableau::GuardedTableau;
use jiff::Timestamp;
use simulator::{Clock, Datasource, Fault, SAMPLE_PAT, TableauSimulator, notes};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use store::records::MemoryRecords;
use tableau::{Event, Payload};
use tableau_client::{
    CauseLookup, FixedCredential, MemorySessionStore, Settings, TableauClient, TableauCredential,
};
use workflow::{Failure, Invocation, NoEffectLog};

/// A failed refresh at a site, and lookups about it.
struct FailedRefresh {
    simulator: TableauSimulator,
    event: Event,
    records: Arc<MemoryRecords>,
}

impl FailedRefresh {
    async fn start() -> Self {
        Self::at(TableauSimulator::empty().start().await.unwrap())
    }

    fn at(simulator: TableauSimulator) -> Self {
        let sales = simulator.add(Datasource::named("Sales"));
        simulator.fail_refresh(&sales, notes::SNOWFLAKE_LOGIN).unwrap();
        let payload = Payload {
            event_type: Some("DatasourceRefreshFailed".to_owned()),
            site_luid: Some(simulator.site().as_str().to_owned()),
            resource_luid: Some(sales.as_str().to_owned()),
            resource_name: Some("Sales".to_owned()),
            created_at: Some(simulator.clock().now().to_string()),
            ..Payload::default()
        };
        let event = Event::try_from(&payload).unwrap();
        Self { simulator, event, records: Arc::default() }
    }

    /// As another function has them, with sessions and circuits of its own.
    fn lookups(&self) -> Lookups {
        let settings = Settings::new(&self.simulator.url(), "marketing", "").unwrap();
        let credential = TableauCredential::personal_access_token(SAMPLE_PAT.0, SAMPLE_PAT.1);
        let sessions = Arc::new(MemorySessionStore::default());
        let http = http_client::client(None).unwrap();
        let client = TableauClient::new(http, settings, Arc::new(FixedCredential::new(credential)), sessions);
        let circuits = Circuits::new(store::documents(None), "notify-slack", "Tableau");
        let records = Arc::clone(&self.records);
        Lookups::new(GuardedTableau::new(client, circuits), records)
    }
}

fn attempt(number: u32, now: Timestamp) -> Invocation {
    Invocation::new("r", now, Duration::from_secs(60)).repeated(
        number,
        BTreeSet::new(),
        Arc::new(NoEffectLog),
    )
}

// What Tableau says about an event is cached per event, and shared by all workflows.
#[tokio::test]
async fn what_tableau_says_about_an_event_that_several_workflows_announce_is_asked_once_within_an_hour() {
    let failed = FailedRefresh::start().await;
    let now = Timestamp::now();
    let first = failed.lookups().context(&failed.event, &attempt(1, now), true).await.unwrap();
    assert!(matches!(&first.cause, Lookup::Found(cause) if cause.line.contains("Incorrect username")));
    assert_eq!(first.refresh, RefreshKind::Full);
    let asked = failed.simulator.calls("*");
    let second = failed.lookups().context(&failed.event, &attempt(1, now), true).await.unwrap();
    assert_eq!((&second, failed.simulator.calls("*")), (&first, asked));

    let alone = failed.lookups().context(&failed.event, &attempt(1, now), false).await.unwrap();
    assert_eq!(alone, first);
    let asked_again = failed.simulator.calls("*");
    assert!(asked_again > asked, "an event of one workflow is not kept");
    let later = attempt(1, now + Duration::from_secs(3_601));
    failed.lookups().context(&failed.event, &later, true).await.unwrap();
    assert!(failed.simulator.calls("*") > asked_again);
}

#[tokio::test]
async fn an_answer_with_something_missing_is_not_kept() {
    let failed = FailedRefresh::start().await;
    failed.simulator.fail_next("GET /sites/*/jobs", 1, Fault::Error("403000"));
    let now = Timestamp::now();
    let first = failed.lookups().context(&failed.event, &attempt(3, now), true).await.unwrap();
    assert!(matches!(&first.cause, Lookup::Unavailable(why) if why.contains("403000")), "{first:?}");
    let second = failed.lookups().context(&failed.event, &attempt(3, now), true).await.unwrap();
    assert!(second.cause.found().is_some(), "{second:?}");
}

// Tableau's calls go through a circuit breaker.
#[tokio::test]
async fn while_the_circuit_of_tableau_is_open_events_go_out_without_context() {
    let failed = FailedRefresh::start().await;
    failed.simulator.fail_always("*", Fault::Status(503));
    let (lookups, now) = (failed.lookups(), Timestamp::now());
    for _ in 0..10 {
        let waits = lookups.context(&failed.event, &attempt(1, now), false).await;
        assert!(matches!(waits, Err(Failure::Transient { .. })), "{waits:?}");
    }
    let asked = failed.simulator.calls("*");
    let waits = lookups.context(&failed.event, &attempt(2, now), false).await.unwrap_err();
    assert!(matches!(&waits, Failure::Transient { retry_after: Some(wait), .. } if wait.as_secs() <= 30));
    let without = lookups.context(&failed.event, &attempt(3, now), false).await.unwrap();
    assert!(matches!(&without.cause, Lookup::Unavailable(why) if why == "Tableau did not answer"));
    let kind = lookups.success_kind(&failed.event, &attempt(3, now)).await.unwrap();
    assert_eq!((kind, failed.simulator.calls("*")), (RefreshKind::Unknown, asked), "the circuit is open");
}

// Tableau is asked for the last refresh before a reminder, and for the kind of a success.
#[tokio::test]
async fn the_last_success_and_its_kind_come_from_tableaus_jobs() {
    let start = "2026-11-28T10:00:00Z".parse().unwrap();
    let simulator = TableauSimulator::empty().clock(Clock::manual(start)).start().await.unwrap();
    let failed = FailedRefresh::at(simulator);
    let now = || failed.simulator.clock().now();
    let lookups = failed.lookups();
    let last = async |kind, number| lookups.last_success(&failed.event, kind, &attempt(number, now())).await;
    assert_eq!(last(RefreshKind::Unknown, 1).await.unwrap(), None);
    failed.simulator.clock().advance(Duration::from_secs(3_600));
    failed.simulator.succeed_refresh(failed.event.subject.luid()).unwrap();
    let succeeded = last(RefreshKind::Full, 1).await.unwrap();
    assert!(succeeded > failed.event.created_at, "{succeeded:?}");
    assert_eq!(last(RefreshKind::Incremental, 1).await.unwrap(), None);
    let success = Event { created_at: Some(now()), ..failed.event.clone() };
    assert_eq!(lookups.success_kind(&success, &attempt(1, now())).await.unwrap(), RefreshKind::Full);

    // While Tableau is down the next sweep asks again; a credential that a person has to fix keeps no reminder back.
    failed.simulator.fail_next("GET /sites/*/jobs", 10, Fault::Status(503));
    assert!(matches!(last(RefreshKind::Full, 1).await, Err(Failure::Transient { .. })));
    failed.simulator.clear_faults();
    failed.simulator.revoke_pat(SAMPLE_PAT.0);
    failed.simulator.end_sessions();
    assert_eq!(last(RefreshKind::Full, 1).await.unwrap(), None);
}

#[tokio::test]
async fn a_job_is_to_be_opened_unless_tableau_lists_none() {
    let failed = FailedRefresh::start().await.event;
    for (lookup, is_listed) in [
        (CauseLookup::NoneListed, false),
        (CauseLookup::Unreadable { code: "400031".to_owned() }, true),
        (CauseLookup::NoText { job: "j-1".parse().unwrap(), refresh: None }, true),
        (CauseLookup::TooMany { jobs: 30 }, true),
        (CauseLookup::Refused { code: "403000".to_owned() }, true),
    ] {
        let context =
            Context { cause: Lookup::Unavailable(why_no_cause(&lookup).unwrap()), ..Context::default() };
        let shown = event(&About { event: &failed, site: None, context: &context });
        let next_step = shown.next_step.unwrap();
        assert_eq!(next_step.contains("Open the job's details"), is_listed, "{lookup:?}: {next_step}");
        assert!(next_step.ends_with("The reason could not be looked up automatically."), "{next_step}");
    }
}

// 15: a stored event keeps its targets when its rule gets another name.
#[tokio::test]
async fn a_rule_that_is_renamed_sends_stored_events_where_it_did_and_nowhere_else() {
    use crate::notifier::{Occurrence, Routing};
    use rules::settings::NotifySlack;
    use rules::{LoadedRules, Rules};
    let failed = FailedRefresh::start().await;
    let rules = |finance: &str| {
        let text = format!(
            "rules:
  - {{ name: {finance}, on: [RefreshFailed], where: {{ name: Sales* }}, do: [{{ notify-slack: {{ channel: finance }} }}] }}
  - {{ name: hr, on: [RefreshFailed], where: {{ name: People* }}, do: [{{ notify-slack: {{ channel: hr }} }}] }}
"
        );
        Rules::check_text(&text).unwrap()
    };
    let loaded = LoadedRules::new(Ok(rules("finance")));
    let settings = Settings::new(&failed.simulator.url(), "marketing", "").unwrap();
    let credential = TableauCredential::personal_access_token(SAMPLE_PAT.0, SAMPLE_PAT.1);
    let client = TableauClient::new(
        http_client::client(None).unwrap(),
        settings,
        Arc::new(FixedCredential::new(credential)),
        Arc::new(MemorySessionStore::default()),
    );
    let tableau =
        GuardedTableau::new(client, Circuits::new(store::documents(None), "notify-slack", "Tableau"));
    let records = Arc::<MemoryRecords>::default();
    let routing = super::RulesRouting::<NotifySlack>::new(loaded.clone(), tableau, records);
    let invocation = attempt(1, Timestamp::now());
    let routed = routing.route(&failed.event, None, &invocation).await.unwrap();
    let stored = Occurrence { event: failed.event.clone(), matched: Some(routed.matched) };
    let keys = || {
        let targets = routing.targets(&stored, Timestamp::now()).unwrap();
        targets.into_iter().map(|target| target.key).collect::<Vec<_>>()
    };
    assert_eq!(keys(), ["finance"]);
    loaded.replace(Ok(rules("money")));
    assert_eq!(keys(), ["finance"]);
}
