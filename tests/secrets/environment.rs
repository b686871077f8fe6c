//! The real binaries with doubles that repeat requests, and all output of the binaries.

use crate::echo::Repeat;
use crate::search::assert_none;
use jiff::Timestamp;
use local_aws::{STACK, StackResource};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::dynamodb::template_table;
use testkit::{Batch, Function, TestEnvironment};
use tokio::task::JoinSet;

/// The site of the sample content.
pub(crate) const SITE: &str = "8b2a95d8-52b9-40a4-8712-cd6da771bd1b";
/// The session token of the functions' role.
pub(crate) const AWS_TOKEN: &str = "IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQDx+Q==";

const RULES: &str = "
sites: [{ luid: 8b2a95d8-52b9-40a4-8712-cd6da771bd1b, name: Marketing, timezone: UTC }]
rules:
  - name: all
    on: [WorkbookCreated, WorkbookRefreshFailed, WorkbookRefreshSucceeded, WorkbookUpdated]
    do: [{ notify-slack: { channel: data-alerts } }, { update-broadcast: {} }]
";

/// The folder of the binaries: the parent of this test binary's folder.
pub(crate) fn binary(name: &str) -> PathBuf {
    let ours = std::env::current_exe().unwrap();
    let folder = ours.parent().and_then(Path::parent).expect("target/debug/deps/secrets-…");
    let binary = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(binary.is_file(), "{name} is built by `cargo test --workspace`, or `cargo build --workspace`");
    binary
}

/// An event about a workbook; each number makes another event.
pub(crate) fn event(name: &str, number: usize) -> Value {
    json!({
        "resource": "WORKBOOK", "event_type": name, "resource_name": format!("Superstore {number}"), "site_luid": SITE,
        "resource_luid": format!("4cdd2055-930d-4eaf-94f4-{number:012}"), "created_at": Timestamp::now().to_string(),
    })
}

/// The number of answers per stack: too few to open a circuit.
const ANSWERS: usize = 8;
/// The number of stacks that run at the same time: mostly they wait before a retry.
const BESIDE: usize = 5;

/// Runs `one` with each part of the plan, a few at a time.
pub(crate) async fn in_parts<F>(plan: Vec<Repeat>, one: impl Fn(usize, Vec<Repeat>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut parts = plan.chunks(ANSWERS).map(<[Repeat]>::to_vec).enumerate();
    let mut running = JoinSet::new();
    loop {
        while running.len() < BESIDE
            && let Some((at, part)) = parts.next()
        {
            running.spawn(one(at, part));
        }
        match running.join_next().await {
            Some(ended) => ended.unwrap(),
            None => return,
        }
    }
}

/// A new stack for some of the answers.
pub(crate) struct Environment {
    pub(crate) services: TestEnvironment,
    secrets: Vec<String>,
    written: Vec<(String, String)>,
}

impl Environment {
    pub(crate) async fn start(secrets: &[&str]) -> Self {
        let services = TestEnvironment::with_rules(RULES).await;
        // The template's own table, whose index the command line reads.
        let mut table = template_table();
        table.name = "deliveries".to_owned();
        services.aws.create_table_with(table);
        let resource = |id: &str, kind: &str, name: String| StackResource {
            logical_id: id.to_owned(),
            kind: kind.to_owned(),
            physical_id: name,
        };
        services.aws.create_stack(
            STACK,
            vec![
                resource("DeliveryTable", "AWS::DynamoDB::Table", "deliveries".to_owned()),
                resource("NotifySlackQueue", "AWS::SQS::Queue", services.aws.queue_url("queue")),
                resource("NotifySlackDeadLetters", "AWS::SQS::Queue", services.aws.queue_url("dead-letters")),
            ],
        );
        let keys = services.aws.keys();
        let own = [testkit::TOKEN, keys.secret_access_key(), keys.session_token()];
        let secrets = secrets.iter().copied().chain(own).map(str::to_owned).collect();
        Self { services, secrets, written: Vec::new() }
    }

    /// A function behind its queue, with the keys of the AWS double.
    pub(crate) fn queued(&self, name: &str, variables: &[(&str, &str)]) -> Function {
        self.services.queued_with(name, binary(name), variables)
    }

    /// Passes events to the function, each in its own batch.
    pub(crate) async fn handle(&mut self, function: &Function, events: &[Value]) {
        for event in events {
            let answer = function.invoke(&Batch::default().message(&event.to_string()).event()).await;
            self.keep("an answer", format!("{answer:?}"));
        }
    }

    /// Runs the command line against the stack's AWS double.
    pub(crate) async fn command(&mut self, arguments: &[&str]) -> String {
        let mut command = Command::new(binary("tableau-webhooks"));
        command.args(arguments).env_clear().env("AWS_ENDPOINT_URL", self.services.aws.url());
        let keys = self.services.aws.keys();
        command.env("AWS_REGION", "us-east-1").env("AWS_SESSION_TOKEN", keys.session_token());
        command.env("AWS_ACCESS_KEY_ID", keys.access_key_id());
        command.env("AWS_SECRET_ACCESS_KEY", keys.secret_access_key());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        self.keep(&arguments.join(" "), text.join("\n"));
        text.concat()
    }

    pub(crate) fn keep(&mut self, what: &str, text: String) {
        self.written.push((what.to_owned(), text));
    }

    /// Searches all output for every secret: logs, answers, items, messages with their attributes, events, and the
    /// command line's output about them.
    pub(crate) async fn assert_no_secret(&mut self, function: &Function, more: &[String]) {
        self.keep("a log", function.logs().join("\n"));
        self.command(&["events", "list", "--wide"]).await;
        self.command(&["events", "list", "--json"]).await;
        self.command(&["events", "dead-letters", "list", "--wide"]).await;
        let items = self.services.aws.items("deliveries");
        let delivery = items.iter().find_map(|item| item["event_id"]["S"].as_str());
        if let Some(id) = delivery.map(str::to_owned) {
            self.command(&["events", "show", &id]).await;
        }
        for mut item in items {
            if item["pk"]["S"].as_str().unwrap().starts_with("session#") {
                // The stored session, which must contain the session's token.
                let mut document: Value =
                    serde_json::from_str(item["document"]["S"].as_str().unwrap()).unwrap();
                document["session"]["token"].take();
                item["document"]["S"] = document.to_string().into();
            }
            self.keep("an item", item.to_string());
        }
        for queue in ["queue", "dead-letters"] {
            let messages = self.services.aws.messages(queue);
            self.keep(queue, format!("{messages:?}"));
        }
        self.keep("the bus", format!("{:?}", self.services.aws.archive("events")));
        self.keep("Slack", format!("{:?}", self.services.slack.messages()));
        let secrets: Vec<String> = self.secrets.iter().chain(more).cloned().collect();
        for (what, text) in &self.written {
            assert_none(what, text, &secrets);
        }
    }

    /// Everything that was stored so far.
    pub(crate) fn text(&self) -> String {
        self.written.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n")
    }
}
