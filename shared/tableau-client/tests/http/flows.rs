//! Runs of flows: a list without a total, and a refusal with status 200.

use crate::server::Tableau;
use serde_json::{Value, json};
use tableau_client::Filter;

fn page(ids: &[&str]) -> Value {
    let runs: Vec<Value> =
        ids.iter().map(|id| json!({"id": id, "flowId": "f", "status": "Success"})).collect();
    if runs.is_empty() { json!({"flowRuns": {}}) } else { json!({"flowRuns": {"flowRuns": runs}}) }
}

// The list has no `pagination`: `tableau/server-client-python:test/assets/flow_runs_get.xml`.
#[tokio::test]
async fn a_list_without_a_total_is_read_until_a_page_is_short() {
    for (pages, calls) in [
        (vec![page(&["a", "b"]), page(&["c"])], 2),
        (vec![page(&["a", "b"]), page(&["c", "d"]), page(&[])], 3),
        (vec![page(&[])], 1),
    ] {
        let tableau = Tableau::start().await;
        let expected: usize =
            pages.iter().map(|page| page["flowRuns"]["flowRuns"].as_array().map_or(0, Vec::len)).sum();
        for page in &pages {
            tableau.knows("GET /flows/runs", page);
        }
        let runs = tableau.client().flow_runs(Filter::all()).page_size(2).all(100).await.unwrap();
        assert_eq!((runs.len(), tableau.heard("GET /flows/runs").len()), (expected, calls));
    }
}

// `tableau/tableau-mcp:src/sdks/tableau/apis/flowsApi.ts`
#[tokio::test]
async fn a_run_that_is_over_is_refused_with_status_200() {
    let tableau = Tableau::start().await;
    let refusal = json!({"error": {"summary": "Forbidden", "detail": "already complete", "code": "403135"}});
    tableau.knows("PUT /flows/runs/r-1", &refusal).knows("PUT /flows/runs/r-2", &json!({}));
    let client = tableau.client();

    let error = client.cancel_flow_run(&"r-1".parse().unwrap()).await.unwrap_err();

    assert_eq!(error.code(), Some("403135"));
    assert!(error.to_string().contains("refused with 403"), "{error}");
    client.cancel_flow_run(&"r-2".parse().unwrap()).await.unwrap();
}
