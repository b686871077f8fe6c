//! A stack with a table, a Tableau and the secret for it.

use crate::PROGRAM;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use local_aws::{Aws, FunctionSpec, LambdaProcess, QueueSpec, StackResource};
use serde_json::json;
use simulator::{SAMPLE_CONTENT_URL, SAMPLE_PAT, TableauSimulator};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;
use tempfile::TempDir;
use testkit::dynamodb::template_table;

/// Rules with one channel.
pub(crate) fn rules(channel: &str) -> String {
    format!(
        "rules:\n  - name: refresh failures\n    on: [RefreshFailed]\n    do:\n      - notify-slack: {{ channel: {channel} }}\n"
    )
}

/// A stack, and a folder with a `rules.yaml`.
pub(crate) struct Stack {
    pub(crate) aws: Aws,
    pub(crate) tableau: TableauSimulator,
    resources: Vec<StackResource>,
    folder: TempDir,
}

fn resource(id: &str, kind: &str, physical_id: &str) -> StackResource {
    StackResource { logical_id: id.to_owned(), kind: kind.to_owned(), physical_id: physical_id.to_owned() }
}

impl Stack {
    pub(crate) async fn start() -> Self {
        let aws = Aws::start().await.unwrap();
        let tableau = TableauSimulator::sample().start().await.unwrap();
        let mut resources = Vec::new();
        let mut add =
            |id: &str, kind: &str, physical_id: &str| resources.push(resource(id, kind, physical_id));
        for id in ["NotifySlackQueue", "NotifySlackDeadLetters"] {
            aws.create_queue(QueueSpec::new(id));
            add(id, "AWS::SQS::Queue", &aws.queue_url(id));
        }
        let table = template_table();
        add("DeliveryTable", "AWS::DynamoDB::Table", &table.name);
        aws.create_table_with(table);
        let secret = tableau.token_secret(SAMPLE_PAT.0).unwrap();
        aws.create_secret("tableau", json!({ "token_name": SAMPLE_PAT.0, "token_secret": secret }));
        add("TableauSecret", "AWS::SecretsManager::Secret", "tableau");
        aws.create_stack("tableau-webhooks", resources.clone());
        let parameters = [
            ("TableauServerUrl", tableau.url()),
            ("TableauSite", SAMPLE_CONTENT_URL.to_owned()),
            ("TableauApiVersion", String::new()),
            ("TableauSessionMinutes", "120".to_owned()),
        ];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value));
        aws.set_stack_parameters("tableau-webhooks", BTreeMap::from(parameters));
        let stack = Self { aws, tableau, resources, folder: tempfile::tempdir().unwrap() };
        stack.write("rules.yaml", &rules("data-alerts"));
        stack
    }

    /// Gives the stack the function that registers webhooks: its real binary.
    pub(crate) fn add_function(&self) {
        self.aws.create_bus("events");
        self.aws.create_secret("webhook", json!({ "current": "t".repeat(43), "previous": "" }));
        let binary = Path::new(PROGRAM).parent().unwrap().join("reconcile-webhooks");
        let mut spec = FunctionSpec::new("reconcile-webhooks", binary);
        spec.timeout = Duration::from_secs(180);
        spec.endpoint_url = Some(self.aws.url().to_owned());
        spec.keys = self.aws.keys().clone();
        let variables = [
            ("EVENT_BUS_NAME", "events".to_owned()),
            ("STACK_ID", "arn:aws:cloudformation:us-east-1:000000000000:stack/tableau-webhooks/0".to_owned()),
            ("TABLE_NAME", template_table().name),
            ("TABLEAU_SECRET", "tableau".to_owned()),
            ("TABLEAU_SERVER_URL", self.tableau.url()),
            ("TABLEAU_SITE", SAMPLE_CONTENT_URL.to_owned()),
            ("WEBHOOK_SECRET", "webhook".to_owned()),
            ("WEBHOOK_URL", "https://abc.execute-api.eu-central-1.amazonaws.com/webhook".to_owned()),
        ];
        spec.environment = variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self.aws.add_function(LambdaProcess::new(spec).unwrap());
        let mut resources = self.resources.clone();
        resources.push(resource("ReconcileWebhooks", "AWS::Lambda::Function", "reconcile-webhooks"));
        self.aws.create_stack("tableau-webhooks", resources);
    }

    /// Writes a file into the folder.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// The program in that folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg("rules").args(arguments).env_clear().current_dir(self.folder.path());
        command.env("AWS_ENDPOINT_URL", self.aws.url()).env("AWS_REGION", "us-east-1");
        let keys = self.aws.keys();
        command.env("AWS_ACCESS_KEY_ID", keys.access_key_id());
        command.env("AWS_SECRET_ACCESS_KEY", keys.secret_access_key());
        command.env("AWS_SESSION_TOKEN", keys.session_token()).env("USER", "ana");
        command
    }

    /// Runs the program while AWS and Tableau go on answering.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// Publishes rules.
    pub(crate) async fn deploy(&self, text: &str) {
        self.write("rules.yaml", text);
        let output = self.run(&["deploy", "--yes"]).await;
        assert!(output.status.success(), "{}", crate::stderr(&output));
    }

    /// A client of the table.
    pub(crate) async fn table(&self) -> (aws_sdk_dynamodb::Client, String) {
        let keys = self.aws.keys();
        let token = Some(keys.session_token().to_owned());
        let keys = Credentials::new(keys.access_key_id(), keys.secret_access_key(), token, None, "test");
        let http = http_client::client(None).unwrap();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(aws_http::shared_client(http))
            .credentials_provider(keys)
            .region(Region::from_static("us-east-1"))
            .endpoint_url(self.aws.url());
        let config: SdkConfig = config.load().await;
        (aws_sdk_dynamodb::Client::new(&config), template_table().name)
    }
}
