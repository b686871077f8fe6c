//! The test environment of the `events` commands.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_sqs::types::MessageAttributeValue;
use local_aws::{Aws, QueueSpec, StackResource};
use std::process::{Command, Output};
use tableau::{EventId, Payload};
use testkit::dynamodb::template_table;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_tableau-webhooks");
pub(crate) const STACK: &str = "tableau-webhooks";

/// A stack with the queues of two workflows and the table of deliveries.
pub(crate) struct Environment {
    pub(crate) aws: Aws,
    pub(crate) config: SdkConfig,
}

impl Environment {
    pub(crate) async fn start() -> Self {
        let aws = Aws::start().await.unwrap();
        // More resources than CloudFormation lists in one answer.
        let mut resources = vec![resource("Role", "AWS::IAM::Role", "role"); 120];
        for id in [
            "NotifySlackQueue",
            "NotifySlackDeadLetters",
            "UpdateBroadcastQueue",
            "UpdateBroadcastDeadLetters",
        ] {
            aws.create_queue(QueueSpec::new(id));
            resources.push(resource(id, "AWS::SQS::Queue", &aws.queue_url(id)));
        }
        let table = template_table();
        resources.push(resource("DeliveryTable", "AWS::DynamoDB::Table", &table.name));
        aws.create_table_with(table);
        aws.create_stack(STACK, resources);
        let http = http_client::client(None).unwrap();
        let keys = aws.keys();
        let token = Some(keys.session_token().to_owned());
        let keys = Credentials::new(keys.access_key_id(), keys.secret_access_key(), token, None, "test");
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(aws_http::shared_client(http))
            .credentials_provider(keys)
            .region(Region::from_static("us-east-1"))
            .endpoint_url(aws.url());
        Self { config: config.load().await, aws }
    }

    pub(crate) async fn dead_letter(&self, queue: &str, body: &str, reason: &str) {
        let request = aws_sdk_sqs::Client::new(&self.config).send_message();
        let reason =
            MessageAttributeValue::builder().data_type("String").string_value(reason).build().unwrap();
        let request = request.queue_url(self.aws.queue_url(queue)).message_body(body);
        request.message_attributes("reason", reason).send().await.unwrap();
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).env_clear();
        command.env("AWS_ENDPOINT_URL", self.aws.url()).env("AWS_REGION", "us-east-1");
        let keys = self.aws.keys();
        command.env("AWS_ACCESS_KEY_ID", keys.access_key_id());
        command.env("AWS_SECRET_ACCESS_KEY", keys.secret_access_key());
        command.env("AWS_SESSION_TOKEN", keys.session_token());
        command
    }

    /// Runs the program while the AWS double keeps answering.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
        finish(self.command(arguments)).await
    }

    pub(crate) async fn replay(&self, arguments: &[&str]) -> Output {
        self.run(&[&["events", "replay"], arguments].concat()).await
    }

    pub(crate) fn bodies(&self, queue: &str) -> Vec<String> {
        self.aws.messages(queue).into_iter().map(|message| message.body).collect()
    }
}

pub(crate) async fn finish(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn resource(id: &str, kind: &str, physical_id: &str) -> StackResource {
    StackResource { logical_id: id.to_owned(), kind: kind.to_owned(), physical_id: physical_id.to_owned() }
}

pub(crate) fn body(name: &str) -> String {
    format!(r#"{{"resource":"SITE","event_type":"SiteUpdated", "resource_name":"{name}"}}"#)
}

/// An event in the form in which EventBridge sends it to a dead-letter queue.
pub(crate) fn envelope(detail: &str) -> String {
    format!(
        r#"{{"version":"0","id":"1","source":"tableau.webhooks","detail-type":"SiteUpdated","account":"1","region":"r",
            "time":"2026-11-28T10:00:00Z","resources":[],"detail":{detail}}}"#
    )
}

pub(crate) fn id(body: &str) -> EventId {
    EventId::of(&Payload::parse(body.as_bytes()).unwrap())
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
