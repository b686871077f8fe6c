//! The JSON of workbooks, data sources, views, projects and users.

mod support;

use reqwest::Method;
use serde_json::json;
use simulator::{Datasource, Group, TableauSimulator, User, Workbook};
use support::Caller;

#[tokio::test]
async fn anyone_may_ask_for_the_version() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let stranger = Caller::stranger(&tableau);

    let info = stranger.call(Method::GET, "/api/2.4/serverinfo", "").await.json;

    assert_eq!(info["serverInfo"]["restApiVersion"], "3.29");
    assert_eq!(info["serverInfo"]["productVersion"]["value"], "2026.2.0");
    assert!(info["serverInfo"]["productVersion"]["build"].is_string());
}

#[tokio::test]
async fn a_workbook_shows_its_project_owner_tags_and_views() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let luid = tableau.workbook("Superstore").unwrap();

    let answer = caller.get(&format!("/workbooks/{luid}")).await;

    let workbook = &answer.json["workbook"];
    assert_eq!(workbook["name"], "Superstore");
    assert_eq!(workbook["showTabs"], "false");
    assert_eq!(workbook["project"]["name"], "Sales");
    assert_eq!(workbook["owner"], json!({ "id": tableau.user("ana").unwrap() }), "the id only");
    assert_eq!(workbook["tags"], json!({ "tag": [{ "label": "critical" }, { "label": "broadcast" }] }));
    assert_eq!(workbook["views"]["view"][0]["name"], "Overview");
    assert_eq!(workbook["defaultViewId"], workbook["views"]["view"][0]["id"]);
    let page = workbook["webpageUrl"].as_str().unwrap();
    assert!(page.starts_with("https://10ay.online.tableau.com/#/site/marketing/workbooks/"), "{page}");
}

#[tokio::test]
async fn a_data_source_shows_its_certification_and_leaves_out_what_it_has_not() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let get = async |name: &str| {
        let luid = tableau.datasource(name).unwrap();
        caller.get(&format!("/datasources/{luid}")).await.json["datasource"].clone()
    };

    let ledger = get("General Ledger").await;
    let budget = get("Budget").await;

    assert_eq!(ledger["isCertified"], true);
    assert_eq!(ledger["certificationNote"], "Ties to the trial balance");
    assert_eq!(ledger["hasExtracts"], true);
    assert_eq!((budget["isCertified"].clone(), budget["tags"].clone()), (json!(false), json!({})));
    assert!(budget.get("certificationNote").is_none() && budget.get("description").is_none());
}

#[tokio::test]
async fn views_and_users_are_found_by_id() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    tableau.add(User::named("old").with_plain_name("OLD01").with_email("old@example.org"));
    let caller = Caller::administrator(&tableau).await;
    let view = caller.get(&format!("/views/{}", tableau.view("Overview").unwrap())).await.json;
    assert_eq!(view["view"]["viewUrlName"], "Overview");
    assert_eq!(view["view"]["workbook"]["id"], tableau.workbook("Superstore").unwrap().as_str());

    let user = async |name: &str, version: &str| {
        let path = format!("/api/{version}/sites/{}/users/{}", caller.site, tableau.user(name).unwrap());
        caller.call(Method::GET, &path, "").await.json["user"].clone()
    };

    let ana = user("ana", "3.29").await;
    assert_eq!(
        (ana["name"].clone(), ana["fullName"].clone()),
        (json!("ana@example.com"), json!("Ana Ferreira"))
    );
    assert!(ana.get("email").is_none(), "only where it differs from the name");
    assert_eq!(user("OLD01", "3.26").await["email"], "old@example.org");
    assert!(user("OLD01", "3.25").await.get("email").is_none());
}

#[tokio::test]
async fn lists_come_in_pages_with_numbers_as_texts() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;

    let first = caller.get("/workbooks?pageSize=5").await.json;
    let second = caller.get("/workbooks?pageSize=5&pageNumber=2").await.json;

    assert_eq!(first["pagination"], json!({ "pageNumber": "1", "pageSize": "5", "totalAvailable": "7" }));
    assert_eq!(first["workbooks"]["workbook"].as_array().unwrap().len(), 5);
    assert_eq!(second["workbooks"]["workbook"].as_array().unwrap().len(), 2);
    for (query, code) in [
        ("pageSize=1001", "403014"),
        ("pageSize=0", "400007"),
        ("pageNumber=x", "400006"),
        ("pageSize=5&pageNumber=3", "400006"),
    ] {
        assert_eq!(caller.get(&format!("/workbooks?{query}")).await.code(), code, "{query}");
    }
}

