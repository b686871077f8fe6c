//! Every parameter and body member of a call is honoured or refused: none is accepted without an effect.

mod support;

use reqwest::Method;
use serde_json::{Value, json};
use simulator::{Datasource, TableauSimulator, Webhook, Workbook};
use support::Caller;
use tableau::EventName;

/// The routes in the README's table of Tableau's routes: each method with its path.
#[expect(clippy::expect_used, reason = "a helper of tests")]
fn routes() -> Vec<(Method, String)> {
    let (_, section) = include_str!("../README.md").split_once("\n### Routes\n").expect("the heading");
    let (section, _) = section.split_once("\n### ").expect("the next heading");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut routes = Vec::new();
    for row in rows {
        let Some((calls, _)) = row.split_once("` | ") else { continue };
        let Some((_, path)) = calls.rsplit_once(' ') else { continue };
        for method in calls.trim_end_matches(path).split(", ") {
            let Ok(method) = method.trim().trim_matches('`').parse::<Method>() else { continue };
            if ["GET", "PUT", "POST", "DELETE"].contains(&method.as_str()) {
                routes.push((method, path.to_owned()));
            }
        }
    }
    routes
}

/// The URL path of a route: under the Metadata API, the experimental API, or the newest REST version.
fn address(caller: &Caller, path: &str) -> String {
    let version = if path == "/graphql" {
        "metadata"
    } else if path.contains("/broadcasts/") {
        "exp"
    } else {
        "3.29"
    };
    let path = path.replace("{site}", &caller.site);
    let path: String = path
        .split('/')
        .map(|part| if part.starts_with('{') { "/x".to_owned() } else { format!("/{part}") })
        .skip(1)
        .collect();
    format!("/api/{version}{path}")
}

#[tokio::test]
async fn every_route_refuses_parameters_and_members_of_bodies_that_it_does_not_read() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let routes: Vec<_> = routes().into_iter().filter(|(_, path)| path != "/auth/signout").collect();
    assert!(routes.len() > 75, "{}", routes.len());
    for (method, path) in routes {
        let address = address(&caller, &path);
        let query = caller.call(method.clone(), &format!("{address}?colour=red"), "").await;
        assert_eq!(query.code(), "400000", "{method} {address} ({path}): {}", query.json);
        let detail = query.json["error"]["detail"].as_str().unwrap();
        assert!(detail.contains("'colour' is not known here"), "{method} {path}: {detail}");
        let body = caller.call(method.clone(), &address, r#"{"colour":"red"}"#).await;
        assert_eq!(body.code(), "400000", "{method} {address}: {}", body.json);
        let detail = body.json["error"]["detail"].as_str().unwrap();
        assert!(detail.contains("'colour' is not known here"), "{method} {path}: {detail}");
    }
}

