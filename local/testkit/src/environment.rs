//! Everything a function talks to.

use crate::dynamodb::create_table;
use crate::function::Function;
use crate::repository::{every_rule, power_automate_schema};
use crate::request::TOKEN;
use jiff::Timestamp;
use local_aws::{Aws, DeadLetters, FunctionSpec, LambdaProcess, QueueSpec};
use published_rules::IN_FORCE_KEY;
use rules::Rules;
use serde_json::json;
use simulator::{
    GraphSimulator, PagerDutySimulator, SAMPLE_PAT, SAMPLE_SERVICENOW_USER, ServiceNowSimulator,
    SlackSimulator, TableauBuilder, TableauSimulator, TeamsSimulator, TwilioSimulator,
};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

/// The queue of a function, its dead-letter queue, its table, and the bus.
const QUEUE: &str = "queue";
const DEAD_LETTERS: &str = "dead-letters";
const TABLE: &str = "deliveries";
const BUS: &str = "events";

/// The sender of mails.
const SENDER: &str = "alerts@example.com";

/// Where public pages are.
const PUBLIC_URL: &str = "https://abcdefghij.execute-api.ap-southeast-2.amazonaws.com";

const SITES: &str = "
sites:
  - { luid: 8b2a95d8-52b9-40a4-8712-cd6da771bd1b, name: Marketing, timezone: Europe/Berlin }
";

/// AWS (with a verified sender of mails), Tableau, Slack, Teams, ServiceNow, PagerDuty and Twilio on loopback, and a rules file.
#[derive(Debug)]
pub struct TestEnvironment {
    /// The AWS services. The queue of a function is `queue`, beside `dead-letters`, the table `deliveries`, and the
    /// bus `events`.
    pub aws: Aws,
    /// A Tableau with the sample content.
    pub tableau: TableauSimulator,
    /// A Slack with the channels of `rules.yaml`.
    pub slack: SlackSimulator,
    /// Flows of Power Automate: `finance` and `news` post cards to channels, `finance-flow` takes fields.
    pub teams: TeamsSimulator,
    /// An instance of ServiceNow, whose account of the sample is in the secret `servicenow`.
    pub servicenow: ServiceNowSimulator,
    /// Services of PagerDuty: `finance` and `default`.
    pub pagerduty: PagerDutySimulator,
    /// An account of Twilio with a number.
    pub twilio: TwilioSimulator,
    /// Document libraries in SharePoint, whose application is in the secret `sharepoint`.
    pub graph: GraphSimulator,
    rules: Mutex<String>,
    secrets: Vec<String>,
}

impl TestEnvironment {
    /// An environment with the repository's own `rules.yaml`, all its rules switched on, and the sample site named.
    pub async fn start() -> Self {
        Self::with_rules(&format!("{}{SITES}", every_rule())).await
    }

    /// An environment with these rules.
    pub async fn with_rules(rules: &str) -> Self {
        Self::with_tableau(rules, TableauSimulator::sample()).await
    }

