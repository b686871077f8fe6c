//! An answer with another shape is an error, never an empty list.

use crate::server::{Reply, Tableau};
use serde_json::json;
use tableau::Subject;
use tableau_client::{Error, Filter, RefreshKind, TableauClient, Warnable};

/// Every method that reads an answer: the call, its name in messages, and the key it looks for.
const CALLS: [(&str, &str, &str); 22] = [
    ("GET /workbooks", "list the workbooks", "workbooks"),
    ("GET /datasources", "list the data sources", "datasources"),
    ("GET /views", "list the views", "views"),
    ("GET /users", "list the users", "users"),
    ("GET /projects", "list the projects", "projects"),
    ("GET /jobs", "list the jobs", "backgroundJobs"),
    ("GET /tasks/extractRefreshes", "list the refresh tasks", "tasks"),
    ("GET /webhooks", "list the webhooks", "webhooks"),
    ("GET /exp/sites/s-1/broadcasts/views", "list the Broadcasts", "broadcastViews"),
    ("POST /labels", "list the labels", "labelList"),
    ("GET /dataQualityWarnings/datasource/x", "list the quality warnings", "dataQualityWarningList"),
    ("PUT /workbooks/x/tags", "add the tags", "tags"),
    ("GET /workbooks/x", "fetch the workbook", "workbook"),
    ("GET /datasources/x", "fetch the data source", "datasource"),
    ("GET /views/x", "fetch the view", "view"),
    ("GET /users/x", "fetch the user", "user"),
    ("GET /jobs/x", "fetch the job", "job"),
    ("GET /webhooks/x", "fetch the webhook", "webhook"),
    ("GET /sites/x", "fetch the site", "site"),
    ("GET /webhooks/x/test", "test the webhook", "webhookTestResult"),
    ("POST /workbooks/x/refresh", "refresh the extract", "job"),
    ("POST /metadata/graphql", "ask the Metadata API", "data"),
];
/// How many of these methods return lists.
const LISTS: usize = 12;

async fn called(client: &TableauClient, call: &str) -> Result<(), Error> {
    let workbook = Subject::Workbook("x".parse().unwrap());
    match call {
        "GET /workbooks" => client.workbooks(Filter::all()).all(9).await.map(|_| ()),
        "GET /datasources" => client.datasources(Filter::all()).all(9).await.map(|_| ()),
        "GET /views" => client.views(Filter::all()).all(9).await.map(|_| ()),
        "GET /users" => client.users(Filter::all()).all(9).await.map(|_| ()),
        "GET /projects" => client.project_tree().await.map(|_| ()),
        "GET /jobs" => client.jobs(Filter::all()).all(9).await.map(|_| ()),
        "GET /tasks/extractRefreshes" => client.refresh_tasks().all(9).await.map(|_| ()),
        "GET /webhooks" => client.webhooks().all(9).await.map(|_| ()),
        "GET /exp/sites/s-1/broadcasts/views" => client.broadcasts().await.map(|_| ()),
        "POST /labels" => client.labels(&"x".parse().unwrap()).await.map(|_| ()),
        "GET /dataQualityWarnings/datasource/x" => {
            client.quality_warnings(&Warnable::Datasource("x".parse().unwrap())).await.map(|_| ())
        }
        "PUT /workbooks/x/tags" => client.add_tags(&workbook, &["t"]).await.map(|_| ()),
        "GET /workbooks/x" => client.workbook(&"x".parse().unwrap()).await.map(|_| ()),
        "GET /datasources/x" => client.datasource(&"x".parse().unwrap()).await.map(|_| ()),
        "GET /views/x" => client.view(&"x".parse().unwrap()).await.map(|_| ()),
        "GET /users/x" => client.user(&"x".parse().unwrap()).await.map(|_| ()),
        "GET /jobs/x" => client.job(&"x".parse().unwrap()).await.map(|_| ()),
        "GET /webhooks/x" => client.webhook(&"x".parse().unwrap()).await.map(|_| ()),
        "GET /sites/x" => client.site(&"x".parse().unwrap()).await.map(|_| ()),
        "GET /webhooks/x/test" => client.test_webhook(&"x".parse().unwrap()).await.map(|_| ()),
        "POST /workbooks/x/refresh" => client.refresh_now(&workbook, RefreshKind::Full).await.map(|_| ()),
        _ => client.downstream_workbooks(&"x".parse().unwrap()).await.map(|_| ()),
    }
}

