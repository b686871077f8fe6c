//! The local stack with everything around it: Tableau, the services that workflows send to, and the functions.

use super::documents::Documents;
use super::forward::Receivers;
use super::settings::{Paths, Settings};
use super::trace::Names;
use super::vendors::Vendors;
use super::{pagerduty, servicenow, slack_form, teams};
use crate::local::LocalStack;
use crate::options::{
    AWS_OFFSET, GRAPH_OFFSET, LAST_OFFSET, PAGERDUTY_OFFSET, SERVICENOW_OFFSET, SlackBy, TEAMS_OFFSET,
    TWILIO_OFFSET, UpOptions,
};
use crate::out::note;
use destinations::slack::SlackCredential;
use jiff::Timestamp;
use local_aws::template::Template;
use local_aws::{Aws, Stack, StackEvent, StackOptions};
use published_rules::{IN_FORCE_KEY, Version};
use rules::Rules;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use simulator::{
    GraphSimulator, PagerDutySimulator, SAMPLE_CONTENT_URL, SAMPLE_PAT, ServiceNowSimulator, SlackSimulator,
    TableauSimulator, TeamsSimulator, TwilioSimulator, sample_payload,
};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::io;
use std::net::{AddrParseError, Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;
use tableau::EventName;
use tableau_client::{Settings as Server, TableauCredential};
use tokio::sync::mpsc::UnboundedSender;
use workflow::BoxError;

/// The bucket in Amazon S3 that publish-pdf may write to.
const BUCKET: &str = "reports";

/// The parameter that switches off what registers webhooks at Tableau.
const RECONCILE: &str = "ReconcileWebhooksEnabled";
/// How long a refresh takes that is requested over REST.
const REFRESHES_TAKE: Duration = Duration::from_secs(2);

/// The local stack with everything around it.
pub(crate) struct Environment {
    pub(crate) stack: Stack,
    pub(crate) tableau: TableauSimulator,
    pub(crate) vendors: Vendors,
    /// Holds the file with the authority of the simulated receivers.
    _receivers: Receivers,
    /// The workflows that the rules name.
    workflows: BTreeSet<String>,
    real_tableau: Option<String>,
    /// The token in webhook URLs, which the stack generates as it does on AWS.
    pub(crate) webhook_token: String,
}

/// The secret with the token, as the template defines it.
#[derive(Deserialize)]
struct WebhookSecret {
    current: String,
}

/// The addresses of the API (offset 0), Tableau (1), Slack (2), AWS (3), and those with an offset of their own.
fn address(options: &UpOptions, offset: u16) -> SocketAddr {
    let port = if options.port == 0 { 0 } else { options.port + offset };
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Checks that every server can listen at its address.
pub(crate) fn check_ports(options: &UpOptions) -> Result<(), BoxError> {
    (0..=LAST_OFFSET).map(|offset| address(options, offset)).try_for_each(|address| {
        match TcpListener::bind(address) {
            Ok(_) => Ok(()),
            Err(error) => Err(unavailable(address, &error)),
        }
    })
}

impl Environment {
    pub(crate) async fn start(
        options: &UpOptions,
        paths: &Paths,
        settings: &Settings,
        binaries: &Path,
        events: UnboundedSender<StackEvent>,
    ) -> Result<Self, BoxError> {
        let address = |offset: u16| address(options, offset);
        // Refreshes that are requested over REST end without help. The simulated Tableau knows the token in the
        // webhook URLs and shows it to clients that sign in, so the credential is new in each run, like the token.
        let tableau = TableauSimulator::sample().one_new_token().address(address(1));
        let tableau = tableau.refreshes_take(REFRESHES_TAKE).start().await;
        let tableau = tableau.map_err(|error| unavailable(address(1), &error))?;
        let slack = listening(address(2), SlackSimulator::start_at(address(2))).await?;
        let at = address(TEAMS_OFFSET);
        let teams = listening(at, TeamsSimulator::start_at(at)).await?;
        let at = address(SERVICENOW_OFFSET);
        let servicenow = listening(at, ServiceNowSimulator::start_at(at)).await?;
        let at = address(PAGERDUTY_OFFSET);
        let pagerduty = listening(at, PagerDutySimulator::start_at(at)).await?;
        let at = address(TWILIO_OFFSET);
        let twilio = listening(at, TwilioSimulator::start_at(at)).await?;
        let at = address(GRAPH_OFFSET);
        let graph = listening(at, GraphSimulator::start_at(at)).await?;
        let receivers = Receivers::start().await?;
        let (teams_secret, real_teams) = teams::secret(settings, &teams, &paths.teams)?;
        let real_pagerduty = pagerduty::real(settings)?;
        let (slack_secret, real_slack) = slack_secret(settings, options.slack, &slack, &paths.channels)?;
        let tableau_settings = TableauSettings::read(settings, &tableau)?;
        let mut environment = receivers.environment();
        if !paths.lists_sites && !tableau_settings.real {
            environment.insert("SAMPLE_SITE".to_owned(), SAMPLE_SITE.to_owned());
        }
        // In a deployed stack most workflows are off at first; the local stack switches all of them on. A real Tableau cannot reach
        // this machine, so nothing is registered there.
        let mut parameters = Template::read(&paths.template)?.everything_on();
        if tableau_settings.real {
            parameters.insert(RECONCILE.to_owned(), "false".to_owned());
        }
        parameters.extend([
            ("TableauServerUrl".to_owned(), tableau_settings.server.clone()),
            ("TableauSite".to_owned(), tableau_settings.site),
            ("SlackApiUrl".to_owned(), if real_slack { SLACK_API.to_owned() } else { slack.api_url() }),
            ("PagerDutyRegion".to_owned(), pagerduty::region(real_pagerduty.as_ref(), &pagerduty)),
            ("TwilioApiUrl".to_owned(), twilio.url()),
            ("GraphUrl".to_owned(), graph.url()),
            ("GraphLoginUrl".to_owned(), graph.url()),
            ("RulesFile".to_owned(), paths.rules.display().to_string()),
        ]);
        let stack = Stack::start(StackOptions {
            template: paths.template.clone(),
            binaries: binaries.to_owned(),
            parameters,
            secrets: BTreeMap::from([
                ("TableauSecret".to_owned(), tableau_settings.secret),
                ("SlackSecret".to_owned(), slack_secret),
                ("TeamsSecret".to_owned(), teams_secret),
                ("ServiceNowSecret".to_owned(), servicenow::secret(&servicenow)),
                (
                    "PagerDutySecret".to_owned(),
                    pagerduty::secret(real_pagerduty.as_ref(), &pagerduty, &paths.services),
                ),
                ("TwilioSecret".to_owned(), twilio.secret()),
                ("SharePointSecret".to_owned(), graph.secret()),
                ("ForwardSecret".to_owned(), receivers.secret(&paths.forward)),
            ]),
            environment,
            concurrent_executions: None,
            listen: address(0),
            aws: address(AWS_OFFSET),
            events: Some(events),
        })
        .await?;
        if options.slack == Some(SlackBy::Bot) && !real_slack {
            // A rule that is published later may name a channel that no earlier one does.
            let aws = stack.aws().clone();
            let table = table_of(&stack);
            slack.add_channels_of(move || channels_in_force(&aws, &table));
        }
        stack.aws().create_bucket(BUCKET);
        let secret = stack.secret("WebhookSecret").ok_or("the template has no secret `WebhookSecret`")?;
        Ok(Self {
            stack,
            tableau,
            vendors: Vendors {
                slack: (!real_slack).then_some(slack),
                teams: (!real_teams).then_some(teams),
                servicenow: Some(servicenow),
                pagerduty: real_pagerduty.is_none().then_some(pagerduty),
                twilio: Some(twilio),
                graph: Some(graph),
                receivers: Some(receivers.simulator.clone()),
            },
            _receivers: receivers,
            workflows: paths.workflows.clone(),
            real_tableau: tableau_settings.real.then_some(tableau_settings.server),
            webhook_token: secrets::parse::<WebhookSecret>(&secret.into())?.current,
        })
    }

    fn webhook_url(&self) -> String {
        format!("{}/webhook?token={}", self.stack.url(), self.webhook_token)
    }

    /// The addresses and keys that other commands need.
    pub(crate) fn to_find(&self) -> Result<LocalStack, AddrParseError> {
        let keys = self.stack.aws().keys();
        let address = |url: &str| url.trim_start_matches("http://").parse();
        Ok(LocalStack {
            api: address(self.stack.url())?,
            aws: address(self.stack.aws().url())?,
            webhook_token: self.webhook_token.clone(),
            access_key_id: keys.access_key_id().to_owned(),
            secret_access_key: keys.secret_access_key().to_owned(),
            session_token: keys.session_token().to_owned(),
        })
    }

    /// Lets the refresh of the data source `name` fail. With a real Tableau, or rules for which no webhook sends such events, only
    /// the event is sent.
    pub(crate) async fn fail_refresh(&self, name: &str, notes: &str) -> Result<(), BoxError> {
        if self.real_tableau.is_none() {
            let luid = self.tableau.datasource(name).ok_or("the sample content has no such data source")?;
            self.tableau.fail_refresh(&luid, notes)?;
            let webhooks = self.tableau.webhooks();
            if webhooks.iter().any(|webhook| webhook.event == EventName::DatasourceRefreshFailed) {
                return Ok(());
            }
        }
        let payload =
            sample_payload(&EventName::DatasourceRefreshFailed, Timestamp::now()).unwrap_or_default();
        let url = self.webhook_url();
        let request =
            http_client::client(None)?.post(url).header("content-type", "application/json").body(payload);
        request.send().await.map_err(reqwest::Error::without_url)?;
        Ok(())
    }

    /// Where the names of the events' objects are found.
    pub(crate) fn names(&self) -> Names {
        let table = table_of(&self.stack);
        let aws = self.stack.aws();
        let documents = Documents::at(aws.url(), aws.keys(), &table);
        if let Err(error) = &documents {
            note(format!("note: the lines below do not say when the message of a group is due: {error}"));
        }
        Names { aws: aws.clone(), table, documents: documents.ok(), workflows: self.workflows.clone() }
    }

    /// The lines that say which server listens where.
    pub(crate) fn summary(&self) -> Vec<String> {
        let (tableau, token) = match &self.real_tableau {
            Some(server) => (format!("{server} (real)"), None),
            None => {
                let url = self.tableau.url();
                let name = SAMPLE_PAT.0;
                let secret = self.tableau.token_secret(name).unwrap_or_default();
                let token = format!("           token {name}, secret {secret}, site {SAMPLE_CONTENT_URL}");
                (format!("{url}  sample site Marketing; its content: {url}/simulator"), Some(token))
            }
        };
        let functions: Vec<_> =
            self.stack.plan().functions.iter().map(|function| function.name.as_str()).collect();
        let mut lines = vec![format!("Tableau    {tableau}")];
        lines.extend(token);
        lines.extend(self.vendors.summary(&self.workflows));
        lines.extend([
            format!(
                "AWS        {}  queues, bus, table, secrets, mails in memory; mails are shown here",
                self.stack.aws().url()
            ),
            format!("Functions  {}", functions.join(", ")),
            format!("API        {}", self.stack.url()),
        ]);
        lines
    }

    pub(crate) async fn stop(self) {
        self.stack.shutdown().await;
    }
}

fn table_of(stack: &Stack) -> String {
    stack.plan().tables.first().map(|table| table.name.clone()).unwrap_or_default()
}

/// The channels of the rules in force. None if they cannot be read, which the functions say.
fn channels_in_force(aws: &Aws, table: &str) -> Vec<String> {
    let channels = || {
        let item = aws.items(table).into_iter().find(|item| item["pk"]["S"] == IN_FORCE_KEY)?;
        let version: Version = serde_json::from_str(item["document"]["S"].as_str()?).ok()?;
        crate::rules::channels(&Rules::of_json(&version.form).ok()?).ok()
    };
    channels().unwrap_or_default()
}

/// Name and time zone of the simulated site, as `sites` of a rules file would have them. The functions get it beside the rules
/// file, which stays as it is and still lets every site in.
pub(crate) const SAMPLE_SITE: &str =
    r#"{"luid":"8b2a95d8-52b9-40a4-8712-cd6da771bd1b","name":"Marketing","timezone":"Europe/Berlin"}"#;

const SLACK_API: &str = "https://slack.com/api";

/// The Slack secret, and whether it is for a real Slack.
fn slack_secret(
    settings: &Settings,
    by: Option<SlackBy>,
    slack: &SlackSimulator,
    channels: &[String],
) -> Result<(Value, bool), BoxError> {
    if let Some((name, secret, form)) = real_slack(settings) {
        return match by {
            None => {
                form.map_err(|problem| format!("{}: {problem}", settings.named(name)))?;
                Ok((checked::<SlackCredential>(&settings.named(name), secret)?, true))
            }
            Some(_) => Err(format!(
                "--slack is only for the simulated Slack, but {name} is set: remove one of the two"
            )
            .into()),
        };
    }
    let secret = match by.unwrap_or_default() {
        SlackBy::Bot => {
            channels.iter().for_each(|channel| drop(slack.add_channel(channel, true)));
            json!({ "bot_token": slack.token() })
        }
        SlackBy::Webhooks => {
            let urls = channels.iter().map(|channel| (channel.as_str(), slack.add_webhook(channel)));
            let mut urls: BTreeMap<&str, String> = urls.collect();
            urls.entry("default").or_insert_with(|| slack.webhook_url());
            json!({ "webhook_urls": urls })
        }
    };
    Ok((secret, false))
}

/// The setting for a real Slack, the secret made from it, and whether it has the form that Slack's credentials have.
fn real_slack(settings: &Settings) -> Option<(&'static str, Value, Result<(), String>)> {
    if let Some(token) = settings.get("SLACK_BOT_TOKEN") {
        return Some(("SLACK_BOT_TOKEN", json!({ "bot_token": token }), slack_form::bot_token(token)));
    }
    let url = settings.get("SLACK_WEBHOOK_URL")?;
    let secret = json!({ "webhook_urls": { "default": url } });
    Some(("SLACK_WEBHOOK_URL", secret, slack_form::webhook_url(url)))
}

/// The secret, if the function will accept it. An error at the start is better than a message that is missing half a
/// minute later.
fn checked<T: DeserializeOwned>(names: &str, secret: Value) -> Result<Value, BoxError> {
    match secrets::parse::<T>(&secret.to_string().into()) {
        Ok(_) => Ok(secret),
        Err(problem) => Err(format!("{names}: {problem}").into()),
    }
}

struct TableauSettings {
    server: String,
    site: String,
    secret: Value,
    real: bool,
}

impl TableauSettings {
    fn read(settings: &Settings, simulator: &TableauSimulator) -> Result<Self, BoxError> {
        let Some(server) = settings.get("TABLEAU_SERVER_URL") else {
            let secret = simulator.token_secret(SAMPLE_PAT.0);
            let secret = json!({ "token_name": SAMPLE_PAT.0, "token_secret": secret });
            return Ok(Self {
                server: simulator.url(),
                site: SAMPLE_CONTENT_URL.to_owned(),
                secret,
                real: false,
            });
        };
        let names = ["TABLEAU_TOKEN_NAME", "TABLEAU_TOKEN_SECRET"];
        let [Some(name), Some(secret)] = names.map(|name| settings.get(name)) else {
            return Err(
                format!("TABLEAU_SERVER_URL is set, so {} must be set too", names.join(" and ")).into()
            );
        };
        let site = settings.get("TABLEAU_SITE").unwrap_or_default().to_owned();
        // The functions would refuse this too, but only with the first event; and the summary shows it.
        Server::new(server, &site, "")
            .map_err(|error| format!("{}: {error}", settings.named("TABLEAU_SERVER_URL")))?;
        let secret = json!({ "token_name": name, "token_secret": secret });
        let secret =
            checked::<TableauCredential>(&names.map(|name| settings.named(name)).join(" and "), secret)?;
        Ok(Self { server: server.to_owned(), site, secret, real: true })
    }
}

/// A server that starts at an address, or why it cannot.
async fn listening<T>(
    address: SocketAddr,
    start: impl Future<Output = io::Result<T>>,
) -> Result<T, BoxError> {
    start.await.map_err(|error| unavailable(address, &error))
}

fn unavailable(address: SocketAddr, error: &io::Error) -> BoxError {
    if error.kind() == io::ErrorKind::AddrInUse {
        return format!(
            "{address} is in use by another process: is another local stack up? --port chooses others"
        )
        .into();
    }
    format!("cannot listen on {address}: {error}").into()
}
