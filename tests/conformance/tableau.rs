//! Tableau's own Python client runs against the Tableau simulator.

use super::{python, script, variable};
use std::fs;
use std::path::Path;
use std::time::Duration;
use testkit::simulator::{Recorder, SiteRole, TableauSimulator, User, notes};

#[tokio::test]
async fn tableaus_own_client_finds_in_the_simulator_what_it_expects() {
    let Some(python) = python() else { return };
    let tableau = TableauSimulator::sample().refreshes_take(Duration::from_secs(2)).start().await.unwrap();
    tableau.break_refreshes(tableau.datasource("Budget").unwrap(), Some(notes::MISSING_COLUMN));
    // The only user who may impersonate others.
    let root = User::named("root").with_role(SiteRole::ServerAdministrator);
    tableau.add(root.with_password("root's password"));
    let old = TableauSimulator::sample().max_version("3.8".parse().unwrap()).start().await.unwrap();
    let moved = TableauSimulator::empty().moved_to(&tableau.url()).start().await.unwrap();
    let destination = Recorder::start().await.unwrap();
    let page = tempfile::NamedTempFile::new().unwrap();
    let path = page.path().to_str().unwrap().to_owned();

    let arguments = [tableau.url(), old.url(), moved.url(), destination.url(), path];
    script(&python, "tableau", &arguments).await;

    let written = fs::read_to_string(page.path()).unwrap();
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/conformance.md");
    if variable("CONFORMANCE_WRITE").is_some() {
        fs::write(&committed, &written).unwrap();
    }
    let found = fs::read_to_string(&committed).unwrap_or_default();
    assert!(
        found == written,
        "docs/conformance.md is not what was found: CONFORMANCE_WRITE=1 writes it anew"
    );
}
