//! One notification of every kind, with the facts of the messages in `before/`.

use alerting::context::{Context, Deletion, Lookup};
use alerting::digest::{Entry, Meaning};
use alerting::group::Member;
use alerting::impact::{Exact, Impact};
use alerting::incident::{End, KnownCause, Open, RefreshKind, Resolved};
use alerting::notification::{
    About, Notification, Place, digest, event, group_announced, group_resolved, opened, resolved, updated,
};
use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use rules::Site;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use tableau::{
    Action, CauseFigures, DisabledWebhook, Event, EventName, FailingObject, FlappingObject, LongIncident,
    Object, OwnerFigures, Payload, ReportedObject, SlowRefresh, WebhookFigures, WeekFigures, WeeklyReport,
};
use tableau_client::{Cause, CauseClass, Content, Owner};

pub(crate) fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000 + minute * 60).unwrap()
}

pub(crate) fn event_named(name: &str) -> Event {
    let mut payload = json!({
        "resource": "WORKBOOK", "event_type": name, "resource_name": "Sales", "site_luid": "s-1",
        "resource_luid": "r-1", "created_at": "2025-01-15T17:14:45Z",
    });
    if name == EventName::PdfPublished.as_str() {
        payload["pdf"] = json!({
            "file": "Sales – Overview.pdf", "others": 11, "place": "SharePoint",
            "link": "https://contoso.sharepoint.com/sites/bi/Shared%20Documents/2025/01",
            "note": "Sales – Map.pdf: It may lack data",
        });
    }
    Event::try_from(&Payload::parse(payload.to_string().as_bytes()).unwrap()).unwrap()
}

/// A webhook that Tableau disabled and that stays so, and one that was enabled again; each also if little is known of it.
fn webhooks() -> [Event; 4] {
    let disabled = DisabledWebhook {
        webhook: "w-1".parse().unwrap(),
        name: "tableau-webhooks WorkbookRefreshFailed".to_owned(),
        event: EventName::WorkbookRefreshFailed,
        owner: Some("Bea Costa".to_owned()),
        reason: "Webhook disabled after 4 failed delivery attempts".to_owned(),
        last_enabled: Some(at(-15)),
        found: at(0),
        enabled_again: None,
        note: "Its URL does not answer. It is enabled again when its URL answers.".to_owned(),
    };
    let unknown = DisabledWebhook {
        owner: None,
        reason: String::new(),
        last_enabled: None,
        note: String::new(),
        ..disabled.clone()
    };
    let enabled_again = Some(at(115));
    let all = [
        DisabledWebhook { enabled_again, note: String::new(), ..disabled.clone() },
        DisabledWebhook { enabled_again, ..unknown.clone() },
    ];
    let [again, again_unknown] = all;
    [disabled, unknown, again, again_unknown]
        .map(|webhook| Event::try_from(&webhook.payload(&"s-1".parse().unwrap())).unwrap())
}

fn week() -> WeekFigures {
    WeekFigures {
        events: 1_640,
        failed: 41,
        succeeded: 771,
        opened: 14,
        resolved: 12,
        recovery_seconds: Some(5_400),
        messages: 310,
        messages_in_time: 308,
        message_p99_ms: Some(11_200),
        given_up: 2,
        webhook_outages: 1,
        sign_ins: Some(21),
    }
}

