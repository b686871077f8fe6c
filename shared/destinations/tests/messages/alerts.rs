//! Alerts in PagerDuty: each kind as text in `pagerduty/`, hostile names, and the keys.

use crate::hostile::{names, notifications, with};
use crate::samples::{all, event_named, members};
use crate::snapshots::folder;
use alerting::context::Context;
use alerting::notification::About;
use alerting::notification::{Kind, Notification, event as announced, group_announced};
use alerting::notifier::{Delivery, Notifier};
use circuit::Circuits;
use destinations::pagerduty::{
    Change, EVENT_LIMIT, Origin, PagerDuty, PagerDutyCredential, PagerDutyNotifier, SUMMARY_LIMIT,
};
use jiff::Timestamp;
use rules::settings::{PageOnCall, PageSeverity};
use serde_json::Value;
use simulator::{PagerDutyEvent, PagerDutySimulator, SAMPLE_ROUTING_KEY, render_page};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use workflow::{Fixed, Invocation};

pub(crate) fn notifier(pagerduty: &PagerDutySimulator) -> PagerDutyNotifier {
    let secret = format!(r#"{{"routing_keys":{{"default":"{SAMPLE_ROUTING_KEY}"}}}}"#);
    let credential: PagerDutyCredential = serde_json::from_str(&secret).unwrap();
    let http = http_client::client(None).unwrap();
    let region = pagerduty.url().parse().unwrap();
    let circuits = Circuits::new(store::documents(None), "page-on-call", "PagerDuty");
    let origin = Origin::new("https://tableau.example".parse().unwrap(), "marketing");
    PagerDutyNotifier::new(PagerDuty::new(http, region, Arc::new(Fixed::new(credential))), circuits, origin)
}

fn target() -> PageOnCall {
    PageOnCall::new("finance", None)
}

/// What PagerDuty gets for a notification. Panics unless it takes it.
pub(crate) async fn sent(pagerduty: &PagerDutySimulator, shown: &Notification) -> PagerDutyEvent {
    let before = pagerduty.events().len();
    let delivery = match shown.kind {
        Kind::Resolved | Kind::GroupResolved => Delivery::Close { message: None, audible: true },
        _ => Delivery::Post,
    };
    let invocation = Invocation::new("r", Timestamp::UNIX_EPOCH, Duration::from_secs(60));
    let mut shown = shown.clone();
    shown.thread = shown.thread.or_else(|| Some("0f1e2d3c4b5a".to_owned()));
    let delivered = notifier(pagerduty).deliver(&target(), delivery, &shown, &invocation).await;
    delivered.unwrap_or_else(|undelivered| panic!("{}", undelivered.failure.reason()));
    assert_eq!(pagerduty.refusals(), []);
    pagerduty.events_since(before).remove(0)
}

#[tokio::test]
async fn every_kind_of_alert_is_as_its_snapshot_shows() {
    let rendered = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pagerduty-messages");
    fs::create_dir_all(&rendered).unwrap();
    let mut different = Vec::new();
    let mut files = Vec::new();
    for (name, notifications) in all() {
        let mut texts = Vec::new();
        for shown in &notifications {
            // An account of its own: nothing is open in it.
            let pagerduty = PagerDutySimulator::start().await.unwrap();
            texts.push(render_page(&sent(&pagerduty, shown).await) + "\n");
        }
        let texts = texts.join("\n");
        let file = format!("{name}.txt");
        fs::write(rendered.join(&file), &texts).unwrap();
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all(folder("pagerduty")).unwrap();
            fs::write(folder("pagerduty").join(&file), &texts).unwrap();
        } else if fs::read_to_string(folder("pagerduty").join(&file)).unwrap_or_default() != texts {
            different.push(file.clone());
        }
        files.push(file);
    }
    let from = rendered.display();
    assert!(
        different.is_empty(),
        "{different:?}: compare with {from}, and copy what is right from there, or all with UPDATE=1"
    );
    for entry in fs::read_dir(folder("pagerduty")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        assert!(files.contains(&file), "no alert has the snapshot {file}");
    }
}

// D117
#[tokio::test]
async fn no_name_makes_an_event_too_large_or_one_that_pagerduty_does_not_take() {
    let pagerduty = PagerDutySimulator::start().await.unwrap();
    let mut hostile = names();
    for text in ["\"", "\\", "\u{1f600}", "売上", "a\u{0}\u{7}\r\n\t"] {
        hostile.push((text.repeat(10_000 / text.chars().count()), None));
    }
    for (name, _) in &hostile {
        for shown in notifications() {
            let event = sent(&pagerduty, &with(name, shown)).await;
            assert!(event.body.to_string().len() <= EVENT_LIMIT, "{}", event.body.to_string().len());
            assert!(event.summary().chars().count() <= SUMMARY_LIMIT, "{}", event.summary());
        }
    }
}

