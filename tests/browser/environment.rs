//! The local stack, with every listener on a given port.

use crate::page::LISTENERS;
use local_aws::template::Template;
use local_aws::{Stack, StackEvent, StackOptions};
use serde_json::{Value, json};
use simulator::{SAMPLE_PAT, SlackSimulator, TableauSimulator, Webhook};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use tableau::EventName;
use testkit::TOKEN;
use testkit::repository::root;
use tokio::sync::mpsc::{self, UnboundedReceiver};

const FUNCTION: &str = "receive-webhook";

pub(crate) struct Environment {
    stack: Stack,
    tableau: TableauSimulator,
    slack: SlackSimulator,
    events: UnboundedReceiver<StackEvent>,
    /// The address of a function's Lambda Runtime API.
    runtime_api: String,
}

/// One request that the page tries.
struct Try {
    listener: &'static str,
    url: String,
    body: String,
    /// The request headers that a page is allowed to set.
    headers: Value,
}

impl Try {
    /// The same listener under another name of this machine.
    fn at(&self, host: &str) -> Value {
        let url = self.url.replacen("127.0.0.1", host, 1);
        json!({ "url": url, "body": self.body, "headers": self.headers })
    }
}

impl Environment {
    /// Starts the stack with the API, AWS, Slack and Tableau on these ports.
    pub(crate) async fn start(ports: [u16; 4]) -> Self {
        let [api, aws, slack, tableau] = ports.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let tableau = TableauSimulator::sample().address(tableau).start().await.unwrap();
        let slack = SlackSimulator::start_at(slack).await.unwrap();
        let template = root().join("template.yaml");
        let mut parameters = Template::read(&template).unwrap().everything_on();
        // This test registers webhooks itself.
        parameters.insert("ReconcileWebhooksEnabled".to_owned(), "false".to_owned());
        parameters.extend([
            ("TableauServerUrl".to_owned(), tableau.url()),
            ("TableauSite".to_owned(), "marketing".to_owned()),
            ("SlackApiUrl".to_owned(), slack.api_url()),
            ("RulesFile".to_owned(), root().join("rules.yaml").canonicalize().unwrap().display().to_string()),
        ]);
        let ours = std::env::current_exe().unwrap();
        let (sender, events) = mpsc::unbounded_channel();
        let stack = Stack::start(StackOptions {
            template,
            binaries: ours.parent().and_then(Path::parent).expect("target/debug/deps/browser-…").to_owned(),
            parameters,
            // The page knows the URL's token, which a real attacker does not.
            secrets: BTreeMap::from([
                ("WebhookSecret".to_owned(), json!({ "current": TOKEN, "previous": "" })),
                (
                    "TableauSecret".to_owned(),
                    json!({ "token_name": SAMPLE_PAT.0, "token_secret": SAMPLE_PAT.1 }),
                ),
                ("SlackSecret".to_owned(), json!({ "webhook_urls": { "default": slack.webhook_url() } })),
            ]),
            environment: BTreeMap::new(),
            concurrent_executions: None,
            listen: api,
            aws,
            events: Some(sender),
        })
        .await
        .expect("the binaries are built by `cargo test --workspace`, or `cargo build --workspace`");
        let url = format!("{}/webhook?token={TOKEN}", stack.url());
        for event in EventName::KNOWN {
            tableau.add(Webhook::on(event, &url));
        }
        let runtime_api = runtime_api(&stack).await;
        Self { stack, tableau, slack, events, runtime_api }
    }

    /// The requests that the page tries, by listener.
    fn tries(&self) -> Vec<Try> {
        let luid = self.tableau.datasource("Sales Orders").unwrap();
        let event = std::fs::read_to_string(root().join("events/tableau/workbook-created.json")).unwrap();
        let message = json!({ "text": "forged" }).to_string();
        let secret = json!({ "SecretId": "TableauSecret" }).to_string();
        let operation = json!({ "X-Amz-Target": "secretsmanager.GetSecretValue" });
        let api = self.stack.url();
        let slack = self.slack.url();
        let tableau = self.tableau.url();
        let runtime_api = format!("{}/2018-06-01/runtime", self.runtime_api);
        let plain = |listener, url: String, body: &str| Try {
            listener,
            url,
            body: body.to_owned(),
            headers: json!({}),
        };
        vec![
            plain("api", format!("{api}/webhook?token={TOKEN}"), &event),
            Try { headers: operation, ..plain("aws", format!("{}/", self.stack.aws().url()), &secret) },
            plain("slack", self.slack.webhook_url(), &message),
            plain("slack", format!("{slack}/simulator/faults?fault=archived"), ""),
            plain("tableau", format!("{tableau}/simulator"), ""),
            plain("tableau", format!("{tableau}/simulator/page.js"), ""),
            plain("tableau", format!("{tableau}/simulator/faults?fault=reset"), ""),
            plain("tableau", format!("{tableau}/simulator/refresh/{luid}/fail"), ""),
            plain("tableau", format!("{tableau}/api/3.29/serverinfo"), ""),
            plain("runtime api", format!("{runtime_api}/invocation/next"), ""),
            plain("runtime api", format!("{runtime_api}/init/error"), "{}"),
        ]
    }

