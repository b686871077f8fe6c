//! All workflows at once on the local stack: every event, a storm, a quiet night. Slack by webhook URLs, Teams and e-mail cannot
//! edit, so each of them gets the same notifications; PagerDuty, ServiceNow and texts say the same in their own form, and a receiver of
//! signed requests gets each event at once. A destination that is down delays no other.

use crate::binaries;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use local_aws::template::Template;
use local_aws::{Stack, StackOptions};
use serde_json::{Value, json};
use simulator::{
    Datasource, GraphSimulator, PagerDutySimulator, RECEIVER_NAME, ReceiverSimulator, SAMPLE_PAT,
    SAMPLE_SERVICENOW_USER, ServiceNowSimulator, SlackSimulator, TableauSimulator, TeamsFault,
    TeamsSimulator, TwilioSimulator, Workbook,
};
use std::collections::BTreeMap;
use std::time::Duration;
use tableau::EventName;
use tempfile::TempDir;
use testkit::repository::root;

const TOKEN: &str = "local-webhook-token-not-a-secret-0123456789";
const STEWARD: &str = "steward@example.com";
const NUMBER: &str = "+4915112345678";
/// Everything is done within this time, even on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(420);
/// The workflows that take every event.
const TAKING_ALL: [&str; 7] = [
    "forward-event",
    "notify-slack",
    "notify-teams",
    "page-on-call",
    "send-email",
    "send-sms",
    "track-servicenow-incident",
];
/// How many workbooks change in a storm.
const STORM: usize = 100;

struct Together {
    stack: Stack,
    tableau: TableauSimulator,
    slack: SlackSimulator,
    teams: TeamsSimulator,
    pagerduty: PagerDutySimulator,
    servicenow: ServiceNowSimulator,
    twilio: TwilioSimulator,
    receiver: ReceiverSimulator,
    graph: GraphSimulator,
    http: reqwest::Client,
    _files: TempDir,
}

/// Every event of Tableau, and one of the stack.
fn events() -> impl Iterator<Item = &'static EventName> {
    EventName::KNOWN.iter().chain([&EventName::WebhookDisabled])
}

/// Rules that hand every one of these events to every workflow that can take it.
fn rules(quiet: &str) -> String {
    let all: Vec<&str> = events().map(EventName::as_str).collect();
    format!(
        "rules:\n  - name: everything\n{quiet}    on: [{}]\n    do:\n      - notify-slack: {{ channel: data-alerts }}\n      \
         - notify-teams: {{ channel: data-alerts }}\n      - send-email: {{ to: {STEWARD} }}\n      \
         - page-on-call: {{ service: data }}\n      - track-servicenow-incident: {{}}\n      \
         - send-sms: {{ to: \"{NUMBER}\" }}\n      - forward-event: {{ target: own }}\n  - name: warnings\n    \
         on: [DatasourceRefreshFailed]\n    do:\n      - set-quality-warning: {{}}\n  - name: broadcasts\n    \
         on: [WorkbookRefreshSucceeded, WorkbookUpdated]\n    do:\n      - update-broadcast: {{}}\n",
        all.join(", ")
    )
}

/// Rules for the work on content, and for who hears of it.
fn rules_of_content() -> String {
    format!(
        "rules:\n  - name: certification\n    on: [DatasourceCreated]\n    do: [{{ request-certification: {{ steward: {STEWARD} }} }}]\n  \
         - name: reports\n    on: [WorkbookRefreshSucceeded]\n    do: [{{ publish-pdf: {{ to: sharepoint, folder: Reports }} }}]\n  \
         - name: links\n    on: [PdfPublished]\n    do:\n      - notify-slack: {{ channel: data-alerts }}\n      \
         - notify-teams: {{ channel: data-alerts }}\n      - send-email: {{ to: {STEWARD} }}\n      - forward-event: {{ target: own }}\n"
    )
}

impl Together {
    /// A stack with all workflows. `quiet`: settings of the rules.
    async fn start(quiet: &str) -> Self {
        Self::with_rules(&rules(quiet)).await
    }

