//! The workbooks that use a data source: pages, and answers that are cut short.

use crate::server::{Reply, Tableau};
use serde_json::{Value, json};
use tableau::DatasourceLuid;
use tableau_client::{Dependents, Error, MetadataCode};

const CALL: &str = "POST /metadata/graphql";

fn luid() -> DatasourceLuid {
    "d-1".parse().unwrap()
}

fn workbook(n: usize) -> Value {
    let owner = json!({ "luid": format!("u-{}", n % 7), "name": "Ana", "email": "ana@example.com" });
    json!({ "luid": format!("w-{n}"), "name": format!("Report {n:04}"), "projectName": "Sales", "owner": owner })
}

/// The page after `from` workbooks of `total`.
fn page(from: usize, total: usize) -> Value {
    let end = (from + 100).min(total);
    let nodes: Vec<Value> = (from..end).map(workbook).collect();
    connection(&json!({
        "totalCount": total, "nodes": nodes,
        "pageInfo": { "hasNextPage": end < total, "endCursor": format!("after-{end}") },
    }))
}

fn connection(connection: &Value) -> Value {
    json!({ "data": { "publishedDatasources": [{ "downstreamWorkbooksConnection": connection }] } })
}

fn with_error(mut answer: Value, code: &str) -> Value {
    answer["errors"] =
        json!([{ "message": "Partial.", "extensions": { "severity": "WARNING", "code": code } }]);
    answer
}

async fn dependents(tableau: &Tableau) -> Dependents {
    tableau.client().dependents(&luid()).await.unwrap().unwrap()
}

// 16, item 5
#[tokio::test]
async fn two_hundred_workbooks_are_two_calls_and_a_thousand_are_three() {
    for (total, calls, read) in
        [(0, 1, 0), (12, 1, 12), (100, 1, 100), (200, 2, 200), (300, 3, 300), (1_000, 3, 300)]
    {
        let tableau = Tableau::start().await;
        for from in [0, 100, 200] {
            tableau.knows(CALL, &page(from, total));
        }

        let found = dependents(&tableau).await;

        assert_eq!((found.total, found.workbooks.len()), (total, read));
        assert_eq!((found.owners, found.is_complete()), (read.min(7), read == total), "{total}");
        assert!(!found.is_cut_short && found.errors.is_empty());
        let asked: Vec<Value> =
            tableau.heard(CALL).iter().map(|call| call.json()["variables"].clone()).collect();
        assert_eq!(asked.len(), calls, "{total}");
        let after = |n: usize| if n == 0 { Value::Null } else { json!(format!("after-{}", n * 100)) };
        for (n, asked) in asked.iter().enumerate() {
            assert_eq!(*asked, json!({ "luid": "d-1", "first": 100, "after": after(n) }));
        }
        if let Some(first) = found.workbooks.first() {
            assert_eq!(
                (first.name.as_deref(), first.project.as_deref()),
                (Some("Report 0000"), Some("Sales"))
            );
            assert_eq!(first.luid.as_ref().unwrap().as_str(), "w-0");
            assert_eq!(first.owner.as_ref().unwrap().email.as_deref(), Some("ana@example.com"));
        }
    }
}

// 16, item 5
#[tokio::test]
async fn a_workbook_that_the_user_may_not_see_counts_and_has_no_name() {
    let tableau = Tableau::start().await;
    let hidden = json!({ "luid": null, "name": null, "projectName": null, "owner": null });
    let by_mail = json!({ "luid": "w-8", "name": "A", "owner": { "email": "bea@example.com" } });
    let again = json!({ "luid": "w-9", "name": "B", "owner": { "email": "bea@example.com", "name": "Bea" } });
    let nobody = json!({ "luid": "w-10", "name": "C", "owner": { "email": "", "name": null } });
    let nodes = json!([hidden, null, by_mail, again, nobody]);
    tableau.knows(CALL, &connection(&json!({ "totalCount": "6", "nodes": nodes, "pageInfo": null })));

    let found = dependents(&tableau).await;

    assert_eq!((found.total, found.workbooks.len(), found.owners), (6, 5, 1));
    let names: Vec<_> = found.workbooks.iter().map(|workbook| workbook.name.as_deref()).collect();
    assert_eq!(names, [None, None, Some("A"), Some("B"), Some("C")]);
    assert!(!found.is_complete(), "one is not in the list");
}