#[tokio::test]
async fn a_parameter_with_a_value_that_means_nothing_is_refused() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let view = format!("/views/{}", tableau.view("Overview").unwrap());
    for (path, code) in [
        ("/workbooks?filter=colour:eq:red", "400065"),
        ("/workbooks?filter=name:has:Super", "400065"),
        ("/workbooks?filter=name:eq:R%26D", "400065"),
        ("/workbooks?filter=isCertified:eq:true", "400065"),
        ("/datasources?filter=isCertified:eq:yes", "400065"),
        ("/datasources?filter=createdAt:gt:yesterday", "400065"),
        ("/users?filter=lastLogin:gt:", "400065"),
        ("/jobs?filter=priority:gt:high", "400065"),
        ("/jobs?filter=status:eq:bogus", "400065"),
        ("/jobs?filter=jobType:eq:bogus", "400065"),
        ("/jobs?filter=jobType:in:[refresh_extracts,bogus]", "400065"),
        ("/jobs?filter=completedAt:gte:2026-03-02", "400065"),
        ("/jobs?filter=progress:gte:half", "400065"),
        ("/users?filter=siteRole:eq:Bogus", "400065"),
        ("/users?filter=siteRole:in:[Viewer,viewer]", "400065"),
        ("/views?filter=sheetType:eq:sheet", "400065"),
        ("/views?filter=hitsTotal:gt:many", "400065"),
        ("/projects?filter=topLevelProject:eq:yes", "400065"),
        ("/projects?filter=updatedAt:lt:now", "400065"),
        ("/workbooks?filter=hasExtracts:eq:1", "400065"),
        ("/workbooks?filter=size:gt:1e3", "400065"),
        ("/workbooks?sort=colour:asc", "400066"),
        ("/workbooks?sort=name", "400066"),
        ("/jobs?sort=createdAt:down", "400066"),
        ("/workbooks?fields=colour", "400008"),
        ("/views?fields=name,_default_", "400008"),
        ("/users?fields=Name", "400008"),
        ("/projects?fields=owner.colour", "400008"),
        ("/views?includeUsageStatistics=yes", "400008"),
        ("/webhooks?pageSize=none", "400007"),
        ("/webhooks?pageNumber=0", "400006"),
        ("/tasks/extractRefreshes?pageSize=1001", "403014"),
        ("?key=luid", "400008"),
        ("/workbooks?pageSize=5&pageSize=6", "400000"),
        ("/workbooks?PageSize=5", "400000"),
    ] {
        assert_eq!(caller.get(path).await.code(), code, "{path}");
    }
    for parameters in [
        "image?resolution=low",
        "image?vizWidth=100",
        "image?vizWidth=0&vizHeight=9",
        "image?vizWidth=wide&vizHeight=9",
        "image?format=gif",
        "pdf?type=A9",
        "pdf?orientation=up",
        "data?maxAge=0",
    ] {
        assert_eq!(caller.get(&format!("{view}/{parameters}")).await.code(), "400008", "{parameters}");
    }
}

#[tokio::test]
async fn a_list_shows_the_fields_that_a_call_asks_for() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let first = async |path: &str, at: &str| caller.get(path).await.json.pointer(at).cloned().unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();

    let workbook = first("/workbooks?fields=name,project&sort=name:asc", "/workbooks/workbook/0").await;
    let project = json!({"id": workbook["project"]["id"], "name": "Finance"});
    assert_eq!(workbook, json!({"name": "Cash Flow Forecast", "project": project}));
    let view = first("/views?fields=view.name,usage", "/views/view/0").await;
    assert_eq!(
        (keys(&view), &view["usage"]),
        (vec!["name".to_owned(), "usage".to_owned()], &json!({"totalViewCount": "0"}))
    );
    let user = first("/users?fields=_default_,email", "/users/user/0").await;
    assert!(
        user["email"].is_string() && user["siteRole"].is_string() && user.get("fullName").is_none(),
        "{user}"
    );
    let project = first("/projects?fields=contentsCounts.workbookCount,name", "/projects/project/0").await;
    assert_eq!(keys(&project), ["contentsCounts", "name"]);
    let job = first("/jobs?fields=id,status", "/backgroundJobs/backgroundJob/0").await;
    assert_eq!(keys(&job), ["id", "status"]);
    let all = first("/datasources?fields=_all_", "/datasources/datasource/0").await;
    assert!(all["serverName"].is_string() && all["owner"]["siteRole"].is_string(), "{all}");
}

#[tokio::test]
async fn names_in_filters_are_found_whatever_their_case() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let total = async |path: &str| caller.get(path).await.json["pagination"]["totalAvailable"].clone();
    for (path, expected) in [
        ("/workbooks?filter=name:eq:SUPERSTORE", "1"),
        ("/datasources?filter=name:in:[budget,SHIPMENTS]", "2"),
        ("/datasources?filter=projectName:eq:FINANCE", "2"),
        ("/views?filter=workbookName:eq:superstore", "2"),
        ("/projects?filter=name:eq:DEFAULT", "1"),
        ("/users?filter=name:cieq:ANA@example.com", "1"),
        ("/users?filter=friendlyName:like:*tanaka", "1"),
        ("/workbooks?filter=tags:eq:CRITICAL", "0"),
        ("/views?filter=sheetType:eq:dashboard", "2"),
    ] {
        assert_eq!(total(path).await, expected, "{path}");
    }
}

