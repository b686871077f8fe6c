//! The messages that `docs/messages.md` shows: one night at a site, with times that belong together.

use alerting::context::{Context, Deletion, Lookup};
use alerting::digest::{Entry, Meaning};
use alerting::group::Member;
use alerting::impact::{Exact, Impact};
use alerting::incident::{End, KnownCause, Open, RefreshKind, Resolved};
use alerting::notification::{
    About, Mentioned, Notification, Person, Place, digest, event, group_announced, group_resolved, opened,
    resolved, updated,
};
use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rules::Site;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use tableau::{
    CauseFigures, DisabledWebhook, Event, EventName, FailingObject, FlappingObject, LongIncident,
    OwnerFigures, Payload, ReportedObject, SlowRefresh, WebhookFigures, WeekFigures, WeeklyReport,
};
use tableau_client::{Cause, CauseClass, Content, Owner};

/// A picture: its file name, what it shows, and its messages.
pub(crate) type Scene = (&'static str, &'static str, Vec<Notification>);

/// The address of an owner whom Slack knows.
pub(crate) const KNOWN_OWNER: &str = "ana@example.com";
const LINE: &str = "Login failed for user 'sv…'.";

/// 02:12 in Berlin, in winter.
fn at(minute: i64) -> Timestamp {
    let night: Timestamp = "2026-03-10T01:12:00Z".parse().unwrap();
    night.checked_add(SignedDuration::from_mins(minute)).unwrap()
}

fn site() -> Site {
    Site {
        luid: "8b2a95d8-52b9-40a4-8712-cd6da771bd1b".parse().unwrap(),
        name: "Marketing".to_owned(),
        timezone: TimeZone::get("Europe/Berlin").unwrap(),
        suspends_after: Some(5),
    }
}

fn zone() -> Option<TimeZone> {
    Some(site().timezone)
}

fn of(name: &str, minute: i64) -> Event {
    about(name, "DATASOURCE", "Sales Orders", minute)
}

fn about(name: &str, resource: &str, resource_name: &str, minute: i64) -> Event {
    let payload = json!({
        "resource": resource, "event_type": name, "resource_name": resource_name,
        "site_luid": "8b2a95d8-52b9-40a4-8712-cd6da771bd1b",
        "resource_luid": "22222222-2222-2222-2222-222222222222", "created_at": at(minute).to_string(),
    });
    Event::try_from(&Payload::parse(payload.to_string().as_bytes()).unwrap()).unwrap()
}

fn owner() -> Owner {
    Owner { name: "Ana Ruiz".to_owned(), email: Some(KNOWN_OWNER.to_owned()), login: "ana".to_owned() }
}

fn content() -> Lookup<Content> {
    Lookup::Found(Content {
        name: "Sales Orders".to_owned(),
        project: Some("Finance".to_owned()),
        owner: Some(owner()),
        link: Some("https://tableau.example/#/site/marketing/datasources/4711".to_owned()),
        tags: vec!["critical".to_owned(), "daily".to_owned()],
    })
}

fn known() -> Context {
    let cause = Cause {
        class: CauseClass::Credentials,
        line: LINE.to_owned(),
        next_step: String::new(),
        job: "5b1f4a3c-9a51-4e0f-8712-6f0e8c7d4b12".parse().unwrap(),
        refresh: None,
    };
    Context { content: content(), cause: Lookup::Found(cause), ..Context::default() }
}

fn impact() -> Impact {
    let workbooks = ["Sales Overview", "Regional Targets", "Weekly Review"].map(str::to_owned).to_vec();
    Impact { workbooks, more: 9, owners: 5, exact: Exact::All }
}

fn incident(failures: u32) -> Open {
    Open {
        id: "e0".to_owned(),
        since: at(0),
        last: at(i64::from(failures - 1) * 60),
        failures,
        kinds: BTreeSet::from([RefreshKind::Unknown]),
        nth: 1,
        log: BTreeMap::new(),
        sample: String::new(),
        suppressed_until: None,
        impact: None,
        last_success: Some(at(-60)),
        cause: Some(KnownCause { title: CauseClass::Credentials.title().to_owned(), line: LINE.to_owned() }),
    }
}

