//! A stack with its Tableau, with the function that registers webhooks or without it.

use crate::site::{check, secrets};
use crate::{PROGRAM, TOKEN, finish, stderr, stdout};
use jiff::Timestamp;
use local_aws::{Aws, FunctionSpec, LambdaProcess, QueueSpec, StackResource, TableSpec};
use published_rules::{Publication, PublishedRules, Source};
use serde_json::{Value, json};
use simulator::{
    Recorder, SAMPLE_CONNECTED_APP, SAMPLE_CONTENT_URL, SAMPLE_PAT, TableauBuilder, TableauSimulator,
    Webhook, WebhookRecord,
};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use store::records::DynamoDbRecords;
use tableau::EventName;
use tableau_client::{FixedCredential, OwnSession, Settings, TableauCredential, WebhookChange, WebhookState};
use testkit::dynamodb::{client, template_table};
use webhooks::Identity;

pub(crate) const STACK: &str = "tableau-webhooks";
const STACK_ID: &str = "arn:aws:cloudformation:us-east-1:000000000000:stack/tableau-webhooks/0";
/// The site of the stack.
pub(crate) const SITE: &str = "8b2a95d8-52b9-40a4-8712-cd6da771bd1b";

/// The table of the template, which takes a while to read.
pub(crate) static TABLE: LazyLock<TableSpec> = LazyLock::new(template_table);

/// The credential of a stack: a personal access token.
pub(crate) fn pat() -> Value {
    json!({ "token_name": SAMPLE_PAT.0, "token_secret": SAMPLE_PAT.1 })
}

/// A user and password, as at Tableau Server.
pub(crate) fn password() -> Value {
    json!({ "user_name": "bea@example.com", "password": "correct horse battery staple" })
}

/// A connected app.
pub(crate) fn app() -> Value {
    let (client_id, secret_id, secret_value) = SAMPLE_CONNECTED_APP;
    json!({
        "client_id": client_id, "secret_id": secret_id, "secret_value": secret_value, "user_name": "bea@example.com",
    })
}

/// Rules that name these events, and sites by LUID.
pub(crate) fn rules(events: &[&str], sites: &[&str]) -> String {
    let mut text = format!(
        "rules: [{{ name: one, on: [{}], do: [{{ notify-slack: {{ channel: c }} }}] }}]\n",
        events.join(", ")
    );
    if !sites.is_empty() {
        text.push_str("sites:\n");
    }
    for (at, site) in sites.iter().enumerate() {
        text.push_str(&format!("  - {{ luid: {site}, name: Site {at}, timezone: Europe/Berlin }}\n"));
    }
    text
}

pub(crate) struct Stack {
    pub(crate) aws: Aws,
    pub(crate) tableau: TableauSimulator,
    /// Takes what webhooks send.
    pub(crate) api: Recorder,
}

impl Stack {
    /// A stack whose functions sign in with this credential.
    pub(crate) async fn start(credential: Value) -> Self {
        Self::at(TableauSimulator::sample(), credential).await
    }

    pub(crate) async fn at(tableau: TableauBuilder, credential: Value) -> Self {
        let aws = Aws::start().await.unwrap();
        let tableau = tableau.start().await.unwrap();
        let api = Recorder::start().await.unwrap();
        let table = TABLE.clone();
        let mut resources = vec![
            resource("DeliveryTable", "AWS::DynamoDB::Table", &table.name),
            resource("TableauSecret", "AWS::SecretsManager::Secret", "tableau"),
            resource("WebhookSecret", "AWS::SecretsManager::Secret", "webhook"),
        ];
        for id in ["NotifySlackQueue", "NotifySlackDeadLetters"] {
            aws.create_queue(QueueSpec::new(id));
            resources.push(resource(id, "AWS::SQS::Queue", &aws.queue_url(id)));
        }
        aws.create_table_with(table);
        aws.create_bus("events");
        aws.create_secret("tableau", credential);
        aws.create_secret("webhook", json!({ "current": TOKEN, "previous": "" }));
        aws.create_stack(STACK, resources);
        let texts = |pairs: &[(&str, String)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
        };
        let parameters =
            [("TableauServerUrl", tableau.url()), ("TableauSite", SAMPLE_CONTENT_URL.to_owned())];
        aws.set_stack_parameters(STACK, texts(&parameters));
        aws.set_stack_outputs(STACK, texts(&[("WebhookUrl", format!("{}/webhook", api.url()))]));
        Self { aws, tableau, api }
    }

