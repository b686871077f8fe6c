//! Permissions: capabilities that are given and denied one by one, and what follows from them.

#![expect(clippy::unwrap_used, reason = "helpers of tests are not known for such")]

mod support;

use serde_json::{Value, json};
use simulator::{SiteRole, TableauSimulator, User};
use support::Caller;
use tableau::UserLuid;

/// A user to whom the site role gives nothing.
async fn explorer(tableau: &TableauSimulator) -> (UserLuid, Caller) {
    let user = User::named("eve").with_role(SiteRole::Explorer).with_password("eve's password");
    (tableau.add(user), Caller::user(tableau, "eve").await)
}

fn body(user: &UserLuid, capabilities: &[(&str, &str)]) -> Value {
    let capabilities: Vec<Value> =
        capabilities.iter().map(|(name, mode)| json!({ "name": name, "mode": mode })).collect();
    let grantee = json!({ "user": { "id": user }, "capabilities": { "capability": capabilities } });
    json!({ "permissions": { "granteeCapabilities": [grantee] } })
}

#[tokio::test]
async fn permissions_are_given_listed_and_taken_away() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let owner = Caller::user(&tableau, "ana").await;
    let eve = explorer(&tableau).await.0;
    let yuki = tableau.user("yuki").unwrap();
    let luid = tableau.workbook("Superstore").unwrap();
    let path = format!("/workbooks/{luid}/permissions");
    assert!(owner.get(&path).await.json["permissions"].get("granteeCapabilities").is_none());

    owner.put(&path, &body(&eve, &[("Read", "Allow"), ("Write", "Deny")])).await;
    owner.put(&path, &body(&yuki, &[("Filter", "Allow")])).await;
    let again = owner.put(&path, &body(&eve, &[("Write", "Allow")])).await;

    let listed = owner.get(&path).await.json["permissions"].clone();
    assert_eq!(again.json["permissions"], listed, "what is denied already stays denied");
    let about = &listed["workbook"];
    assert_eq!((&about["id"], &about["name"]), (&json!(luid), &json!("Superstore")));
    assert_eq!(about["owner"]["id"], tableau.user("ana").unwrap().as_str());
    let capabilities = |at: usize| listed["granteeCapabilities"][at]["capabilities"]["capability"].clone();
    assert_eq!(listed["granteeCapabilities"][0]["user"]["id"], eve.as_str());
    assert_eq!(
        capabilities(0),
        json!([{ "name": "Read", "mode": "Allow" }, { "name": "Write", "mode": "Deny" }])
    );
    assert_eq!(capabilities(1), json!([{ "name": "Filter", "mode": "Allow" }]));
    assert_eq!(owner.delete(&format!("{path}/users/{eve}/Write/Deny")).await.status, 204);
    assert_eq!(owner.delete(&format!("{path}/users/{eve}/Write/Deny")).await.code(), "404013");
    assert_eq!(owner.put(&path, &body(&eve, &[("Write", "Allow")])).await.status, 200);
}

