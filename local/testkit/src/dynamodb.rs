//! DynamoDB for contract suites: a client, and a table on the emulator.

use crate::repository::root;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::BehaviorVersion;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use local_aws::template::{Places, Template};
use local_aws::{Aws, IndexSpec, KeyAttribute, KeyKind, KeySchema, TableSpec};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::time::Duration;

/// Where DynamoDB is, and what to sign with.
#[derive(Clone, Debug)]
pub struct Endpoint {
    url: String,
    credentials: Credentials,
}

impl Endpoint {
    /// The double at this URL, with the id, the secret and the session token of its keys.
    pub fn with_keys(url: &str, [id, secret, token]: [&str; 3]) -> Self {
        let credentials = Credentials::new(id, secret, Some(token.to_owned()), None, "test");
        Self { url: url.to_owned(), credentials }
    }
}

impl From<&Aws> for Endpoint {
    fn from(aws: &Aws) -> Self {
        let keys = aws.keys();
        Self::with_keys(aws.url(), [keys.access_key_id(), keys.secret_access_key(), keys.session_token()])
    }
}

/// An emulator, which takes any keys.
impl From<&str> for Endpoint {
    fn from(url: &str) -> Self {
        Self::with_keys(url, ["test"; 3])
    }
}

impl From<&String> for Endpoint {
    fn from(url: &String) -> Self {
        Self::from(url.as_str())
    }
}

/// A client as our functions make it.
pub fn client(at: impl Into<Endpoint>) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(&config(at))
}

/// What clients of any service are made of, as our functions make them, the SDK's timeouts included.
pub fn config(at: impl Into<Endpoint>) -> SdkConfig {
    let Endpoint { url, credentials } = at.into();
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(2))
        .operation_timeout(Duration::from_secs(5))
        .build();
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(aws_http::shared_client(http_client::client(None).expect("DynamoDB")))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .timeout_config(timeouts)
        .endpoint_url(url)
        .build()
}

/// Writes a line past the capture of `cargo test`; cargo-nextest shows it if the test fails.
pub fn say(line: &str) {
    let mut stderr = std::io::stderr();
    writeln!(stderr, "{line}").expect("DynamoDB");
}

/// The table of the template itself, so that its indexes have the attributes that they have in AWS.
pub fn template_table() -> TableSpec {
    let template = Template::read(&root().join("template.yaml")).expect("template.yaml");
    let places = Places { endpoint_url: String::new(), api_url: String::new() };
    let parameters: BTreeMap<String, String> =
        template.parameters().into_iter().map(|p| (p.name, p.default.unwrap_or_default())).collect();
    template.plan(&parameters, &places).expect("template.yaml").tables.remove(0)
}

/// Creates a table on the double as functions have it: with the key `pk` and `sk` and the index `by_due`.
pub fn create_table(aws: &Aws, name: &str) {
    let by_due = KeySchema {
        partition: KeyAttribute::string("due_scope"),
        sort: Some(KeyAttribute { name: "due_at".to_owned(), kind: KeyKind::N }),
    };
    let by_due = IndexSpec { key: by_due, carries: Some(BTreeSet::new()) };
    aws.create_table_with(TableSpec {
        name: name.to_owned(),
        key: KeySchema { partition: KeyAttribute::string("pk"), sort: Some(KeyAttribute::string("sk")) },
        indexes: BTreeMap::from([("by_due".to_owned(), by_due)]),
    });
}

/// The emulator at `AWS_CONTRACT_URL`, with a table that no other test uses.
#[derive(Debug)]
pub struct Emulator {
    /// Where it is.
    pub url: String,
    /// The table's name.
    pub table: String,
}

/// The URL of the emulator at `AWS_CONTRACT_URL`. `None`, and a line that says so, without one.
pub fn emulator_url() -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "where the emulator is, is a matter of the run, not of the code"
    )]
    let url = std::env::var("AWS_CONTRACT_URL").ok();
    if url.is_none() {
        say("SKIPPED: AWS_CONTRACT_URL is not set; `cargo xtask check` sets it");
    }
    url
}

impl Emulator {
    /// The emulator with a new table whose name begins with `prefix`, as [`create_table`] makes one. `None`, and a line that says so, without one.
    pub async fn with_table(prefix: &str) -> Option<Self> {
        let url = emulator_url()?;
        let table = format!("{prefix}-{}", fastrand::u64(..));
        let attribute = |name: &str, kind| {
            let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(kind);
            attribute.build().expect("DynamoDB")
        };
        let key = |name: &str, kind| {
            let key = KeySchemaElement::builder().attribute_name(name).key_type(kind);
            key.build().expect("DynamoDB")
        };
        let by_due = GlobalSecondaryIndex::builder()
            .index_name("by_due")
            .key_schema(key("due_scope", KeyType::Hash))
            .key_schema(key("due_at", KeyType::Range))
            .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build());
        client(&url)
            .create_table()
            .table_name(&table)
            .attribute_definitions(attribute("pk", ScalarAttributeType::S))
            .attribute_definitions(attribute("sk", ScalarAttributeType::S))
            .attribute_definitions(attribute("due_scope", ScalarAttributeType::S))
            .attribute_definitions(attribute("due_at", ScalarAttributeType::N))
            .key_schema(key("pk", KeyType::Hash))
            .key_schema(key("sk", KeyType::Range))
            .global_secondary_indexes(by_due.build().expect("DynamoDB"))
            .billing_mode(BillingMode::PayPerRequest)
            .send()
            .await
            .expect("DynamoDB");
        Some(Self { url, table })
    }

    /// Removes the table.
    pub async fn delete_table(self) {
        client(&self.url).delete_table().table_name(&self.table).send().await.expect("DynamoDB");
    }
}
