//! Invariants for any answer: no panic, no hang, and no part of the answer in an error message.

use crate::server::{Reply, Tableau};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};
use std::time::Duration;
use tableau_client::{Filter, TableauClient};

pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z0-9.:/-]{0,12}".prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(".{0,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// All answers that the client reads, in one JSON; the test replaces each part in turn.
fn sound() -> Value {
    let content = json!({"id": "x-1", "name": "Superstore", "showTabs": "true", "isCertified": true,
        "createdAt": "2025-01-15T17:14:45Z", "defaultViewId": "v-1", "project": {"id": "p-1", "name": "Finance"},
        "owner": {"id": "u-1"}, "tags": {"tag": [{"label": "x"}]}, "views": {"view": [{"id": "v-1"}]}});
    json!({
        "workbook": content, "datasource": content, "view": content,
        "job": {"id": "j-1", "finishCode": "1", "completedAt": "2025-01-15T17:14:45Z", "progress": "100",
            "extractRefreshJob": {"notes": "n", "workbook": {"id": "w-1"}}},
        "webhook": {"id": "h-1", "event": "SiteUpdated", "isEnabled": "true", "webhook-source": {},
            "webhook-destination": {"webhook-destination-http": {"url": "https://a.example"}}},
        "webhookTestResult": {"status": "200", "body": ""},
        "pagination": {"pageNumber": "1", "pageSize": "100", "totalAvailable": "1"},
        "workbooks": {"workbook": [content]}, "tasks": {"task": [{"extractRefresh": {"id": "t-1"}}]},
        "backgroundJobs": {"backgroundJob": [{"id": "j-1", "status": "Failed"}]},
        "projects": {"project": [{"id": "p-1", "name": "Finance", "parentProjectId": "p-1"}]},
        "webhooks": {"webhook": [{"id": "h-1"}]},
        "data": {"workbooks": [{"luid": "w-1"}]}, "errors": [{"message": "m", "extensions": {"code": "RATE_EXCEEDED"}}],
        "error": {"code": "404006", "summary": "s", "detail": "try again in 1 minute"},
    })
}

/// Replaces the `at`-th value inside `value`, counted from the outside in.
fn replace(value: &mut Value, at: &mut usize, with: &Value) {
    if *at == 0 {
        *value = with.clone();
    }
    *at = at.wrapping_sub(1);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, at, with)),
        Value::Object(map) => map.values_mut().for_each(|item| replace(item, at, with)),
        _ => {}
    }
}

fn any_answer() -> impl Strategy<Value = Value> {
    let damaged = (0..90_usize, any_json()).prop_map(|(mut at, with)| {
        let mut answer = sound();
        replace(&mut answer, &mut at, &with);
        answer
    });
    prop_oneof![3 => damaged, 1 => any_json()]
}

const CALLS: [&str; 13] = [
    "GET /workbooks/x",
    "GET /datasources/x",
    "GET /views/x",
    "GET /jobs/x",
    "GET /webhooks/x",
    "GET /webhooks/x/test",
    "GET /workbooks",
    "GET /jobs",
    "GET /projects",
    "GET /webhooks",
    "GET /tasks/extractRefreshes",
    "PUT /workbooks/x/tags",
    "POST /metadata/graphql",
];

/// Calls every method that reads an answer and ignores the results.
async fn read_all(client: &TableauClient) -> Vec<String> {
    let workbook = tableau::Subject::Workbook("x".parse().unwrap());
    let mut errors = Vec::new();
    let mut note = |result: Result<(), tableau_client::Error>| {
        errors.extend(result.err().map(|error| format!("{error} {error:?}")));
    };
    note(client.workbook(&"x".parse().unwrap()).await.map(|_| ()));
    note(client.datasource(&"x".parse().unwrap()).await.map(|_| ()));
    note(client.view(&"x".parse().unwrap()).await.map(|_| ()));
    note(client.job(&"x".parse().unwrap()).await.map(|_| ()));
    note(client.webhook(&"x".parse().unwrap()).await.map(|_| ()));
    note(client.test_webhook(&"x".parse().unwrap()).await.map(|_| ()));
    note(client.workbooks(Filter::all().named("a,b")).all(50).await.map(|_| ()));
    note(client.jobs(Filter::all()).all(50).await.map(|_| ()));
    note(client.project_tree().await.map(|tree| assert_eq!(tree.find("no/such"), None)));
    note(client.webhooks().all(50).await.map(|_| ()));
    note(client.refresh_tasks().all(50).await.map(|_| ()));
    note(client.add_tags(&workbook, &["t"]).await.map(|_| ()));
    note(client.shown_at("https://t.example/#/workbooks/8").await.map(|_| ()));
    errors
}

fn hold_for(status: u16, cases: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tableau = runtime.block_on(Tableau::start());
    let client = tableau.client();
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    runner
        .run(&any_answer(), |mut answer| {
            // When a list promises more elements than it has, the client reads pages as long as they have elements.
            if let Some(total) = answer.pointer_mut("/pagination/totalAvailable") {
                *total = json!("1");
            }
            for call in CALLS {
                tableau.forgets(call).says(call, Reply::json(status, &answer));
            }
            let read = async { tokio::time::timeout(Duration::from_secs(20), read_all(&client)).await };
            let errors = runtime.block_on(read).map_err(|_| TestCaseError::fail("it hangs"))?;
            prop_assert!(status < 400 || errors.len() == CALLS.len(), "an error was taken for an answer");
            Ok(())
        })
        .unwrap();
}

#[test]
fn no_answer_panics_or_hangs() {
    hold_for(200, 300);
}

#[test]
fn no_error_answer_panics_or_hangs() {
    hold_for(400, 60);
}