#[tokio::test]
async fn what_is_wrong_with_a_permission_has_a_code_of_its_own_and_nothing_is_added() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let eve = explorer(&tableau).await.0;
    let path = |kind: &str, luid: &str| format!("/{kind}/{luid}/permissions");
    let workbook = path("workbooks", tableau.workbook("Superstore").unwrap().as_str());
    let datasource = path("datasources", tableau.datasource("Budget").unwrap().as_str());
    let view = path("views", tableau.view("Overview").unwrap().as_str());
    let project = path("projects", &project(&caller, "Sales").await);
    let no_user: UserLuid = "00000000-0000-4000-8000-000000000000".to_owned().try_into().unwrap();

    for (path, user, name, mode, code) in [
        (&workbook, &eve, "Connect", "Allow", "400009"),
        (&datasource, &eve, "Filter", "Allow", "400009"),
        (&view, &eve, "ExtractRefresh", "Allow", "400009"),
        (&project, &eve, "Delete", "Allow", "400009"),
        (&workbook, &eve, "Fly", "Allow", "404013"),
        (&workbook, &eve, "Read", "allow", "404013"),
        (&workbook, &no_user, "Read", "Allow", "404002"),
    ] {
        let answer = caller.put(path, &body(user, &[("Write", "Allow"), (name, mode)])).await;
        assert_eq!(answer.code(), code, "{path} {name} {mode}");
        assert!(caller.get(path).await.json["permissions"].get("granteeCapabilities").is_none());
    }
    let group = json!({ "group": { "id": "g" }, "capabilities": {} });
    let group = json!({ "permissions": { "granteeCapabilities": group } });
    assert_eq!(caller.put(&workbook, &group).await.code(), "404012");
    assert_eq!(caller.delete(&format!("{workbook}/groups/g/Read/Allow")).await.code(), "404012");
    assert_eq!(caller.put(&workbook, &json!({})).await.code(), "400000");
    assert_eq!(caller.delete(&format!("{view}/users/{eve}/Read/Allow")).await.code(), "404014");
    for (path, code) in
        [("workbooks", "404006"), ("datasources", "404004"), ("views", "404011"), ("projects", "404005")]
    {
        assert_eq!(caller.get(&format!("/{path}/none/permissions")).await.code(), code);
    }
    let old = format!("/api/3.1/sites/{}{view}", caller.site);
    assert_eq!(
        caller.call(reqwest::Method::GET, &old, "").await.code(),
        "404003",
        "views have them since 3.2"
    );
}

async fn project(caller: &Caller, name: &str) -> String {
    let list = caller.get(&format!("/projects?filter=name:eq:{name}")).await.json;
    list["projects"]["project"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_capability_lets_do_what_the_site_role_does_not() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let administrator = Caller::administrator(&tableau).await;
    let (luid, eve) = explorer(&tableau).await;
    let workbook = format!("/workbooks/{}", tableau.workbook("Superstore").unwrap());
    let give = async |capability: &str| {
        let path = format!("{workbook}/permissions");
        assert_eq!(administrator.put(&path, &body(&luid, &[(capability, "Allow")])).await.status, 200);
    };
    let tags = json!({ "tags": { "tag": [{ "label": "x" }] } });
    let changed = json!({ "workbook": { "description": "Mine" } });
    let taken = json!({ "workbook": { "owner": { "id": luid } } });
    let permissions = body(&luid, &[("Filter", "Allow")]);

    assert_eq!(eve.put(&format!("{workbook}/tags"), &tags).await.code(), "403004");
    give("Read").await;
    assert_eq!(eve.put(&format!("{workbook}/tags"), &tags).await.status, 200);
    assert_eq!(eve.put(&workbook, &changed).await.code(), "403004");
    give("Write").await;
    assert_eq!(eve.put(&workbook, &changed).await.json["workbook"]["description"], "Mine");
    assert_eq!(eve.put(&workbook, &taken).await.code(), "403027", "that is for owners");
    assert_eq!(eve.post(&format!("{workbook}/refresh"), &json!({})).await.code(), "403076");
    give("ExtractRefresh").await;
    assert_eq!(eve.post(&format!("{workbook}/refresh"), &json!({})).await.status, 202);
    assert_eq!(eve.put(&format!("{workbook}/permissions"), &permissions).await.code(), "403004");
    give("ChangePermissions").await;
    assert_eq!(eve.put(&format!("{workbook}/permissions"), &permissions).await.status, 200);
    assert_eq!(eve.delete(&workbook).await.code(), "403004");
    give("Delete").await;
    assert_eq!(eve.delete(&workbook).await.status, 204);
}

#[tokio::test]
async fn a_user_with_write_may_remove_warnings() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let administrator = Caller::administrator(&tableau).await;
    let (luid, eve) = explorer(&tableau).await;
    let datasource = tableau.datasource("Budget").unwrap();
    let warnings = format!("/dataQualityWarnings/datasource/{datasource}");
    let warning = json!({ "dataQualityWarning": { "type": "STALE", "message": "late" } });
    administrator.post(&warnings, &warning).await;

    assert_eq!(eve.delete(&warnings).await.code(), "403004");
    let given = body(&luid, &[("Write", "Allow")]);
    administrator.put(&format!("/datasources/{datasource}/permissions"), &given).await;

    assert_eq!(eve.delete(&warnings).await.status, 204);
}

