use super::*;
use crate::context::{Context, Deletion, Lookup};
use crate::digest::{Entry, Meaning};
use crate::group::Member;
use crate::incident::{End, Incident, KnownCause, Open, RefreshKind, Resolved, Signal};
use jiff::tz::TimeZone;
use rules::Site;
use serde_json::json;
use std::collections::BTreeSet;
use tableau::{Event, EventName, Payload};
use tableau_client::{Cause as TableauCause, CauseClass, Content, Owner};

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000 + minute * 60).unwrap()
}

fn event_named(name: &str, resource_name: &str) -> Event {
    let payload = json!({
        "resource": "WORKBOOK", "event_type": name, "resource_name": resource_name, "site_luid": "s-1",
        "resource_luid": "r-1", "created_at": "2025-01-15T17:14:45Z",
    });
    Event::try_from(&Payload::parse(payload.to_string().as_bytes()).unwrap()).unwrap()
}

fn site() -> Site {
    let timezone = TimeZone::get("Europe/Berlin").unwrap();
    Site { luid: "s-1".parse().unwrap(), name: "Marketing".to_owned(), timezone, suspends_after: Some(5) }
}

fn context() -> Context {
    Context {
        content: Lookup::Found(Content {
            name: "Sales".to_owned(),
            project: Some("Finance".to_owned()),
            owner: Some(Owner {
                name: "Ana Ruiz".to_owned(),
                email: Some("ana@example.com".to_owned()),
                login: "ana".to_owned(),
            }),
            link: Some("https://tableau.example/#/datasources/1".to_owned()),
            tags: vec!["critical".to_owned()],
        }),
        cause: Lookup::Found(TableauCause {
            class: CauseClass::Credentials,
            line: "Login failed for user 'svc'.".to_owned(),
            next_step: String::new(),
            job: "j-1".parse().unwrap(),
            refresh: None,
        }),
        ..Context::default()
    }
}

fn incident(failures: i64) -> Incident {
    let mut incident = Incident::default();
    for n in 0..failures {
        incident.apply(&format!("e{n}"), Signal::Failed(at(n * 60), RefreshKind::Unknown));
    }
    incident
}

#[test]
fn a_failure_says_what_where_whose_why_and_what_to_do() {
    let failed = event_named("DatasourceRefreshFailed", "Old name");
    let site = site();
    let context = context();
    let about = About { event: &failed, site: Some(&site), context: &context };
    let shown = opened(&about, incident(1).open.as_ref().unwrap());
    assert_eq!((shown.kind, shown.severity, shown.symbol), (Kind::Opened, Severity::Error, "🔴"));
    assert_eq!(shown.headline(), "Extract refresh failed: Sales");
    assert_eq!(shown.summary(), "Extract refresh failed: Sales (Finance) – Credentials refused");
    let labels: Vec<&str> = shown.facts.iter().map(|fact| fact.label.as_ref()).collect();
    assert_eq!(labels, ["Project", "Owner", "When", "Site", "Tags"]);
    let failures = Status::Failures { count: 1, since: at(0), lasted: "less than a minute".to_owned() };
    assert_eq!(shown.status, [failures, Status::Suspension { left: 4 }]);
    assert!(shown.next_step.unwrap().starts_with("Check the user and password"));
    let event = format!("event {}", failed.id.short());
    assert_eq!(
        shown.footnotes,
        ["DatasourceRefreshFailed", &event, "job j-1", "the last success is not known"]
    );
}

#[test]
fn what_tableau_could_not_say_is_named_with_its_reason() {
    let failed = event_named("WorkbookRefreshFailed", "Sales");
    let why = "Tableau did not answer".to_owned();
    let context = Context::unavailable(&why);
    let shown = event(&About { event: &failed, site: None, context: &context });
    assert_eq!(shown.cause, Some(Cause::Unknown { why: "Tableau did not answer".to_owned() }));
    assert!(shown.footnotes.contains(&"project and owner not available: Tableau did not answer".to_owned()));
    assert!(shown.footnotes.contains(&"site s-1".to_owned()));
}

