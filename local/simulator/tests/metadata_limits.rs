//! The Metadata API: what its user may not see, how much it answers, and where it is switched off.

#![expect(clippy::unwrap_used, reason = "helpers of tests are not known for such")]

mod support;

use reqwest::Method;
use serde_json::{Value, json};
use simulator::{Datasource, Feature, SiteRole, TableauBuilder, TableauSimulator, User, Workbook};
use support::Caller;

const NEXT: &str =
    "query ($first: Int!, $after: String) { publishedDatasources { downstreamWorkbooksConnection(
    first: $first, after: $after, orderBy: {field: NAME, direction: ASC}) {
    totalCount pageInfo { hasNextPage endCursor } nodes { name owner { luid } } } } }";

async fn query(caller: &Caller, query: &str, variables: Value) -> Value {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let answer = caller.call(Method::POST, "/api/metadata/graphql", &body).await;
    assert_eq!(answer.status, 200);
    answer.json
}

/// A data source that this many workbooks use.
async fn used_by(workbooks: usize, builder: TableauBuilder) -> TableauSimulator {
    let tableau = builder.start().await.unwrap();
    for n in 0..workbooks {
        tableau.add(Workbook::named(&format!("Report {n:04}")).using("Sales").owned_by("ana"));
    }
    tableau.add(Datasource::named("Sales"));
    tableau
}

// 16, item 5
#[tokio::test]
async fn pages_follow_each_other_and_the_count_is_on_each() {
    let tableau = used_by(250, TableauSimulator::empty()).await;
    let caller = Caller::administrator(&tableau).await;
    let mut names = Vec::new();
    let mut after = Value::Null;
    for (size, is_last) in [(100, false), (100, false), (50, true)] {
        let answer = query(&caller, NEXT, json!({ "first": 100, "after": after })).await;
        let page = answer["data"]["publishedDatasources"][0]["downstreamWorkbooksConnection"].clone();
        assert_eq!((&page["totalCount"], &page["pageInfo"]["hasNextPage"]), (&json!(250), &json!(!is_last)));
        let nodes = page["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), size);
        names.extend(nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()));
        after = page["pageInfo"]["endCursor"].clone();
        assert!(answer.get("errors").is_none());
    }
    assert!(names.is_sorted() && names.len() == 250, "{names:?}");
}

// 16, item 5
#[tokio::test]
async fn a_page_of_more_than_a_thousand_is_a_page_of_a_thousand_with_a_warning() {
    let tableau = used_by(1_001, TableauSimulator::empty()).await;
    let caller = Caller::administrator(&tableau).await;
    for (first, size, warned) in [(1_000, 1_000, false), (1_001, 1_000, true)] {
        let text = format!("{{ workbooksConnection(first: {first}) {{ totalCount nodes {{ name }} }} }}");
        let answer = query(&caller, &text, Value::Null).await;
        assert_eq!(answer["data"]["workbooksConnection"]["nodes"].as_array().unwrap().len(), size);
        assert_eq!(answer["data"]["workbooksConnection"]["totalCount"], 1_001);
        let code = &answer["errors"][0]["extensions"]["code"];
        assert_eq!(code.as_str(), warned.then_some("MAX_PAGE_SIZE_EXCEEDED"));
    }
}

// 16, item 5
#[tokio::test]
async fn an_answer_with_too_many_nodes_is_cut_short_with_a_warning() {
    // The data source, and two nodes for each workbook: the workbook and its owner.
    for (limit, whole, workbooks) in [(21, true, 10), (20, false, 10), (11, false, 5)] {
        let tableau = used_by(10, TableauSimulator::empty().metadata_nodes(limit)).await;
        let caller = Caller::administrator(&tableau).await;
        let answer = query(&caller, NEXT, json!({ "first": 100 })).await;
        let page = &answer["data"]["publishedDatasources"][0]["downstreamWorkbooksConnection"];
        assert_eq!(page["nodes"].as_array().unwrap().len(), workbooks, "{limit}");
        assert_eq!(page["totalCount"], 10);
        assert_eq!(answer.get("errors").is_none(), whole, "{limit}");
        if !whole {
            let error = &answer["errors"][0];
            assert_eq!(error["extensions"]["code"], "NODE_LIMIT_EXCEEDED");
            assert_eq!(error["extensions"]["severity"], "WARNING");
            assert!(error["message"].as_str().unwrap().contains(&format!("exceeded the {limit} node limit")));
        }
    }
}

// 16, item 5
#[tokio::test]
async fn what_a_user_may_not_see_has_no_name_or_is_left_out_as_the_query_asks() {
    let tableau = used_by(2, TableauSimulator::empty()).await;
    let eve = tableau.add(User::named("eve").with_role(SiteRole::Explorer).with_password("eve's password"));
    let administrator = Caller::administrator(&tableau).await;
    let hidden = tableau.workbook("Report 0000").unwrap();
    let denied = json!({ "permissions": { "granteeCapabilities": [{ "user": { "id": eve },
        "capabilities": { "capability": [{ "name": "Read", "mode": "Deny" }] } }] } });
    administrator.put(&format!("/workbooks/{hidden}/permissions"), &denied).await;
    let caller = Caller::user(&tableau, "eve").await;
    let seen = json!({ "name": "Report 0001", "owner": { "name": "ana" }, "upstreamDatasources": [{ "name": "Sales" }] });
    let obfuscated = json!({ "name": null, "owner": null, "upstreamDatasources": [] });

    for (mode, expected) in [
        ("", json!([obfuscated, seen])),
        ("permissionMode: OBFUSCATE_RESULTS", json!([obfuscated, seen])),
        ("permissionMode: FILTER_RESULTS", json!([seen])),
    ] {
        let text = format!(
            "{{ publishedDatasourcesConnection(first: 1 {mode}) {{ nodes {{
                downstreamWorkbooksConnection(first: 9, orderBy: {{field: NAME, direction: ASC}}) {{
                totalCount nodes {{ name owner {{ name }} upstreamDatasources {{ name }} }} }} }} }} }}"
        );
        let answer = query(&caller, &text, Value::Null).await;
        let page =
            &answer["data"]["publishedDatasourcesConnection"]["nodes"][0]["downstreamWorkbooksConnection"];
        assert_eq!(page["nodes"], expected, "{mode}");
        assert_eq!(page["totalCount"], expected.as_array().unwrap().len());
    }
    let by_luid = format!("{{ workbooks(filter: {{luid: \"{hidden}\"}}) {{ id }} }}");
    assert_eq!(query(&caller, &by_luid, Value::Null).await["data"]["workbooks"], json!([]));
    let all = query(&administrator, "{ workbooks { name } }", Value::Null).await;
    assert!(!all.to_string().contains("null"), "an administrator sees everything");
    let wrong = query(&caller, "{ workbooks(permissionMode: NONE) { name } }", Value::Null).await;
    assert!(wrong["errors"][0]["message"].as_str().unwrap().contains("WrongType"));
}

// 16, item 5
#[tokio::test]
async fn where_it_is_switched_off_it_answers_so_and_nothing_else() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    tableau.allow(Feature::MetadataApi, false);
    let answer = query(&caller, "{ workbooks { name } }", Value::Null).await;
    assert_eq!(
        (&answer["data"], &answer["errors"][0]["extensions"]["code"]),
        (&Value::Null, &json!("FEATURE_DISABLED"))
    );
    tableau.allow(Feature::MetadataApi, true);
    assert!(query(&caller, "{ workbooks { name } }", Value::Null).await.get("errors").is_none());
}