    pub(crate) async fn with_a_token() -> Self {
        Self::start(pat()).await
    }

    /// The stack with its function, whose real binary runs, or without it.
    pub(crate) fn with_function(self, has_function: bool) -> Self {
        if !has_function {
            return self;
        }
        let variables = [
            ("STACK_ID", STACK_ID.to_owned()),
            ("WEBHOOK_URL", format!("{}/webhook", self.api.url())),
            ("TABLEAU_SECRET", "tableau".to_owned()),
            ("TABLEAU_SERVER_URL", self.tableau.url()),
            ("TABLEAU_SITE", SAMPLE_CONTENT_URL.to_owned()),
        ];
        let function = self.lambda("reconcile-webhooks", &variables);
        self.aws.add_function(function);
        let table = &TABLE.name;
        let mut resources = vec![
            resource("DeliveryTable", "AWS::DynamoDB::Table", table),
            resource("TableauSecret", "AWS::SecretsManager::Secret", "tableau"),
            resource("WebhookSecret", "AWS::SecretsManager::Secret", "webhook"),
            resource("ReconcileWebhooks", "AWS::Lambda::Function", "reconcile-webhooks"),
        ];
        for id in ["NotifySlackQueue", "NotifySlackDeadLetters"] {
            resources.push(resource(id, "AWS::SQS::Queue", &self.aws.queue_url(id)));
        }
        self.aws.create_stack(STACK, resources);
        self
    }

    /// A function of the stack: its real binary.
    pub(crate) fn lambda(&self, name: &str, variables: &[(&str, String)]) -> LambdaProcess {
        let binary = Path::new(PROGRAM).parent().unwrap().join(name);
        let mut spec = FunctionSpec::new(name, binary);
        spec.timeout = Duration::from_secs(180);
        spec.endpoint_url = Some(self.aws.url().to_owned());
        spec.keys = self.aws.keys().clone();
        let usual = [
            ("WEBHOOK_SECRET", "webhook".to_owned()),
            ("EVENT_BUS_NAME", "events".to_owned()),
            ("TABLE_NAME", TABLE.name.clone()),
        ];
        let all = usual.iter().chain(variables);
        spec.environment = all.map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        LambdaProcess::new(spec).unwrap()
    }

    /// Publishes rules.
    pub(crate) async fn publish(&self, text: &str) {
        let records = DynamoDbRecords::new(client(&self.aws), &TABLE.name, "rules");
        let publication =
            Publication { text, source: Source::RulesDeploy, published_by: "ana", at: Timestamp::now() };
        PublishedRules::new(Arc::new(records)).publish(&publication, None).await.unwrap();
    }

    /// The base of the stack's URLs.
    pub(crate) fn url(&self, rest: &str) -> String {
        format!("{}{rest}", self.api.url())
    }

    /// Adds a webhook that posts to a path of the stack.
    pub(crate) fn add(&self, event: EventName, name: &str, path: &str) -> String {
        self.tableau.add(Webhook::on(event, &self.url(path)).named(name))
    }

    /// The webhook at Tableau with this name.
    pub(crate) fn named(&self, name: &str) -> WebhookRecord {
        let webhooks = self.tableau.webhooks();
        webhooks.into_iter().find(|webhook| webhook.name == name).unwrap_or_else(|| panic!("no `{name}`"))
    }