// 15-2
#[test]
fn a_deletion_says_who_and_where_and_names_what_the_recycle_bin_does_not_say() {
    let deleted = event_named("WorkbookDeleted", "Sales");
    let bea = Owner { name: "Bea Costa".to_owned(), email: None, login: String::new() };
    for (by, path, labels, footnote) in [
        (Some(&bea), "Finance/Reports", vec!["Deleted by", "Was in", "When"], None),
        (None, "Finance", vec!["Was in", "When"], Some("who deleted it is not known")),
        (Some(&bea), " ", vec!["Deleted by", "When"], Some("where it was is not known")),
        (None, "", vec!["When"], Some("who deleted it and where it was is not known")),
    ] {
        let deletion = Deletion { by: by.cloned(), path: path.to_owned(), owner: None };
        let context = Context { deletion: Lookup::Found(deletion), ..Context::default() };
        let shown = event(&About { event: &deleted, site: None, context: &context });
        assert_eq!(shown.facts.iter().map(|fact| fact.label.as_ref()).collect::<Vec<_>>(), labels);
        let said = shown.footnotes.iter().find(|said| said.contains("is not known"));
        assert_eq!(said.is_some(), footnote.is_some(), "{path}: {said:?}");
        assert!(said.is_none_or(|said| said.starts_with(footnote.unwrap())), "{path}: {said:?}");
    }
    let unavailable = Context::unavailable("Tableau did not answer");
    let shown = event(&About { event: &deleted, site: None, context: &unavailable });
    let missing = "who deleted it and where it was is not known: Tableau did not answer".to_owned();
    assert!(shown.footnotes.contains(&missing), "{:?}", shown.footnotes);
    assert!(!shown.footnotes.iter().any(|said| said.starts_with("project and owner")));
    // A label is deleted, and what it was on is there.
    let label = event_named("LabelDeleted", "Sales");
    let shown = event(&About { event: &label, site: None, context: &unavailable });
    assert!(shown.footnotes.contains(&"project and owner not available: Tableau did not answer".to_owned()));
}

#[test]
fn every_event_has_a_title_of_its_own_kind_alone_and_in_a_flood() {
    for name in EventName::ALL {
        let sample = event_named(name.as_str(), "Sales");
        let context = Context::default();
        let shown = event(&About { event: &sample, site: None, context: &context });
        assert!(shown.headline().ends_with(": Sales"), "{name}");
        assert!(!shown.title.starts_with("Tableau event"), "{name}");
        let members: Vec<_> =
            (0..500).map(|n| (n.to_string(), Member::new(&n.to_string(), "Sales", None, at(n)))).collect();
        let flood = group_announced(&sample, &members, true, None);
        assert!(flood.title.contains("500"), "{name}: {}", flood.title);
    }
    let unknown = event_named("FlowRunFailed", "Sales");
    let context = Context::default();
    let shown = event(&About { event: &unknown, site: None, context: &context });
    assert_eq!(shown.headline(), "Tableau event FlowRunFailed: Sales");
}

#[test]
fn a_name_of_invisible_characters_is_no_name() {
    for blank in ["\u{3164}", "\u{200b}\u{2060}", "\u{feff} \u{61c}", "\u{ffa0}\u{e0041}"] {
        let mut context = context();
        if let Lookup::Found(content) = &mut context.content {
            content.name = blank.to_owned();
            content.project = Some(blank.to_owned());
            content.owner = Some(Owner {
                name: blank.to_owned(),
                email: Some(blank.to_owned()),
                login: blank.to_owned(),
            });
            content.tags = vec![blank.to_owned()];
        }
        let failed = event_named("DatasourceRefreshFailed", blank);
        let shown = event(&About { event: &failed, site: None, context: &context });
        assert_eq!(shown.headline(), "Extract refresh failed: (no name)", "{blank:?}");
        assert_eq!(shown.summary(), "Extract refresh failed: (no name) – Credentials refused", "{blank:?}");
        let owner = Value::Person { name: "(no name)".to_owned(), email: None };
        assert!(shown.facts.contains(&Fact::new("Owner", owner)));
        assert!(!shown.facts.iter().any(|fact| fact.label == "Tags"));
        let named = event_named("DatasourceRefreshFailed", "Sales");
        assert_eq!(About { event: &named, site: None, context: &context }.name(), "Sales");
    }
}

