//! All workflows at once on the local stack: the 22 events, a storm, a quiet night. Slack by webhook URLs, Teams and e-mail cannot
//! edit, so each of them gets the same notifications. A destination that is down delays no other.

use crate::binaries;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use local_aws::template::Template;
use local_aws::{Stack, StackOptions};
use serde_json::{Value, json};
use simulator::{SAMPLE_PAT, SlackSimulator, TableauSimulator, TeamsFault, TeamsSimulator};
use std::collections::BTreeMap;
use std::time::Duration;
use tableau::EventName;
use tempfile::TempDir;
use testkit::repository::root;

const TOKEN: &str = "local-webhook-token-not-a-secret-0123456789";
const STEWARD: &str = "steward@example.com";
/// Everything is done within this time, even on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(420);
const NOTIFYING: [&str; 3] = ["notify-slack", "notify-teams", "send-email"];
/// How many workbooks change in a storm.
const STORM: usize = 100;

struct Together {
    stack: Stack,
    _tableau: TableauSimulator,
    slack: SlackSimulator,
    teams: TeamsSimulator,
    http: reqwest::Client,
    _rules: TempDir,
}

impl Together {
    /// A stack with all workflows. `quiet`: settings of the rules.
    async fn start(quiet: &str) -> Self {
        let tableau = TableauSimulator::sample().start().await.unwrap();
        let slack = SlackSimulator::start().await.unwrap();
        let teams = TeamsSimulator::start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let rules = folder.path().join("rules.yaml");
        let all: Vec<&str> = EventName::KNOWN.iter().map(EventName::as_str).collect();
        let text = format!(
            "rules:\n  - name: everything\n{quiet}    on: [{}]\n    do:\n      - notify-slack: {{ channel: data-alerts }}\n      \
             - notify-teams: {{ channel: data-alerts }}\n      - send-email: {{ to: {STEWARD} }}\n  - name: broadcasts\n    \
             on: [WorkbookRefreshSucceeded, WorkbookUpdated]\n    do:\n      - update-broadcast: {{}}\n",
            all.join(", ")
        );
        std::fs::write(&rules, text).unwrap();
        let template = root().join("template.yaml");
        let mut parameters = Template::read(&template).unwrap().everything_on();
        parameters.extend([
            ("TableauServerUrl".to_owned(), tableau.url()),
            ("TableauSite".to_owned(), "marketing".to_owned()),
            ("SlackApiUrl".to_owned(), slack.api_url()),
            ("RulesFile".to_owned(), rules.display().to_string()),
        ]);
        let secrets = [
            ("WebhookSecret", json!({ "current": TOKEN, "previous": "" })),
            ("TableauSecret", json!({ "token_name": SAMPLE_PAT.0, "token_secret": SAMPLE_PAT.1 })),
            ("SlackSecret", json!({ "webhook_urls": { "data-alerts": slack.add_webhook("data-alerts") } })),
            ("TeamsSecret", json!({ "webhooks": { "data-alerts": teams.add_flow("data-alerts") } })),
        ];
        let stack = Stack::start(StackOptions {
            template,
            binaries: binaries(),
            parameters,
            secrets: BTreeMap::from(secrets.map(|(name, value)| (name.to_owned(), value))),
            environment: BTreeMap::new(),
            concurrent_executions: None,
            aws: "127.0.0.1:0".parse().unwrap(),
            listen: "127.0.0.1:0".parse().unwrap(),
            events: None,
        })
        .await
        .expect("the binaries are built");
        stack.aws().verify_identity("example.com");
        let http = http_client::client(None).unwrap();
        Self { stack, _tableau: tableau, slack, teams, http, _rules: folder }
    }

    async fn post(&self, payload: &Value) {
        let url = format!("{}/webhook?token={TOKEN}", self.stack.url());
        let request =
            self.http.post(url).header("content-type", "application/json").body(payload.to_string());
        assert_eq!(request.send().await.unwrap().status(), 202);
    }

    /// The headlines that people saw in Slack, in Teams and in their mailbox, sorted. Symbols are left out.
    fn headlines(&self) -> [Vec<String>; 3] {
        let without_symbol = |title: &str| title.split_once(' ').map_or(title, |(_, rest)| rest).to_owned();
        let slack =
            self.slack.messages().into_iter().map(|message| {
                without_symbol(message.blocks[0]["text"]["text"].as_str().unwrap_or_default())
            });
        let teams = self.teams.posts().into_iter().map(|post| without_symbol(&post.title()));
        let mails = self.stack.aws().mails().into_iter().map(|mail| mail.subject);
        let mut all = [slack.collect::<Vec<_>>(), teams.collect(), mails.collect()];
        all.iter_mut().for_each(|headlines| headlines.sort_unstable());
        all
    }