/// A report with so many places in each list.
fn report_of(places: usize) -> WeeklyReport {
    let names = (0..places).map(|n| format!("Sales {n}"));
    let objects = names.enumerate().map(|(n, name)| ReportedObject {
        kind: if n % 2 == 0 { "workbook" } else { "data source" }.to_owned(),
        luid: format!("r-{n}"),
        name,
        owner: (n % 5 < 4).then(|| "Ana Ruiz".to_owned()),
    });
    let objects: Vec<ReportedObject> = objects.collect();
    let counted = || objects.iter().cloned().zip(1..).map(|(object, n)| (object, 2 * places as u64 + 1 - n));
    let seconds = |count: u64| count * 4_000;
    let causes = ["Credentials", "TimeLimit", "Solar flare"];
    WeeklyReport {
        first_day: date(2025, 11, 17),
        timezone: "Europe/Berlin".to_owned(),
        week: week(),
        week_before: Some(WeekFigures {
            failed: 38,
            succeeded: 752,
            recovery_seconds: Some(7_200),
            messages_in_time: 304,
            message_p99_ms: Some(72_000),
            ..week()
        }),
        failed_most: counted()
            .zip(causes.iter().map(|cause| Some((*cause).to_owned())).chain([None]).cycle())
            .map(|((object, failures), cause)| FailingObject { object, failures, cause })
            .collect(),
        causes: causes
            .iter()
            .zip([12, 7, 1])
            .map(|(cause, failures)| CauseFigures { cause: (*cause).to_owned(), failures })
            .collect(),
        longest_incidents: counted()
            .map(|(object, count)| LongIncident {
                object,
                since: at(-9_000),
                seconds: seconds(count),
                is_open: count % 2 == 0,
            })
            .collect(),
        slowest_refreshes: counted()
            .map(|(object, count)| SlowRefresh { object, seconds: seconds(count), ended_at: at(-4_000) })
            .collect(),
        flapping: counted().map(|(object, incidents)| FlappingObject { object, incidents }).collect(),
        owners: counted()
            .map(|(_, failures)| OwnerFigures {
                owner: format!("Ana Ruiz {failures}"),
                failures,
                objects: failures.min(3),
            })
            .collect(),
        without_owner: objects.iter().map(|of| ReportedObject { owner: None, ..of.clone() }).collect(),
        owners_unknown: None,
        webhooks: Some(WebhookFigures { registered: 9, disabled: 1 }),
    }
}

/// The reports of a week: with everything, with little, without events, and with long lists.
fn reports() -> [Event; 4] {
    let little = WeeklyReport {
        week_before: None,
        owners_unknown: Some("the stack may not read users".to_owned()),
        webhooks: None,
        failed_most: report_of(1).failed_most,
        ..WeeklyReport { week: week(), first_day: date(2025, 11, 24), ..WeeklyReport::default() }
    };
    let empty = WeeklyReport {
        week: WeekFigures::default(),
        week_before: Some(week()),
        webhooks: Some(WebhookFigures { registered: 9, disabled: 0 }),
        ..WeeklyReport { first_day: date(2025, 12, 29), ..WeeklyReport::default() }
    };
    [report_of(3), little, empty, report_of(25)].map(|report| {
        let payload = report.payload(&"s-1".parse().unwrap(), "Marketing", at(0));
        Event::try_from(&payload).unwrap()
    })
}

fn place() -> Place {
    Place { project: Some("Finance".to_owned()), owner: Some("Ana Ruiz".to_owned()) }
}

fn zone() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

fn site() -> Site {
    Site {
        luid: "s-1".parse().unwrap(),
        name: "Marketing".to_owned(),
        timezone: zone(),
        suspends_after: Some(5),
    }
}

/// What Tableau says about workbooks and data sources that still exist.
fn context(event: &Event) -> Context {
    let content = Content {
        name: "Sales".to_owned(),
        project: Some("Finance".to_owned()),
        owner: Some(Owner {
            name: "Ana Ruiz".to_owned(),
            email: Some("ana@example.com".to_owned()),
            login: "ana".to_owned(),
        }),
        link: Some("https://tableau.example/#/datasources/1".to_owned()),
        tags: vec!["critical".to_owned(), "daily".to_owned()],
    };
    let cause = Cause {
        class: CauseClass::Credentials,
        line: "Login failed for user 'svc'.".to_owned(),
        next_step: String::new(),
        job: "j-1".parse().unwrap(),
        refresh: None,
    };
    let is_content = matches!(event.name.object(), Some(Object::Workbook | Object::Datasource));
    let is_there = event.name.action() != Some(Action::Deleted);
    let has_failed = event.name.action() == Some(Action::RefreshFailed);
    let deletion = Deletion {
        by: Some(Owner { name: "Bea Costa".to_owned(), email: None, login: "bea".to_owned() }),
        path: "Finance/Reports".to_owned(),
        owner: content.owner.clone(),
    };
    Context {
        content: if is_content && is_there { Lookup::Found(content) } else { Lookup::NotAsked },
        deletion: if is_content && !is_there { Lookup::Found(deletion) } else { Lookup::NotAsked },
        cause: if has_failed { Lookup::Found(cause) } else { Lookup::NotAsked },
        refresh: RefreshKind::Unknown,
    }
}