#[test]
fn an_incident_says_how_it_stands_and_how_it_ended() {
    let failed = event_named("DatasourceRefreshFailed", "Sales");
    let context = context();
    let about = About { event: &failed, site: None, context: &context };
    let mut incident = incident(3);
    let open = incident.open.clone().unwrap();
    let failures = Status::Failures { count: 3, since: at(0), lasted: "2 h".to_owned() };
    let suspension = Status::Suspension { left: 2 };
    assert_eq!(updated(&about, &open, None).status, [failures.clone(), suspension.clone()]);
    let still_open = Status::StillOpen { lasted: "1 d 2 h".to_owned() };
    assert_eq!(
        updated(&about, &open, Some(at(26 * 60))).status,
        [still_open, failures.clone(), suspension.clone()]
    );
    let flapping = updated(&about, &Open { nth: 4, ..open }, None);
    assert_eq!(flapping.status, [failures, suspension, Status::Flapping { recoveries: 3 }]);

    incident.apply("end", Signal::Succeeded(at(190), RefreshKind::Unknown));
    let ended = incident.resolved_by("end").unwrap();
    let ended_as = |end| Resolved { end, ..ended.clone() };
    let total = Status::Total { count: 3, since: at(0), until: at(190) };
    let shown = resolved(&about, ended);
    assert_eq!(
        (shown.headline(), shown.status),
        ("Recovered after 3 failures in 3 h 10 min: Sales".to_owned(), vec![total.clone()])
    );
    // Another object may have the same name, and the message of the failure may be far above.
    let labels: Vec<&str> = shown.facts.iter().map(|fact| fact.label.as_ref()).collect();
    assert_eq!(labels, ["Project", "Owner"]);
    let lost = resolved(&about, &ended_as(End::RecoveredWithoutEvent));
    assert_eq!(lost.status, [total, Status::SuccessEventMissing]);
    assert!(resolved(&about, &ended_as(End::Deleted)).title.starts_with("Deleted 3 h 10 min after"));
}

// 16, item 5
#[test]
fn the_suspension_counts_down_to_what_the_site_says_and_is_left_out_where_there_is_none() {
    let failed = event_named("WorkbookRefreshFailed", "Sales");
    let context = context();
    let left = |site: Option<&Site>, failures| {
        let about = About { event: &failed, site, context: &context };
        let open = Open { failures, ..incident(1).open.unwrap() };
        updated(&about, &open, None).status.into_iter().find_map(|status| match status {
            Status::Suspension { left } => Some(left),
            _ => None,
        })
    };
    let of = |suspends_after| Site { suspends_after, ..site() };
    for (site, failures, expected) in [
        (None, 1, Some(4)),
        (Some(of(Some(5))), 4, Some(1)),
        (Some(of(Some(5))), 5, Some(0)),
        (Some(of(Some(5))), 90, Some(0)),
        (Some(of(Some(10))), 5, Some(5)),
        (Some(of(None)), 5, None),
    ] {
        assert_eq!(left(site.as_ref(), failures), expected, "{site:?} {failures}");
    }
    let kinds = [RefreshKind::Full, RefreshKind::Incremental].into();
    let open = Open { failures: 4, kinds, ..incident(1).open.unwrap() };
    let about = About { event: &failed, site: None, context: &context };
    let status = updated(&about, &open, None).status;
    let is_about_suspension = |status: &Status| matches!(status, Status::Suspension { .. });
    assert!(!status.iter().any(is_about_suspension), "Tableau counts each of the two by itself: {status:?}");
}

// 16, item 5
#[test]
fn the_last_success_is_the_one_before_the_incident() {
    let failed = event_named("DatasourceRefreshFailed", "Sales");
    let context = context();
    let about = About { event: &failed, site: None, context: &context };
    let mut incident = incident(1);
    incident.apply("end", Signal::Succeeded(at(30), RefreshKind::Unknown));
    incident.apply("again", Signal::Failed(at(90), RefreshKind::Unknown));
    let shown = opened(&about, incident.open.as_ref().unwrap());
    assert!(shown.status.contains(&Status::LastSuccess { at: at(30) }), "{:?}", shown.status);
    assert!(!shown.footnotes.iter().any(|text| text.contains("last success")), "{:?}", shown.footnotes);
}

