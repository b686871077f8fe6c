//! A client of Microsoft Graph from PyPI meets our double, and sends what `publish-pdf` sends.

use super::{python, script};
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use testkit::simulator::{ExportShape, GraphSimulator, Workbook};
use testkit::{Batch, TestEnvironment};

fn binary(name: &str) -> PathBuf {
    let ours = std::env::current_exe().unwrap();
    ours.parent().and_then(Path::parent).expect("target/debug/deps/conformance-…").join(name)
}

/// The kinds of calls of an upload, each once in a row.
fn kinds(graph: &GraphSimulator) -> Vec<String> {
    let mut kinds: Vec<String> = graph.calls().into_iter().map(|call| call.kind).collect();
    kinds.dedup();
    kinds
}

#[tokio::test]
async fn the_python_client_of_sharepoint_performs_the_same_session() {
    let Some(python) = python() else { return };
    let environment = TestEnvironment::with_rules(
        "rules: [{ name: all, on: [WorkbookRefreshSucceeded], do: [{ publish-pdf: { to: sharepoint, folder: Reports/2026 } }] }]\n",
    )
    .await;
    environment
        .tableau
        .shape_exports("*", ExportShape { padding_bytes: 12_000_000, ..ExportShape::default() });
    let function = environment.queued_for("publish-pdf", binary("publish-pdf"), Duration::from_secs(60));
    let workbook = environment.tableau.add(Workbook::named("Sales & Costs").with_tabs());
    let event = json!({
        "resource": "EXTRACTS", "event_type": "WorkbookRefreshSucceeded", "resource_name": "Sales", "resource_luid": workbook.as_str(),
        "site_luid": environment.tableau.site().as_str(), "created_at": "2025-01-15T17:14:45Z",
    });
    assert!(function.failures(&Batch::default().message(&event.to_string())).await.is_empty());
    let ours = environment.graph.files();
    assert_eq!(ours.len(), 1);

    let graph = GraphSimulator::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(ours[0].name());
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(&vec![b'%'; 1_000_000]).unwrap();
    let secret = graph.secret();
    let of = |name: &str| secret[name].as_str().unwrap().to_owned();
    let arguments = [
        graph.url(),
        of("tenant"),
        of("client_id"),
        of("client_secret"),
        of("drive"),
        path.display().to_string(),
    ];
    script(&python, "graph.py", &arguments).await;

    let theirs = graph.files();
    assert_eq!((theirs.len(), &theirs[0].path, theirs[0].sent_bytes), (1, &ours[0].path, 1_000_000));
    assert_eq!((graph.open_sessions(), theirs[0].content == vec![b'%'; 1_000_000]), (0, true));
    // The same calls in the same order, and the same form of their addresses.
    let of_ours = kinds(&environment.graph);
    assert_eq!(of_ours, ["token", "drive", "create", "piece"]);
    let of_theirs: Vec<String> = kinds(&graph).into_iter().take(5).collect();
    assert_eq!(of_theirs, ["token", "drive", "create", "piece", "item"]);
    let created =
        |graph: &GraphSimulator| graph.calls().into_iter().find(|call| call.kind == "create").unwrap().target;
    let decoded = |target: &str| target.replace("%20", " ").replace("%26", "&");
    assert_eq!(decoded(&created(&environment.graph)), decoded(&created(&graph)));
    let pieces = graph.calls().into_iter().filter(|call| call.kind == "piece" && call.status < 300);
    assert!(pieces.into_iter().all(|call| !call.authorized && call.range.starts_with("bytes ")));
}