    /// The requests that each frame tries. `site` is the page's host name.
    pub(crate) fn targets(&self, site: &str) -> BTreeMap<String, Value> {
        let tries = self.tries();
        let at = |host: &str, is_tried: &dyn Fn(&Try) -> bool| -> Vec<Value> {
            tries.iter().filter(|one| is_tried(one)).map(|one| one.at(host)).collect()
        };
        let of_frame = |frame: &str| -> Vec<Value> {
            if LISTENERS.contains(&frame) {
                // First the frame's own origin, then two others: the same listener under another name, and the
                // listener without a frame.
                let own = at(site, &|one| one.listener == frame);
                let others = at("127.0.0.1", &|one| [frame, "runtime api"].contains(&one.listener));
                return [own, others].concat();
            }
            ["127.0.0.1", "localhost", site].iter().flat_map(|host| at(host, &|_| true)).collect()
        };
        let frames = LISTENERS.iter().chain(&["neighbour", "sandbox", "top"]);
        frames.map(|frame| ((*frame).to_owned(), Value::Array(of_frame(frame)))).collect()
    }

    /// Everything that a page could have changed.
    pub(crate) async fn seen(&mut self) -> Value {
        let mut requests = 0;
        while let Ok(event) = self.events.try_recv() {
            requests += usize::from(matches!(event, StackEvent::Answered { .. }));
        }
        let aws = self.stack.aws();
        let plan = self.stack.plan();
        let client = http_client::client(None).unwrap();
        let faults = client.get(format!("{}/simulator/faults", self.tableau.url())).send().await.unwrap();
        let faults: Value = serde_json::from_str(&faults.text().await.unwrap()).unwrap();
        let cleared = client.delete(format!("{}/simulator/faults", self.slack.url())).send().await.unwrap();
        let operations =
            ["SecretsManager.GetSecretValue", "SQS.SendMessage", "DynamoDB.GetItem", "DynamoDB.UpdateItem"];
        json!({
            "requests at the API": requests,
            "events": plan.buses.iter().map(|bus| aws.archive(bus).len()).sum::<usize>(),
            "messages in queues": plan.queues.iter().map(|queue| aws.messages(&queue.name).len()).sum::<usize>(),
            "items": plan.tables.iter().map(|table| aws.items(&table.name).len()).sum::<usize>(),
            "calls of AWS": operations.iter().map(|operation| aws.calls(operation)).sum::<usize>(),
            "calls of Tableau": self.tableau.calls("*"),
            "jobs": self.tableau.jobs().len(),
            "deliveries": self.tableau.deliveries().len(),
            "faults at Tableau": faults,
            "calls of Slack": self.slack.calls(),
            "messages at Slack": self.slack.message_count(),
            "faults at Slack": cleared.text().await.unwrap(),
        })
    }

    /// The requests must not have stopped the stack either.
    pub(crate) async fn still_works(self) {
        let luid = self.tableau.datasource("Sales Orders").unwrap();
        self.tableau.fail_refresh(&luid, simulator::notes::SQL_SERVER_LOGIN).unwrap();
        let messages = self.slack.wait_for(1, std::time::Duration::from_secs(60)).await.unwrap();
        assert!(simulator::render(&messages[0]).contains("Sales Orders"));
        self.stack.shutdown().await;
    }
}

/// Starts a function, which then waits for its next invocation, and reads its environment.
async fn runtime_api(stack: &Stack) -> String {
    let function = stack.function(FUNCTION).unwrap();
    // The result of the invocation does not matter.
    let _ = function.invoke(&json!({})).await;
    let environment = std::fs::read(format!("/proc/{}/environ", function.pid().unwrap())).unwrap();
    let environment = String::from_utf8(environment).unwrap();
    let address = environment.split('\0').find_map(|pair| pair.strip_prefix("AWS_LAMBDA_RUNTIME_API="));
    format!("http://{}", address.unwrap())
}