#[tokio::test]
async fn each_site_has_a_default_project_that_belongs_to_a_user_and_keeps_its_name_and_place() {
    for tableau in [TableauSimulator::sample(), TableauSimulator::empty()] {
        let tableau = tableau.start().await.unwrap();
        let caller = Caller::administrator(&tableau).await;
        let found =
            caller.get("/projects?filter=name:eq:default").await.json["projects"]["project"][0].clone();
        let path = format!("/projects/{}", found["id"].as_str().unwrap());
        assert_eq!((&found["name"], found.get("parentProjectId")), (&json!("default"), None));
        let owner = found["owner"]["id"].as_str().unwrap();
        assert_eq!(caller.get(&format!("/users/{owner}")).await.json["user"]["name"], "bea@example.com");

        let change = async |project: Value| caller.put(&path, &json!({ "project": project })).await;
        assert_eq!(change(json!({"name": "main"})).await.code(), "403005");
        assert_eq!(change(json!({"name": "default", "description": "d"})).await.status, 200);
        assert_eq!(change(json!({"parentProjectId": found["id"]})).await.code(), "403074");
        assert_eq!(change(json!({"contentPermissions": "Open"})).await.code(), "400000");
        assert_eq!(change(json!({"contentPermissions": "LockedToProject"})).await.status, 200);
        assert_eq!(caller.delete(&path).await.code(), "405000", "no project is deleted over REST here");
        let sandbox = tableau.site_at("sandbox");
        assert!(sandbox.is_none_or(|sandbox| sandbox.as_str() != caller.site));
    }
}

#[tokio::test]
async fn a_default_project_is_not_moved_into_another() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let projects = caller.get("/projects").await.json["projects"]["project"].as_array().unwrap().clone();
    let id =
        |name: &str| projects.iter().find(|p| p["name"] == name).unwrap()["id"].as_str().unwrap().to_owned();
    let change = async |name: &str, project: Value| {
        caller.put(&format!("/projects/{}", id(name)), &json!({ "project": project })).await
    };
    assert_eq!(change("default", json!({"parentProjectId": id("Sales")})).await.code(), "403073");
    assert_eq!(change("Finance", json!({"parentProjectId": id("Month End")})).await.code(), "403074");
    let moved = change(
        "Month End",
        json!({"parentProjectId": id("Sales"), "owner": {"id": tableau.user("ana").unwrap()}}),
    )
    .await;
    assert_eq!(moved.json["project"]["parentProjectId"], id("Sales"));
    assert_eq!(moved.json["project"]["owner"]["id"], tableau.user("ana").unwrap().as_str());
}

#[tokio::test]
async fn a_connection_has_an_id_of_its_own_that_stays() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let datasource = tableau.datasource("Sales Orders").unwrap();
    let workbook = tableau.workbook("Superstore").unwrap();
    let id = async |path: String| {
        let connection = caller.get(&path).await.json["connections"]["connection"][0].clone();
        assert_eq!(connection["datasource"]["id"], datasource.as_str());
        connection["id"].as_str().unwrap().to_owned()
    };
    let own = id(format!("/datasources/{datasource}/connections")).await;
    let used = id(format!("/workbooks/{workbook}/connections")).await;
    assert!(own != used && own != datasource.as_str() && uuid::Uuid::parse_str(&own).is_ok(), "{own} {used}");
    assert_eq!(id(format!("/datasources/{datasource}/connections")).await, own);
}

