//! Pagination and filters of lists.

use crate::server::{Reply, Tableau, client};
use serde_json::{Value, json};
use tableau_client::{Datasource, Error, Filter, TableauCredential, Workbook};

fn page(names: &[&str], total: Value) -> Value {
    let workbooks: Vec<Value> = names.iter().map(|name| json!({"id": "w", "name": name})).collect();
    json!({"pagination": {"pageNumber": "1", "pageSize": "2", "totalAvailable": total},
           "workbooks": {"workbook": workbooks}})
}

fn names(workbooks: &[Workbook]) -> Vec<&str> {
    workbooks.iter().map(|workbook| workbook.name.as_str()).collect()
}

#[tokio::test]
async fn a_list_is_fetched_page_by_page_as_it_is_read() {
    let tableau = Tableau::start().await;
    tableau
        .knows("GET /workbooks", &page(&["a", "b"], json!("3")))
        .knows("GET /workbooks", &page(&["c"], json!(3)));
    let client = tableau.client();

    let mut pages = client.workbooks(Filter::all()).page_size(2);
    assert_eq!(pages.next().await.unwrap().unwrap().name, "a");
    assert_eq!(tableau.heard("GET /workbooks").len(), 1);
    assert_eq!(names(&pages.page().await.unwrap().unwrap()), ["b"]);
    assert_eq!(names(&pages.page().await.unwrap().unwrap()), ["c"]);
    assert!(pages.page().await.unwrap().is_none() && pages.next().await.unwrap().is_none());

    let numbers: Vec<String> = tableau
        .heard("GET /workbooks")
        .iter()
        .map(|r| format!("{}/{}", r.query["pageNumber"], r.query["pageSize"]))
        .collect();
    assert_eq!(numbers, ["1/2", "2/2"]);
}

#[tokio::test]
async fn an_empty_page_before_the_end_of_a_list_is_an_error() {
    let tableau = Tableau::start().await;
    tableau
        .knows("GET /workbooks", &page(&["a"], json!("999999")))
        .knows("GET /workbooks", &json!({"pagination": {"totalAvailable": "999999"}, "workbooks": {}}));
    let mut pages = tableau.client().workbooks(Filter::all());
    assert_eq!(pages.next().await.unwrap().unwrap().name, "a");
    let error = pages.next().await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("page 2") && source.contains("999999"), "{source}");
}

#[tokio::test]
async fn one_bad_element_does_not_take_its_page_along() {
    let tableau = Tableau::start().await;
    let elements = json!([{"id": "w", "name": "a"}, {"name": "no id"}, 5, {"id": "a/b", "name": "c"}, {"id": "w", "name": "d"}]);
    tableau.knows(
        "GET /workbooks",
        &json!({"pagination": {"totalAvailable": "5"}, "workbooks": {"workbook": elements}}),
    );
    assert_eq!(names(&tableau.client().workbooks(Filter::all()).all(10).await.unwrap()), ["a", "d"]);
    assert_eq!(tableau.heard("GET /workbooks").len(), 1, "those left out count as read");
}

#[tokio::test]
async fn no_more_is_read_than_asked_for() {
    let tableau = Tableau::start().await;
    tableau.knows("GET /workbooks", &page(&["a", "b"], json!("1000000")));
    assert_eq!(tableau.client().workbooks(Filter::all()).page_size(2).all(3).await.unwrap().len(), 3);
    assert_eq!(tableau.heard("GET /workbooks").len(), 2);
}

#[tokio::test]
async fn a_filter_goes_along_as_far_as_tableau_understands_it() {
    let tableau = Tableau::start().await;
    tableau.knows("GET /workbooks", &page(&["Profit, Loss & Tax", "Profit"], json!("2")));
    let filter = Filter::all().named("Profit, Loss & Tax").in_project("Füße + x");

    let pages = tableau.client().workbooks(filter).sorted("name:asc").fields("_default_,owner.email");
    let found = pages.all(9).await.unwrap();

    assert_eq!(names(&found), ["Profit, Loss & Tax"]);
    let asked = &tableau.heard("GET /workbooks")[0].query;
    assert_eq!(asked["filter"], "projectName:eq:Füße + x");
    assert_eq!((asked["sort"].as_str(), asked["fields"].as_str()), ("name:asc", "_default_,owner.email"));
}