// 16, item 5
#[tokio::test]
async fn an_answer_that_is_cut_short_is_said_to_be_and_no_more_is_asked() {
    for (code, cut) in [
        ("NODE_LIMIT_EXCEEDED", true),
        ("TIME_LIMIT_EXCEEDED", true),
        ("BACKFILL_RUNNING", true),
        ("PERMISSIONS_MODE_SWITCHED", true),
        ("USER_VISIBILITY_IS_LIMITED", false),
        ("MAX_PAGE_SIZE_EXCEEDED", false),
    ] {
        let tableau = Tableau::start().await;
        tableau.knows(CALL, &with_error(page(0, 200), code)).knows(CALL, &page(100, 200));

        let found = dependents(&tableau).await;

        assert_eq!((found.is_cut_short, found.errors.len()), (cut, 1), "{code}");
        assert_eq!(tableau.heard(CALL).len(), if cut { 1 } else { 2 }, "{code}");
        assert_eq!(found.workbooks.len(), if cut { 100 } else { 200 }, "{code}");
        assert_eq!(found.total, 200);
    }
}

// 16, item 5
#[tokio::test]
async fn an_error_after_the_first_page_leaves_what_was_read() {
    let broken =
        json!({ "data": null, "errors": [{ "message": "No.", "extensions": { "code": "RATE_EXCEEDED" } }] });
    for second in [
        Reply::html(404),
        Reply::json(200, &broken),
        Reply::json(200, &json!({ "data": { "publishedDatasources": [] } })),
    ] {
        let tableau = Tableau::start().await;
        tableau.knows(CALL, &page(0, 250)).says(CALL, second);

        let found = dependents(&tableau).await;

        assert_eq!((found.workbooks.len(), found.total), (100, 250));
        assert!(!found.is_complete());
        assert_eq!(tableau.heard(CALL).len(), 2);
    }
}

// 16, item 5
#[tokio::test]
async fn a_page_without_an_end_is_not_read_for_ever() {
    let tableau = Tableau::start().await;
    let same = json!({ "nodes": [workbook(1)], "pageInfo": { "hasNextPage": true, "endCursor": "x" } });
    for _ in 0..4 {
        tableau.knows(CALL, &connection(&same));
    }
    let found = dependents(&tableau).await;
    assert_eq!((found.total, found.is_cut_short), (1, true), "there is no count, and there are more");
    assert_eq!(tableau.heard(CALL).len(), 1);
}

// 16, item 5
#[tokio::test]
async fn without_data_there_is_an_error_and_a_data_source_that_the_index_does_not_know_is_none() {
    let refused = |code: &str| json!({ "data": null, "errors": [{ "message": "No.", "extensions": { "severity": "ERROR", "code": code } }] });
    for (code, expected) in [
        ("FEATURE_DISABLED", MetadataCode::FeatureDisabled),
        ("SITE_DISABLED", MetadataCode::SiteDisabled),
        ("RATE_EXCEEDED", MetadataCode::RateExceeded),
        ("NODE_LIMIT_EXCEEDED", MetadataCode::NodeLimitExceeded),
    ] {
        for answer in [refused(code), with_error(connection(&Value::Null), code)] {
            let tableau = Tableau::start().await;
            tableau.knows(CALL, &answer);
            let error = tableau.client().dependents(&luid()).await.unwrap_err();
            let Error::Metadata { errors, .. } = &error else { panic!("{error:?}") };
            assert_eq!((&errors[0].code, errors[0].code.as_str()), (&expected, code));
            assert_eq!(tableau.heard(CALL).len(), 1, "{code}");
        }
    }
    let tableau = Tableau::start().await;
    tableau.knows(CALL, &json!({ "data": { "publishedDatasources": [] } }));
    tableau.knows(CALL, &connection(&json!([])));
    assert_eq!(tableau.client().dependents(&luid()).await.unwrap(), None);
    let error = tableau.client().dependents(&luid()).await.unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
}