#[tokio::test]
async fn views_inside_a_workbook_have_times_since_3_12_and_usage_where_it_is_asked_for() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let workbook = tableau.workbook("Superstore").unwrap();
    let view = async |version: &str, path: &str, at: &str| {
        let path = format!("/api/{version}/sites/{}/workbooks/{workbook}{path}", caller.site);
        caller.call(Method::GET, &path, "").await.json.pointer(at).cloned().unwrap()
    };
    let new = view("3.12", "", "/workbook/views/view/0").await;
    assert!(new["createdAt"].is_string() && new["updatedAt"].is_string(), "{new}");
    assert!(view("3.11", "", "/workbook/views/view/0").await.get("createdAt").is_none());
    let listed = view("3.29", "/views?includeUsageStatistics=true", "/views/view/1").await;
    assert_eq!(listed["usage"], json!({"totalViewCount": "0"}));
    assert!(
        view("3.29", "/views?includeUsageStatistics=false", "/views/view/1").await.get("usage").is_none()
    );
    let alone = caller
        .get(&format!("/views/{}?includeUsageStatistics=true", tableau.view("Overview").unwrap()))
        .await;
    assert_eq!(
        (&alone.json["view"]["usage"]["totalViewCount"], &alone.json["view"]["sheetType"]),
        (&json!("0"), &json!("dashboard"))
    );
}

#[tokio::test]
async fn what_a_removed_user_owned_goes_to_the_user_that_the_call_names() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let user = |name: &str| tableau.user(name).unwrap();
    let path = format!("/users/{}", user("jonas"));
    assert_eq!(caller.delete(&format!("{path}?mapAssetsTo=no-user")).await.code(), "404002");
    let heir = user("ana");
    assert_eq!(caller.delete(&format!("{path}?mapAssetsTo={heir}")).await.status, 204);
    let workbook = tableau.workbook("Month-End Close").unwrap();
    let owner = caller.get(&format!("/workbooks/{workbook}")).await.json["workbook"]["owner"].clone();
    assert_eq!(owner, json!({"id": heir}));
}

#[tokio::test]
async fn media_types_that_tableau_does_not_speak_are_refused() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let site = format!("{}/api/3.29/sites/{}", caller.base, caller.site);
    let send = async |path: &str, accept: &str, kind: &str, body: &str| {
        let request = caller.http.put(format!("{site}{path}")).header("x-tableau-auth", &caller.token);
        let request = request.header("accept", accept).header("content-type", kind).body(body.to_owned());
        request.send().await.unwrap()
    };
    let tags = format!("/workbooks/{}/tags", tableau.workbook("Superstore").unwrap());
    let body = r#"{"tags":{"tag":[{"label":"x"}]}}"#;
    for (accept, kind, status) in [
        ("application/json", "application/json", 200),
        ("*/*", "text/json;charset=utf-8", 200),
        ("text/html", "application/json", 406),
        ("application/json", "text/plain", 406),
    ] {
        assert_eq!(send(&tags, accept, kind, body).await.status().as_u16(), status, "{accept} {kind}");
    }
}

/// The path of a list, with an object of the sample for `{id}`; `None` for a route that is no list.
async fn list_address(
    caller: &Caller,
    tableau: &TableauSimulator,
    method: &Method,
    path: &str,
) -> Option<String> {
    const FILES: [&str; 7] = ["pdf", "powerpoint", "previewImage", "image", "data", "excel", "test"];
    let last = path.rsplit('/').next()?;
    let about = match path.split('/').nth(3)? {
        "workbooks" => tableau.workbook("Superstore")?.to_string(),
        "views" => tableau.view("Overview")?.to_string(),
        "users" => tableau.user("ana")?.to_string(),
        "flows" => tableau.flow("Clean Customers")?.to_string(),
        "dataQualityWarnings" | "datasources" => tableau.datasource("Sales Orders")?.to_string(),
        "projects" => caller.get("/projects").await.json["projects"]["project"][0]["id"].as_str()?.to_owned(),
        _ => caller.site.clone(),
    };
    let is_list = *method == Method::GET && path.starts_with("/sites/{site}/") && !FILES.contains(&last);
    // Nothing that is kept there can be deleted here, so these two are always empty.
    let is_empty = ["/recyclebin/flows", "/recyclebin/projects"].iter().any(|list| path.ends_with(list));
    let is_single = last.starts_with('{') && !path.contains("/dataQualityWarnings/datasource/");
    let version = if path.contains("/broadcasts/") { "exp" } else { "3.29" };
    let path = path.replace("{site}", &caller.site).replace("{id}", &about);
    (is_list && !is_single && !is_empty).then(|| format!("/api/{version}{path}"))
}

