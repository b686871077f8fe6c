//! The Recycle Bin, as the Tableau simulator and other answers have it.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use jiff::Timestamp;
use simulator::{Fault, SAMPLE_CONNECTED_APP, SAMPLE_PAT, TableauSimulator, Workbook};
use std::sync::Arc;
use tableau_client::{
    ApiVersion, ConnectedApp, Deleted, DeletedKind, FixedCredential, MemorySessionStore, RecycleBinLookup,
    Settings, TableauClient, TableauCredential,
};

const RECYCLE_BIN: &str = "GET */recyclebin/*";

fn client(simulator: &TableauSimulator, credential: TableauCredential, version: &str) -> TableauClient {
    let settings = Settings::new(&simulator.url(), "marketing", version).unwrap();
    let http = http_client::client(None).unwrap();
    let sessions = Arc::<MemorySessionStore>::default();
    TableauClient::new(http, settings, Arc::new(FixedCredential::new(credential)), sessions)
}

fn token() -> TableauCredential {
    TableauCredential::personal_access_token(SAMPLE_PAT.0, SAMPLE_PAT.1)
}

fn connected_app(scopes: &[&str]) -> TableauCredential {
    TableauCredential::ConnectedApp(ConnectedApp {
        client_id: SAMPLE_CONNECTED_APP.0.to_owned(),
        secret_id: SAMPLE_CONNECTED_APP.1.to_owned(),
        secret_value: SAMPLE_CONNECTED_APP.2.to_owned().into(),
        user: "bea@example.com".to_owned(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
    })
}

fn workbook<'a>(luid: &'a str, name: Option<&'a str>) -> Deleted<'a> {
    Deleted { kind: DeletedKind::Workbook, luid, name, at: Timestamp::now() }
}

// 15-2
#[tokio::test]
async fn a_deleted_object_is_found_with_one_call_among_others_of_its_name() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let client = client(&simulator, token(), "");
    let mut all = Vec::new();
    for project in ["Finance/Month End", "Sales"] {
        let luid = simulator.add(Workbook::named("Twins, both & more").in_project(project).owned_by("ana"));
        simulator.delete_as(&simulator.user("ana").unwrap(), &luid).unwrap();
        all.push((luid, project));
    }
    for (luid, project) in &all {
        for name in [Some("Twins, both & more"), None] {
            let RecycleBinLookup::Found(item) =
                client.deleted_item(workbook(luid.as_str(), name)).await.unwrap()
            else {
                panic!("{project} is not found")
            };
            assert_eq!((item.original_path.as_str(), item.id.as_deref()), (*project, Some(luid.as_str())));
            assert_eq!(item.deleter.unwrap().person().unwrap().name, "Ana Ferreira");
        }
    }
    let asked = simulator.calls(RECYCLE_BIN);
    assert_eq!((asked, simulator.failed_calls()), (4, 0));
    for kind in [DeletedKind::Datasource, DeletedKind::Flow, DeletedKind::Project] {
        let deleted = Deleted { kind, ..workbook(all[0].0.as_str(), Some("Twins, both & more")) };
        assert_eq!(client.deleted_item(deleted).await.unwrap(), RecycleBinLookup::NotListed, "{kind:?}");
    }
}

// 15-2
#[tokio::test]
async fn a_recycle_bin_that_cannot_be_read_is_an_answer_with_a_reason() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let luid = simulator.workbook("Superstore").unwrap();
    simulator.delete(&luid).unwrap();
    let deleted = || workbook(luid.as_str(), Some("Superstore"));

    let old = client(&simulator, token(), "3.28").deleted_item(deleted()).await.unwrap();
    assert_eq!(old, RecycleBinLookup::TooOld { version: ApiVersion::new(3, 28) });
    assert_eq!(simulator.calls(RECYCLE_BIN), 0, "an older version is not asked");

    let without_scope = client(&simulator, connected_app(&ConnectedApp::SCOPES), "");
    let refused = without_scope.deleted_item(deleted()).await.unwrap();
    assert_eq!(refused, RecycleBinLookup::Refused { code: "401002".to_owned() });
    assert!(refused.to_string().contains("the scope tableau:recyclebin_content:read"), "{refused}");
    let scopes = [&ConnectedApp::SCOPES[..], &["tableau:recyclebin_content:read"]].concat();
    let found = client(&simulator, connected_app(&scopes), "").deleted_item(deleted()).await.unwrap();
    assert!(matches!(found, RecycleBinLookup::Found(_)), "{found}");

    // A list that takes no filter by name is read as a whole.
    let client = client(&simulator, token(), "");
    simulator.fail_next(RECYCLE_BIN, 1, Fault::Error("400065"));
    let found = client.deleted_item(deleted()).await.unwrap();
    assert!(matches!(found, RecycleBinLookup::Found(_)), "{found}");
    simulator.fail_always(RECYCLE_BIN, Fault::Error("403004"));
    let refused = client.deleted_item(deleted()).await.unwrap();
    assert_eq!(refused, RecycleBinLookup::Refused { code: "403004".to_owned() });
    simulator.clear_faults();
    simulator.fail_always(RECYCLE_BIN, Fault::Status(503));
    assert!(client.deleted_item(deleted()).await.unwrap_err().is_transient());
}
