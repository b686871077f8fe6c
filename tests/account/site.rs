//! A simulated Tableau site, a simulated Slack, and the stack between them.

use local_aws::template::Template;
use local_aws::{Stack, StackEvent, StackOptions};
use serde_json::{Value, json};
use simulator::{SAMPLE_PAT, SlackSimulator, TableauBuilder, TableauSimulator, Webhook};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tableau::EventName;
use tempfile::NamedTempFile;
use testkit::TOKEN;
use testkit::repository::root;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::{sleep, timeout};

pub(crate) const QUEUE: &str = "NotifySlackQueue";
pub(crate) const DEAD_LETTERS: &str = "NotifySlackDeadLetters";
/// The interval between two checks of a condition.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Everything that runs in the test. It stops when dropped.
pub(crate) struct Site {
    pub(crate) stack: Stack,
    pub(crate) tableau: TableauSimulator,
    pub(crate) slack: SlackSimulator,
    pub(crate) events: UnboundedReceiver<StackEvent>,
    _files: [NamedTempFile; 2],
}

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// The folder of the functions' binaries: the parent of this test binary's folder.
fn binaries() -> PathBuf {
    let ours = std::env::current_exe().unwrap();
    ours.parent().and_then(Path::parent).expect("target/debug/deps/account-…").to_owned()
}

/// The text of `template.yaml`.
pub(crate) fn template() -> String {
    std::fs::read_to_string(root().join("template.yaml")).unwrap()
}

impl Site {
    /// Starts everything with this template, these rules and parameters, and this limit of concurrent executions, if
    /// any.
    pub(crate) async fn start(
        template: &str,
        rules: &str,
        tableau: TableauBuilder,
        parameters: &[(&str, String)],
        concurrent_executions: Option<usize>,
    ) -> Self {
        let files = [file(template), file(rules)];
        let path = |file: &NamedTempFile| file.path().to_owned();
        let tableau = tableau.start().await.unwrap();
        let slack = SlackSimulator::start().await.unwrap();
        let channels = ["data-alerts", "data-news"].map(|channel| (channel, slack.add_webhook(channel)));
        let ours = [
            ("TableauServerUrl", tableau.url()),
            ("TableauSite", "marketing".to_owned()),
            ("SlackApiUrl", slack.api_url()),
            ("RulesFile", path(&files[1]).display().to_string()),
            // Tests register webhooks themselves.
            ("ReconcileWebhooksEnabled", "false".to_owned()),
        ];
        // Every workflow is on, also one that a developer has added.
        let switches = Template::read(path(&files[0]).as_path()).unwrap().everything_on();
        let secrets = [
            ("WebhookSecret", json!({ "current": TOKEN, "previous": "" })),
            ("TableauSecret", json!({ "token_name": SAMPLE_PAT.0, "token_secret": SAMPLE_PAT.1 })),
            ("SlackSecret", json!({ "webhook_urls": BTreeMap::from(channels) })),
        ];
        let (sender, events) = mpsc::unbounded_channel();
        let options = StackOptions {
            template: path(&files[0]),
            binaries: binaries(),
            parameters: switches
                .into_iter()
                .chain(ours.iter().chain(parameters).map(|(name, value)| ((*name).to_owned(), value.clone())))
                .collect(),
            secrets: secrets.map(|(id, value)| (id.to_owned(), value)).into(),
            environment: BTreeMap::new(),
            concurrent_executions,
            listen: "127.0.0.1:0".parse().unwrap(),
            aws: "127.0.0.1:0".parse().unwrap(),
            events: Some(sender),
        };
        let stack = Stack::start(options).await;
        let stack =
            stack.expect("the binaries are built by `cargo test --workspace`, or `cargo build --workspace`");
        Self { stack, tableau, slack, events, _files: files }
    }

    /// Registers a webhook whose URL is the common ingress.
    pub(crate) fn register(&self, event: &EventName) {
        let url = format!("{}/webhook?token={TOKEN}", self.stack.url());
        self.tableau.add(Webhook::on(event.clone(), &url));
    }

    /// The stack's events since the last call.
    pub(crate) fn news(&mut self) -> Vec<StackEvent> {
        std::iter::from_fn(|| self.events.try_recv().ok()).collect()
    }

    /// The delivery records of a workflow, by event id.
    pub(crate) fn records(&self, workflow: &str) -> BTreeMap<String, Value> {
        let items = self.stack.aws().items("DeliveryTable").into_iter();
        let records = items.filter_map(|item| {
            let key = item["pk"]["S"].as_str()?.strip_prefix(&format!("delivery#{workflow}#"))?.to_owned();
            Some((key, item))
        });
        records.collect()
    }

    /// The bodies of the messages in a queue.
    pub(crate) fn bodies(&self, queue: &str) -> BTreeSet<String> {
        self.stack.aws().messages(queue).into_iter().map(|message| message.body).collect()
    }
}

/// Waits until a condition holds.
pub(crate) async fn until(limit: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            sleep(LOOK_AGAIN).await;
        }
    };
    assert!(timeout(limit, wait).await.is_ok(), "not within {limit:?}: {what}");
}