    async fn with_rules(text: &str) -> Self {
        let tableau = TableauSimulator::sample().start().await.unwrap();
        let slack = SlackSimulator::start().await.unwrap();
        let teams = TeamsSimulator::start().await.unwrap();
        let pagerduty = PagerDutySimulator::start().await.unwrap();
        let servicenow = ServiceNowSimulator::start().await.unwrap();
        let twilio = TwilioSimulator::start().await.unwrap();
        let receiver = ReceiverSimulator::start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let rules = folder.path().join("rules.yaml");
        let graph = GraphSimulator::start().await.unwrap();
        std::fs::write(&rules, text).unwrap();
        let authority = folder.path().join("authority.pem");
        std::fs::write(&authority, receiver.authority()).unwrap();
        let template = root().join("template.yaml");
        let mut parameters = Template::read(&template).unwrap().everything_on();
        // This test registers webhooks itself.
        parameters.insert("ReconcileWebhooksEnabled".to_owned(), "false".to_owned());
        parameters.extend([
            ("TableauServerUrl".to_owned(), tableau.url()),
            ("TableauSite".to_owned(), "marketing".to_owned()),
            ("SlackApiUrl".to_owned(), slack.api_url()),
            ("RulesFile".to_owned(), rules.display().to_string()),
            ("PagerDutyRegion".to_owned(), pagerduty.url()),
            ("TwilioApiUrl".to_owned(), twilio.url()),
            ("SmsTextsPerDay".to_owned(), "100".to_owned()),
            ("GraphUrl".to_owned(), graph.url()),
            ("GraphLoginUrl".to_owned(), graph.url()),
        ]);
        let (user, password) = SAMPLE_SERVICENOW_USER;
        let secrets = [
            ("WebhookSecret", json!({ "current": TOKEN, "previous": "" })),
            ("TableauSecret", json!({ "token_name": SAMPLE_PAT.0, "token_secret": SAMPLE_PAT.1 })),
            ("SlackSecret", json!({ "webhook_urls": { "data-alerts": slack.add_webhook("data-alerts") } })),
            ("TeamsSecret", json!({ "webhooks": { "data-alerts": teams.add_flow("data-alerts") } })),
            ("PagerDutySecret", json!({ "routing_keys": { "data": pagerduty.add_service("data") } })),
            ("ServiceNowSecret", json!({ "instance": servicenow.url(), "user": user, "password": password })),
            ("TwilioSecret", twilio.secret()),
            ("SharePointSecret", graph.secret()),
            ("ForwardSecret", json!({ "targets": { "own": receiver.add_hook("own") } })),
        ];
        let stack = Stack::start(StackOptions {
            template,
            binaries: binaries(),
            parameters,
            secrets: BTreeMap::from(secrets.map(|(name, value)| (name.to_owned(), value))),
            environment: BTreeMap::from([
                ("EXTRA_CA_FILE".to_owned(), authority.display().to_string()),
                ("FORWARD_LOCAL_NAMES".to_owned(), RECEIVER_NAME.to_owned()),
            ]),
            concurrent_executions: None,
            aws: "127.0.0.1:0".parse().unwrap(),
            listen: "127.0.0.1:0".parse().unwrap(),
            events: None,
        })
        .await
        .expect("the binaries are built");
        stack.aws().verify_identity("example.com");
        let http = http_client::client(None).unwrap();
        Self {
            stack,
            tableau,
            slack,
            teams,
            pagerduty,
            servicenow,
            twilio,
            receiver,
            graph,
            http,
            _files: folder,
        }
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

    /// What was said through PagerDuty, in ServiceNow and by text: summaries and their details, descriptions and work notes, texts.
    fn said_elsewhere(&self) -> [String; 3] {
        let pages = self.pagerduty.events();
        let pages = pages.iter().map(|event| format!("{}\n{}", event.summary(), event.detail("text")));
        let incidents = self.servicenow.incidents();
        let incidents = incidents.iter().map(|incident| {
            let texts = [incident.field("short_description"), incident.field("description")];
            format!("{}\n{}", texts.join("\n"), incident.work_notes().join("\n"))
        });
        let texts = self.twilio.messages().into_iter().map(|text| text.body);
        [pages.collect(), incidents.collect(), texts.collect::<Vec<_>>()].map(|all| all.join("\n"))
    }

    /// Nothing that was sent was refused.
    fn assert_nothing_refused(&self) {
        assert!(self.slack.refusals().is_empty() && self.teams.refusals().is_empty());
        assert_eq!(self.pagerduty.refusals(), []);
        assert!(self.servicenow.refusals().is_empty(), "{:?}", self.servicenow.refusals());
        assert!(self.twilio.refusals().is_empty(), "{:?}", self.twilio.refusals());
        assert_eq!(self.receiver.taken().len(), self.receiver.requests().len());
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
    for (posted, name) in (1..).zip(events()) {
        let payload = &simulator::sample_payloads(name, Timestamp::now())[0].1;
        together.post(&serde_json::from_str(payload).unwrap()).await;
        let handled = |together: &Together| {
            let all = TAKING_ALL.map(|workflow| together.ended(workflow));
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
    for (workflow, events) in [("update-broadcast", 2), ("set-quality-warning", 3)] {
        let ended = |together: &Together| together.ended(workflow).values().sum::<usize>() == events;
        together.until(workflow, ended).await;
    }
    // The same news elsewhere: each object and what happened to it.
    let [slack, ..] = together.headlines();
    let [pages, incidents, texts] = together.said_elsewhere();
    for headline in &slack {
        assert!(pages.contains(headline), "PagerDuty does not say {headline}:\n{pages}");
        assert!(incidents.contains(headline), "ServiceNow does not say {headline}:\n{incidents}");
        assert!(texts.contains(headline), "no text says {headline}:\n{texts}");
    }
    // A receiver of signed requests gets every event, once and in the order in which they happened.
    let received: Vec<String> = together
        .receiver
        .taken()
        .iter()
        .map(|request| request.json()["data"]["event"]["name"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(received, events().map(EventName::as_str).collect::<Vec<_>>());
    together.assert_nothing_refused();
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
async fn a_pdf_is_announced_with_its_link_in_each_destination() {
    let together = Together::with_rules(&rules_of_content()).await;
    let workbook = together.tableau.add(Workbook::named("Monthly report").with_view("Overview"));
    together
        .post(&json!({
            "resource": "EXTRACTS", "event_type": "WorkbookRefreshSucceeded", "resource_name": "Monthly report",
            "site_luid": together.tableau.site().as_str(), "resource_luid": workbook.as_str(),
            "created_at": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        }))
        .await;
    let announced = |together: &Together| together.headlines().iter().all(|all| all.len() == 1);
    together.until("the PDF is announced", announced).await;
    let [slack, teams, mails] = together.headlines();
    assert_eq!(slack, ["PDF published: Monthly report"]);
    assert_eq!((&slack, &slack), (&teams, &mails));
    let files = together.graph.files();
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths.len(), 1, "{paths:?}");
    let link = format!("/{}", paths[0].replace(' ', "%20"));
    let said = [
        json!(together.slack.messages()[0].blocks).to_string(),
        together.teams.posts()[0].card().unwrap().to_string(),
        together.stack.aws().mails()[0].html.clone(),
    ];
    for said in said {
        assert!(said.contains(&link) && said.contains("Open the PDF"), "no {link} in {said}");
    }
    let forwarded = |together: &Together| !together.receiver.taken().is_empty();
    together.until("the PDF is forwarded", forwarded).await;
    let forwarded = together.receiver.taken()[0].json();
    assert_eq!(forwarded["type"], "pdf.published");
    assert!(forwarded["data"]["pdf"]["link"].as_str().unwrap().ends_with(&link), "{forwarded}");
    together.assert_nothing_refused();
    together.stack.shutdown().await;
}

#[tokio::test]
async fn a_steward_certifies_through_the_link_in_the_mail() {
    let together = Together::with_rules(&rules_of_content()).await;
    let datasource = Datasource::named("Orders").in_project("Sales").owned_by("ana").of_kind("snowflake");
    let luid = together.tableau.add(datasource);
    together
        .post(&json!({
            "resource": "DATASOURCE", "event_type": "DatasourceCreated", "resource_name": "Orders",
            "site_luid": together.tableau.site().as_str(), "resource_luid": luid.as_str(),
            "created_at": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        }))
        .await;
    together.until("the mail", |together| !together.stack.aws().mails().is_empty()).await;
    let text = together.stack.aws().mails()[0].text.clone();
    let pages = format!("{}/c/", together.stack.url());
    let link = text.split_whitespace().find(|word| word.starts_with(&pages)).expect("a link to the stack");
    let page = together.http.get(link).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    let (_, rest) = page.split_once("name=\"form\" value=\"").expect("a form");
    let form = rest.split('"').next().unwrap();
    // A person looks at the page first.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let body = format!("form={form}&choice=yes&note=Checked");
    let post =
        together.http.post(link).header("content-type", "application/x-www-form-urlencoded").body(body);
    let done = post.send().await.unwrap();
    let (status, page) = (done.status(), done.text().await.unwrap());
    assert!(status == 200 && page.contains("Orders is certified"), "{status} {page}");
    let told =
        |together: &Together| together.stack.aws().mails().iter().any(|mail| mail.text.contains("Checked"));
    together.until("the result by mail", told).await;
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
    let elsewhere = |together: &Together| {
        together.said_elsewhere().iter().all(|said| said.contains("3 events in quiet hours"))
    };
    together.until("the digest elsewhere", elsewhere).await;
    assert_eq!((together.pagerduty.events().len(), together.twilio.messages().len()), (1, 1));
    // Forwarding is not news for people: quiet hours hold nothing back.
    assert_eq!(together.receiver.taken().len(), 3);
    together.assert_nothing_refused();
    together.stack.shutdown().await;
}
