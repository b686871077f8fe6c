//! The same object in every shape that Tableau's answers have.

use crate::server::Tableau;
use serde_json::{Value, json};
use tableau_client::Error;

#[tokio::test]
async fn numbers_and_flags_come_as_texts() {
    for (yes, no, number) in
        [(json!(true), json!(false), json!(7)), (json!("true"), json!("false"), json!("7"))]
    {
        let tableau = Tableau::start().await;
        tableau.knows("GET /workbooks/w-1", &json!({"workbook": {"id": "w-1", "name": "A", "showTabs": no}}));
        tableau.knows(
            "GET /datasources/d-1",
            &json!({"datasource": {"id": "d-1", "name": "A", "isCertified": yes, "hasExtracts": no}}),
        );
        tableau
            .knows("GET /jobs/j-1", &json!({"job": {"id": "j-1", "progress": number, "finishCode": number}}));
        let client = tableau.client();

        assert!(!client.workbook(&"w-1".parse().unwrap()).await.unwrap().show_tabs);
        let datasource = client.datasource(&"d-1".parse().unwrap()).await.unwrap();
        assert!(datasource.is_certified && !datasource.has_extracts);
        let job = client.job(&"j-1".parse().unwrap()).await.unwrap();
        assert_eq!((job.progress, job.finish_code), (Some(7), Some(7)));
    }
}

#[tokio::test]
async fn what_is_missing_or_new_does_no_harm() {
    for workbook in [
        json!({"id": "w-1", "name": "A"}),
        json!({"id": "w-1", "name": "A", "tags": null, "views": null, "project": null, "owner": null,
               "showTabs": null, "createdAt": null, "contentUrl": null, "defaultViewId": ""}),
        json!({"id": "w-1", "name": "A", "tags": {}, "views": {}, "project": {}, "owner": {}, "createdAt": "x"}),
        json!({"id": "w-1", "name": "A", "brandNew": {"of": ["2030"]}, "tags": {"tag": [{}]}, "project": "?"}),
    ] {
        let tableau = Tableau::start().await;
        tableau.knows("GET /workbooks/w-1", &json!({ "workbook": workbook, "new": 1 }));
        let read = tableau.client().workbook(&"w-1".parse().unwrap()).await.unwrap();
        assert_eq!(read.name, "A", "{workbook}");
        assert!(read.tags.is_empty() && read.views.is_empty() && read.created_at.is_none(), "{read:?}");
    }
}

#[tokio::test]
async fn a_workbook_is_read_whole() {
    let tableau = Tableau::start().await;
    let answer = json!({"workbook": {
        "id": "w-1", "name": "Superstore", "contentUrl": "Superstore", "showTabs": "true", "size": "1",
        "webpageUrl": "https://t.example/#/workbooks/1", "createdAt": "2025-01-15T17:14:45Z",
        "updatedAt": "2025-01-16T17:14:45Z", "defaultViewId": "v-1",
        "project": {"id": "p-1", "name": "Finance"}, "owner": {"id": "u-2"},
        "tags": {"tag": [{"label": "critical"}]},
        "views": {"view": [{"id": "v-1", "name": "Overview", "contentUrl": "Superstore/sheets/Overview"}, {"id": 5}]}
    }});
    tableau.knows("GET /workbooks/w-1", &answer);

    let workbook = tableau.client().workbook(&"w-1".parse().unwrap()).await.unwrap();

    assert!(workbook.show_tabs);
    assert_eq!(workbook.tags, ["critical"]);
    assert_eq!(workbook.views.len(), 1, "the view that cannot be read is left out");
    assert_eq!(workbook.default_view_id, Some(workbook.views[0].id.clone()));
    assert_eq!(workbook.project.unwrap().name, "Finance");
}

#[tokio::test]
async fn an_answer_that_is_none_says_where_it_differs_and_repeats_nothing_of_it() {
    for (answer, place) in [
        (json!({"workbook": {"name": "hunter2"}}), "workbook"),
        (json!({"workbook": {"id": "../hunter2", "name": "A"}}), "workbook.id"),
        (json!({"workbook": {"id": "w", "name": ["hunter2"]}}), "workbook.name"),
        (json!({"workbook": {"id": "w", "name": {"a": "hunter2"}}}), "workbook.name"),
    ] {
        let tableau = Tableau::start().await;
        tableau.knows("GET /workbooks/w-1", &answer);
        let error = tableau.client().workbook(&"w-1".parse().unwrap()).await.unwrap_err();
        let Error::Unreadable { source, .. } = &error else { panic!("{error:?}") };
        assert!(source.to_string().contains(&format!("`{place}")), "{source}");
        assert!(!error.is_transient() && !format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn users_views_and_projects_are_read() {
    let tableau = Tableau::start().await;
    tableau.knows(
        "GET /users/u-2",
        &json!({"user": {"id": "u-2", "name": "ana@example.com", "fullName": "Ana", "siteRole": "Creator"}}),
    );
    tableau.knows(
        "GET /views/v-1",
        &json!({"view": {"id": "v-1", "name": "Overview", "viewUrlName": "Overview", "workbook": {"id": "w-1"},
                "project": {"id": "p-1"}, "owner": {"id": "u-2"}, "tags": {}}}),
    );
    let project =
        |id: &str, name: &str, parent: Value| json!({"id": id, "name": name, "parentProjectId": parent});
    let projects = [project("p-1", "Finance", json!(null)), project("p-2", "Europe", json!("p-1"))];
    tableau.knows(
        "GET /projects",
        &json!({"pagination": {"totalAvailable": "2"}, "projects": {"project": projects}}),
    );
    let client = tableau.client();

    let user = client.user(&"u-2".parse().unwrap()).await.unwrap();
    assert_eq!((user.display_name(), user.email_address()), ("Ana", Some("ana@example.com")));
    let view = client.view(&"v-1".parse().unwrap()).await.unwrap();
    assert_eq!(view.workbook.unwrap().id.as_str(), "w-1");
    let tree = client.project_tree().await.unwrap();
    assert_eq!(tree.path(&"p-2".parse().unwrap()).unwrap(), "Finance/Europe");
}