// 16, item 5
#[test]
fn a_recovery_says_what_it_was() {
    let succeeded = event_named("DatasourceRefreshSucceeded", "Sales");
    let context = Context::default();
    let about = About { event: &succeeded, site: None, context: &context };
    let line = "Login failed for user 'svc'.".to_owned();
    let cause = KnownCause { title: "Credentials refused".to_owned(), line: line.clone() };
    let of = |failures, cause| {
        let open = Open { failures, cause, ..incident(1).open.unwrap() };
        let end = Resolved {
            by: "end".to_owned(),
            at: at(120),
            noted_at: None,
            end: End::Recovered,
            incident: open,
        };
        resolved(&about, &end)
    };
    let shown = of(3, Some(cause));
    let summary = "Recovered after 3 failures in 2 h: Sales – it was: Credentials refused";
    assert_eq!(shown.summary(), summary);
    assert_eq!(shown.cause, Some(Cause::Known { title: "Credentials refused".to_owned(), line }));
    let unknown = of(1, None);
    assert_eq!((unknown.summary(), unknown.cause), ("Recovered after 2 h: Sales".to_owned(), None));
}

// 16, item 5
#[test]
fn a_line_of_a_group_or_digest_says_where_the_object_is_and_whose() {
    let context = context();
    let failed = event_named("DatasourceRefreshFailed", "Sales");
    let place = About { event: &failed, site: None, context: &context }.place();
    assert_eq!(place, Place { project: Some("Finance".to_owned()), owner: Some("Ana Ruiz".to_owned()) });
    let (key, of_group) = member(1, Some("Credentials refused"), false);
    let members = [(key, Member { place: place.clone(), ..of_group }), member(2, None, false)];
    let shown = group_announced(&failed, &members, true, None);
    let places: Vec<&Place> =
        shown.lists.iter().flat_map(|list| &list.items).map(|item| &item.place).collect();
    assert!(places.contains(&&place) && places.contains(&&Place::default()), "{places:?}");
    // Nothing was asked.
    let unasked = Context::default();
    assert!(About { event: &failed, site: None, context: &unasked }.place().is_empty());
    // Documents of earlier versions have no place.
    let before: Member = serde_json::from_str(
        r#"{"id":"1","name":"Sales","since":"2025-01-15T17:14:45Z","placement":"grouped"}"#,
    )
    .unwrap();
    assert!(before.place.is_empty());
}

fn member(n: i64, cause: Option<&str>, resolved: bool) -> (String, Member) {
    let mut member = Member::new(&n.to_string(), &format!("object-{n}"), cause, at(n));
    member.resolved_at = resolved.then(|| at(60));
    (n.to_string(), member)
}

#[test]
fn a_group_names_those_that_fail_by_cause_and_counts_those_that_recovered() {
    let failed = event_named("DatasourceRefreshFailed", "Sales");
    let mut members = vec![member(0, None, false), member(9, Some("Time limit exceeded"), true)];
    members.extend((1..5).rev().map(|n| member(n, Some("Credentials refused"), false)));
    let shown = group_announced(&failed, &members, true, None);
    assert_eq!(shown.title, "5 extract refreshes fail, 1 recovered");
    assert_eq!(
        shown.summary(),
        "5 extract refreshes fail, 1 recovered – Credentials refused: 4, Cause not available: 1"
    );
    let names: Vec<&str> = shown.lists[0].items.iter().map(|item| item.name.as_str()).collect();
    assert_eq!(names, ["object-1", "object-2", "object-3", "object-4"]);
    assert_eq!(shown.status, [Status::Members { count: 6, since: Some(at(0)) }]);
    for (_, member) in &mut members {
        member.resolved_at = Some(at(60));
    }
    let ended = group_resolved(&members, None);
    assert_eq!((ended.kind, ended.headline()), (Kind::GroupResolved, "All 6 recovered after 1 h".to_owned()));
    let causes: Vec<Option<&str>> = ended.lists.iter().map(|list| list.heading.as_deref()).collect();
    let expected = ["Credentials refused", "Cause not available", "Time limit exceeded"];
    assert_eq!(
        causes,
        expected.map(|cause| format!("It was: {cause}")).each_ref().map(|text| Some(text.as_str()))
    );
    assert_eq!(
        (ended.event, shown.event.map(|event| event.name)),
        (None, Some(EventName::DatasourceRefreshFailed))
    );
}