#[tokio::test]
async fn who_leads_a_project_governs_what_is_in_it_and_in_projects_below() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let administrator = Caller::administrator(&tableau).await;
    let (luid, eve) = explorer(&tableau).await;
    let finance = project(&administrator, "Finance").await;
    let below = format!("/workbooks/{}", tableau.workbook("Month-End Close").unwrap());
    let elsewhere = format!("/workbooks/{}", tableau.workbook("Superstore").unwrap());
    let budget = format!("/datasources/{}", tableau.datasource("Budget").unwrap());
    let certified = json!({ "datasource": { "isCertified": true } });
    assert_eq!(eve.get(&format!("/projects/{finance}/permissions")).await.code(), "403004");
    assert_eq!(eve.put(&budget, &certified).await.code(), "403004");

    let leader = body(&luid, &[("ProjectLeader", "Allow")]);
    administrator.put(&format!("/projects/{finance}/permissions"), &leader).await;

    assert_eq!(eve.put(&budget, &certified).await.status, 200);
    assert_eq!(eve.put(&below, &json!({})).await.status, 200, "in Finance/Month End");
    assert_eq!(eve.put(&elsewhere, &json!({})).await.code(), "403004");
    let described = json!({ "project": { "description": "Money" } });
    assert_eq!(eve.put(&format!("/projects/{finance}"), &described).await.status, 200);
    assert_eq!(eve.get(&format!("/projects/{finance}/permissions")).await.status, 200);
}

#[tokio::test]
async fn what_is_denied_is_denied_to_everybody_but_owners_and_administrators() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let administrator = Caller::administrator(&tableau).await;
    let luid = tableau.workbook("Superstore").unwrap();
    let workbook = format!("/workbooks/{luid}");
    let overview = format!("/views/{}", tableau.view("Overview").unwrap());
    let deny = async |name: &str, capabilities: &[(&str, &str)]| {
        let user = tableau.user(name).unwrap();
        administrator.put(&format!("{workbook}/permissions"), &body(&user, capabilities)).await;
    };
    let count = async |caller: &Caller, list: &str| {
        caller.get(list).await.json["pagination"]["totalAvailable"].as_str().unwrap().parse::<u32>().unwrap()
    };
    let priya = Caller::user(&tableau, "priya").await;
    let workbooks = count(&priya, "/workbooks").await;
    let views = count(&priya, "/views").await;

    deny("priya", &[("ExtractRefresh", "Deny"), ("ExportImage", "Deny")]).await;
    assert_eq!(priya.post(&format!("{workbook}/refresh"), &json!({})).await.code(), "403076");
    assert_eq!(priya.get(&format!("{overview}/pdf")).await.code(), "403004", "a view follows its workbook");
    assert_eq!(priya.get(&format!("{overview}/data")).await.status, 200, "that needs ExportData");
    deny("priya", &[("Read", "Deny")]).await;
    deny("ana", &[("Read", "Deny"), ("ExtractRefresh", "Deny")]).await;

    for path in [&workbook, &overview, &format!("{overview}/data"), &format!("{workbook}/previewImage")] {
        assert_eq!(priya.get(path).await.code(), "403004", "{path}");
    }
    assert_eq!(count(&priya, "/workbooks").await, workbooks - 1);
    assert_eq!(count(&priya, "/views").await, views - 2);
    let ana = Caller::user(&tableau, "ana").await;
    assert_eq!(ana.get(&workbook).await.status, 200, "the owner");
    assert_eq!(ana.post(&format!("{workbook}/refresh"), &json!({})).await.status, 202);
    assert_eq!(count(&administrator, "/workbooks").await, workbooks);
}