// D117
#[tokio::test]
async fn a_group_of_thousands_is_one_event_that_counts_what_it_leaves_out() {
    let pagerduty = PagerDutySimulator::start().await.unwrap();
    let sample = event_named("DatasourceRefreshFailed");
    let members = members(5_000, |_| Some("Credentials refused"), |_| false);
    let mut shown = group_announced(&sample, &members, true, None);
    for item in shown.lists.iter_mut().flat_map(|list| &mut list.items) {
        item.name = format!("{} {}", item.name, "long ".repeat(30));
    }
    let event = sent(&pagerduty, &shown).await;
    assert!(event.body.to_string().len() <= EVENT_LIMIT);
    let text = event.detail("text");
    let named = text.matches("- Sales report ").count();
    let left = text.rsplit("too large: ").next().unwrap().strip_suffix(" lines").unwrap();
    assert_eq!(named + left.parse::<usize>().unwrap(), 5_000, "{}", text.len());
    assert!(event.summary().starts_with("5000 extract refreshes failed"), "{}", event.summary());
}

// D058, D120
#[tokio::test]
async fn a_key_names_one_object_and_nothing_that_changes_and_without_an_id_there_is_none() {
    let pagerduty = PagerDutySimulator::start().await.unwrap();
    let notifier = notifier(&pagerduty);
    let mut keys = BTreeSet::new();
    let mut of_sales = BTreeSet::new();
    for (name, notifications) in all() {
        for shown in notifications {
            let alert = |shown: &Notification| notifier.alert(&target(), Change::Trigger, None, shown);
            let is_group = matches!(shown.kind, Kind::GroupOpened | Kind::GroupUpdated | Kind::GroupResolved);
            let missing = match shown.kind {
                _ if is_group => Notification { thread: None, ..shown.clone() },
                Kind::Digest => Notification { lists: Vec::new(), ..shown.clone() },
                Kind::Event => continue,
                _ => Notification { event: None, ..shown.clone() },
            };
            let error = alert(&missing).unwrap_err().to_string();
            assert!(error.starts_with("no one was paged: the notification has no "), "{name}: {error}");
            let thread = Some("0f1e2d3c4b5a".to_owned());
            let is_of_incident = matches!(shown.kind, Kind::Opened | Kind::Updated | Kind::Resolved);
            if is_of_incident {
                let error = alert(&Notification { thread: None, ..shown.clone() }).unwrap_err().to_string();
                assert!(error.ends_with("could not be told from others"), "{name}: {error}");
            }
            let named = |thread| {
                let (alert, _) = alert(&Notification { thread, ..shown.clone() }).unwrap();
                alert.key().as_str().to_owned()
            };
            let key = named(thread);
            if is_of_incident {
                of_sales.insert(key.clone());
            }
            keys.insert(key);
            if shown.kind == Kind::Digest {
                // With a thread, a group goes on with it, and the digest has the group's key.
                keys.insert(named(None));
            }
        }
    }
    assert_eq!(of_sales, BTreeSet::from(["tableau:s-1:datasource:r-1:refresh:0f1e2d3c4b5a".to_owned()]));
    assert_eq!(keys.len(), 3, "the object, the group and the quiet hours: {keys:?}");
    assert_eq!(pagerduty.calls(), 0);
}

// D021
#[tokio::test]
async fn a_rules_severity_counts_and_without_one_what_fails_is_an_error() {
    let pagerduty = PagerDutySimulator::start().await.unwrap();
    let notifier = notifier(&pagerduty);
    for name in
        ["WorkbookRefreshFailed", "AdminPromoted", "SiteUpdated", "WorkbookRefreshSucceeded", "FlowRunFailed"]
    {
        let sample = event_named(name);
        let shown = announced(&About { event: &sample, site: None, context: &Context::default() });
        let severity = |severity| {
            let target = PageOnCall::new("finance", severity);
            let (alert, _) = notifier.alert(&target, Change::Trigger, None, &shown).unwrap();
            alert.to_json()["payload"]["severity"].clone()
        };
        let expected = if name == "WorkbookRefreshFailed" { "error" } else { "info" };
        assert_eq!(severity(None), Value::from(expected), "{name}");
        assert_eq!(severity(Some(PageSeverity::Warning)), Value::from("warning"));
    }
}
