//! The stack with the objects of `integrations/testing/scene.json`, and keys for its callers.

use api_keys::{Keys, LARGEST_RATE, Permissions};
use jiff::Timestamp;
use local_aws::template::Template;
use local_aws::{Stack, StackEvent, StackOptions};
use rules::PathPattern;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use simulator::{Datasource, Flow, SAMPLE_PAT, SlackSimulator, TableauSimulator, Workbook, notes};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::records::DynamoDbRecords;
use store::{Documents, DynamoDbStore};
use tableau::ContentKind;
use tempfile::TempDir;
use testkit::TOKEN;
use testkit::repository::root;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

const TABLE: &str = "DeliveryTable";
/// The number of the first object in addresses of a browser.
const FIRST_NUMBER: usize = 1_001;
/// How long a refresh takes.
const TAKES: Duration = Duration::from_millis(600);
/// The ends of refreshes that a stack cannot be brought to within a test.
const LEFT_OUT: [&str; 1] = ["timed_out"];

pub(crate) struct Scene {
    stack: Stack,
    tableau: Arc<TableauSimulator>,
    _slack: SlackSimulator,
    folder: TempDir,
    variables: Vec<(&'static str, String)>,
    keys: Vec<String>,
    logs: Arc<Mutex<Vec<String>>>,
}

fn binaries() -> PathBuf {
    let binary = std::env::current_exe().unwrap();
    binary.parent().unwrap().parent().unwrap().to_owned()
}

impl Scene {
    pub(crate) async fn start() -> Self {
        let scene = std::fs::read_to_string(root().join("integrations/testing/scene.json")).unwrap();
        let mut scene: Value = serde_json::from_str(&scene).unwrap();
        let tableau = TableauSimulator::empty().refreshes_take(TAKES).start().await.unwrap();
        let tableau = Arc::new(tableau);
        let mut cancelled = Vec::new();
        for (index, content) in scene["content"].as_array_mut().unwrap().iter_mut().enumerate() {
            add(&tableau, content, &mut cancelled);
            // The simulator numbers content in the order in which it is added.
            if !content["number"].is_null() {
                content["number"] = json!(FIRST_NUMBER + index);
            }
        }
        for name in LEFT_OUT {
            scene.as_object_mut().unwrap().remove(name);
        }
        cancel_all(&tableau, cancelled);
        let slack = SlackSimulator::start().await.unwrap();
        let folder = TempDir::new().unwrap();
        let rules = folder.path().join("rules.yaml");
        std::fs::write(&rules, RULES).unwrap();
        let file = folder.path().join("scene.json");
        std::fs::write(&file, scene.to_string()).unwrap();

        let template = root().join("template.yaml");
        let mut parameters = Template::read(&template).unwrap().everything_on();
        // This test registers webhooks itself.
        parameters.insert("ReconcileWebhooksEnabled".to_owned(), "false".to_owned());
        parameters.extend([
            ("TableauServerUrl".to_owned(), tableau.url()),
            ("TableauSite".to_owned(), "marketing".to_owned()),
            ("SlackApiUrl".to_owned(), slack.api_url()),
            ("RulesFile".to_owned(), rules.display().to_string()),
            ("ThrottlingRateLimit".to_owned(), "10000".to_owned()),
            ("ThrottlingBurstLimit".to_owned(), "5000".to_owned()),
        ]);
        let (sender, receiver) = unbounded_channel();
        let stack = Stack::start(StackOptions {
            template,
            binaries: binaries(),
            parameters,
            secrets: BTreeMap::from([
                ("WebhookSecret".to_owned(), json!({ "current": TOKEN, "previous": "" })),
                (
                    "TableauSecret".to_owned(),
                    json!({ "token_name": SAMPLE_PAT.0, "token_secret": SAMPLE_PAT.1 }),
                ),
                (
                    "SlackSecret".to_owned(),
                    json!({ "webhook_urls": { "data-pipelines": slack.add_webhook("data-pipelines") } }),
                ),
            ]),
            environment: BTreeMap::new(),
            concurrent_executions: None,
            aws: "127.0.0.1:0".parse().unwrap(),
            listen: "127.0.0.1:0".parse().unwrap(),
            events: Some(sender),
        })
        .await
        .expect("the binaries are built by `cargo test --workspace`, or `cargo build --workspace`");
        let logs = collected(receiver);
        for event in [
            "DatasourceRefreshSucceeded",
            "DatasourceRefreshFailed",
            "WorkbookRefreshSucceeded",
            "WorkbookRefreshFailed",
        ] {
            let url = format!("{}/webhook?token={TOKEN}", stack.url());
            tableau.add(simulator::Webhook::on(event.into(), &url));
        }

        let client = testkit::dynamodb::client(stack.aws());
        let records = Arc::new(DynamoDbRecords::new(client.clone(), TABLE, "refresh-extract"));
        let keys = Keys::new(records, Documents::new(Arc::new(DynamoDbStore::new(client, TABLE))));
        let all = || Permissions { events: true, ..in_projects("**") };
        let mut variables = vec![
            ("REFRESH_URL", stack.url().to_owned()),
            ("REFRESH_WEBHOOK_TOKEN", TOKEN.to_owned()),
            ("REFRESH_SCENE", file.display().to_string()),
        ];
        let mut made = Vec::new();
        for (variable, permissions, rate) in [
            ("REFRESH_KEY", all(), LARGEST_RATE),
            ("REFRESH_KEY_REVOKED", all(), LARGEST_RATE),
            ("REFRESH_KEY_LIMITED", all(), 2),
            ("REFRESH_KEY_NARROW", in_projects("Sales/**"), LARGEST_RATE),
        ] {
            let new = keys.create(variable, permissions, rate, Timestamp::now()).await.unwrap();
            if variable == "REFRESH_KEY_REVOKED" {
                keys.revoke(&new.key.id, Timestamp::now()).await.unwrap();
            }
            made.push(new.secret.expose_secret().to_owned());
            variables.push((variable, new.secret.expose_secret().to_owned()));
        }
        Self { stack, tableau, _slack: slack, folder, variables, keys: made, logs }
    }