/// The message of a failure of an incident with so many, changed by `change`.
fn failure(failures: u32, context: &Context, change: impl FnOnce(&mut Open)) -> Notification {
    let event = of("DatasourceRefreshFailed", i64::from(failures - 1) * 60);
    let site = site();
    let about = About { event: &event, site: Some(&site), context };
    let mut incident = incident(failures);
    change(&mut incident);
    let shown = if failures == 1 { opened(&about, &incident) } else { updated(&about, &incident, None) };
    let impact = matches!(context.content, Lookup::Found(_)).then(impact);
    Notification { impact, ..shown }
}

fn end(failures: u32, minute: i64, end: End) -> Notification {
    let event = of("DatasourceRefreshSucceeded", minute);
    let site = site();
    let deletion = Deletion {
        by: Some(Owner { name: "Bea Costa".to_owned(), email: None, login: "bea".to_owned() }),
        path: "Finance/Reports".to_owned(),
        owner: Some(owner()),
    };
    let is_deleted = end == End::Deleted;
    let context = match is_deleted {
        true => Context { deletion: Lookup::Found(deletion), ..Context::default() },
        false => Context { content: content(), ..Context::default() },
    };
    let about = About { event: &event, site: Some(&site), context: &context };
    let incident = incident(failures);
    resolved(&about, &Resolved { by: "end".to_owned(), at: at(minute), noted_at: None, end, incident })
}

fn other(name: &str, context: &Context) -> Notification {
    let published = of(name, 480);
    let site = site();
    event(&About { event: &published, site: Some(&site), context })
}

/// The messages of a webhook that Tableau disabled, and that is enabled again two hours later.
fn webhook() -> Vec<Notification> {
    let site = site();
    let disabled = DisabledWebhook {
        webhook: "4f1c9d0e-7a52-4c1b-9a86-3f1d2b7c5e90".parse().unwrap(),
        name: "tableau-webhooks WorkbookRefreshFailed".to_owned(),
        event: EventName::WorkbookRefreshFailed,
        owner: Some("Bea Costa".to_owned()),
        reason: "Webhook disabled after 4 failed delivery attempts".to_owned(),
        last_enabled: Some(at(-15)),
        found: at(0),
        enabled_again: None,
        note: "Its URL does not answer. It is enabled again when its URL answers.".to_owned(),
    };
    let enabled = DisabledWebhook { enabled_again: Some(at(115)), note: String::new(), ..disabled.clone() };
    let shown = |webhook: &DisabledWebhook| {
        let sample = Event::try_from(&webhook.payload(&site.luid)).unwrap();
        event(&About { event: &sample, site: Some(&site), context: &Context::default() })
    };
    [disabled, enabled].iter().map(shown).collect()
}

/// The report of a week at the end of a month.
fn weekly_report() -> Notification {
    let site = site();
    let of = |kind: &str, name: &str, owner: Option<&str>| ReportedObject {
        kind: kind.to_owned(),
        luid: name.to_lowercase(),
        name: name.to_owned(),
        owner: owner.map(str::to_owned),
    };
    let orders = || of("data source", "Sales Orders", Some("Ana Ruiz"));
    let claims = || of("workbook", "Claims", Some("Bea Costa"));
    let forecast = || of("workbook", "Forecast", None);
    let failing =
        |object, failures, cause: &str| FailingObject { object, failures, cause: Some(cause.to_owned()) };
    let cause = |cause: &str, failures| CauseFigures { cause: cause.to_owned(), failures };
    let owner = |owner: &str, failures| OwnerFigures { owner: owner.to_owned(), failures, objects: 1 };
    let week = WeekFigures {
        events: 1_640,
        failed: 41,
        succeeded: 771,
        opened: 14,
        resolved: 13,
        recovery_seconds: Some(5_400),
        messages: 310,
        messages_in_time: 308,
        message_p99_ms: Some(11_200),
        given_up: 0,
        webhook_outages: 0,
        sign_ins: Some(21),
    };
    let before = WeekFigures {
        events: 1_588,
        failed: 38,
        succeeded: 752,
        opened: 11,
        resolved: 11,
        recovery_seconds: Some(7_200),
        messages: 296,
        messages_in_time: 296,
        message_p99_ms: Some(9_400),
        sign_ins: Some(20),
        ..WeekFigures::default()
    };
    let report = WeeklyReport {
        first_day: date(2026, 3, 2),
        timezone: "Europe/Berlin".to_owned(),
        week,
        week_before: Some(before),
        failed_most: vec![failing(orders(), 9, "Credentials"), failing(claims(), 6, "TimeLimit")],
        causes: vec![cause("Credentials", 21), cause("TimeLimit", 12), cause("Bridge", 4)],
        longest_incidents: vec![
            LongIncident { object: forecast(), since: at(-3_600), seconds: 130_500, is_open: true },
            LongIncident { object: orders(), since: at(-9_000), seconds: 16_200, is_open: false },
        ],
        slowest_refreshes: vec![SlowRefresh { object: claims(), seconds: 7_500, ended_at: at(-6_000) }],
        flapping: vec![FlappingObject { object: orders(), incidents: 5 }],
        owners: vec![owner("Ana Ruiz", 9), owner("Bea Costa", 6)],
        without_owner: vec![forecast()],
        owners_unknown: None,
        webhooks: Some(WebhookFigures { registered: 9, disabled: 0 }),
    };
    let ended_at = "2026-03-08T23:00:00Z".parse().unwrap();
    let sample = Event::try_from(&report.payload(&site.luid, &site.name, ended_at)).unwrap();
    event(&About { event: &sample, site: Some(&site), context: &Context::default() })
}

