//! A forged or damaged session item: its token is sent nowhere, and the client signs in.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use aws_sdk_dynamodb::types::AttributeValue;
use local_aws::Aws;
use serde_json::{Value, json};
use simulator::{SAMPLE_PAT, TableauSimulator};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tableau_client::{FixedCredential, Settings, TableauClient, TableauCredential};
use testkit::dynamodb::client as dynamodb;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A server that accepts anything and counts connections.
async fn thief() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut bytes = [0; 1024];
            let _ = stream.read(&mut bytes).await;
            let _ = stream.write_all(b"HTTP/1.1 401 X\r\ncontent-length: 0\r\n\r\n").await;
        }
    });
    (format!("127.0.0.1:{port}"), count)
}

fn client(aws: &Aws, server: &str) -> TableauClient {
    let credential = TableauCredential::personal_access_token(SAMPLE_PAT.0, SAMPLE_PAT.1);
    TableauClient::new(
        http_client::client(None).unwrap(),
        Settings::new(server, "marketing", "").unwrap(),
        Arc::new(FixedCredential::new(credential)),
        session_store::sessions(Some((dynamodb(aws), "table".to_owned()))),
    )
}

/// The document in the session's item.
fn document(aws: &Aws) -> Value {
    serde_json::from_str(aws.items("table")[0]["document"]["S"].as_str().unwrap()).unwrap()
}

/// Changes one member of the session in its item.
async fn forge(aws: &Aws, name: &str, value: impl Into<Value>) {
    let mut forged = document(aws);
    forged["session"][name] = value.into();
    let pk = aws.items("table")[0]["pk"]["S"].as_str().unwrap().to_owned();
    let update = dynamodb(aws).update_item().table_name("table").key("pk", AttributeValue::S(pk));
    let update = update.key("sk", AttributeValue::S("-".to_owned()));
    let update = update.update_expression("SET document = :document");
    let forged = AttributeValue::S(forged.to_string());
    update.expression_attribute_values(":document", forged).send().await.unwrap();
}

#[tokio::test]
async fn a_session_at_a_server_where_none_of_ours_can_be_is_not_used_and_replaced() {
    let aws = Aws::start().await.unwrap();
    let tableau = TableauSimulator::sample().start().await.unwrap();
    testkit::dynamodb::create_table(&aws, "table");
    let workbook = tableau.workbook("Superstore").unwrap();
    client(&aws, &tableau.url()).workbook(&workbook).await.unwrap();
    let (thief, connections) = thief().await;
    for (before, forged) in [
        "http://thief.example",
        "https://thief.example",
        "https://10ay.online.tableau.com",
        "https://localhost.evil.com",
        "http://127.0.0.1.evil.com",
        &format!("http://{thief}@evil.example/"),
        &format!("http://user:password@{thief}"),
        &format!("http://user@{thief}"),
        &format!("ftp://{thief}"),
        "http://0.0.0.0:1",
        "http://[::ffff:127.0.0.1]:1",
        "not a url",
        "//",
        "javascript:1",
    ]
    .into_iter()
    .enumerate()
    {
        forge(&aws, "server", forged).await;
        client(&aws, &tableau.url()).workbook(&workbook).await.unwrap();
        assert_eq!(tableau.sign_ins(SAMPLE_PAT.0) as usize, before + 2, "{forged}");
        assert!(document(&aws)["session"]["server"].is_null(), "{forged}");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_token_of_a_forged_item_does_not_leave_this_machine_for_a_configured_server_elsewhere() {
    let aws = Aws::start().await.unwrap();
    testkit::dynamodb::create_table(&aws, "table");
    let tableau = TableauSimulator::sample().start().await.unwrap();
    client(&aws, &tableau.url()).workbook(&tableau.workbook("Superstore").unwrap()).await.unwrap();
    let (thief, connections) = thief().await;
    // The same item under the key of a server that does not exist.
    let item = aws.items("table").remove(0);
    let key = item["pk"]["S"].as_str().unwrap();
    let key = key.replace(tableau.url().trim_start_matches("http://"), "tableau.invalid");
    let mut forged = document(&aws);
    forged["session"]["server"] = format!("http://{thief}").into();
    let put = dynamodb(&aws).put_item().table_name("table").item("pk", AttributeValue::S(key));
    put.item("sk", AttributeValue::S("-".to_owned()))
        .item("document", AttributeValue::S(forged.to_string()))
        .item("version", AttributeValue::N("1".to_owned()))
        .send()
        .await
        .unwrap();
    let client = client(&aws, "https://tableau.invalid").within(std::time::Duration::from_secs(2));
    let error = client.workbook(&"w-1".parse().unwrap()).await.unwrap_err();
    assert!(tableau_client::chain(&error).contains("no answer from tableau.invalid"), "{error}");
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_session_whose_token_or_site_cannot_be_is_replaced() {
    let aws = Aws::start().await.unwrap();
    let tableau = TableauSimulator::sample().start().await.unwrap();
    testkit::dynamodb::create_table(&aws, "table");
    let workbook = tableau.workbook("Superstore").unwrap();
    client(&aws, &tableau.url()).workbook(&workbook).await.unwrap();
    for (before, (name, value)) in [
        ("token", json!("a\r\nX-Other: b")),
        ("token", json!("ä")),
        ("token", json!("")),
        ("token", json!("x".repeat(5_000))),
        ("token", json!(1)),
        ("site", json!("../../auth/signout")),
        ("site", json!("")),
        ("site", json!(null)),
        ("user", json!("a/b")),
        ("user", json!([])),
        ("api_version", json!("x")),
        ("server", json!({ "url": "https://thief.example" })),
    ]
    .into_iter()
    .enumerate()
    {
        forge(&aws, name, value.clone()).await;
        client(&aws, &tableau.url()).workbook(&workbook).await.unwrap();
        assert_eq!(tableau.sign_ins(SAMPLE_PAT.0) as usize, before + 2, "{name} {value}");
    }
}
