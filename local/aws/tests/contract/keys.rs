//! What only the AWS double has: keys that are new in each run. Calls with other keys are refused.

use crate::sdk::{config, config_of, credentials};
use crate::{code, refusal};
use aws_credential_types::Credentials;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_types::SdkConfig;
use local_aws::{Aws, QueueSpec};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The services of the double, each with one resource to call.
async fn aws() -> Aws {
    let aws = Aws::start().await.unwrap();
    aws.create_secret("tableau", json!("hunter2"));
    aws.create_queue(QueueSpec::new("work"));
    aws.create_table("table", "pk");
    aws.create_stack("stack", Vec::new());
    aws
}

/// The error code with which each service refuses a call; "" where the call succeeds.
async fn codes(aws: &Aws, config: &SdkConfig) -> [String; 5] {
    let secrets = aws_sdk_secretsmanager::Client::new(config);
    let secret = secrets.get_secret_value().secret_id("tableau").send().await;
    let message = aws_sdk_sqs::Client::new(config).send_message().queue_url(aws.queue_url("work"));
    let message = message.message_body("forged").send().await;
    let item = aws_sdk_dynamodb::Client::new(config).put_item().table_name("table");
    let item = item.item("pk", AttributeValue::S("forged".to_owned())).send().await;
    let entry = PutEventsRequestEntry::builder().source("s").detail_type("t").detail("{}").build();
    let event = aws_sdk_eventbridge::Client::new(config).put_events().entries(entry).send().await;
    let stacks = aws_sdk_cloudformation::Client::new(config);
    let listed = stacks.list_stack_resources().stack_name("stack").send().await;
    [
        secret.map_or_else(code, |_| String::new()),
        message.map_or_else(code, |_| String::new()),
        item.map_or_else(code, |_| String::new()),
        event.map_or_else(code, |_| String::new()),
        listed.map_or_else(code, |_| String::new()),
    ]
}

#[tokio::test]
async fn the_keys_of_two_runs_differ() {
    let one = aws().await;
    let other = aws().await;
    assert_ne!(one.keys().access_key_id(), other.keys().access_key_id());
    assert_ne!(one.keys().secret_access_key(), other.keys().secret_access_key());
    assert_ne!(one.keys().session_token(), other.keys().session_token());
    assert_eq!(codes(&one, &config_of(&one)).await.concat(), "");
    let with_the_others_keys = config(one.url(), credentials(other.keys()));
    assert!(codes(&one, &with_the_others_keys).await.iter().all(|code| !code.is_empty()));
}

#[tokio::test]
async fn a_wrong_key_is_refused_by_each_service_and_changes_nothing() {
    let aws = aws().await;
    let keys = aws.keys();
    let id = keys.access_key_id();
    let secret = keys.secret_access_key();
    let token = keys.session_token();
    let unknown = ("UnrecognizedClientException", "InvalidClientTokenId");
    let wrong = ("InvalidSignatureException", "SignatureDoesNotMatch");
    for (id, secret, token, (code, code_of_forms)) in [
        ("test", "test", None, unknown),
        ("test", "test", Some("test"), unknown),
        ("test", secret, Some(token), unknown),
        (&id[1..], secret, Some(token), unknown),
        (&id.to_lowercase(), secret, Some(token), unknown),
        (id, secret, None, unknown),
        (id, secret, Some("test"), unknown),
        (id, secret, Some(&token[1..]), unknown),
        (id, "test", Some(token), wrong),
        (id, &secret[1..], Some(token), wrong),
        (id, token, Some(token), wrong),
    ] {
        let other = Credentials::new(id, secret, token.map(str::to_owned), None, "test");
        let codes = codes(&aws, &config(aws.url(), other)).await;
        assert_eq!(codes, [code, code, code, code, code_of_forms]);
    }
    assert!(aws.messages("work").is_empty());
    assert!(aws.items("table").is_empty());
    assert!(aws.archive("default").is_empty());
    // Refused calls are not counted and use up no planned fault.
    assert_eq!(aws.calls("SecretsManager.GetSecretValue"), 0);
}

#[tokio::test]
async fn what_a_refusal_says_holds_no_key() {
    let aws = aws().await;
    let keys = aws.keys();
    let wrong =
        Credentials::new(keys.access_key_id(), "x", Some(keys.session_token().to_owned()), None, "test");
    let client = aws_sdk_secretsmanager::Client::new(&config(aws.url(), wrong));
    let said = refusal(client.get_secret_value().secret_id("tableau").send().await.unwrap_err()).1;
    let debug = format!("{aws:?} {keys:?}");
    for secret in [keys.access_key_id(), keys.secret_access_key(), keys.session_token(), "hunter2"] {
        assert!(!said.contains(secret) && !debug.contains(secret), "{said} {debug}");
    }
}

/// Sends a request as raw bytes and returns the answer.
async fn exchange(aws: &Aws, headers: &[&str], body: &str) -> String {
    let address = aws.url().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_request_that_is_not_signed_or_half_signed_is_refused() {
    let aws = aws().await;
    let id = aws.keys().access_key_id();
    let token = aws.keys().session_token();
    let token = format!("X-Amz-Security-Token: {token}");
    let signature = "0".repeat(64);
    let scope = format!("Credential={id}/20260101/us-east-1/secretsmanager/aws4_request");
    let headers = "SignedHeaders=host;x-amz-date;x-amz-security-token";
    let whole = format!("Authorization: AWS4-HMAC-SHA256 {scope}, {headers}, Signature={signature}");
    let without_scope = format!("Authorization: AWS4-HMAC-SHA256 {headers}, Signature={signature}");
    let without_signature = format!("Authorization: AWS4-HMAC-SHA256 {scope}, {headers}");
    let date = "X-Amz-Date: 20260101T000000Z";
    for (headers, code) in [
        (&[][..], "MissingAuthenticationTokenException"),
        (&[&token, date], "MissingAuthenticationTokenException"),
        (&["Authorization: Bearer x", date], "IncompleteSignatureException"),
        (&[&without_scope, &token, date], "IncompleteSignatureException"),
        (&[&without_signature, &token, date], "IncompleteSignatureException"),
        (&[&whole, &token], "IncompleteSignatureException"),
        (&[&whole, &token, "X-Amz-Date: yesterday"], "IncompleteSignatureException"),
        (&[&whole, date], "UnrecognizedClientException"),
        (&[&whole, &token, date], "InvalidSignatureException"),
    ] {
        let target = ["X-Amz-Target: secretsmanager.GetSecretValue"];
        let answer = exchange(&aws, &[headers, &target].concat(), r#"{"SecretId":"tableau"}"#).await;
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains(code), "{headers:?}: {answer}");
        assert!(!answer.contains("hunter2"), "{answer}");
    }
}