const OBJECTS: [(&str, &str, &str); 6] = [
    ("Claims", "Insurance", "Bea Costa"),
    ("Forecast", "Finance", "Ana Ruiz"),
    ("Inventory", "Logistics", "Chen Li"),
    ("Returns", "Finance", "Ana Ruiz"),
    ("Sales Orders", "Finance", "Ana Ruiz"),
    ("Web Traffic", "Marketing", "Dana Okoro"),
];

fn place(project: &str, owner: &str) -> Place {
    Place { project: Some(project.to_owned()), owner: Some(owner.to_owned()) }
}

/// Members of a group; so many of them have recovered.
fn members(recovered: usize) -> Vec<(String, Member)> {
    let member = |(n, (name, project, owner)): (usize, (&str, &str, &str))| {
        let cause = if n % 3 == 2 { CauseClass::TimeLimit } else { CauseClass::Credentials };
        let mut member = Member::new(&n.to_string(), name, Some(cause.title()), at(0));
        member.resolved_at = (n < recovered).then(|| at(64));
        member.place = place(project, owner);
        (n.to_string(), member)
    };
    OBJECTS.into_iter().enumerate().map(member).collect()
}

fn of_quiet_hours() -> Notification {
    let entry = |minute: i64, title: &str, object: usize, meaning: Meaning| {
        let (name, project, owner) = OBJECTS[object];
        let cause = (meaning == Meaning::Failed).then(|| CauseClass::Credentials.title().to_owned());
        let entry = Entry {
            title: title.to_owned(),
            object: name.to_owned(),
            name: name.to_owned(),
            at: at(minute),
            class: cause.is_some().then(|| CauseClass::Credentials.name().to_owned()),
            cause,
            incident: None,
            meaning,
            generation: 1,
            owner: None,
            place: place(project, owner),
        };
        (minute.to_string(), entry)
    };
    let entries = [
        entry(0, "Extract refresh failed", 4, Meaning::Failed),
        entry(2, "Extract refresh failed", 3, Meaning::Failed),
        entry(60, "Extract refresh failed", 4, Meaning::Failed),
        entry(120, "Extract refresh succeeded", 4, Meaning::Resolved),
        entry(190, "Workbook published", 1, Meaning::None),
    ];
    digest(&entries, &BTreeSet::new(), zone())
}