// Issue 16, 4
#[test]
fn a_group_lists_members_by_the_class_of_their_causes_and_not_by_the_title_that_each_was_stored_with() {
    let failed = event_named("DatasourceRefreshFailed", "Sales");
    let of = |n: i64, title: &str, class| {
        let (key, member) = member(n, Some(title), false);
        (key, member.of_class(class))
    };
    let members = [
        of(1, CauseClass::Credentials.title(), Some(CauseClass::Credentials)),
        of(2, "A title of another version", Some(CauseClass::Credentials)),
        of(3, CauseClass::Credentials.title(), None),
        of(4, CauseClass::Credentials.title(), Some(CauseClass::Busy)),
        of(5, "A former title", None),
    ];
    let shown = group_announced(&failed, &members, true, None);
    let lists: Vec<(&str, usize)> = shown
        .lists
        .iter()
        .map(|list| (list.heading.as_deref().unwrap_or_default(), list.items.len()))
        .collect();
    let expected =
        [(CauseClass::Credentials.title(), 3), ("A former title", 1), (CauseClass::Busy.title(), 1)];
    assert_eq!(lists, expected);
}

#[test]
fn a_digest_has_what_still_fails_first_and_repetitions_in_one_line() {
    let entry = |n: i64, name: &str, meaning| {
        let title =
            if meaning == Meaning::Resolved { "Extract refresh succeeded" } else { "Extract refresh failed" };
        let entry = Entry {
            title: title.to_owned(),
            object: name.to_owned(),
            name: name.to_owned(),
            at: at(n),
            cause: (meaning != Meaning::Resolved).then(|| "Credentials refused".to_owned()),
            class: None,
            incident: None,
            meaning,
            generation: 1,
            owner: None,
            place: Place::default(),
        };
        (n.to_string(), entry)
    };
    let entries = [
        entry(3, "Sales", Meaning::Failed),
        entry(1, "Sales", Meaning::Failed),
        entry(2, "Returns", Meaning::Failed),
        entry(4, "Sales", Meaning::Resolved),
    ];
    let shown = digest(&entries, &BTreeSet::new(), None);
    assert_eq!((shown.title.as_str(), shown.severity), ("4 events in quiet hours", Severity::Error));
    assert_eq!(shown.lists[0].heading.as_deref(), Some("1 still failing"));
    assert_eq!(shown.lists[0].items[0].name, "Returns");
    let lines: Vec<_> = shown.lists[1].items.iter().map(|item| (item.name.as_str(), item.times)).collect();
    assert_eq!(lines, [("Sales", 2), ("Returns", 1), ("Sales", 1)]);
    assert_eq!(shown.lists[1].items[0].when, Some((at(1), at(3))));
    let quiet = digest(&entries[3..], &BTreeSet::new(), None);
    assert_eq!((quiet.title.as_str(), quiet.lists.len()), ("1 event in quiet hours", 1));
}

// What a group counts are objects.
#[test]
fn a_group_names_each_object_once_however_often_it_changed_or_failed() {
    let of = |object: &str, n: i64, resolved| {
        let (key, member) = member(n, Some("Credentials refused"), resolved);
        (key, Member { object: object.to_owned(), name: object.to_owned(), ..member })
    };
    let changed = event_named("WorkbookUpdated", "Sales");
    let members =
        [of("Sales", 1, false), of("Sales", 2, false), of("Returns", 3, false), of("Sales", 4, false)];
    let shown = group_announced(&changed, &members, true, None);
    assert_eq!(shown.title, "2 workbooks changed");
    let items: Vec<_> = shown.lists[0].items.iter().map(|item| (item.name.as_str(), item.times)).collect();
    assert_eq!(items, [("Returns", 1), ("Sales", 3)]);
    assert_eq!(shown.status, [Status::Members { count: 2, since: Some(at(1)) }]);
    let one = group_announced(&changed, &members[..2], true, None);
    assert_eq!((one.headline().as_str(), one.lists.len()), ("Workbook changed 2 times: Sales", 0));

    // It recovered and failed again while the group was open.
    let failed = event_named("DatasourceRefreshFailed", "Sales");
    let members =
        [of("Sales", 1, true), of("Sales", 2, false), of("Returns", 3, true), of("Stock", 4, false)];
    let shown = group_announced(&failed, &members, true, None);
    assert_eq!(shown.title, "2 extract refreshes fail, 1 recovered");
    assert_eq!(shown.lists[0].items.len(), 2);
    let ended =
        group_resolved(&members.map(|(key, m)| (key, Member { resolved_at: Some(at(60)), ..m })), None);
    assert_eq!(ended.title, "All 3 recovered after 59 min");
}
