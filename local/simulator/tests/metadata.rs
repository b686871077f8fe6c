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

// As dagster-tableau asks, a field of its query twice among them.
#[tokio::test]
async fn a_dashboard_leads_over_its_sheets_to_the_published_data_sources_that_they_show() {
    let tableau = TableauSimulator::empty().start().await.unwrap();
    let report = Workbook::named("Report").using("Sales").with_view("Overview").with_view("By Region");
    let luid = tableau.add(report);
    let sales = tableau.add(Datasource::named("Sales"));
    let caller = Caller::administrator(&tableau).await;

    let text = "query ($luid: String!) { workbooks(filter: { luid: $luid }) { uri
        sheets { luid name path createdAt __typename parentEmbeddedDatasources { id name hasExtracts name
            upstreamTables { name database { name } } parentPublishedDatasources { luid hasExtracts } } }
        dashboards { name __typename sheets { luid } } views { name } } }";
    let found = query(&caller, text, json!({ "luid": luid })).await.json["data"]["workbooks"][0].clone();

    let sheet = &found["sheets"][0];
    let dashboard = &found["dashboards"][0];
    assert_eq!((&sheet["name"], &sheet["path"]), (&json!("By Region"), &json!("Report/ByRegion")));
    assert_eq!((&sheet["__typename"], &dashboard["__typename"]), (&json!("Sheet"), &json!("Dashboard")));
    assert_eq!(dashboard["sheets"], json!([{ "luid": sheet["luid"] }]));
    assert_eq!(found["views"].as_array().unwrap().len(), 2);
    assert!(sheet["createdAt"].is_string() && found["uri"].as_str().unwrap().starts_with("sites/"));
    let embedded = &sheet["parentEmbeddedDatasources"][0];
    assert_ne!(embedded["id"], sales.as_str(), "it has an id of its own");
    let expected = json!({ "id": embedded["id"], "name": "Sales", "hasExtracts": false, "upstreamTables": [],
        "parentPublishedDatasources": [{ "luid": sales, "hasExtracts": true }] });
    assert_eq!(*embedded, expected);
}

