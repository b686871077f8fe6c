//! The deployed stack: the bundle of a release, with the rules of the test.

use crate::cloud::{Cloud, REGION};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use testkit::repository::root;

/// The stack's name.
pub(crate) const STACK: &str = "tableau-webhooks-test";

/// The stack, before or after its deployment.
pub(crate) struct Stack<'a> {
    cloud: &'a Cloud,
    http: Client,
    parameters: Vec<String>,
    outputs: BTreeMap<String, String>,
    /// Physical resource ids by logical id.
    resources: BTreeMap<String, String>,
    token: String,
}

/// The stack's answer to a posted event.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl<'a> Stack<'a> {
    /// A stack that is not deployed yet, with these parameters in addition to those that the emulator needs.
    pub(crate) fn new(cloud: &'a Cloud, parameters: &[(&str, &str)]) -> Self {
        let architecture = if std::env::consts::ARCH == "aarch64" { "arm64" } else { "x86_64" };
        // The emulator knows no archives.
        let ours = [("Architecture", architecture), ("EventRetentionDays", "0")];
        let parameters =
            parameters.iter().chain(&ours).map(|(name, value)| format!("{name}={value}")).collect();
        Self {
            cloud,
            http: http_client::client(None).unwrap(),
            parameters,
            outputs: BTreeMap::new(),
            resources: BTreeMap::new(),
            token: String::new(),
        }
    }

    /// Deploys a template.
    pub(crate) async fn deploy(&mut self, template: &str) {
        self.deploy_with(template, &[]).await;
    }

    /// Deploys a template with additional parameters.
    pub(crate) async fn deploy_with(&mut self, template: &str, more: &[&str]) {
        let arguments = self.arguments(template, more);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.cloud.sam(self.cloud.folder.path(), &arguments).await;
        self.look().await;
    }

    /// Deploys with parameters that the template's rules refuse. Returns the error that the operator sees.
    pub(crate) async fn is_refused(&self, template: &str, more: &[&str]) -> String {
        let arguments = self.arguments(template, more);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.cloud.sam_refuses(self.cloud.folder.path(), &arguments).await
    }

    fn arguments(&self, template: &str, more: &[&str]) -> Vec<String> {
        let config = root().join("samconfig.toml").display().to_string();
        let mut arguments = vec!["deploy", "--template-file", template, "--stack-name", STACK];
        arguments.extend(["--config-file", &config, "--no-confirm-changeset", "--no-progressbar"]);
        arguments.extend(["--region", REGION, "--parameter-overrides"]);
        arguments.extend(self.parameters.iter().map(String::as_str));
        arguments.extend(more);
        let mut arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
        // The emulator lays no layers out for functions that are executables: publish-rules finds the file where the layer's
        // content comes from. Each copy of the bundle has one of its own, as each version of a layer has.
        let rules = Path::new(template).parent().and_then(Path::parent).unwrap().join("rules/rules.yaml");
        arguments.push(format!("RulesFile={}", rules.display()));
        arguments
    }

    /// The template in a copy of the bundle with these rules, as if an operator had edited `rules/rules.yaml`.
    pub(crate) fn with_rules(&self, rules: &str) -> String {
        let copied = tempfile::tempdir_in(self.cloud.folder.path()).unwrap().keep();
        let processor = copied.join(self.cloud.bundle.file_name().unwrap());
        copy(&self.cloud.bundle, &processor);
        copy(&self.cloud.bundle.join("../rules"), &copied.join("rules"));
        fs::write(copied.join("rules/rules.yaml"), rules).unwrap();
        processor.join("template.yaml").display().to_string()
    }

    /// Reads the deployed stack's resources and outputs.
    async fn look(&mut self) {
        let stacks =
            self.cloud.call("cloudformation", "describe_stacks", json!({ "StackName": STACK })).await;
        let outputs = stacks["Stacks"][0]["Outputs"].as_array().cloned().unwrap_or_default();
        self.outputs = outputs.iter().map(|o| (text(&o["OutputKey"]), text(&o["OutputValue"]))).collect();
        let all = self
            .cloud
            .call("cloudformation", "describe_stack_resources", json!({ "StackName": STACK }))
            .await;
        let all = all["StackResources"].as_array().cloned().unwrap_or_default();
        let ids = all.iter().map(|r| (text(&r["LogicalResourceId"]), text(&r["PhysicalResourceId"])));
        self.resources = ids.collect();
        self.token = text(&self.secret("WebhookSecretArn").await["current"]);
    }

    /// The version of the rules in force, as the table has it.
    pub(crate) async fn rules_in_force(&self) -> Value {
        let key = json!({ "pk": { "S": "rules#current" }, "sk": { "S": "-" } });
        let item = json!({ "TableName": self.output("TableName"), "Key": key });
        self.cloud.call("dynamodb", "get_item", item).await["Item"].take()
    }

    /// Puts a text in force as `rules deploy` does; gives the version's number.
    pub(crate) async fn publish(&self, text: &str) -> u64 {
        let mut item = self.rules_in_force().await;
        let mut version: Value = serde_json::from_str(item["document"]["S"].as_str().unwrap()).unwrap();
        let number = version["number"].as_u64().unwrap() + 1;
        version["number"] = json!(number);
        version["source"] = json!({ "how": "rules-deploy" });
        version["form"] = json!(rules::Rules::to_json(text).unwrap());
        version["text"] = json!(text);
        let record = item["version"]["N"].as_str().unwrap().parse::<u64>().unwrap() + 1;
        item["version"] = json!({ "N": record.to_string() });
        item["document"] = json!({ "S": version.to_string() });
        let table = self.output("TableName");
        self.cloud.call("dynamodb", "put_item", json!({ "TableName": table, "Item": item })).await;
        number
    }

    /// An output of the stack.
    pub(crate) fn output(&self, name: &str) -> &str {
        self.outputs.get(name).unwrap_or_else(|| panic!("no output {name}: {:?}", self.outputs))
    }

    /// The outputs of the stack.
    pub(crate) fn outputs(&self) -> &BTreeMap<String, String> {
        &self.outputs
    }

    /// The physical id of a resource.
    pub(crate) fn resource(&self, id: &str) -> &str {
        self.resources.get(id).unwrap_or_else(|| panic!("no resource {id}"))
    }

    /// The value of the secret that an output names.
    pub(crate) async fn secret(&self, output: &str) -> Value {
        let id = json!({ "SecretId": self.output(output) });
        let secret = self.cloud.call("secretsmanager", "get_secret_value", id).await;
        serde_json::from_str(secret["SecretString"].as_str().unwrap()).unwrap()
    }

    /// Sets the value of the secret that an output names.
    pub(crate) async fn put_secret(&self, output: &str, value: &Value) {
        let secret = json!({ "SecretId": self.output(output), "SecretString": value.to_string() });
        self.cloud.call("secretsmanager", "put_secret_value", secret).await;
    }

    /// The token in the webhook URLs.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Posts a body to the URL in an output, through the emulated API Gateway.
    pub(crate) async fn post(&self, output: &str, token: &str, body: &str) -> Answer {
        // The URL is `http://<api>.execute-api.localhost:<port>/webhook`; not every resolver knows names below
        // localhost.
        let url: reqwest::Url = self.output(output).parse().unwrap();
        let api = url.host_str().unwrap().split('.').next().unwrap().to_owned();
        let url = self.cloud.url(&format!("/_aws/execute-api/{api}/$default{}?token={token}", url.path()));
        let request = self.http.post(url).header("content-type", "application/json").body(body.to_owned());
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    /// What a stranger is answered at a path.
    pub(crate) async fn api(&self, path: &str) -> StatusCode {
        self.http.get(self.api_url(path)).send().await.unwrap().status()
    }

    /// Sends a request of a caller with this key, through the emulated API Gateway. Returns the status and the body.
    pub(crate) async fn call(&self, key: &str, path: &str, body: Option<&Value>) -> (StatusCode, Value) {
        let request = match body {
            Some(body) => {
                let post = self.http.post(self.api_url(path)).body(body.to_string());
                post.header("content-type", "application/json")
            }
            None => self.http.get(self.api_url(path)),
        };
        let answer = request.bearer_auth(key).send().await.unwrap();
        (answer.status(), serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
    }

    fn api_url(&self, path: &str) -> String {
        let url: reqwest::Url = self.output("WebhookUrl").parse().unwrap();
        let api = url.host_str().unwrap().split('.').next().unwrap().to_owned();
        self.cloud.url(&format!("/_aws/execute-api/{api}/$default/{path}"))
    }

    /// Asks for a public page, through the emulated API Gateway. Returns the status and the page.
    pub(crate) async fn page(&self, token: &str) -> (StatusCode, String) {
        let answer = self.http.get(self.page_url(token)).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    /// Sends the form of a page, as a browser does.
    pub(crate) async fn send_form(&self, token: &str, form: String) -> (StatusCode, String) {
        let post = self.http.post(self.page_url(token)).body(form);
        let answer = post.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    fn page_url(&self, token: &str) -> String {
        let url: reqwest::Url = self.output("WebhookUrl").parse().unwrap();
        let api = url.host_str().unwrap().split('.').next().unwrap().to_owned();
        self.cloud.url(&format!("/_aws/execute-api/{api}/$default/c/{token}"))
    }

    /// The texts of the mails that the emulator has taken.
    pub(crate) async fn mails(&self) -> Vec<String> {
        let answer = self.http.get(self.cloud.url("/_ministack/ses/messages")).send().await.unwrap();
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let accounts = answer["messages"].as_object().into_iter().flat_map(|accounts| accounts.values());
        let mails = accounts.filter_map(Value::as_array).flatten();
        mails.filter_map(|mail| mail["BodyText"].as_str()).map(str::to_owned).collect()
    }

    /// How many messages are visible in a queue, and how many are in flight.
    pub(crate) async fn depth(&self, queue: &str) -> (u64, u64) {
        let names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
        let arguments = json!({ "QueueUrl": self.resource(queue), "AttributeNames": names });
        let answer = self.cloud.call("sqs", "get_queue_attributes", arguments).await;
        let number = |name| answer["Attributes"][name].as_str().unwrap().parse().unwrap();
        (number(names[0]), number(names[1]))
    }

    /// The delivery records.
    pub(crate) async fn records(&self) -> Vec<Value> {
        let answer =
            self.cloud.call("dynamodb", "scan", json!({ "TableName": self.output("TableName") })).await;
        answer["Items"].as_array().cloned().unwrap()
    }

    /// Deletes the stack.
    pub(crate) async fn delete(&self) {
        let arguments = ["delete", "--stack-name", STACK, "--region", REGION, "--no-prompts"];
        self.cloud.sam(self.cloud.folder.path(), &arguments).await;
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let from = entry.unwrap().path();
        let to = to.join(from.file_name().unwrap());
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}