fn incident(failures: u32, nth: usize) -> Open {
    Open {
        id: "e0".to_owned(),
        since: at(0),
        last: at(i64::from(failures - 1) * 60),
        failures,
        kinds: BTreeSet::from([RefreshKind::Unknown]),
        nth,
        log: BTreeMap::new(),
        sample: String::new(),
        suppressed_until: None,
        impact: None,
        last_success: Some(at(-60)),
        cause: Some(KnownCause {
            title: "Credentials refused".to_owned(),
            line: "Login failed for user 'svc'.".to_owned(),
        }),
    }
}

/// Group members with these causes. Those in `recovered` are resolved after an hour.
pub(crate) fn members(
    count: usize,
    cause: impl Fn(usize) -> Option<&'static str>,
    recovered: impl Fn(usize) -> bool,
) -> Vec<(String, Member)> {
    let member = |n: usize| {
        let mut member = Member::new(&n.to_string(), &format!("Sales report {n:03}"), cause(n), at(0));
        member.resolved_at = recovered(n).then(|| at(60));
        // Tableau does not answer about every object.
        member.place = if n.is_multiple_of(3) { Place::default() } else { place() };
        (format!("{n:03}"), member)
    };
    (1..=count).map(member).collect()
}

fn of_quiet_hours() -> Notification {
    let entry = |n: i64, title: &str, name: &str, meaning: Meaning| {
        let entry = Entry {
            title: title.to_owned(),
            object: name.to_owned(),
            name: name.to_owned(),
            at: at(n),
            cause: (meaning == Meaning::Failed).then(|| "Credentials refused".to_owned()),
            class: None,
            incident: None,
            meaning,
            generation: 1,
            owner: None,
            place: place(),
        };
        (n.to_string(), entry)
    };
    let entries = [
        entry(1, "Extract refresh failed", "Sales", Meaning::Failed),
        entry(2, "Extract refresh failed", "Returns", Meaning::Failed),
        entry(3, "Extract refresh failed", "Sales", Meaning::Failed),
        entry(4, "Extract refresh succeeded", "Sales", Meaning::Resolved),
        entry(5, "Workbook published", "Forecast", Meaning::None),
    ];
    digest(&entries, &BTreeSet::new(), Some(zone()))
}