    /// The address of the stack's API, without a path.
    pub(crate) fn url(&self) -> &str {
        self.stack.url()
    }

    /// The stack's Tableau.
    pub(crate) fn tableau(&self) -> &TableauSimulator {
        &self.tableau
    }

    /// What a caller finds the stack by.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = self.variables.clone();
        variables.push(("TMPDIR", self.folder.path().display().to_string()));
        variables
    }

    /// A text with a word in place of each key: a test that fails shows its arguments.
    pub(crate) fn without_keys(&self, text: &str) -> String {
        self.keys.iter().fold(text.to_owned(), |text, key| text.replace(key, "[a key]"))
    }

    /// Fails if a text has the secret of a key.
    pub(crate) fn assert_no_key_in(&self, text: &str) {
        // Behind `twk_` and the id, which is no secret. The secret itself may have a `_`.
        let secret = |key: &String| key.splitn(3, '_').nth(2).unwrap_or(key).to_owned();
        let shown = self.keys.iter().find(|key| text.contains(&secret(key)));
        assert!(shown.is_none(), "a key is shown: {}", self.without_keys(text));
    }

    /// Fails if a function has logged the secret of a key.
    pub(crate) fn assert_no_key_in_logs(&self) {
        let logs = self.logs.lock().unwrap();
        assert!(!logs.is_empty(), "the functions of {} have logged nothing", self.stack.url());
        logs.iter().for_each(|line| self.assert_no_key_in(line));
    }
}

const RULES: &str = "events:
  - name: PipelineFinished
rules:
  - name: what pipelines say
    on: [PipelineFinished]
    do:
      - notify-slack: { channel: data-pipelines }
";

fn in_projects(pattern: &str) -> Permissions {
    Permissions {
        kinds: ContentKind::ALL.into_iter().collect(),
        projects: vec![PathPattern::parse(pattern).unwrap()],
        ..Permissions::default()
    }
}

/// The lines that functions log, as they come.
fn collected(mut events: UnboundedReceiver<StackEvent>) -> Arc<Mutex<Vec<String>>> {
    let logs = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&logs);
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            into.lock().unwrap().push(format!("{event:?}"));
        }
    });
    logs
}

/// Adds an object of the scene, whose refreshes end as it says.
fn add(tableau: &TableauSimulator, content: &Value, cancelled: &mut Vec<String>) {
    let text = |key: &str| content[key].as_str().unwrap();
    let names = content["project"].as_array().unwrap().iter();
    let project: Vec<String> = names.map(|name| name.as_str().unwrap().replace('/', r"\/")).collect();
    let (name, project, ends) = (text("name"), project.join("/"), content["ends"].as_str());
    let only_full = content["incremental"] != true;
    let luid = text("luid");
    match text("kind") {
        "workbook" => {
            let workbook = Workbook::named(name).in_project(&project).with_luid(luid.parse().unwrap());
            let workbook = workbook.with_view("Overview");
            tableau.add(if only_full { workbook.only_full() } else { workbook });
        }
        "datasource" => {
            let datasource = Datasource::named(name).in_project(&project).with_luid(luid.parse().unwrap());
            let datasource = if ends == Some("live") { datasource.live() } else { datasource };
            tableau.add(if only_full { datasource.only_full() } else { datasource });
        }
        "flow" => {
            tableau.add(Flow::named(name).in_project(&project).with_luid(luid.parse().unwrap()));
        }
        other => panic!("{other} is no kind"),
    }
    match ends {
        Some("failed") => tableau.break_refreshes(luid, Some(notes::MISSING_COLUMN)),
        // A refresh that runs for ever: those that are asked for wait for it.
        Some("never") => drop(tableau.start_refresh(luid).unwrap()),
        Some("cancelled") => cancelled.push(luid.to_owned()),
        Some("live" | "timed_out") | None => {}
        Some(other) => panic!("no refresh ends as {other}"),
    }
}

/// Cancels the refreshes of these objects at Tableau, as an administrator does.
fn cancel_all(tableau: &Arc<TableauSimulator>, objects: Vec<String>) {
    let tableau = Arc::downgrade(tableau);
    tokio::spawn(async move {
        while let Some(tableau) = tableau.upgrade() {
            for job in tableau.jobs() {
                let is_of_these = job.target.as_ref().is_some_and(|target| objects.contains(target));
                if is_of_these && job.completed_at.is_none() {
                    tableau.cancel_job(&job.luid);
                }
            }
            drop(tableau);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
}
