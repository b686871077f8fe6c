//! The environment and the size of the runs.

use crate::emulator::{Emulator, Stack};
use crate::events::RULES;
use crate::history::History;
use crate::proxy::Proxy;
use crate::random::Random;
use crate::reading::read;
use crate::roles;
use crate::slack::Troubled;
use crate::store::Store;
use crate::workers::{FunctionSlot, Worker};
use local_aws::LambdaProcess;
use serde_json::json;
use simulator::{SAMPLE_PAT, SlackSimulator, TableauSimulator};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::NamedTempFile;
use testkit::TOKEN;
use tokio::sync::{Mutex, MutexGuard};

/// The emulator has one stack, so runs take turns, as `.config/nextest.toml` says where each has a process.
static ONE_RUN: Mutex<()> = Mutex::const_new(());

/// The size of a run, and its faults.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) events: usize,
    pub(crate) seed: u64,
}

impl Size {
    /// The size from `DELIVERY_EVENTS` and the seed from `DELIVERY_SEED`.
    #[expect(clippy::disallowed_methods, reason = "how large a run is, is a matter of the run")]
    pub(crate) fn of_this_run() -> Self {
        let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
        Self {
            events: usize::try_from(number("DELIVERY_EVENTS").unwrap_or(120)).unwrap(),
            seed: number("DELIVERY_SEED").unwrap_or(1),
        }
    }
}

/// Everything that the functions communicate with.
pub(crate) struct Environment {
    pub(crate) stack: Stack,
    pub(crate) tableau: TableauSimulator,
    pub(crate) slack: SlackSimulator,
    pub(crate) random: Random,
    pub(crate) history: Arc<History>,
    pub(crate) store: Arc<Store>,
    troubled: Arc<Troubled>,
    webhook: String,
    slots: AtomicUsize,
    _rules: NamedTempFile,
    _alone: MutexGuard<'static, ()>,
}

impl Environment {
    pub(crate) async fn start(emulator: Emulator, seed: u64) -> Self {
        let alone = ONE_RUN.lock().await;
        let random = Random::new(seed);
        let history = Arc::<History>::default();
        let tableau = TableauSimulator::sample().start().await.unwrap();
        let slack = SlackSimulator::start().await.unwrap();
        let webhook = slack.add_webhook("data-news").replace(&slack.url(), "");
        let mut rules = NamedTempFile::new().unwrap();
        rules.write_all(RULES.as_bytes()).unwrap();
        let parameters = [
            ("TableauServerUrl", tableau.url()),
            ("TableauSite", "marketing".to_owned()),
            ("RulesFile", rules.path().display().to_string()),
        ];
        let parameters: BTreeMap<_, _> =
            parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let secrets = [
            ("WEBHOOK_SECRET", json!({ "current": TOKEN, "previous": "" })),
            ("TABLEAU_SECRET", json!({ "token_name": SAMPLE_PAT.0, "token_secret": SAMPLE_PAT.1 })),
        ];
        let stack = Stack::create(emulator, &parameters, &secrets).await;
        let url = &stack.emulator.url;
        let tables = &stack.plan.tables;
        let store = Arc::new(Store::new(url, tables, random.fork(), Arc::clone(&history)));
        let troubled = Arc::new(Troubled::new(slack.url(), random.fork(), Arc::clone(&history)));
        let slots = AtomicUsize::new(0);
        Self {
            stack,
            tableau,
            slack,
            random,
            history,
            store,
            troubled,
            webhook,
            slots,
            _rules: rules,
            _alone: alone,
        }
    }

    /// The permissions that no function used in this run.
    pub(crate) fn unused_permissions(&self) -> Vec<String> {
        roles::unused(&read("template.yaml"), &self.history.requested())
    }

    /// The DynamoDB requests of the functions that their roles do not allow.
    pub(crate) fn beyond_roles(&self) -> Vec<String> {
        roles::beyond(&read("template.yaml"), &self.history.requested())
    }

    /// Starts one more process of a function, behind its own proxies.
    pub(crate) async fn member(&self, function: &str) -> Worker {
        self.seated(function, false).await
    }

    /// Starts a process with a bot token for Slack instead of a webhook URL.
    pub(crate) async fn member_with_token(&self, function: &str) -> Worker {
        self.seated(function, true).await
    }

    async fn seated(&self, function: &str, with_token: bool) -> Worker {
        let slot = FunctionSlot::new(self.slots.fetch_add(1, Ordering::SeqCst));
        let store = Arc::clone(&self.store);
        let at = Arc::clone(&slot);
        let aws = Proxy::listen(move |asked| {
            let store = Arc::clone(&store);
            let at = Arc::clone(&at);
            async move { store.answer(&at, asked).await }
        });
        let troubled = Arc::clone(&self.troubled);
        let at = Arc::clone(&slot);
        let slack = Proxy::listen(move |asked| {
            let troubled = Arc::clone(&troubled);
            let at = Arc::clone(&at);
            async move { troubled.answer(&at, asked).await }
        });
        let aws = aws.await;
        let slack = slack.await;
        let mut spec = self.stack.function(function, aws.url());
        let secret = if with_token {
            json!({ "bot_token": self.slack.token() })
        } else {
            json!({ "webhook_urls": { "data-news": format!("{}{}", slack.url(), self.webhook) } })
        };
        let secret = self.stack.create_secret("SLACK_SECRET", &secret).await;
        spec.environment.insert("SLACK_SECRET".to_owned(), secret);
        let api_url = self.slack.api_url().replace(&self.slack.url(), &slack.url());
        spec.environment.insert("SLACK_API_URL".to_owned(), api_url);
        let process = LambdaProcess::new(spec).expect("the binaries are built by `cargo test --workspace`");
        slot.take(process);
        Worker { slot, _wires: vec![aws, slack] }
    }

    pub(crate) async fn members(&self, function: &str, number: usize) -> Vec<Worker> {
        let mut members = Vec::new();
        for _ in 0..number {
            members.push(self.member(function).await);
        }
        members
    }
}