    /// Disables a webhook with this very reason, as other tools do.
    pub(crate) async fn disable_with(&self, luid: &str, reason: &str) {
        let credential = TableauCredential::Password {
            user: "bea@example.com".to_owned(),
            password: "correct horse battery staple".into(),
        };
        let settings = Settings::new(&self.tableau.url(), SAMPLE_CONTENT_URL, "").unwrap();
        let http = http_client::client(None).unwrap();
        let client = OwnSession::new(http, settings, Arc::new(FixedCredential::new(credential)));
        let state = Some(WebhookState::Off { reason: Some(reason.to_owned()) });
        let change = WebhookChange { state, ..WebhookChange::default() };
        client.update_webhook(&luid.parse().unwrap(), &change).await.unwrap();
        client.sign_out().await.unwrap();
    }

    /// The events of the webhooks at Tableau, in alphabetical order.
    pub(crate) fn events(&self) -> Vec<String> {
        let webhooks = self.tableau.webhooks();
        let mut events: Vec<String> =
            webhooks.iter().map(|webhook| webhook.event.as_str().to_owned()).collect();
        events.sort();
        events
    }

    /// What the names of the stack's own webhooks are made of.
    pub(crate) fn identity(&self) -> Identity {
        Identity::new(STACK_ID, &self.url("/webhook")).unwrap()
    }

    /// What the secret has: the current token and the previous one.
    pub(crate) fn tokens(&self) -> (String, String) {
        let text = self.aws.secret("webhook").unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        let part = |name: &str| value[name].as_str().unwrap().to_owned();
        (part("current"), part("previous"))
    }

    pub(crate) fn set_tokens(&self, current: &str, previous: &str) {
        self.aws.create_secret("webhook", json!({ "current": current, "previous": previous }));
    }

    /// What the stack's table knows of its webhooks; null if nothing.
    pub(crate) fn document(&self) -> Value {
        let key = json!({ "pk": { "S": "webhook#stack" }, "sk": { "S": "-" } });
        let item = self.aws.item(&TABLE.name, &key);
        let text = item.and_then(|item| item["document"]["S"].as_str().map(str::to_owned));
        text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg("webhooks").args(arguments).env_clear();
        command.env("AWS_ENDPOINT_URL", self.aws.url()).env("AWS_REGION", "us-east-1");
        let keys = self.aws.keys();
        command.env("AWS_ACCESS_KEY_ID", keys.access_key_id());
        command.env("AWS_SECRET_ACCESS_KEY", keys.secret_access_key());
        command.env("AWS_SESSION_TOKEN", keys.session_token());
        command
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, &[]).await
    }

    /// Runs the program with variables. Its output has neither a secret nor a token of the stack, of before or of now.
    pub(crate) async fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let before = self.tokens();
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        let output = finish(command).await;
        check(&output);
        self.check_tokens(&(stdout(&output) + &stderr(&output)), &before);
        output
    }

    /// Panics if a text has a token of the secret.
    pub(crate) fn check_tokens(&self, shown: &str, before: &(String, String)) {
        let now = self.tokens();
        for token in [&before.0, &before.1, &now.0, &now.1] {
            // A malformed one of a test is no secret.
            assert!(token.len() < 32 || !shown.contains(token.as_str()), "a token is in {shown}");
        }
        assert!(secrets().iter().all(|secret| !shown.contains(secret)), "a secret is in {shown}");
    }

    /// Runs the program, and expects success.
    pub(crate) async fn done(&self, arguments: &[&str]) -> Output {
        let output = self.run(arguments).await;
        let all = format!("{arguments:?}: {}{}", stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(0), "{all}");
        output
    }
}

fn resource(id: &str, kind: &str, physical_id: &str) -> StackResource {
    StackResource { logical_id: id.to_owned(), kind: kind.to_owned(), physical_id: physical_id.to_owned() }
}