#[tokio::test]
async fn data_sources_of_a_project_are_picked_here_where_the_version_cannot() {
    for (version, sent) in [("3.12", true), ("3.13", false), ("3.17", false), ("3.18", true)] {
        let tableau = Tableau::start().await;
        let signed_in = json!({"credentials": {"site": {"id": "s-1"}, "user": {"id": "u-1"}, "token": "t"}});
        tableau.knows(&format!("POST /{version}/auth/signin"), &signed_in);
        let in_project = |name: &str| json!({"id": "d", "name": name, "project": {"id": "p", "name": name}});
        let call = format!("GET /{version}/sites/s-1/datasources");
        tableau.knows(
            &call,
            &json!({"pagination": {"totalAvailable": "2"},
                "datasources": {"datasource": [in_project("Finance"), in_project("Sales")]}}),
        );
        let client = client(tableau.settings(version), TableauCredential::personal_access_token("n", "s"));

        let filter = Filter::<Datasource>::all().in_project("Finance");
        let found = client.datasources(filter).all(9).await.unwrap();

        assert_eq!(tableau.heard(&call)[0].query.contains_key("filter"), sent, "{version}");
        assert_eq!(found.len(), if sent { 2 } else { 1 }, "{version}");
    }
}

#[tokio::test]
async fn a_page_that_failed_is_asked_for_again() {
    let tableau = Tableau::start().await;
    tableau
        .says("GET /workbooks", Reply::error("403004", "no"))
        .knows("GET /workbooks", &page(&["a"], json!("1")));
    let mut pages = tableau.client().workbooks(Filter::all());
    assert_eq!(pages.next().await.unwrap_err().code(), Some("403004"));
    assert_eq!(pages.next().await.unwrap().unwrap().name, "a");
}

#[tokio::test]
async fn a_list_that_becomes_shorter_while_it_is_read_ends_and_is_no_error() {
    let beyond = || Reply::error("400006", "The page number is beyond the end.");
    let known = |names: &[&str], total: u64| Reply::json(200, &page(names, json!(total.to_string())));
    for (later, expected) in [
        // The total fits the remaining elements, but not the elements that were seen.
        (vec![known(&["d"], 2)], vec!["a", "b", "d"]),
        (vec![known(&["d"], 1)], vec!["a", "b", "d"]),
        (vec![known(&["c", "d"], 3)], vec!["a", "b", "c", "d"]),
        (vec![known(&[], 2)], vec!["a", "b"]),
        (vec![known(&[], 1)], vec!["a", "b"]),
        (vec![known(&[], 0)], vec!["a", "b"]),
        (vec![beyond()], vec!["a", "b"]),
        (vec![known(&["c", "d"], 6), beyond()], vec!["a", "b", "c", "d"]),
        (vec![known(&["c", "d"], 6), known(&["e"], 4)], vec!["a", "b", "c", "d", "e"]),
        // The list became longer, and then shorter.
        (vec![known(&["c", "d"], 9), known(&["e"], 5)], vec!["a", "b", "c", "d", "e"]),
    ] {
        let tableau = Tableau::start().await;
        tableau.says("GET /workbooks", known(&["a", "b"], 5));
        let pages = later.len() + 1;
        for reply in later {
            tableau.says("GET /workbooks", reply);
        }
        let mut list = tableau.client().workbooks(Filter::all()).page_size(2);
        let mut found = Vec::new();
        while let Some(workbook) = list.next().await.unwrap() {
            found.push(workbook.name);
            assert!(found.len() < 10, "{found:?}");
        }
        assert_eq!(found, expected);
        assert!(list.next().await.unwrap().is_none(), "an end stays one");
        assert_eq!(tableau.heard("GET /workbooks").len(), pages, "{expected:?}");
    }
}

#[tokio::test]
async fn a_first_page_beyond_the_end_and_a_page_with_more_than_all_pages_are_errors() {
    let tableau = Tableau::start().await;
    tableau.says("GET /workbooks", Reply::error("400006", "beyond the end"));
    let error = tableau.client().workbooks(Filter::all()).all(9).await.unwrap_err();
    assert_eq!(error.code(), Some("400006"));

    let tableau = Tableau::start().await;
    tableau
        .knows("GET /workbooks", &page(&["a", "b"], json!("5")))
        .knows("GET /workbooks", &page(&["c", "d"], json!("1")));
    let error = tableau.client().workbooks(Filter::all()).page_size(2).all(9).await.unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error}");
}

#[tokio::test]
async fn a_list_that_grows_with_every_page_comes_to_an_end() {
    let tableau = Tableau::start().await;
    tableau.knows("GET /workbooks", &page(&["a"], json!("1000000000")));
    let mut pages = tableau.client().workbooks(Filter::all()).page_size(1);
    let mut read = 0;
    let error = loop {
        match pages.page().await {
            Ok(Some(_)) => read += 1,
            Ok(None) => panic!("an end of a list that has none"),
            Err(error) => break error,
        }
        assert!(read <= 10_000, "{read}");
    };
    assert!(matches!(error, Error::Unreadable { .. }), "{error}");
    assert_eq!(read, 10_000);
}
