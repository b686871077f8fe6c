//! The local stack with everything around it: Tableau, Slack, Teams, ServiceNow and the functions.

use super::documents::Documents;
use super::servicenow;
//! The local stack with everything around it: Tableau, Slack, Teams, PagerDuty and the functions.

use super::pagerduty;
use super::forward::Receivers;
use super::settings::{Paths, Settings};
use super::slack_form;
use super::teams;
use super::trace::Names;
use super::twilio;
use crate::local::LocalStack;
use crate::options::{AWS_OFFSET, SERVICENOW_OFFSET, SlackBy, TEAMS_OFFSET, UpOptions};
use crate::options::{AWS_OFFSET, PAGERDUTY_OFFSET, SlackBy, TEAMS_OFFSET, UpOptions};
use crate::options::{AWS_OFFSET, LAST_OFFSET, SlackBy, TEAMS_OFFSET, TWILIO_OFFSET, UpOptions};
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
    SAMPLE_CONTENT_URL, SAMPLE_PAT, ServiceNowSimulator, SlackSimulator, TableauSimulator, TeamsSimulator,
    PagerDutySimulator, SAMPLE_CONTENT_URL, SAMPLE_PAT, SlackSimulator, TableauSimulator, TeamsSimulator,
    SAMPLE_CONTENT_URL, SAMPLE_PAT, SlackSimulator, TableauSimulator, TeamsSimulator, TwilioSimulator,
    Webhook, sample_payload,
};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{AddrParseError, Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;
use tableau::EventName;
use tableau_client::{Settings as Server, TableauCredential};
use tokio::sync::mpsc::UnboundedSender;
use workflow::BoxError;

/// How long a refresh takes that is requested over REST.
const REFRESHES_TAKE: Duration = Duration::from_secs(2);

/// The local stack with everything around it.
pub(crate) struct Environment {
    pub(crate) stack: Stack,
    pub(crate) tableau: TableauSimulator,
    /// The simulated Slack; `None` if messages go to a real Slack.
    pub(crate) slack: Option<SlackSimulator>,
    /// The simulated Teams; `None` if cards go to a real flow.
    pub(crate) teams: Option<TeamsSimulator>,
    /// The simulated receivers of forwarded events.
    pub(crate) receivers: Receivers,
    /// Whether the rules name a channel of Teams.
    names_teams: bool,
    /// The workflows that the rules name.
    workflows: BTreeSet<String>,
    pub(crate) servicenow: ServiceNowSimulator,
    /// Whether a rule has incidents in ServiceNow.
    names_servicenow: bool,
    /// The simulated PagerDuty; `None` if a real one pages.
    pub(crate) pagerduty: Option<PagerDutySimulator>,
    /// Whether the rules name a service of PagerDuty.
    names_services: bool,
    /// The simulated Twilio.
    pub(crate) twilio: TwilioSimulator,
    /// Whether the rules name a number.
    names_numbers: bool,
    real_tableau: Option<String>,
    /// The token in webhook URLs, which the stack generates as it does on AWS.
    pub(crate) webhook_token: String,
}

/// The secret with the token, as the template defines it.
#[derive(Deserialize)]
struct WebhookSecret {
    current: String,
}

/// The addresses of the API (offset 0), Tableau (1), Slack (2), AWS (3), Teams (4) and ServiceNow (5).
/// The addresses of the API (offset 0), Tableau (1), Slack (2), AWS (3), Teams (4) and PagerDuty (5).
/// The addresses of the API (offset 0), Tableau (1), Slack (2), AWS (3), Teams (4) and Twilio (5).
fn address(options: &UpOptions, offset: u16) -> SocketAddr {
    let port = if options.port == 0 { 0 } else { options.port + offset };
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Checks that every server can listen at its address.
pub(crate) fn check_ports(options: &UpOptions) -> Result<(), BoxError> {
    (0..=SERVICENOW_OFFSET).map(|offset| address(options, offset)).try_for_each(|address| {
    (0..=PAGERDUTY_OFFSET).map(|offset| address(options, offset)).try_for_each(|address| {
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
        let slack =
            SlackSimulator::start_at(address(2)).await.map_err(|error| unavailable(address(2), &error))?;
        let teams = TeamsSimulator::start_at(address(TEAMS_OFFSET)).await;
        let teams = teams.map_err(|error| unavailable(address(TEAMS_OFFSET), &error))?;
        let servicenow = ServiceNowSimulator::start_at(address(SERVICENOW_OFFSET)).await;
        let servicenow = servicenow.map_err(|error| unavailable(address(SERVICENOW_OFFSET), &error))?;
        let twilio = TwilioSimulator::start_at(address(TWILIO_OFFSET)).await;
        let twilio = twilio.map_err(|error| unavailable(address(TWILIO_OFFSET), &error))?;
        let receivers = Receivers::start().await?;
        let (teams_secret, real_teams) = teams::secret(settings, &teams, &paths.teams)?;
        let pagerduty = PagerDutySimulator::start_at(address(PAGERDUTY_OFFSET)).await;
        let pagerduty = pagerduty.map_err(|error| unavailable(address(PAGERDUTY_OFFSET), &error))?;
        let real_pagerduty = pagerduty::real(settings)?;
        let (slack_secret, real_slack) = slack_secret(settings, options.slack, &slack, &paths.channels)?;
        let tableau_settings = TableauSettings::read(settings, &tableau)?;
        let mut environment = receivers.environment();
        if !paths.lists_sites && !tableau_settings.real {
            environment.insert("SAMPLE_SITE".to_owned(), SAMPLE_SITE.to_owned());
        }
        // In a deployed stack most workflows are off at first; the local stack switches all of them on.
        let mut parameters = Template::read(&paths.template)?.everything_on();
        parameters.extend([
            ("TableauServerUrl".to_owned(), tableau_settings.server.clone()),
            ("TableauSite".to_owned(), tableau_settings.site),
            ("SlackApiUrl".to_owned(), if real_slack { SLACK_API.to_owned() } else { slack.api_url() }),
            ("PagerDutyRegion".to_owned(), pagerduty::region(real_pagerduty.as_ref(), &pagerduty)),
            ("TwilioApiUrl".to_owned(), twilio.url()),
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
        let secret = stack.secret("WebhookSecret").ok_or("the template has no secret `WebhookSecret`")?;
        let environment = Self {
            stack,
            tableau,
            slack: (!real_slack).then_some(slack),
            teams: (!real_teams).then_some(teams),
            receivers,
            names_teams: !paths.teams.is_empty(),
            workflows: paths.workflows.clone(),
            servicenow,
            names_servicenow: paths.servicenow,
            pagerduty: real_pagerduty.is_none().then_some(pagerduty),
            names_services: !paths.services.is_empty(),
            twilio,
            names_numbers: paths.names_numbers,
            real_tableau: tableau_settings.real.then_some(tableau_settings.server),
            webhook_token: secrets::parse::<WebhookSecret>(&secret.into())?.current,
        };
        // The simulated Tableau shows its webhooks, and with them the token, to clients that sign in. It gets
        // webhooks only if its events are used, that is, without a real Tableau.
        if environment.real_tableau.is_none() {
            environment.register_webhooks();
        }
        Ok(environment)
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

    /// Registers webhooks at the simulated Tableau that deliver every event to the common ingress, as an
    /// administrator would.
    fn register_webhooks(&self) {
        let url = self.webhook_url();
        for event in EventName::KNOWN {
            let name = format!("local stack: {event}");
            self.tableau.add(Webhook::on(event, &url).named(&name));
        }
    }

    /// Lets the refresh of the data source `name` fail. With a real Tableau, only the event is sent.
    pub(crate) async fn fail_refresh(&self, name: &str, notes: &str) -> Result<(), BoxError> {
        if self.real_tableau.is_none() {
            let luid = self.tableau.datasource(name).ok_or("the sample content has no such data source")?;
            self.tableau.fail_refresh(&luid, notes)?;
            return Ok(());
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
        let slack = match &self.slack {
            Some(slack) => format!("{}  simulated; its messages are shown here", slack.url()),
            None => "your own: messages go there, and are not shown here".to_owned(),
        };
        let functions: Vec<_> =
            self.stack.plan().functions.iter().map(|function| function.name.as_str()).collect();
        let mut lines = vec![format!("Tableau    {tableau}")];
        lines.extend(token);
        lines.push(format!("Slack      {slack}"));
        // A line about Teams is for those whose rules name it.
        lines.extend(self.names_teams.then(|| match &self.teams {
            Some(teams) => format!("Teams      {}  simulated; what flows post is shown here", teams.url()),
            None => "Teams      a flow of your own: messages go there, and are not shown here".to_owned(),
        }));
        let servicenow = self.servicenow.url();
        lines.extend(self.names_servicenow.then(|| {
            format!(
                "ServiceNow {servicenow}  simulated; its incidents are shown here and at /simulator/incidents"
            )
        lines.extend(self.names_services.then(|| match &self.pagerduty {
            Some(pagerduty) => {
                format!("PagerDuty  {}  simulated; its alerts are shown here", pagerduty.url())
            }
            None => "PagerDuty  your own: it pages people, and its alerts are not shown here".to_owned(),
        }));
        lines.extend(self.names_numbers.then(|| twilio::summary(&self.twilio)));
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

fn unavailable(address: SocketAddr, error: &io::Error) -> BoxError {
    if error.kind() == io::ErrorKind::AddrInUse {
        return format!(
            "{address} is in use by another process: is another local stack up? --port chooses others"
        )
        .into();
    }
    format!("cannot listen on {address}: {error}").into()
}