    /// An environment with these rules and this Tableau, which has the sample content.
    pub async fn with_tableau(rules: &str, tableau: TableauBuilder) -> Self {
        let aws = Aws::start().await.expect("AWS");
        aws.create_queue(QueueSpec {
            name: DEAD_LETTERS.to_owned(),
            visibility_timeout: Duration::from_secs(30),
            dead_letters: None,
        });
        aws.create_queue(QueueSpec {
            name: QUEUE.to_owned(),
            visibility_timeout: Duration::from_secs(30),
            dead_letters: Some(DeadLetters { queue: DEAD_LETTERS.to_owned(), max_receive_count: 5 }),
        });
        create_table(&aws, TABLE);
        aws.create_bus(BUS);
        aws.verify_identity(SENDER);
        let tableau = tableau.start().await.expect("Tableau");
        let slack = SlackSimulator::start().await.expect("Slack");
        let teams = TeamsSimulator::start().await.expect("Teams");
        aws.create_secret("webhook", json!({ "current": TOKEN, "previous": "" }));
        aws.create_secret("tableau", json!({ "token_name": SAMPLE_PAT.0, "token_secret": SAMPLE_PAT.1 }));
        let channels = ["data-alerts", "data-news"].map(|channel| (channel, slack.add_webhook(channel)));
        let mut secrets =
            vec![TOKEN.to_owned(), SAMPLE_PAT.1.to_owned(), slack.token(), "/services/".to_owned()];
        secrets.extend(channels.iter().filter_map(|(_, url)| url.rsplit('/').next()).map(str::to_owned));
        aws.create_secret("slack", json!({ "webhook_urls": BTreeMap::from(channels) }));
        let flows = [
            ("finance", teams.add_flow("finance")),
            ("news", teams.add_flow("news")),
            ("finance-flow", teams.add_http_flow("finance-flow", power_automate_schema())),
        ];
        secrets.extend(flows.iter().filter_map(|(_, url)| url.rsplit("sig=").next()).map(str::to_owned));
        aws.create_secret("teams", json!({ "webhooks": BTreeMap::from(flows) }));
        let servicenow = ServiceNowSimulator::start().await.expect("ServiceNow");
        let (user, password) = SAMPLE_SERVICENOW_USER;
        secrets.extend([password.to_owned(), servicenow.application().1]);
        aws.create_secret(
            "servicenow",
            json!({ "instance": servicenow.url(), "user": user, "password": password }),
        );
        let pagerduty = PagerDutySimulator::start().await.expect("PagerDuty");
        let services = ["default", "finance"].map(|service| (service, pagerduty.add_service(service)));
        secrets.extend(services.iter().map(|(_, key)| key.clone()));
        aws.create_secret("pagerduty", json!({ "routing_keys": BTreeMap::from(services) }));
        let twilio = TwilioSimulator::start().await.expect("Twilio");
        secrets.push(twilio.token());
        aws.create_secret("twilio", twilio.secret());
        let key = "local-key-of-links-not-a-secret-0123456789";
        secrets.push(key.to_owned());
        aws.create_secret("links", json!({ "current": key, "previous": "" }));
        let graph = GraphSimulator::start().await.expect("Graph");
        secrets.push(graph.client_secret());
        aws.create_secret("sharepoint", graph.secret());
        let environment = Self {
            aws,
            tableau,
            slack,
            teams,
            servicenow,
            pagerduty,
            twilio,
            graph,
            rules: Mutex::default(),
            secrets,
        };
        environment.write_rules(rules);
        environment
    }

    /// The function `name` behind a queue, as in the stack.
    pub fn queued(&self, name: &str, binary: impl AsRef<Path>) -> Function {
        self.queued_with(name, binary, &[])
    }

    /// The function `name` behind a queue, with variables of its own.
    pub fn queued_with(&self, name: &str, binary: impl AsRef<Path>, variables: &[(&str, &str)]) -> Function {
        let queue = self.aws.queue_url(QUEUE);
        let dead_letters = self.aws.queue_url(DEAD_LETTERS);
        let of_queue = [
            ("QUEUE_URL", queue.as_str()),
            ("DEAD_LETTER_QUEUE_URL", dead_letters.as_str()),
            ("TABLE_NAME", TABLE),
        ];
        self.function(name, binary.as_ref(), &[&of_queue, variables].concat())
    }

    /// The function `name` behind a queue, which may run for this long.
    pub fn queued_for(&self, name: &str, binary: impl AsRef<Path>, timeout: Duration) -> Function {
        let queue = self.aws.queue_url(QUEUE);
        let dead_letters = self.aws.queue_url(DEAD_LETTERS);
        let of_queue = [
            ("QUEUE_URL", queue.as_str()),
            ("DEAD_LETTER_QUEUE_URL", dead_letters.as_str()),
            ("TABLE_NAME", TABLE),
        ];
        self.function_for(name, binary.as_ref(), &of_queue, timeout)
    }

    /// Changes the documents of a kind in the table, such as `circuit`, as time would.
    pub fn change_documents(&self, kind: &str, change: impl Fn(&mut serde_json::Value)) {
        for mut item in self.aws.items(TABLE) {
            let is_of_kind = item["pk"]["S"].as_str().is_some_and(|key| key.starts_with(&format!("{kind}#")));
            let text = item["document"]["S"].as_str().filter(|_| is_of_kind).map(str::to_owned);
            let Some(mut document) = text.and_then(|text| serde_json::from_str(&text).ok()) else { continue };
            change(&mut document);
            item["document"]["S"] = json!(document.to_string());
            self.aws.put_item(TABLE, &item);
        }
    }

    /// Changes effects in the delivery records, as time would: `change` returns another text for those that it changes.
    pub fn change_effects(&self, change: impl Fn(&str) -> Option<String>) {
        for mut item in self.aws.items(TABLE) {
            let Some(effects) = item["effects"]["SS"].as_array_mut() else { continue };
            for effect in effects {
                if let Some(other) = effect.as_str().and_then(&change) {
                    *effect = json!(other);
                }
            }
            self.aws.put_item(TABLE, &item);
        }
    }