#[tokio::test]
async fn every_list_honours_or_refuses_pages_filters_orders_and_fields() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    for event in [EventName::WorkbookCreated, EventName::WorkbookDeleted] {
        tableau.add(Webhook::on(event, "http://127.0.0.1:9/"));
    }
    for name in ["Old", "Older"] {
        tableau.delete(tableau.add(Workbook::named(name))).unwrap();
        tableau.delete(tableau.add(Datasource::named(name))).unwrap();
    }
    for flow in ["Load Ledger", "Clean Customers"] {
        tableau.succeed_refresh(tableau.flow(flow).unwrap()).unwrap();
    }
    let caller = Caller::administrator(&tableau).await;
    let mut lists = Vec::new();
    let mut honoured = 0;
    for (method, path) in routes() {
        let Some(address) = list_address(&caller, &tableau, &method, &path).await else { continue };
        let all = caller.call(Method::GET, &address, "").await;
        assert_eq!(all.status, 200, "{address}: {}", all.json);
        for (name, one, other) in [
            ("pageSize", "1", "2"),
            ("pageNumber", "2", "9"),
            ("filter", "name:eq:no such name", "createdAt:gt:2100-01-01T00:00:00Z"),
            ("filter", "jobType:eq:run_flow", "status:eq:Cancelled"),
            ("sort", "name:asc", "name:desc"),
            ("sort", "title:asc", "title:desc"),
            ("fields", "id", "name"),
        ] {
            let mut answers = Vec::new();
            for value in [one, other] {
                let answer = caller.call(Method::GET, &format!("{address}?{name}={value}"), "").await;
                let is_refused = answer.status >= 400 && answer.code().len() == 6;
                assert!(is_refused || answer.status == 200, "{address}?{name}={value}: {}", answer.json);
                // One of the two orders may be the default order.
                assert!(
                    is_refused || name == "sort" || answer.json != all.json,
                    "{address}?{name}={value} has no effect"
                );
                honoured += usize::from(!is_refused);
                answers.push(answer);
            }
            let both = name == "sort" && answers.iter().all(|answer| answer.status == 200);
            assert!(!both || answers[0].json != answers[1].json, "{address}?{name} has no effect");
        }
        lists.push(path);
    }
    for path in ["webhooks", "tasks/extractRefreshes", "jobs", "workbooks/{id}/views"] {
        assert!(lists.contains(&format!("/sites/{{site}}/{path}")), "{path} is not in {lists:?}");
    }
    assert!(lists.len() >= 15 && honoured >= 40, "{honoured} of {lists:?}");
}

#[tokio::test]
async fn webhooks_and_tasks_are_whole_without_a_page_and_paged_with_one() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    for event in [EventName::WorkbookCreated, EventName::WorkbookDeleted, EventName::WorkbookUpdated] {
        tableau.add(Webhook::on(event, "http://127.0.0.1:9/"));
    }
    let caller = Caller::administrator(&tableau).await;
    for (list, at) in [("/webhooks", "/webhooks/webhook"), ("/tasks/extractRefreshes", "/tasks/task")] {
        let all = caller.get(list).await.json;
        assert!(all.get("pagination").is_none(), "{all}");
        let all = all.pointer(at).unwrap().as_array().unwrap().clone();
        let mut pages = Vec::new();
        for number in 1..=all.len().div_ceil(2) {
            let page = caller.get(&format!("{list}?pageSize=2&pageNumber={number}")).await.json;
            assert_eq!(page["pagination"]["totalAvailable"], all.len().to_string(), "{page}");
            pages.extend(page.pointer(at).unwrap().as_array().unwrap().clone());
        }
        assert_eq!(pages, all, "{list}");
        let beyond = caller.get(&format!("{list}?pageSize=2&pageNumber=99")).await;
        assert_eq!(beyond.code(), "400006", "{list}");
    }
}