    /// Waits until this holds.
    async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let done = async {
            while !holds(self) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let timeout = tokio::time::timeout(TIMEOUT, done).await;
        assert!(timeout.is_ok(), "{what}: {:#?}", self.headlines());
    }

    /// How many deliveries of a workflow ended, and how.
    fn ended(&self, workflow: &str) -> BTreeMap<String, usize> {
        let key = format!("delivery#{workflow}#");
        let mut states = BTreeMap::new();
        for item in self.stack.aws().items("DeliveryTable") {
            if item["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with(&key)) {
                *states.entry(item["state"]["S"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
            }
        }
        states
    }
}

/// A workbook that changed, of which Tableau knows nothing.
fn changed(n: usize) -> Value {
    let now = Timestamp::now();
    json!({
        "resource": "WORKBOOK", "event_type": "WorkbookUpdated", "resource_name": format!("Board {n:03}"),
        "site_luid": "8b2a95d8-52b9-40a4-8712-cd6da771bd1b",
        "resource_luid": format!("00000000-0000-4000-8000-{n:012}"),
        "created_at": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    })
}

#[tokio::test]
async fn each_destination_announces_the_same_of_all_events() {
    let together = Together::start("").await;
    // One after the other, so that each workflow handles them in the same order.
    for (posted, name) in (1..).zip(EventName::KNOWN.iter()) {
        let payload = &simulator::sample_payloads(name, Timestamp::now())[0].1;
        together.post(&serde_json::from_str(payload).unwrap()).await;
        let handled = |together: &Together| {
            let all = NOTIFYING.map(|workflow| together.ended(workflow));
            all.iter().all(|ended| ended.values().sum::<usize>() == posted && !ended.contains_key("claimed"))
        };
        together.until(name.as_str(), handled).await;
    }
    let same = |together: &Together| {
        let [slack, teams, mails] = together.headlines();
        slack.len() >= 19 && slack == teams && slack == mails
    };
    together.until("the same headlines", same).await;
    // The bus gives it the events that it can act on.
    let broadcasts = |together: &Together| together.ended("update-broadcast").values().sum::<usize>() == 2;
    together.until("update-broadcast", broadcasts).await;
    assert!(together.slack.refusals().is_empty() && together.teams.refusals().is_empty());
    together.stack.shutdown().await;
}

#[tokio::test]
async fn a_destination_that_is_down_delays_no_other_in_a_storm() {
    let together = Together::start("").await;
    together.teams.fail_next(u32::MAX, TeamsFault::ServerError);
    for n in 0..STORM {
        together.post(&changed(n)).await;
    }
    // All are announced: the first alone, and the others together, in two messages if the machine is slow.
    let announced = |together: &Together| {
        let mails = together.stack.aws().mails();
        let texts: String = mails.iter().map(|mail| mail.text.as_str()).collect();
        let all = (0..STORM).all(|n| texts.contains(&format!("Board {n:03}")));
        let [slack, _, mails] = together.headlines();
        all && slack == mails
    };
    together.until("the storm is announced", announced).await;
    let [slack, teams, _] = together.headlines();
    assert!(teams.is_empty() && (2..=4).contains(&slack.len()), "{slack:?}");
    assert!(slack.iter().any(|line| line.ends_with(" workbooks changed")), "{slack:?}");
    for workflow in ["notify-slack", "send-email"] {
        let ended = together.ended(workflow);
        assert_eq!(ended.values().sum::<usize>(), STORM, "{workflow}: {ended:?}");
    }
    assert!(together.stack.aws().messages("NotifyTeamsDeadLetters").is_empty());
    // What waited for Teams arrives when Teams is back.
    together.teams.recover();
    together.until("Teams has the first", |together| !together.headlines()[1].is_empty()).await;
    together.stack.shutdown().await;
}

#[tokio::test]
async fn a_quiet_night_ends_with_the_same_digest_in_each_destination() {
    let now = Timestamp::now().to_zoned(TimeZone::UTC);
    let time =
        |minutes: i64| (now.clone() + SignedDuration::from_mins(minutes)).strftime("%H:%M").to_string();
    let quiet = format!("    quiet: {{ from: \"{}\", to: \"{}\", timezone: UTC }}\n", time(-5), time(3));
    let together = Together::start(&quiet).await;
    for name in [EventName::DatasourceRefreshFailed, EventName::WorkbookUpdated, EventName::SiteUpdated] {
        let payload = &simulator::sample_payloads(&name, Timestamp::now())[0].1;
        together.post(&serde_json::from_str(payload).unwrap()).await;
    }
    let digests = |together: &Together| {
        let headlines = together.headlines();
        headlines.iter().all(|headlines| headlines.len() == 1)
    };
    together.until("one digest in each", digests).await;
    let [slack, teams, mails] = together.headlines();
    assert_eq!(slack, ["3 events in quiet hours"]);
    assert_eq!((&slack, &slack), (&teams, &mails));
    together.stack.shutdown().await;
}
