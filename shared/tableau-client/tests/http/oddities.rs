//! Optional fields of an answer may have any value without harm.

use crate::answers::any_json;
use crate::server::Tableau;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt::Debug;
use tableau_client::{
    Datasource, Filter, Job, JobEnd, JobSummary, Label, Project, QualityWarning, RefreshTask, ServerInfo,
    Site, User, View, Webhook, Workbook,
};

/// How one kind of element is read, and which fields it requires.
struct Element {
    what: &'static str,
    sound: Value,
    required: &'static [&'static str],
    reads: fn(Value) -> Result<String, serde_json::Error>,
}

fn element<T: DeserializeOwned + Debug>(
    what: &'static str,
    sound: Value,
    required: &'static [&'static str],
) -> Element {
    let reads = |value| serde_json::from_value::<T>(value).map(|element| format!("{element:?}"));
    Element { what, sound, required, reads }
}

fn elements() -> Vec<Element> {
    let content = json!({"id": "x-1", "name": "Superstore", "contentUrl": "a", "showTabs": "true", "viewUrlName": "o",
        "isCertified": true, "hasExtracts": "false", "certificationNote": "n", "type": "snowflake",
        "webpageUrl": "https://t.example/1", "webPageUrl": "https://t.example/1", "createdAt": "2025-01-15T17:14:45Z",
        "updatedAt": "2025-01-15T17:14:45Z", "defaultViewId": "v-1", "project": {"id": "p-1", "name": "Finance"},
        "owner": {"id": "u-1", "name": "ana", "fullName": "Ana", "email": "ana@example.com"},
        "workbook": {"id": "w-1"}, "tags": {"tag": [{"label": "x"}]}, "views": {"view": [{"id": "v-1", "name": "o"}]}});
    let job = json!({"id": "j-1", "status": "Failed", "jobType": "refresh_extracts", "title": "Sales", "priority": "50",
        "finishCode": "1", "progress": 100, "createdAt": "2025-01-15T17:14:45Z", "startedAt": "2025-01-15T17:14:45Z",
        "endedAt": "2025-01-15T17:14:45Z", "completedAt": "2025-01-15T17:14:45Z",
        "extractRefreshJob": {"notes": "n", "workbook": {"id": "w-1"}, "datasource": {"id": "d-1"}}});
    let task = json!({"extractRefresh": {"id": "t-1", "priority": "50", "consecutiveFailedCount": 2, "type": "FullRefresh",
        "schedule": {"id": "c-1", "name": "Nightly", "frequency": "Daily", "nextRunAt": "2025-01-15T17:14:45Z"},
        "workbook": {"id": "w-1"}, "datasource": {"id": "d-1"}}});
    let webhook = json!({"id": "h-1", "name": "n", "event": "SiteUpdated", "isEnabled": "true", "statusChangeReason": "",
        "webhook-source": {"webhook-source-event-site-updated": {}}, "owner": {"id": "u-1"},
        "webhook-destination": {"webhook-destination-http": {"url": "https://a.example"}}});
    let person = json!({"id": "u-1", "name": "ana", "fullName": "Ana", "email": "a@example.com", "siteRole": "Creator",
        "parentProjectId": "p-1", "description": "d", "owner": {"id": "u-1"}, "contentUrl": "m", "state": "Active"});
    let warning = json!({"id": "q-1", "type": "STALE", "value": "stale", "category": "warning", "message": "m",
        "isActive": "true", "isSevere": false, "active": "true", "elevated": false, "contentId": "d-1"});
    let info = json!({"restApiVersion": "3.29", "productVersion": {"value": "2026.2.0", "build": "1"}});
    vec![
        element::<Workbook>("workbook", content.clone(), &["/id", "/name"]),
        element::<Datasource>("data source", content.clone(), &["/id", "/name"]),
        element::<View>("view", content, &["/id"]),
        element::<JobSummary>("job in a list", job.clone(), &["/id"]),
        element::<Job>("job", job, &["/id"]),
        element::<RefreshTask>("task", task, &["/extractRefresh", "/extractRefresh/id"]),
        element::<Webhook>("webhook", webhook, &["/id"]),
        element::<User>("user", person.clone(), &["/id", "/name"]),
        element::<Project>("project", person.clone(), &["/id", "/name"]),
        element::<Site>("site", person, &["/id", "/name"]),
        element::<Label>("label", warning.clone(), &["/id", "/value"]),
        element::<QualityWarning>("warning", warning, &[]),
        element::<ServerInfo>("server", info, &["/restApiVersion"]),
    ]
}

/// The paths of all values inside an element, without list elements.
fn places(value: &Value, at: &str) -> Vec<String> {
    let inside = |(key, value): (&String, &Value)| {
        let at = format!("{at}/{key}");
        let mut all = places(value, &at);
        all.push(at);
        all
    };
    value.as_object().into_iter().flatten().flat_map(inside).collect()
}

fn with(sound: &Value, place: &str, odd: &Value) -> Value {
    let mut value = sound.clone();
    *value.pointer_mut(place).unwrap() = odd.clone();
    value
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_one_can_do_without_does_no_harm_whatever_it_is(odd in any_json()) {
        for Element { what, sound, required, reads } in elements() {
            for place in places(&sound, "").iter().filter(|place| !required.contains(&place.as_str())) {
                let read = reads(with(&sound, place, &odd));
                prop_assert!(read.is_ok(), "{what} with {odd} at {place}: {read:?}");
            }
        }
    }
}

