//! The code blocks in the README are the tests in this folder.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod acting;
mod export;
#[path = "../../examples/first.rs"]
#[allow(dead_code, reason = "its `main` is not called")]
mod first;

use serde_json::{Value, json};
use simulator::{SAMPLE_CONNECTED_APP, SAMPLE_PAT, TableauSimulator};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tableau_client::{
    FixedCredential, MemorySessionStore, Settings, TableauClient, TableauCredential, UserLuid, WorkbookLuid,
    chain,
};

const README: &str = include_str!("../../README.md");

/// The README's code blocks of this language.
fn fences(kind: &str) -> Vec<&'static str> {
    let begins = format!("```{kind}\n");
    README.split(&begins).skip(1).map(|rest| rest.split_once("```\n").unwrap().0).collect()
}

async fn simulator() -> TableauSimulator {
    TableauSimulator::sample().refreshes_take(Duration::from_millis(100)).start().await.unwrap()
}

#[test]
fn the_readmes_code_is_the_code_that_is_run() {
    // Without the file's first line (a description for readers of the tests) and attributes for clippy.
    let (_, first) = include_str!("../../examples/first.rs").split_once("\n\n").unwrap();
    assert_eq!(fences("rust,no_run"), [first]);
    assert_eq!(fences("rust"), [include_str!("acting.rs"), include_str!("export.rs")]);
    assert!(
        !README.contains("\n# use") && !README.contains("\n# fn"),
        "a hidden line shows where the README is read"
    );
}

#[test]
fn the_packages_to_depend_on_are_where_the_readme_says() {
    let dependencies = fences("toml")[0];
    let ours: Vec<_> = dependencies.lines().filter_map(|line| line.split_once(" = { path = ")).collect();
    assert_eq!(ours.len(), 2, "{dependencies}");
    for (name, path) in ours {
        assert!(path.trim_end_matches("\" }").ends_with(&format!("/shared/{name}")), "{path}");
        assert!(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("Cargo.toml").exists(),
            "{name}"
        );
    }
}

#[test]
fn the_readmes_commands_name_what_there_is() {
    for command in fences("sh") {
        let (_, arguments) = command.trim().split_once("cargo run -p ").unwrap();
        let (package, example) = arguments.split_once(" --example ").unwrap();
        let folder = if package == "simulator" { "../../local" } else { ".." };
        let file = format!("{folder}/{package}/examples/{example}.rs");
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(&file).exists(), "{file}");
    }
}

#[tokio::test]
async fn the_first_program_refreshes_a_data_source() {
    let simulator = simulator().await;
    first::run(&simulator.url()).await.unwrap();
    let sales = simulator.datasource("Sales Orders").unwrap();
    let refreshed = |job: &simulator::JobRecord| job.target.as_deref() == Some(sales.as_str());
    assert_eq!(simulator.jobs().into_iter().rfind(refreshed).unwrap().status, "Success");
}

#[tokio::test]
async fn the_first_program_says_what_is_wrong_with_an_address() {
    let text = chain(first::run("tableau.example.com").await.unwrap_err().as_ref());
    assert_eq!(text, "the Tableau server's address must begin with https://");
}

/// Denies a user access to a workbook, by a REST call that this client does not have.
async fn deny_read(simulator: &TableauSimulator, user: &UserLuid, workbook: &WorkbookLuid) {
    let http = http_client::client(None).unwrap();
    let url = simulator.url();
    let site = simulator.site();
    let credentials = json!({
        "personalAccessTokenName": SAMPLE_PAT.0, "personalAccessTokenSecret": SAMPLE_PAT.1,
        "site": { "contentUrl": "marketing" },
    });
    let send = async |request: reqwest::RequestBuilder, body: Value| {
        let request = request.header("content-type", "application/json").header("accept", "application/json");
        let answer = request.body(body.to_string()).send().await.unwrap().error_for_status().unwrap();
        serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap()
    };
    let signed_in =
        send(http.post(format!("{url}/api/3.24/auth/signin")), json!({ "credentials": credentials })).await;
    let token = signed_in["credentials"]["token"].as_str().unwrap();
    let denied = json!({ "capability": { "name": "Read", "mode": "Deny" } });
    let grantee = json!({ "user": { "id": user.as_str() }, "capabilities": denied });
    let path = format!("{url}/api/3.24/sites/{site}/workbooks/{workbook}/permissions");
    let body = json!({ "permissions": { "granteeCapabilities": [grantee] } });
    send(http.put(path).header("x-tableau-auth", token), body).await;
    http.post(format!("{url}/api/3.24/auth/signout")).header("x-tableau-auth", token).send().await.unwrap();
}

#[tokio::test]
async fn a_connected_app_works_in_anas_name() {
    let simulator = simulator().await;
    let (client_id, secret_id, secret_value) = SAMPLE_CONNECTED_APP;
    let secret = json!({
        "client_id": client_id, "secret_id": secret_id, "secret_value": secret_value, "user_name": "bea@example.com",
    });
    let workbooks = async || acting::workbooks_of_ana(&simulator.url(), &secret.to_string()).await.unwrap();
    assert_eq!(workbooks().await, 7);
    assert_eq!(simulator.sessions(), 0, "it has signed out");

    let others = simulator.workbook("Pipeline Review").unwrap();
    deny_read(&simulator, &simulator.user("ana").unwrap(), &others).await;
    assert_eq!(workbooks().await, 6, "Bea, whose name is in the secret, still sees all");
}

#[tokio::test]
async fn an_export_has_a_size_or_there_is_no_workbook() {
    let simulator = simulator().await;
    let client = TableauClient::new(
        http_client::client(None).unwrap(),
        Settings::new(&simulator.url(), "marketing", "").unwrap(),
        Arc::new(FixedCredential::new(TableauCredential::personal_access_token(SAMPLE_PAT.0, SAMPLE_PAT.1))),
        Arc::new(MemorySessionStore::default()),
    );
    let superstore = simulator.workbook("Superstore").unwrap();
    assert!(export::pdf_bytes(&client, &superstore).await.unwrap().is_some_and(|size| size > 0));
    let gone = "00000000-0000-0000-0000-000000000000".parse().unwrap();
    assert_eq!(export::pdf_bytes(&client, &gone).await.unwrap(), None);
}