/// The paths below the site that the README's table of routes says can be read.
fn readable() -> impl Iterator<Item = &'static str> {
    let rows = include_str!("../README.md").lines().filter_map(|line| line.strip_prefix("| `GET"));
    let calls = rows.filter_map(|row| row.split_once("` | ")).map(|(calls, _)| calls);
    calls.filter_map(|calls| calls.split_once("/sites/{site}").map(|(_, path)| path))
}

#[tokio::test]
async fn a_user_who_is_denied_read_reads_nothing_about_it() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let administrator = Caller::administrator(&tableau).await;
    let workbook = tableau.workbook("Superstore").unwrap();
    let datasource = tableau.datasource("Budget").unwrap();
    let view = tableau.view("Overview").unwrap();
    let denied = body(&tableau.user("priya").unwrap(), &[("Read", "Deny")]);
    for path in [format!("/workbooks/{workbook}"), format!("/datasources/{datasource}")] {
        assert_eq!(administrator.put(&format!("{path}/permissions"), &denied).await.status, 200);
    }
    let priya = Caller::user(&tableau, "priya").await;

    let mut asked = 0;
    for path in readable() {
        let (kind, luid) = match path.trim_start_matches('/').split('/').next().unwrap() {
            "workbooks" => ("workbooks/{id}", workbook.as_str()),
            "datasources" => ("datasources/{id}", datasource.as_str()),
            "views" => ("views/{id}", view.as_str()),
            "dataQualityWarnings" => ("datasource/{id}", datasource.as_str()),
            _ => continue,
        };
        if path.contains(kind) {
            let filled = path.replace("{id}", luid).replace("{view}", view.as_str());
            assert_eq!(priya.get(&filled).await.code(), "403004", "{path}");
            asked += 1;
        }
    }
    assert!(asked >= 17, "{asked}");
}

#[tokio::test]
async fn a_viewer_is_given_no_more_than_viewers_may() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let administrator = Caller::administrator(&tableau).await;
    let yuki = tableau.user("yuki").unwrap();
    let viewer = Caller::user(&tableau, "yuki").await;
    let budget = format!("/datasources/{}", tableau.datasource("Budget").unwrap());
    let all = ["Write", "Delete", "ExtractRefresh", "ChangePermissions"].map(|name| (name, "Allow"));

    administrator.put(&format!("{budget}/permissions"), &body(&yuki, &all)).await;

    assert_eq!(viewer.put(&budget, &json!({})).await.code(), "403004");
    assert_eq!(viewer.delete(&budget).await.code(), "403004");
    assert_eq!(viewer.post(&format!("{budget}/refresh"), &json!({})).await.code(), "403077");
    assert_eq!(viewer.get(&format!("{budget}/permissions")).await.code(), "403004");
}

#[tokio::test]
async fn a_view_has_permissions_of_its_own_unless_it_is_a_tab() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let (luid, eve) = explorer(&tableau).await;
    let path = |name: &str| format!("/views/{}/permissions", tableau.view(name).unwrap());
    let denied = body(&luid, &[("Read", "Deny")]);

    assert_eq!(caller.put(&path("Accruals"), &denied).await.code(), "403096");
    assert_eq!(caller.put(&path("Overview"), &denied).await.json["permissions"]["view"]["name"], "Overview");

    assert_eq!(eve.get(&path("Overview")).await.code(), "403004", "who does not see it");
    assert_eq!(eve.get(&path("Returns by Region")).await.status, 200);
    let views = eve.get(&format!("/workbooks/{}/views", tableau.workbook("Superstore").unwrap())).await;
    assert_eq!(views.json["views"]["view"].as_array().unwrap().len(), 1);
}