#[test]
fn what_must_be_there_fails_its_element() {
    for Element { what, sound, required, reads } in elements() {
        assert!(reads(sound.clone()).is_ok(), "{what}");
        for place in required {
            for odd in [json!(null), json!({}), json!([["x"]])] {
                assert!(reads(with(&sound, place, &odd)).is_err(), "{what} with {odd} at {place}");
            }
        }
    }
}

#[test]
fn what_cannot_be_read_counts_as_missing() {
    for odd in [json!(null), json!(""), json!("soon"), json!([1]), json!({"a": 1}), json!(1e300), json!(-7)] {
        let job: JobSummary = serde_json::from_value(
            json!({"id": "j-1", "priority": odd, "createdAt": odd, "endedAt": odd, "completedAt": odd}),
        )
        .unwrap();
        assert_eq!((job.priority, job.created_at, job.ended_at), (None, None, None), "{odd}");
        let datasource: Datasource = serde_json::from_value(
            json!({"id": "d-1", "name": "A", "isCertified": odd, "hasExtracts": odd, "updatedAt": odd}),
        )
        .unwrap();
        assert!(!datasource.is_certified && !datasource.has_extracts, "{odd}");
        assert_eq!(datasource.updated_at, None, "{odd}");
    }
}

#[test]
fn a_job_with_an_odd_finish_code_has_ended_in_an_unknown_way() {
    let job = json!({"id": "j-1", "finishCode": "oops", "completedAt": "2025-01-15T17:14:45Z"});
    assert_eq!(serde_json::from_value::<Job>(job).unwrap().end(), Some(JobEnd::Unknown));
}

#[test]
fn a_key_that_is_there_in_both_spellings_is_read_from_the_one_that_says_something() {
    for (one, other) in
        [(json!("https://t.example/1"), json!(null)), (json!([]), json!("https://t.example/1"))]
    {
        let workbook = json!({"id": "w-1", "name": "A", "webpageUrl": one, "webPageUrl": other});
        let workbook: Workbook = serde_json::from_value(workbook).unwrap();
        assert_eq!(workbook.webpage_url.as_deref(), Some("https://t.example/1"));
    }
}

#[tokio::test]
async fn an_odd_element_keeps_its_place_in_the_list_and_a_broken_one_leaves_it() {
    let tableau = Tableau::start().await;
    let list =
        json!([{"id": "j-1", "priority": {"odd": 1}}, {"priority": 50}, {"id": "j-3", "createdAt": [7]}]);
    tableau.knows(
        "GET /jobs",
        &json!({"pagination": {"totalAvailable": "3"}, "backgroundJobs": {"backgroundJob": list}}),
    );
    let view = |workbook: Value| json!({"view": {"id": "v-1", "workbook": workbook}});
    let broadcasts =
        json!({"broadcast": [view(json!("?")), view(json!({"id": [1]})), view(json!({"id": "w-1"})), {}]});
    tableau.knows("GET /exp/sites/s-1/broadcasts/views", &json!({ "broadcastViews": broadcasts }));

    let jobs = tableau.client().jobs(Filter::all()).all(10).await.unwrap();
    let broadcasts = tableau.client().broadcasts().await.unwrap();

    assert_eq!(jobs.iter().map(|job| job.id.as_str()).collect::<Vec<_>>(), ["j-1", "j-3"]);
    let workbooks: Vec<_> = broadcasts.iter().map(|b| b.workbook.as_ref().map(|w| w.as_str())).collect();
    assert_eq!(workbooks, [None, None, Some("w-1")]);
}

#[tokio::test]
async fn broadcasts_are_read_page_by_page_if_the_list_says_that_there_is_more() {
    const LIST: &str = "GET /exp/sites/s-1/broadcasts/views";
    let page = |views: &[&str], total: Option<u32>| {
        let broadcasts: Vec<Value> = views
            .iter()
            .map(|view| json!({ "view": { "id": view }, "showTabs": "true", "showWatermark": false }))
            .collect();
        let mut page = json!({ "broadcastViews": { "broadcast": broadcasts } });
        if let Some(total) = total {
            page["pagination"] =
                json!({ "pageNumber": "1", "pageSize": "2", "totalAvailable": total.to_string() });
        }
        page
    };
    let tableau = Tableau::start().await;
    tableau.knows(LIST, &page(&["v-1", "v-2"], None));
    let all = tableau.client().broadcasts().await.unwrap();
    assert_eq!((all.len(), tableau.heard(LIST).len()), (2, 1), "no pages");
    assert_eq!((all[0].tabs, all[0].watermark, all[0].downloads), (Some(true), Some(false), None));

    // Meanwhile another Broadcast was made: the second page begins with the last one of the first.
    let tableau = Tableau::start().await;
    tableau.knows(LIST, &page(&["v-1", "v-2"], Some(4))).knows(LIST, &page(&["v-2", "v-3"], Some(4)));
    let all = tableau.client().broadcasts().await.unwrap();
    let views: Vec<_> = all.iter().map(|broadcast| broadcast.view.as_str()).collect();
    assert_eq!((views, tableau.heard(LIST).len()), (vec!["v-1", "v-2", "v-3"], 2));

    // A list that ignores the number of the page.
    let tableau = Tableau::start().await;
    tableau.knows(LIST, &page(&["v-1", "v-2"], Some(3)));
    let error = tableau.client().broadcasts().await.unwrap_err();
    assert!(matches!(error, tableau_client::Error::Unreadable { .. }), "{error}");
    assert_eq!(tableau.heard(LIST).len(), 2);
}
