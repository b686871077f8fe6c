//! Finds the site by its LUID, name or content URL.

use crate::server::Tableau;
use serde_json::json;
use tableau_client::{Error, Site};

fn answer() -> serde_json::Value {
    json!({"site": {"id": "s-1", "name": "R&D / EU", "contentUrl": "marketing", "state": "Active"}})
}

fn is_ours(site: &Site) -> bool {
    (site.id.as_str(), site.name.as_str(), site.content_url.as_str()) == ("s-1", "R&D / EU", "marketing")
}

#[tokio::test]
async fn a_site_is_found_by_luid_content_url_and_name() {
    let tableau = Tableau::start().await;
    let calls = ["GET /sites/s-2", "GET /sites/marketing", "GET /sites/R%26D%20%2F%20EU"];
    for call in calls {
        tableau.knows(call, &answer());
    }
    let client = tableau.client();

    assert!(is_ours(&client.site(&"s-2".parse().unwrap()).await.unwrap()));
    assert!(is_ours(&client.site_at("marketing").await.unwrap()));
    assert!(is_ours(&client.site_named("R&D / EU").await.unwrap()));

    let key = |call: &str| tableau.heard(call)[0].query.get("key").cloned();
    assert_eq!(calls.map(key), [None, Some("contentUrl".to_owned()), Some("name".to_owned())]);
}

#[tokio::test]
async fn ones_own_site_takes_nothing_to_know() {
    let tableau = Tableau::start().await;
    tableau.knows("GET ", &answer());
    assert!(is_ours(&tableau.client().own_site().await.unwrap()));
}

#[tokio::test]
async fn what_is_no_segment_of_a_path_is_not_asked_for() {
    let tableau = Tableau::start().await;
    let client = tableau.client();
    for wanted in ["", ".", ".."] {
        for asked in [client.site_at(wanted).await, client.site_named(wanted).await] {
            assert!(matches!(asked, Err(Error::Invalid { .. })), "{wanted:?}: {asked:?}");
        }
    }
}
