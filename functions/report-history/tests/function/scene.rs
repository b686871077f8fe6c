//! The function with a table, a bucket and a Tableau, at a time that the test says.

use aws_sdk_dynamodb::types::AttributeValue;
use deliveries::{
    Claim, ClaimStore, Claimant, Content, DeliveryKey, DynamoDbClaims, End, Ended, EventFacts, Records,
};
use history::{Answer, Files, Start};
use jiff::{SignedDuration, Timestamp};
use published_rules::PublishedRules;
use report_history::{ReportHistory, SendEvent};
use serde_json::{Value, json};
use session_store::sessions;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::{documents, records};
use tableau::Payload;
use tableau_client::{FixedCredential, Settings, TableauClient, TableauCredential};
use testkit::local_aws::TableSpec;
use testkit::simulator::SAMPLE_PAT;
use testkit::{TestEnvironment, dynamodb};
use tokio::time::Instant;
use workflow::BoxError;

pub(crate) const BUCKET: &str = "history";
const TABLE: &str = "deliveries";
/// The sample site of the simulator, which the rules of the tests name.
pub(crate) const SITE: &str = "8b2a95d8-52b9-40a4-8712-cd6da771bd1b";
pub(crate) const RULES: &str = "
sites:
  - { luid: 8b2a95d8-52b9-40a4-8712-cd6da771bd1b, name: Marketing, timezone: Europe/Berlin }
rules:
  - { name: all, on: [WeeklyReport], do: [{ notify-slack: { channel: c } }] }
";

/// What went over the bus. The next sends fail as long as `is_down`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bus {
    pub(crate) sent: Arc<Mutex<Vec<Payload>>>,
    pub(crate) is_down: Arc<Mutex<bool>>,
}

impl SendEvent for Bus {
    async fn send(&self, payload: Payload) -> Result<(), BoxError> {
        self.sent.lock().unwrap().push(payload);
        if *self.is_down.lock().unwrap() { Err("the bus is down".into()) } else { Ok(()) }
    }
}

pub(crate) struct Scene {
    pub(crate) environment: TestEnvironment,
    pub(crate) bus: Bus,
    claims: DynamoDbClaims,
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A refresh event of the sample site.
pub(crate) fn body(name: &str, luid: &str, time: &str) -> String {
    json!({
        "event_type": name, "resource_luid": luid, "resource_name": format!("Object {luid}"), "resource": "EXTRACTS",
        "site_luid": SITE, "created_at": time,
    })
    .to_string()
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let environment = TestEnvironment::with_rules(RULES).await;
        environment.aws.create_bucket(BUCKET);
        // With the index by day.
        let spec = TableSpec { name: TABLE.to_owned(), ..dynamodb::template_table() };
        environment.aws.create_table_with(spec);
        environment.write_rules(RULES);
        let claims = DynamoDbClaims::new(dynamodb::client(&environment.aws), TABLE);
        Self { environment, bus: Bus::default(), claims }
    }

    pub(crate) fn function(&self) -> ReportHistory<Bus> {
        let config = dynamodb::config(&self.environment.aws);
        let table = || Some((dynamodb::client(&self.environment.aws), TABLE.to_owned()));
        let secret = json!({ "token_name": SAMPLE_PAT.0, "token_secret": SAMPLE_PAT.1 });
        let credential: TableauCredential = serde_json::from_value(secret).unwrap();
        let settings = Settings::new(&self.environment.tableau.url(), "marketing", "").unwrap();
        let http = http_client::client(None).unwrap();
        ReportHistory {
            records: Records::new(dynamodb::client(&self.environment.aws), TABLE),
            documents: documents(table()),
            files: Some(Files::new(&config, BUCKET)),
            published: PublishedRules::new(records(table(), "report-history")),
            tableau: TableauClient::new(
                http,
                settings,
                Arc::new(FixedCredential::new(credential)),
                sessions(table()),
            ),
            site_name: "marketing".to_owned(),
            events: self.bus.clone(),
        }
    }

    pub(crate) fn files(&self, bucket: &str) -> Files {
        Files::new(&dynamodb::config(&self.environment.aws), bucket)
    }

    pub(crate) fn soon(&self) -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    pub(crate) async fn run(&self, start: Start, now: &str) -> Result<Value, BoxError> {
        self.run_for(start, now, Duration::from_secs(60)).await
    }

    pub(crate) async fn run_for(&self, start: Start, now: &str, time: Duration) -> Result<Value, BoxError> {
        let answer: Answer = self.function().handle(&start, at(now), Instant::now() + time).await?;
        Ok(serde_json::to_value(answer).unwrap())
    }

    /// A workflow receives an event at this time.
    pub(crate) async fn receive(&self, workflow: &'static str, body: &str, time: &str) -> Attempt<'_> {
        let content = Content::received(body.as_bytes());
        let key = DeliveryKey::new(workflow, content.event_id());
        let now = at(time);
        let deadline = now.checked_add(SignedDuration::from_secs(60)).unwrap();
        let claimant = Claimant { owner: format!("{time} {key}"), now, deadline, copy_of: None };
        let claim = self.claims.claim(&key, &EventFacts::from(&content), &claimant).await.unwrap();
        let Claim::Granted { attempt, .. } = claim else { panic!("{claim:?}") };
        Attempt { scene: self, key, attempt, began: now }
    }

    /// DynamoDB deletes all delivery records, as it does 30 days later.
    pub(crate) async fn forget_deliveries(&self) {
        let client = dynamodb::client(&self.environment.aws);
        for item in self.environment.aws.items(TABLE) {
            let key = item["pk"]["S"].as_str().unwrap().to_owned();
            if key.starts_with("delivery#") {
                let delete = client.delete_item().table_name(TABLE);
                let delete =
                    delete.key("pk", AttributeValue::S(key)).key("sk", AttributeValue::S("-".to_owned()));
                delete.send().await.unwrap();
            }
        }
    }

    /// The rows of a file, in the order of its lines.
    pub(crate) fn rows(&self, kind: history::Kind, day: &str) -> Vec<Value> {
        let key = history::key(kind, day.parse().unwrap());
        let objects = self.environment.aws.objects();
        let object = objects.iter().find(|object| object.key == key).unwrap_or_else(|| panic!("no {key}"));
        assert_eq!(object.content_type, "application/gzip");
        let text = String::from_utf8(history::unpacked(&key, &object.content).unwrap()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

pub(crate) struct Attempt<'s> {
    scene: &'s Scene,
    key: DeliveryKey,
    attempt: u32,
    began: Timestamp,
}

impl Attempt<'_> {
    pub(crate) async fn ends(self, end: End, time: &str, cause: Option<&str>) {
        let cause = cause.map(str::to_owned);
        let ended =
            Ended { attempt: self.attempt, began: self.began, at: at(time), end, next_at: None, cause };
        self.scene.claims.end(&self.key, &ended).await.unwrap();
    }
}
