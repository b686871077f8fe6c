//! The Recycle Bin.

mod support;

use reqwest::Method;
use serde_json::json;
use simulator::{Datasource, TableauSimulator, User, Workbook};
use support::Caller;

// 15-2
#[tokio::test]
async fn what_is_deleted_is_in_the_recycle_bin_with_its_path_owner_and_deleter() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let luid = tableau.add(Workbook::named("Weekly").in_project("Finance/Month End").owned_by("ana"));
    assert_eq!(caller.get("/recyclebin/workbooks").await.json["workbooks"], json!({}));

    caller.delete(&format!("/workbooks/{luid}")).await;

    let answer = caller.get("/recyclebin/workbooks?filter=name:eq:Weekly").await;
    assert_eq!(answer.json["pagination"]["totalAvailable"], "1");
    let item = &answer.json["workbooks"]["workbook"][0];
    assert_eq!(item["id"], luid.as_str());
    assert_eq!(item["originalPath"], "Finance/Month End");
    assert_eq!(item["owner"], json!({ "id": tableau.user("ana").unwrap(), "name": "Ana Ferreira" }));
    assert_eq!(item["deleter"]["id"], json!(tableau.user("bea").unwrap()), "who has made the call");
    assert!(item["createdAt"].is_string());
    assert_eq!(caller.get(&format!("/workbooks/{luid}")).await.code(), "404006");
    for other in ["datasources", "flows", "projects"] {
        let answer = caller.get(&format!("/recyclebin/{other}")).await;
        assert_eq!((answer.status, &answer.json[other]), (200, &json!({})), "{other}");
    }
    let old = caller
        .call(Method::GET, &format!("/api/3.28/sites/{}/recyclebin/workbooks", tableau.site()), "")
        .await;
    assert_eq!(old.code(), "404003", "since 3.29");
}

// 15-2
#[tokio::test]
async fn users_who_are_no_administrators_see_only_their_own_content_in_the_recycle_bin() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    tableau.add(User::named("kim").with_password("kim's password"));
    for owner in ["kim", "ana"] {
        let luid = tableau.add(Datasource::named(&format!("Of {owner}")).owned_by(owner));
        tableau.delete(luid).unwrap();
    }
    let caller = Caller::user(&tableau, "kim").await;
    let answer = caller.get("/recyclebin/datasources").await;
    let names: Vec<_> =
        answer.json["datasources"]["datasource"].as_array().unwrap().iter().map(|d| &d["name"]).collect();
    assert_eq!(names, ["Of kim"]);
}
