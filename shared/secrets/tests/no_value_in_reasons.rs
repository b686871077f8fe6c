//! Whatever Secrets Manager answers, the reason of a failed read holds no secret: it ends in logs and records.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;
use aws_types::region::Region;
use axum::Router;
use axum::http::StatusCode;
use secrets::{Secret, SecretStore, SecretsManager};
use std::sync::Arc;
use tokio::net::TcpListener;
use workflow::{CredentialSource, chain};

/// A Secrets Manager that always gives this answer.
async fn answering(status: StatusCode, body: &'static str) -> SecretsManager {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(move || async move { (status, body) });
    tokio::spawn(async move { axum::serve(listener, router).await });
    let credentials = Credentials::new("test", "test", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(aws_sdk_secretsmanager::config::BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(aws_sdk_secretsmanager::config::retry::RetryConfig::disabled())
        .endpoint_url(url)
        .build();
    SecretsManager::new(aws_sdk_secretsmanager::Client::new(&config))
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_not_repeated() {
    for (status, body) in [
        (StatusCode::OK, r#"{"Name":"tableau","SecretString":"{\"token_secret\":\"hunter2\"}""#),
        (StatusCode::OK, r#"{"SecretString":{"token_secret":"hunter2"}}"#),
        (StatusCode::OK, "<html>hunter2</html>"),
        (StatusCode::BAD_REQUEST, r#"{"hunter2":"#),
        (StatusCode::BAD_GATEWAY, "hunter2"),
    ] {
        let store: Arc<dyn SecretStore> = Arc::new(answering(status, body).await);
        let secret = Secret::<serde_json::Value>::new(store, "tableau");
        let error = secret.current().await.unwrap_err();
        let text = format!("{} {error:?}", chain(&error));
        assert!(!text.contains("hunter2"), "{body}: {text}");
        assert!(text.starts_with("cannot read the secret `tableau`: "), "{text}");
    }
}
