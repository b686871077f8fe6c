//! The stack and what it talks to.

use crate::cloud::Cloud;
use crate::stack::Stack;
use serde_json::{Value, json};
use simulator::{SAMPLE_PAT, SlackSimulator, TableauSimulator};
use std::future::Future;
use std::time::{Duration, Instant};

/// A duplicate that comes while the event is being handled is deferred until the claim would be over: for the
/// function's 60 s.
const CLAIM: Duration = Duration::from_secs(120);

/// The channel that some rules name and that is not there at first.
pub(crate) const MISSING_CHANNEL: &str = "data-labels";

/// Who gets the alarms.
pub(crate) const ALARM_EMAIL: &str = "operator@example.com";

/// The rules of the first deploy.
pub(crate) const RULES: &str = "
rules:
  - name: refresh failures
    on: [DatasourceRefreshFailed, WorkbookRefreshFailed]
    do: [{ notify-slack: { channel: data-alerts } }]
  - name: administrators
    on: [AdminDemoted, AdminPromoted, UserDeleted]
    do: [{ notify-slack: { channel: data-news } }]
  - name: labels
    on: [LabelCreated]
    do: [{ notify-slack: { channel: data-labels } }]
  - name: broadcasts
    on: [WorkbookUpdated]
    do: [{ update-broadcast: {} }]
";

/// The stack and what it talks to.
pub(crate) struct Environment<'a> {
    pub(crate) cloud: &'a Cloud,
    pub(crate) stack: Stack<'a>,
    pub(crate) tableau: TableauSimulator,
    pub(crate) slack: SlackSimulator,
}

impl<'a> Environment<'a> {
    /// Tableau and Slack run, the stack is to be deployed.
    pub(crate) async fn new(cloud: &'a Cloud) -> Self {
        let tableau = TableauSimulator::sample().start().await.unwrap();
        let slack = SlackSimulator::start().await.unwrap();
        for channel in ["data-alerts", "data-news"] {
            slack.add_channel(channel, true);
        }
        let stack = Stack::new(
            cloud,
            &[
                ("TableauServerUrl", &tableau.url()),
                ("TableauSite", "marketing"),
                ("SlackApiUrl", &slack.api_url()),
                // Off by itself; two workflows fit a new account.
                ("UpdateBroadcastEnabled", "true"),
                ("AlarmEmail", ALARM_EMAIL),
                // As much as can be logged: none of it may be a secret.
                ("LogLevel", "trace"),
            ],
        );
        Self { cloud, stack, tableau, slack }
    }

    /// As the README says.
    pub(crate) async fn fill_in_secrets(&self) {
        let pat = json!({ "token_name": SAMPLE_PAT.0, "token_secret": SAMPLE_PAT.1 });
        self.stack.put_secret("TableauSecretArn", &pat).await;
        self.stack.put_secret("SlackSecretArn", &json!({ "bot_token": self.slack.token() })).await;
    }

    /// How many messages people see in a channel.
    pub(crate) fn messages(&self, channel: &str) -> usize {
        self.slack.channel(channel).len()
    }

    /// Waits until there are as many messages in a channel.
    pub(crate) async fn wait_for_messages(&self, channel: &str, n: usize, patience: Duration) {
        let what = format!("message {n} in #{channel}");
        until(&what, patience, || async { self.messages(channel) >= n }).await;
    }

    /// Waits until a workflow's queue is empty and no worker has a message of it.
    pub(crate) async fn wait_for_quiet(&self, queue: &str) {
        until(&format!("{queue} empty"), CLAIM, || async { self.stack.depth(queue).await == (0, 0) }).await;
    }

    /// The records of events with this name.
    pub(crate) async fn records(&self, event: &str) -> Vec<Value> {
        let records = self.stack.records().await;
        records.into_iter().filter(|record| record["event_name"]["S"] == event).collect()
    }
}

/// Waits until it is so. Panics with `what` after the given time.
pub(crate) async fn until<F: Future<Output = bool>>(
    what: &str,
    patience: Duration,
    mut is: impl FnMut() -> F,
) {
    let start = Instant::now();
    while !is().await {
        assert!(start.elapsed() < patience, "waited {} s for {what}", patience.as_secs());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A step of the scenario, with the time it took.
#[expect(clippy::print_stdout, reason = "says out loud what it shows")]
pub(crate) async fn step<T>(name: &str, it: impl Future<Output = T>) -> T {
    let start = Instant::now();
    let result = it.await;
    println!("{:>7.1} s  {name}", start.elapsed().as_secs_f64());
    result
}