fn words(error: &Error) -> String {
    let source = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    format!("{error}: {source}")
}

fn body(text: &str) -> Reply {
    Reply::Full(200, vec![], text.as_bytes().to_vec())
}

#[tokio::test]
async fn what_is_not_the_answer_that_was_asked_for_is_an_error_of_every_method() {
    let pagination = json!({"pageNumber": "1", "pageSize": "100", "totalAvailable": "0"});
    let tableau = Tableau::start().await;
    let client = tableau.client();
    for (call, operation, key) in CALLS {
        let mut bodies: Vec<String> =
            ["{}", "[]", "null", "\"hunter2\"", "7", "true", "", "<html>hunter2</html>"]
                .map(str::to_owned)
                .to_vec();
        bodies.push(json!({"pagination": pagination}).to_string());
        bodies.push(json!({"hunter2": {"x": []}}).to_string());
        bodies.push(json!({"pagination": pagination, "hunter2": {}}).to_string());
        for wrong in [json!(null), json!("hunter2"), json!(7), json!(true)] {
            bodies.push(json!({"pagination": pagination, key: wrong}).to_string());
        }
        for text in bodies {
            tableau.forgets(call).says(call, body(&text));
            let error = called(&client, call).await.expect_err(&format!("{call} answered {text}"));
            let words = words(&error);
            assert!(words.starts_with(operation), "{call} answered {text}: {words}");
            assert!(!format!("{words} {error:?}").contains("hunter2"), "{call} answered {text}: {words}");
        }
    }
}

#[tokio::test]
async fn the_error_of_a_list_says_what_was_expected_and_where() {
    let pagination = json!({"totalAvailable": "1"});
    let tableau = Tableau::start().await;
    let client = tableau.client();
    for (call, _, key) in &CALLS[..LISTS] {
        for (wrong, found) in [
            (json!("hunter2"), "it is a text"),
            (json!(null), "it is null"),
            (json!({"hunter2": []}), "it is missing"),
        ] {
            tableau.forgets(call).knows(call, &json!({"pagination": pagination, *key: wrong}));
            let words = words(&called(&client, call).await.unwrap_err());
            assert!(
                words.contains(&format!("`{key}")) && words.contains(found),
                "{call} with {wrong}: {words}"
            );
        }
    }
}

#[tokio::test]
async fn a_list_is_read_in_the_shapes_that_tableau_has_been_seen_to_answer() {
    let element = json!({"id": "w-1", "name": "Superstore"});
    for (wrapper, names) in [
        (json!({}), vec![]),
        (json!([]), vec![]),
        (json!({"workbook": []}), vec![]),
        (json!({"workbook": element}), vec!["Superstore"]),
        (json!({"workbook": [element, element]}), vec!["Superstore", "Superstore"]),
        (json!([element]), vec!["Superstore"]),
    ] {
        let tableau = Tableau::start().await;
        let pagination = json!({"totalAvailable": names.len().to_string()});
        tableau.knows("GET /workbooks", &json!({"pagination": pagination, "workbooks": wrapper}));
        let workbooks = tableau.client().workbooks(Filter::all()).all(10).await.unwrap();
        let found: Vec<&str> = workbooks.iter().map(|workbook| workbook.name.as_str()).collect();
        assert_eq!(found, names, "{wrapper}");
    }
}

