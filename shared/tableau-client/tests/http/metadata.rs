//! The Metadata API.

use crate::server::{Reply, Tableau};
use serde_json::{Value, json};
use tableau::Subject;
use tableau_client::{Error, MetadataCode};

const CALL: &str = "POST /metadata/graphql";

#[tokio::test]
async fn errors_stand_beside_partial_data() {
    let tableau = Tableau::start().await;
    let errors = json!([{"message": "Reached time limit of PT5S for query execution.", "path": null, "extensions": null}]);
    tableau.knows(
        CALL,
        &json!({"data": {"publishedDatasources": [{"id": "1", "name": "Batters"}]}, "errors": errors}),
    );
    let query = "{ publishedDatasources { id name } }";
    let answer = tableau.client().metadata::<Value>(query, &json!({})).await.unwrap();
    assert_eq!(answer.data["publishedDatasources"][0]["name"], "Batters");
    assert_eq!(answer.errors[0].code, MetadataCode::TimeLimitExceeded);
    assert_eq!(tableau.heard(CALL)[0].json(), json!({"query": query, "variables": {}}));
    assert!(tableau.heard(CALL)[0].headers.contains_key("x-tableau-auth"));
}

#[tokio::test]
async fn errors_without_data_are_an_error_by_code() {
    for (code, expected, transient) in [
        ("NODE_LIMIT_EXCEEDED", MetadataCode::NodeLimitExceeded, false),
        ("TIME_LIMIT_EXCEEDED", MetadataCode::TimeLimitExceeded, true),
        ("FILTER_REQUIRED", MetadataCode::FilterRequired, false),
        ("RATE_EXCEEDED", MetadataCode::RateExceeded, true),
        ("BACKFILL_RUNNING", MetadataCode::BackfillRunning, true),
        ("ACCESS_DENIED", MetadataCode::AccessDenied, false),
        ("BRAND_NEW", MetadataCode::Other("BRAND_NEW".to_owned()), false),
    ] {
        let tableau = Tableau::start().await;
        tableau.knows(
            CALL,
            &json!({"data": null, "errors": [{"message": "No.", "extensions": {"code": code}}]}),
        );
        let error = tableau.client().metadata::<Value>("{ x }", &json!({})).await.unwrap_err();
        let Error::Metadata { errors, .. } = &error else { panic!("{error:?}") };
        assert_eq!((&errors[0].code, error.is_transient()), (&expected, transient));
    }
}

#[tokio::test]
async fn it_may_be_switched_off() {
    let tableau = Tableau::start().await;
    tableau.says(CALL, Reply::html(404));
    let error = tableau.client().metadata::<Value>("{ x }", &json!({})).await.unwrap_err();
    assert!(matches!(error, Error::Foreign { status: 404, .. }), "{error:?}");
}

#[tokio::test]
async fn a_session_that_is_over_is_replaced_though_it_has_no_code_for_that() {
    let tableau = Tableau::start().await;
    tableau.says(CALL, Reply::html(401)).knows(CALL, &json!({"data": {"x": 1}}));
    let answer = tableau.client().metadata::<Value>("{ x }", &json!({})).await.unwrap();
    assert_eq!((answer.data, tableau.heard("POST /auth/signin").len()), (json!({"x": 1}), 2));
}

#[tokio::test]
async fn lineage_goes_both_ways() {
    let tableau = Tableau::start().await;
    let workbook =
        json!({"luid": "w-1", "name": "A", "projectName": "P", "owner": {"email": "a@b.c", "name": "Ana"}});
    tableau.knows(
        CALL,
        &json!({"data": {"publishedDatasources": [{"downstreamWorkbooks": [workbook, {"luid": null}]}]}}),
    );
    tableau.knows(
        CALL,
        &json!({"data": {"workbooks": [{"upstreamDatasources": [{"luid": "d-1", "name": "Sales"}]}]}}),
    );
    tableau.knows(CALL, &json!({"data": {"workbooks": []}}));
    let client = tableau.client();

    let down = client.downstream_workbooks(&"d-1".parse().unwrap()).await.unwrap().data;
    assert_eq!((down.len(), down[0].luid.as_str()), (1, "w-1"));
    assert_eq!(down[0].owner.as_ref().unwrap().email.as_deref(), Some("a@b.c"));
    let up = client.upstream_datasources(&"w-1".parse().unwrap()).await.unwrap().data;
    assert_eq!((up.len(), up[0].name.as_str()), (1, "Sales"));
    assert!(client.upstream_datasources(&"w-2".parse().unwrap()).await.unwrap().data.is_empty());
    assert_eq!(tableau.heard(CALL)[0].json()["variables"], json!({"luid": "d-1"}));
}

#[tokio::test]
async fn the_number_in_an_address_leads_to_a_luid() {
    let tableau = Tableau::start().await;
    tableau.knows(CALL, &json!({"data": {"workbooks": [{"luid": "w-1"}]}}));
    tableau.knows(CALL, &json!({"data": {"publishedDatasources": []}}));
    let client = tableau.client();
    let shown = client.shown_at("https://t.example/#/site/marketing/workbooks/8/views").await.unwrap();
    assert_eq!(shown, Some(Subject::Workbook("w-1".parse().unwrap())));
    assert_eq!(client.shown_at("https://t.example/#/datasources/9").await.unwrap(), None);
    assert_eq!(client.shown_at("https://t.example/#/home").await.unwrap(), None);
    let asked: Vec<_> = tableau.heard(CALL).iter().map(|r| r.json()["variables"]["number"].clone()).collect();
    assert_eq!(asked, [json!("8"), json!("9")]);
}