#[tokio::test]
async fn an_empty_list_is_an_empty_object() {
    let tableau = TableauSimulator::empty().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;

    for (path, wrapper) in [
        ("/workbooks", "workbooks"),
        ("/datasources", "datasources"),
        ("/jobs", "backgroundJobs"),
        ("/webhooks", "webhooks"),
    ] {
        assert_eq!(caller.get(path).await.json[wrapper], json!({}), "{path}");
    }
}

#[tokio::test]
async fn lists_can_be_filtered_and_show_more_of_the_owner_when_asked() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let names = async |query: &str| -> Vec<String> {
        let list = caller.get(&format!("/datasources?{query}")).await.json;
        let rows = list["datasources"]["datasource"].as_array().cloned().unwrap_or_default();
        rows.iter().map(|d| d["name"].as_str().unwrap().to_owned()).collect()
    };

    assert_eq!(names("filter=name:eq:Sales%20Orders").await, ["Sales Orders"]);
    assert_eq!(names("filter=tags:in:[month-end,weekly]").await, ["General Ledger"]);
    assert_eq!(names("filter=projectName:eq:Finance&sort=name:desc").await, ["Exchange Rates", "Budget"]);
    assert_eq!(caller.get("/workbooks?filter=name:eq:R%26D").await.code(), "400065", "not even encoded");

    assert_eq!(caller.get("/workbooks?filter=isCertified:eq:true").await.code(), "400065");
    let old = format!("/api/3.15/sites/{}/datasources?filter=projectName:eq:Finance", caller.site);
    assert_eq!(caller.call(Method::GET, &old, "").await.code(), "400065", "missing in 3.13 to 3.17");

    let list = caller.get("/workbooks?fields=_default_,owner.email&filter=name:eq:Superstore").await.json;
    assert_eq!(list["workbooks"]["workbook"][0]["owner"]["email"], "ana@example.com");
}

#[tokio::test]
async fn projects_name_their_parents() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;

    let list = caller.get("/projects").await.json;

    let projects = list["projects"]["project"].as_array().unwrap();
    let named = |name: &str| projects.iter().find(|p| p["name"] == name).unwrap();
    assert_eq!(named("Month End")["parentProjectId"], named("Finance")["id"]);
    assert!(named("Finance").get("parentProjectId").is_none());
}

#[tokio::test]
async fn added_content_brings_its_project_and_owner_with_it() {
    let tableau = TableauSimulator::empty().start().await.unwrap();
    let sales =
        Datasource::named("Sales").in_project("Finance/Month End").owned_by("ana").tagged("certified");

    let luid = tableau.add(sales);
    tableau.add(Workbook::named("Report"));

    let caller = Caller::administrator(&tableau).await;
    let found = caller.get(&format!("/datasources/{luid}")).await.json["datasource"].clone();
    assert_eq!(found["project"]["name"], "Month End");
    assert_eq!(found["owner"]["id"], tableau.user("ana@example.com").unwrap().as_str());
    assert_eq!(found["tags"]["tag"][0]["label"], "certified");
    assert_eq!(caller.get("/workbooks").await.json["workbooks"]["workbook"][0]["project"]["name"], "default");
}

// 15, item 1
#[tokio::test]
async fn the_groups_of_a_user_are_a_page_for_administrators_since_3_7() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    tableau.add(Group::named("Planning").with("jonas"));
    let caller = Caller::administrator(&tableau).await;
    let jonas = tableau.user("jonas").unwrap();
    let path = format!("/users/{jonas}/groups");

    let groups = caller.get(&path).await.json;

    assert_eq!(groups["pagination"]["totalAvailable"], "3");
    let names: Vec<&str> =
        groups["groups"]["group"].as_array().unwrap().iter().map(|g| g["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["All Users", "Finance Analysts", "Planning"]);
    assert_eq!(groups["groups"]["group"][1]["domain"], json!({ "name": "local" }));
    let second = caller.get(&format!("{path}?pageSize=1&pageNumber=2")).await.json;
    assert_eq!(second["groups"]["group"][0]["name"], "Finance Analysts");
    assert_eq!(caller.get("/users/none/groups").await.code(), "404002");
    let oneself = Caller::user(&tableau, "jonas").await;
    assert_eq!(oneself.get(&path).await.code(), "403000");
    let old = caller.call(Method::GET, &format!("/api/3.6/sites/{}{path}", caller.site), "").await;
    assert_eq!(old.status, 404, "{}", old.json);

    tableau.delete(&jonas).unwrap();
    assert_eq!(caller.get(&path).await.code(), "404002");
}