#[tokio::test]
async fn a_page_without_a_total_that_fits_its_elements_is_an_error() {
    let workbooks = |count: usize| {
        let all = vec![json!({"id": "w-1", "name": "A"}); count];
        if count == 0 { json!({}) } else { json!({"workbook": all}) }
    };
    for (pagination, count, found) in [
        (None, 0, "`pagination`: it is missing"),
        (None, 1, "`pagination`: it is missing"),
        (Some(json!(null)), 1, "`pagination.totalAvailable`: there is none"),
        (Some(json!({})), 1, "`pagination.totalAvailable`: there is none"),
        (Some(json!({"totalAvailable": "many"})), 1, "`pagination.totalAvailable`: there is none"),
        (Some(json!({"totalAvailable": -1})), 1, "`pagination.totalAvailable`: there is none"),
        (Some(json!({"totalAvailable": "0"})), 1, "it is 0, after 1 elements"),
        (Some(json!({"totalAvailable": "1"})), 2, "it is 1, after 2 elements"),
        (Some(json!({"totalAvailable": "3"})), 0, "it is 3, after 0 elements"),
    ] {
        let tableau = Tableau::start().await;
        let mut answer = json!({"workbooks": workbooks(count)});
        if let Some(pagination) = &pagination {
            answer["pagination"] = pagination.clone();
        }
        tableau.knows("GET /workbooks", &answer);
        let error = tableau.client().workbooks(Filter::all()).all(10).await.unwrap_err();
        assert!(words(&error).contains(found), "{answer}: {}", words(&error));
    }
}

#[tokio::test]
async fn a_list_that_tableau_does_not_page_is_one_page() {
    let tableau = Tableau::start().await;
    let task = json!({"extractRefresh": {"id": "t-1"}});
    tableau.knows("GET /tasks/extractRefreshes", &json!({"tasks": {"task": task}}));
    tableau.knows("GET /webhooks", &json!({"webhooks": {}}));
    let client = tableau.client();
    assert_eq!(client.refresh_tasks().all(9).await.unwrap().len(), 1);
    assert!(client.webhooks().all(9).await.unwrap().is_empty());
    assert_eq!(tableau.heard("GET /tasks/extractRefreshes").len(), 1);
}

#[tokio::test]
async fn a_list_of_which_no_element_can_be_read_is_an_error() {
    let tableau = Tableau::start().await;
    for odd in [json!(["hunter2"]), json!([{"hunter2": 1}, 5]), json!([null])] {
        let answer = json!({"pagination": {"totalAvailable": "9"}, "workbooks": {"workbook": odd}});
        tableau.forgets("GET /workbooks").knows("GET /workbooks", &answer);
        let error = tableau.client().workbooks(Filter::all()).all(9).await.unwrap_err();
        assert!(words(&error).contains("elements `workbook`: none of them can be read"), "{}", words(&error));
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn lineage_that_is_not_there_is_an_error_and_never_no_lineage() {
    let tableau = Tableau::start().await;
    let error = json!({"message": "No.", "extensions": {"code": "ACCESS_DENIED"}});
    let call = "POST /metadata/graphql";
    let client = tableau.client();
    for (data, errors, is_metadata) in [
        (json!({}), json!([]), false),
        (json!({"publishedDatasources": "hunter2"}), json!([]), false),
        (json!({"publishedDatasources": [{}]}), json!([]), false),
        (json!({"publishedDatasources": [{"downstreamWorkbooks": {}}]}), json!([]), false),
        (json!({"publishedDatasources": null}), json!([error]), true),
        (json!({"publishedDatasources": [{"downstreamWorkbooks": null}]}), json!([error]), true),
        (json!({"publishedDatasources": []}), json!({"hunter2": 1}), false),
    ] {
        tableau.forgets(call).knows(call, &json!({"data": data, "errors": errors}));
        let error = client.downstream_workbooks(&"d-1".parse().unwrap()).await.unwrap_err();
        assert_eq!(matches!(error, Error::Metadata { .. }), is_metadata, "{data}: {error:?}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
    tableau.forgets(call).knows(call, &json!({"data": {"publishedDatasources": {}}}));
    assert!(client.shown_at("https://t.example/#/datasources/9").await.is_err());
}
