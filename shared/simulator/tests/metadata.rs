//! The Metadata API.

mod support;

use reqwest::Method;
use serde_json::{Value, json};
use simulator::{Datasource, Fault, TableauSimulator, Workbook};
use support::{Answer, Caller};

const PATH: &str = "/api/metadata/graphql";

async fn query(caller: &Caller, query: &str, variables: Value) -> Answer {
    caller.call(Method::POST, PATH, &json!({ "query": query, "variables": variables }).to_string()).await
}

#[tokio::test]
async fn a_data_source_leads_to_its_workbooks_and_back() {
    let tableau = TableauSimulator::empty().start().await.unwrap();
    tableau.add(Workbook::named("Report").using("Sales").owned_by("ana").with_view("Overview"));
    tableau.add(Workbook::named("Other"));
    let luid = tableau.add(Datasource::named("Sales").in_project("Finance").tagged("critical"));
    let caller = Caller::administrator(&tableau).await;

    let text = "query ($luid: String) { found: publishedDatasources(filter: { luid: $luid }) {
        name projectName tags { name } downstreamWorkbooks { name owner { email } upstreamDatasources { luid } } } }";
    let answer = query(&caller, text, json!({ "luid": luid })).await;

    let workbook = json!({
        "name": "Report", "owner": { "email": "ana@example.com" }, "upstreamDatasources": [{ "luid": luid }],
    });
    let datasource = json!({
        "name": "Sales", "projectName": "Finance", "tags": [{ "name": "critical" }], "downstreamWorkbooks": [workbook],
    });
    assert_eq!(answer.json, json!({ "data": { "found": [datasource] } }));
}

#[tokio::test]
async fn the_number_in_a_pages_address_leads_to_the_luid() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let luid = tableau.workbook("Superstore").unwrap();
    let workbook = caller.get(&format!("/workbooks/{luid}")).await.json["workbook"].clone();
    let page = workbook["webpageUrl"]
        .as_str()
        .unwrap()
        .trim_end_matches("/views")
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();

    let text =
        format!("{{ workbooks(filter: {{ vizportalUrlId: \"{page}\" }}) {{ luid views {{ name }} }} }}");
    let answer = query(&caller, &text, Value::Null).await;

    assert_eq!(answer.json["data"]["workbooks"][0]["luid"], luid.as_str());
    assert_eq!(answer.json["data"]["workbooks"][0]["views"][0]["name"], "Overview");
}

#[tokio::test]
async fn errors_stand_in_a_200_beside_data_or_without() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;

    let wrong = query(&caller, "{ workbooks { colour } }", Value::Null).await;
    assert_eq!((wrong.status, &wrong.json["data"]), (200, &Value::Null));
    assert!(wrong.json["errors"][0]["message"].as_str().unwrap().contains("'colour' in type 'Workbook'"));

    tableau.fail_next("POST /graphql", 1, Fault::Partial("TIME_LIMIT_EXCEEDED"));
    let partial = query(&caller, "{ workbooks { name } }", Value::Null).await.json;
    assert_eq!(partial["data"]["workbooks"].as_array().unwrap().len(), 7);
    assert_eq!(partial["errors"][0]["extensions"]["code"], "TIME_LIMIT_EXCEEDED");
    assert!(query(&caller, "{ workbooks { name } }", Value::Null).await.json.get("errors").is_none());

    assert_eq!(caller.call(Method::POST, PATH, "{}").await.code(), "400000");
    assert_eq!(Caller::stranger(&tableau).call(Method::POST, PATH, "{}").await.code(), "401000");
}