#[tokio::test]
async fn a_type_has_the_fields_of_its_own_and_no_others() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;

    for (fields, field, kind) in [
        ("sheets { sheets { name } }", "sheets", "Sheet"),
        ("dashboards { parentEmbeddedDatasources { name } }", "parentEmbeddedDatasources", "Dashboard"),
        ("embeddedDatasources { luid }", "luid", "EmbeddedDatasource"),
        ("embeddedDatasources { upstreamTables { colour } }", "colour", "DatabaseTable"),
        ("embeddedDatasources { upstreamTables { database { colour } } }", "colour", "Database"),
    ] {
        let wrong = query(&caller, &format!("{{ workbooks {{ {fields} }} }}"), Value::Null).await;
        let message = wrong.json["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(&format!("Field '{field}' in type '{kind}' is undefined")), "{message}");
    }
    for conflict in ["name: luid name", "a: name a: luid", "tags { name } tags(orderBy: []) { name }"] {
        let wrong = query(&caller, &format!("{{ workbooks {{ {conflict} }} }}"), Value::Null).await;
        let message = wrong.json["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains("FieldsConflict"), "{conflict}: {message}");
    }
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

    let text = format!(
        "{{ workbooks(filter: {{ vizportalUrlId: \"{page}\" }}) {{ luid views(orderBy: {{field: NAME, direction: ASC}}) {{ name }} }} }}"
    );
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

#[tokio::test]
async fn nodes_come_in_the_order_and_on_the_page_that_a_query_asks_for() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let names = async |text: &str| -> Vec<String> {
        let answer = query(&caller, text, Value::Null).await.json;
        let data = answer["data"].as_object().unwrap_or_else(|| panic!("{text}: {answer}"));
        let list = data.values().next().unwrap();
        let nodes = list.get("nodes").unwrap_or(list).as_array().unwrap().clone();
        nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect()
    };

    let by = "orderBy: [{field: PROJECT_NAME, direction: DESC}, {field: NAME, direction: ASC}]";
    let all = names(&format!("{{ publishedDatasources({by}) {{ name }} }}")).await;
    assert_eq!(all[..4], ["Customer Master", "Sales Orders", "Inventory Positions", "Shipments"]);
    let page = format!("publishedDatasourcesConnection(first: 2, offset: 1, {by}) {{ nodes {{ name }} }}");
    assert_eq!(names(&format!("{{ {page} }}")).await, all[1..3]);
    let page = format!("publishedDatasourcesConnection(first: 2, after: \"2\", {by}) {{ nodes {{ name }} }}");
    assert_eq!(names(&format!("{{ {page} }}")).await, all[2..4]);
    let certified = "{ publishedDatasources(filter: {isCertified: true}, orderBy: {field: NAME, direction: DESC}) { name } }";
    assert_eq!(names(certified).await, ["Sales Orders", "General Ledger"]);
    let within = "{ workbooks(filter: {nameWithin: [\"Superstore\", \"pipeline review\"]}) { name } }";
    assert_eq!(names(within).await, ["Superstore"], "upper and lower case matter");
}

#[tokio::test]
async fn what_a_query_asks_for_and_is_not_known_is_a_validation_error_on_an_empty_site_too() {
    for tableau in [TableauSimulator::sample(), TableauSimulator::empty()] {
        let tableau = tableau.start().await.unwrap();
        let caller = Caller::administrator(&tableau).await;
        for (text, kind) in [
            ("{ workbooks { colour } }", "FieldUndefined"),
            ("{ colours { name } }", "FieldUndefined"),
            ("{ workbooks { owner { colour } } }", "FieldUndefined"),
            ("{ workbooksConnection { nodes { name } colour } }", "FieldUndefined"),
            ("{ workbooksConnection { pageInfo { startCursor } } }", "FieldUndefined"),
            ("{ workbooks(limit: 3) { name } }", "UnknownArgument"),
            ("{ workbooks(first: 3) { name } }", "UnknownArgument"),
            ("{ workbooks { name(format: LONG) } }", "UnknownArgument"),
            ("{ workbooks { owner(first: 1) { name } } }", "UnknownArgument"),
            ("{ workbooks(filter: {colour: \"red\"}) { name } }", "WrongType"),
            ("{ workbooks(filter: {name: 5}) { name } }", "WrongType"),
            ("{ workbooks(filter: {nameWithin: \"x\"}) { name } }", "WrongType"),
            ("{ workbooks(filter: \"x\") { name } }", "WrongType"),
            ("{ publishedDatasources(filter: {isCertified: \"true\"}) { name } }", "WrongType"),
            ("{ workbooks(orderBy: {field: COLOUR, direction: ASC}) { name } }", "WrongType"),
            ("{ workbooks(orderBy: {field: NAME}) { name } }", "WrongType"),
            ("{ workbooks(orderBy: {field: NAME, direction: UP}) { name } }", "WrongType"),
            ("{ workbooksConnection(first: -1) { totalCount } }", "WrongType"),
            ("{ workbooks { owner } }", "SubSelectionRequired"),
            ("{ workbooks }", "SubSelectionRequired"),
            ("{ workbooks { name { first } } }", "SubSelectionNotAllowed"),
            ("{ workbooks { name name: luid } }", "FieldsConflict"),
            ("{ workbooks(filter: {luid: $luid}) { name } }", "UndefinedVariable"),
            ("{ workbooksConnection(after: \"x\") { totalCount } }", "cursor is not valid"),
            ("{ workbooksConnection(after: \"1\", offset: 1) { totalCount } }", "at the same time"),
            ("mutation { workbooks { name } }", "Invalid Syntax"),
            ("{ ...all }", "Invalid Syntax"),
        ] {
            let answer = query(&caller, text, Value::Null).await;
            assert_eq!((answer.status, &answer.json["data"]), (200, &Value::Null), "{text}");
            let message = answer.json["errors"][0]["message"].as_str().unwrap();
            assert!(message.contains(kind), "{text}: {message}");
        }
    }
}