    /// Puts other rules in force: in the table, which functions behind a queue look into, and for functions in inline mode
    /// that start from now on. Text that is no valid rules file is written as it is.
    pub fn write_rules(&self, rules: &str) {
        let form = Rules::to_json(rules).unwrap_or_else(|_| rules.to_owned());
        self.write_form(rules, &form);
    }

    /// As [`Self::write_rules`], with a JSON form of the rules that a check of this version might refuse.
    pub fn write_form(&self, rules: &str, form: &str) {
        form.clone_into(&mut self.rules.lock().expect("no test has panicked with it"));
        let earlier = self.aws.items(TABLE).into_iter().find(|item| item["pk"]["S"] == IN_FORCE_KEY);
        let number =
            earlier.and_then(|item| item["version"]["N"].as_str()?.parse::<u64>().ok()).unwrap_or_default()
                + 1;
        let version = json!({
            "number": number, "published_at": Timestamp::UNIX_EPOCH, "source": { "how": "rules-deploy" },
            "text": rules, "form": form,
        });
        self.aws.put_item(
            TABLE,
            &json!({
                "pk": { "S": IN_FORCE_KEY }, "sk": { "S": "-" }, "version": { "N": number.to_string() },
                "document": { "S": version.to_string() },
            }),
        );
    }

    /// The function `name` in inline mode.
    pub fn inline(&self, name: &str, binary: impl AsRef<Path>) -> Function {
        self.function(name, binary.as_ref(), &[])
    }

    /// The common ingress, before the bus.
    pub fn common_ingress(&self, name: &str, binary: impl AsRef<Path>) -> Function {
        self.function(name, binary.as_ref(), &[("EVENT_BUS_NAME", BUS)])
    }

    /// The function `name` with variables of its own, beside those that tell where everything is.
    pub fn function(&self, name: &str, binary: &Path, variables: &[(&str, &str)]) -> Function {
        self.function_for(name, binary, variables, Duration::from_secs(20))
    }

    fn function_for(
        &self,
        name: &str,
        binary: &Path,
        variables: &[(&str, &str)],
        timeout: Duration,
    ) -> Function {
        let mut spec = FunctionSpec::new(name, binary);
        spec.timeout = timeout;
        spec.endpoint_url = Some(self.aws.url().to_owned());
        spec.keys = self.aws.keys().clone();
        let tableau = self.tableau.url();
        let slack = self.slack.api_url();
        let pagerduty = self.pagerduty.url();
        let twilio = self.twilio.url();
        let graph = self.graph.url();
        let rules = self.rules.lock().expect("no test has panicked with it").clone();
        let surroundings = [
            ("RULES", rules.as_str()),
            ("WEBHOOK_SECRET", "webhook"),
            ("TABLEAU_SECRET", "tableau"),
            ("TABLEAU_SERVER_URL", &tableau),
            ("TABLEAU_SITE", "marketing"),
            ("SLACK_SECRET", "slack"),
            ("SLACK_API_URL", &slack),
            ("TEAMS_SECRET", "teams"),
            ("SERVICENOW_SECRET", "servicenow"),
            ("PAGERDUTY_SECRET", "pagerduty"),
            ("PAGERDUTY_REGION", &pagerduty),
            ("TWILIO_SECRET", "twilio"),
            ("TWILIO_API_URL", &twilio),
            ("SHAREPOINT_SECRET", "sharepoint"),
            ("GRAPH_URL", &graph),
            ("GRAPH_LOGIN_URL", &graph),
            ("EMAIL_FROM", SENDER),
            ("FORWARD_SECRET", "forward"),
            ("LINK_SECRET", "links"),
            ("PUBLIC_URL", PUBLIC_URL),
            ("LOG_LEVEL", "trace"),
        ];
        let all = surroundings.iter().chain(variables);
        spec.environment = all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Function { process: LambdaProcess::new(spec).expect("the function's binary") }
    }

    /// Panics if a token, secret or webhook URL of the environment is in one of the lines, or the session that functions
    /// share.
    pub fn assert_no_secret_in(&self, lines: &[String]) {
        let items = self.aws.items(TABLE);
        let sessions = items.iter().filter_map(|item| item["token"]["S"].as_str());
        let mut secrets: Vec<&str> = self.secrets.iter().map(String::as_str).chain(sessions).collect();
        let of_graph = self.graph.given_secrets();
        secrets.extend(of_graph.iter().map(String::as_str));
        for line in lines {
            for secret in &secrets {
                assert!(!line.contains(secret), "a secret in the log line {line}");
            }
        }
    }
}