/// All pictures.
pub(crate) fn all() -> Vec<Scene> {
    let known = known();
    let failed = of("DatasourceRefreshFailed", 0);
    let unavailable = |why: &str| Lookup::Unavailable(why.to_owned());
    let without_job = Context {
        cause: Lookup::Unavailable("Tableau lists no failed job for this refresh".to_owned()),
        ..known.clone()
    };
    let why = "Tableau did not answer";
    let silent = Context {
        content: unavailable(why),
        cause: Lookup::Unavailable(why.to_owned()),
        ..Context::default()
    };
    let site = site();
    let failing = About { event: &failed, site: Some(&site), context: &known };
    let unlisted = About { site: None, ..failing };
    // Refreshed once a day.
    let daily = Open { last: at(24 * 60), last_success: Some(at(-24 * 60)), ..incident(2) };
    // Claims is Bea's and Forecast Ana's.
    let mut mentioning = group_announced(&failed, &members(0)[..2], true, zone());
    let person = |name: &str, email: &str| Person { name: name.to_owned(), email: Some(email.to_owned()) };
    mentioning.mentioned = Mentioned {
        owners: vec![person("Ana Ruiz", KNOWN_OWNER), person("Bea Costa", "b.costa@example.com")],
        if_unknown: vec!["here".to_owned()],
        ..Mentioned::default()
    };
    let mut own_words = failure(3, &known, |_| {});
    own_words.own_title = Some("Sales Orders: no new orders since 02:12".to_owned());
    own_words.own_text = Some("The morning report will be wrong. Runbook: wiki/sales-orders".to_owned());
    let admin = about("AdminPromoted", "USER", "dana.okoro@example.com", 480);
    let about_admin = About { event: &admin, site: Some(&site), context: &Context::default() };
    let deletion = Deletion {
        by: Some(Owner { name: "Bea Costa".to_owned(), email: None, login: "bea".to_owned() }),
        path: "Finance/Reports".to_owned(),
        owner: Some(owner()),
    };
    let deleted = Context { deletion: Lookup::Found(deletion), ..Context::default() };
    let published = Context { content: content(), ..Context::default() };
    let changed = of("WorkbookUpdated", 480);
    let mut events = members(0);
    events.iter_mut().for_each(|(_, member)| (member.cause, member.is_event) = (None, true));
    let group = |recovered, is_first| group_announced(&failed, &members(recovered), is_first, zone());
    let first = || failure(1, &known, |_| {});
    let recovery = || end(3, 190, End::Recovered);
    vec![
        ("opened", "A refresh has failed", vec![first()]),
        (
            "cause-not-found",
            "A refresh has failed, and its cause is not known",
            vec![failure(1, &without_job, |_| {})],
        ),
        (
            "tableau-not-available",
            "A refresh has failed, and Tableau does not answer",
            vec![failure(1, &silent, |_| {})],
        ),
        (
            "without-time-zone",
            "A refresh of a site that the rules do not list",
            vec![opened(&unlisted, &incident(1))],
        ),
        ("updated", "A refresh has failed three times in a row", vec![failure(3, &known, |_| {})]),
        ("suspended", "A refresh has failed five times in a row", vec![failure(5, &known, |_| {})]),
        (
            "flapping",
            "A refresh fails and recovers again and again",
            vec![failure(1, &known, |open| open.nth = 4)],
        ),
        (
            "reminder",
            "A refresh has been failing for a day",
            vec![updated(&failing, &daily, Some(at(26 * 60)))],
        ),
        ("mentions", "A message that calls the owners", vec![mentioning]),
        ("own-words", "A message with the words of a rule", vec![own_words]),
        ("resolved", "A refresh has recovered", vec![recovery()]),
        (
            "recovered-without-event",
            "A recovery whose event never came",
            vec![end(3, 190, End::RecoveredWithoutEvent)],
        ),
        ("deleted", "What failed was deleted", vec![end(3, 190, End::Deleted)]),
        ("group-opened", "Six refreshes fail together", vec![group(0, true)]),
        ("group-updated", "Two of six refreshes have recovered", vec![group(2, false)]),
        ("group-resolved", "All six refreshes have recovered", vec![group_resolved(&members(6), zone())]),
        (
            "group-of-events",
            "Six workbooks changed together",
            vec![group_announced(&changed, &events, true, zone())],
        ),
        ("digest", "What happened in quiet hours", vec![of_quiet_hours()]),
        ("published", "A data source was published", vec![other("DatasourceCreated", &published)]),
        ("deletion", "A data source was deleted", vec![other("DatasourceDeleted", &deleted)]),
        ("administrator", "A user became an administrator", vec![event(&about_admin)]),
        ("webhook-disabled", "A webhook that Tableau disabled, and that is enabled again", webhook()),
        ("weekly-report", "The report of a week", vec![weekly_report()]),
        (
            "readme",
            "Two messages in a Slack channel: a failed refresh, and its recovery",
            vec![first(), recovery()],
        ),
    ]
}
