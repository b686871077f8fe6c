//! A site, a table and an ingress, without a function.

use crate::prelude::*;
use jiff::SignedDuration;
use published_rules::{Publication, PublishedRules, Source};
use secrecy::SecretString;
use secrets::MemorySecrets;
use simulator::{Fault, Recorder, RestVersion, SAMPLE_PAT, TableauBuilder, WebhookRecord};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use store::records::MemoryRecords;
use store::{Documents, MemoryStore};
use tableau_client::{
    FixedCredential, MemorySessionStore, Settings, TableauClient, TableauCredential, Webhook,
};
use webhooks::{Announce, Error, Identity, Plan, Purpose, Ran, Reconciler, Report, Run};
use workflow::BoxError;

pub(crate) const STACK: &str = "arn:aws:cloudformation:eu-central-1:123456789012:stack/acme/0a1b2c";
const SECRET: &str = "webhook-secret";
pub(crate) const BUDGET: Duration = Duration::from_secs(20);

/// A token of this letter.
pub(crate) fn token(letter: &str) -> SecretString {
    letter.repeat(43).into()
}

/// Rules that name these events.
pub(crate) fn rules(events: &[&str]) -> String {
    let events = events.join(", ");
    format!("rules: [{{ name: one, on: [{events}], do: [{{ notify-slack: {{ channel: c }} }}] }}]\n")
}

/// What a run has done that was no repetition.
pub(crate) fn report(ran: Ran) -> Report {
    match ran {
        Ran::Report(report) => report,
        Ran::Repeated(answered) => panic!("repeated: {answered:?}"),
    }
}

/// What was announced.
#[derive(Default)]
pub(crate) struct Announced {
    pub(crate) all: Mutex<Vec<DisabledWebhook>>,
    /// How many announcements fail.
    pub(crate) failures: AtomicU32,
}

impl Announce for Announced {
    async fn announce(&self, disabled: &DisabledWebhook, _: &SiteLuid) -> Result<(), BoxError> {
        let fails =
            self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if fails.is_ok() {
            return Err("the bus is away".into());
        }
        self.all.lock().unwrap().push(disabled.clone());
        Ok(())
    }
}

impl Announced {
    /// What was announced since the last look.
    pub(crate) fn take(&self) -> Vec<DisabledWebhook> {
        std::mem::take(&mut self.all.lock().unwrap())
    }
}

pub(crate) struct Scene {
    pub(crate) tableau: TableauSimulator,
    pub(crate) ingress: Recorder,
    pub(crate) secrets: Arc<MemorySecrets>,
    pub(crate) announced: Announced,
    pub(crate) reconciler: Reconciler,
    published: PublishedRules,
    runs: AtomicU32,
    began: Timestamp,
}

impl Scene {
    pub(crate) async fn with(rules: &str) -> Self {
        Self::at(rules, TableauSimulator::empty()).await
    }

    pub(crate) async fn of_version(rules: &str, minor: u16) -> Self {
        Self::at(rules, TableauSimulator::empty().max_version(RestVersion { major: 3, minor })).await
    }

    async fn at(rules: &str, tableau: TableauBuilder) -> Self {
        let tableau = tableau.retry_gaps([5, 5, 5].map(Duration::from_millis)).start().await.unwrap();
        let ingress = Recorder::start().await.unwrap();
        let secrets = Arc::new(MemorySecrets::default());
        let settings = Settings::new(&tableau.url(), "marketing", "").unwrap();
        let credential = TableauCredential::personal_access_token(SAMPLE_PAT.0, SAMPLE_PAT.1);
        let http = http_client::client(None).unwrap();
        let client = TableauClient::new(
            http.clone(),
            settings,
            Arc::new(FixedCredential::new(credential)),
            Arc::new(MemorySessionStore::default()),
        );
        let published = PublishedRules::new(Arc::new(MemoryRecords::default()));
        let documents = Documents::new(Arc::new(MemoryStore::default()));
        let reconciler = Reconciler {
            tableau: client,
            published: published.clone(),
            secrets: Arc::<MemorySecrets>::clone(&secrets),
            secret_id: SECRET.to_owned(),
            documents,
            identity: Identity::new(STACK, &format!("{}/webhook", ingress.url())).unwrap(),
            http,
            takes_refreshes: false,
            settling: Duration::ZERO,
        };
        let scene = Self {
            tableau,
            ingress,
            secrets,
            announced: Announced::default(),
            reconciler,
            published,
            runs: AtomicU32::new(0),
            began: Timestamp::now(),
        };
        scene.put_tokens("a", "");
        scene.publish(rules).await;
        scene
    }

    pub(crate) fn put_tokens(&self, current: &str, previous: &str) {
        let text = |letter: &str| letter.repeat(43);
        let value = json!({ "current": text(current), "previous": text(previous) });
        self.secrets.put(SECRET, value.to_string());
    }

    pub(crate) async fn publish(&self, text: &str) {
        let publication =
            Publication { text, source: Source::RulesDeploy, published_by: "a test", at: Timestamp::now() };
        self.published.publish(&publication, None).await.unwrap();
    }

    /// The time so many minutes after the beginning.
    pub(crate) fn minute(&self, minute: i64) -> Timestamp {
        self.began + SignedDuration::from_mins(minute)
    }

    pub(crate) async fn run_for(&self, purpose: Purpose<'_>, minute: i64) -> Result<Ran, Error> {
        let id = format!("run-{}", self.runs.fetch_add(1, Ordering::SeqCst));
        let run = Run { id: &id, purpose, now: self.minute(minute), budget: BUDGET };
        self.reconciler.run(&run, &self.announced).await
    }

    /// A run of the schedule.
    pub(crate) async fn routine(&self, minute: i64) -> Report {
        report(self.run_for(Purpose::Routine, minute).await.unwrap())
    }

    pub(crate) async fn plan(&self, minute: i64) -> Plan {
        self.reconciler.plan(self.minute(minute), BUDGET).await.unwrap()
    }

    pub(crate) async fn remove(&self, request: &str) -> Result<Ran, Error> {
        let purpose = Purpose::Deploy { request, is_new: false };
        let run = Run { id: request, purpose, now: self.minute(0), budget: BUDGET };
        self.reconciler.remove(request, &run).await
    }

    /// The webhooks at Tableau, by event.
    pub(crate) fn webhooks(&self) -> Vec<WebhookRecord> {
        let mut webhooks = self.tableau.webhooks();
        webhooks.sort_by(|one, other| one.event.as_str().cmp(other.event.as_str()));
        webhooks
    }

    /// The events of the webhooks at Tableau.
    pub(crate) fn events(&self) -> Vec<String> {
        self.webhooks().iter().map(|webhook| webhook.event.as_str().to_owned()).collect()
    }

    /// The one webhook.
    pub(crate) async fn webhook(&self) -> Webhook {
        let mut all = self.reconciler.tableau.webhooks().all(usize::MAX).await.unwrap();
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    /// Tableau sends an event to every webhook for it, with its retries.
    pub(crate) async fn fire(&self, event: EventName) {
        self.tableau.fire(&event, self.tableau.site()).unwrap();
        self.tableau.settled(Duration::from_secs(10)).await.unwrap();
    }

    /// The next requests to the ingress are answered with this status.
    pub(crate) fn ingress_fails(&self, times: u32, status: u16) {
        self.ingress.fail_next(times, Fault::Status(status));
    }
}