/// The file name of each sample, and its notifications.
pub(crate) fn all() -> Vec<(&'static str, Vec<Notification>)> {
    let site = site();
    let failed = event_named("DatasourceRefreshFailed");
    let known = context(&failed);
    let about = About { event: &failed, site: Some(&site), context: &known };
    let why = "Tableau did not answer".to_owned();
    let unknown = Context {
        content: Lookup::Unavailable(why.clone()),
        cause: Lookup::Unavailable(why),
        ..Context::default()
    };
    let without_cause = About { event: &failed, site: None, context: &unknown };
    let ended = |end| {
        let incident = incident(3, 1);
        resolved(&about, &Resolved { by: "end".to_owned(), at: at(190), noted_at: None, end, incident })
    };
    let names = EventName::KNOWN.iter().map(EventName::as_str).chain(["FlowRunFailed", "PdfPublished"]);
    let of_event =
        |sample: &Event| event(&About { event: sample, site: Some(&site), context: &context(sample) });
    let of_name = |name: &str| of_event(&event_named(name));
    let one_cause = |_| Some("Credentials refused");
    let causes = |n| match n {
        1..=300 => Some("Credentials refused"),
        301..=450 => Some("Time limit exceeded"),
        _ => None,
    };
    let two_causes = |n| (n < 5).then_some("Credentials refused");
    let group = |members: &[_], is_first| group_announced(&failed, members, is_first, Some(zone()));
    let flood = event_named("WorkbookUpdated");
    let changed = members(500, |_| None, |_| false);
    // Five changes, of this many workbooks.
    let of_few = |count: usize| {
        let few = members(5, |_| None, |_| false).into_iter().zip(changed.iter().take(count).cycle());
        let few = few.map(|((key, member), (_, of))| {
            (key, Member { object: of.id.clone(), name: of.name.clone(), ..member })
        });
        group_announced(&flood, &few.collect::<Vec<_>>(), true, Some(zone()))
    };
    let [disabled, _, again, _] = webhooks();
    let groups_of_webhooks = [disabled, again].map(|webhook| {
        let members = EventName::KNOWN.iter().take(18).enumerate().map(|(n, name)| {
            (n.to_string(), Member::new(&n.to_string(), &format!("tableau-webhooks {name}"), None, at(0)))
        });
        group_announced(&webhook, &members.collect::<Vec<_>>(), true, Some(zone()))
    });
    let group_of_reports = {
        let members =
            (0..18).map(|n| (n.to_string(), Member::new(&n.to_string(), &format!("Site {n}"), None, at(0))));
        group_announced(&reports()[0], &members.collect::<Vec<_>>(), true, Some(zone()))
    };
    let used_by = |workbooks: &[&str], more, owners, exact| {
        let workbooks = workbooks.iter().map(|name| (*name).to_owned()).collect();
        let impact = Some(Impact { workbooks, more, owners, exact });
        Notification { impact, ..opened(&about, &incident(1, 1)) }
    };
    let used_by = vec![
        used_by(&["Sales Overview", "KPI"], 10, 5, Exact::All),
        used_by(&["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"], 990, 37, Exact::Workbooks),
        used_by(&["Sales Overview"], 99, 5, Exact::Nothing),
        used_by(&[], 0, 0, Exact::All),
    ];
    vec![
        ("events", names.map(of_name).collect()),
        ("opened", vec![opened(&about, &incident(1, 1))]),
        ("opened-without-cause", vec![opened(&without_cause, &incident(1, 1))]),
        ("opened-used-by", used_by),
        ("updated", vec![updated(&about, &incident(3, 1), None)]),
        ("suspended", vec![updated(&about, &incident(5, 1), None)]),
        ("flapping", vec![opened(&about, &incident(1, 4))]),
        ("reminder", vec![updated(&about, &incident(3, 1), Some(at(26 * 60)))]),
        ("resolved", vec![ended(End::Recovered)]),
        ("deleted", vec![ended(End::Deleted)]),
        ("recovered-without-event", vec![ended(End::RecoveredWithoutEvent)]),
        ("group-opened-3", vec![group(&members(3, one_cause, |_| false), true)]),
        ("group-opened-500", vec![group(&members(500, causes, |_| false), true)]),
        ("group-of-events-500", vec![group_announced(&flood, &changed, true, Some(zone()))]),
        ("group-of-events-of-few", vec![of_few(4), of_few(1)]),
        ("webhooks", webhooks().iter().map(of_event).chain(groups_of_webhooks).collect()),
        ("reports", reports().iter().take(3).map(of_event).chain([group_of_reports]).collect()),
        ("report-of-many", reports().iter().skip(3).map(of_event).collect()),
        ("group-updated", vec![group(&members(6, two_causes, |n| n == 4), false)]),
        ("group-resolved", vec![group_resolved(&members(3, one_cause, |_| true), Some(zone()))]),
        ("digest", vec![of_quiet_hours()]),
    ]
}
