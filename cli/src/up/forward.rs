//! Receivers of forwarded events on the local stack.

use rules::Rules;
use rules::settings::{Destination, ForwardEvent, Preset};
use serde_json::{Map, Value, json};
use simulator::{RECEIVER_NAME, Received, ReceiverSimulator};
use std::collections::BTreeMap;
use std::io::Write;
use tempfile::NamedTempFile;
use workflow::BoxError;

/// A target that is there whatever the rules name: a rule that is published later may name it.
const OWN: &str = "own";

/// The receivers, and the file with the authority that functions trust.
pub(crate) struct Receivers {
    pub(crate) simulator: ReceiverSimulator,
    authority: NamedTempFile,
}

impl Receivers {
    /// Starts the receivers on a free port.
    pub(super) async fn start() -> Result<Self, BoxError> {
        let simulator = ReceiverSimulator::start().await?;
        let mut authority = NamedTempFile::new()?;
        authority.write_all(simulator.authority().as_bytes())?;
        Ok(Self { simulator, authority })
    }

    /// What functions need to reach the receivers.
    pub(super) fn environment(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("EXTRA_CA_FILE".to_owned(), self.authority.path().display().to_string()),
            ("FORWARD_LOCAL_NAMES".to_owned(), RECEIVER_NAME.to_owned()),
        ])
    }

    /// The forward secret: an entry for each target that a rule names, of the product that its preset is for.
    pub(super) fn secret(&self, settings: &[ForwardEvent]) -> Value {
        let products = self.simulator.products();
        let mut targets: Map<String, Value> = products.clone().into_iter().collect();
        for settings in settings {
            let Some(Destination::Target(name)) = settings.destination() else { continue };
            let entry = settings.preset.and_then(|preset| products.get(product(preset)).cloned());
            if targets.contains_key(name) && entry.is_none() {
                continue;
            }
            targets.insert(name.to_owned(), entry.unwrap_or_else(|| self.simulator.add_hook(name)));
        }
        targets.entry(OWN).or_insert_with(|| self.simulator.add_hook(OWN));
        json!({ "targets": targets })
    }
}

fn product(preset: Preset) -> &'static str {
    match preset {
        Preset::JiraIssue => "jira",
        Preset::MatillionJob => "matillion-job",
        Preset::MatillionPipeline => "matillion-pipeline",
        Preset::SlackMessage => "slack",
        Preset::SnowflakeRow => "snowflake",
    }
}

/// What the rules say to forward-event.
pub(super) fn settings(rules: &Rules) -> Result<Vec<ForwardEvent>, BoxError> {
    Ok(rules.settings::<ForwardEvent>()?)
}

/// A request for people: its path, without what may be a token, and its body.
pub(super) fn shown(request: &Received) -> (String, String) {
    let path = if request.path.starts_with("/services/") { "/services/…" } else { &request.path };
    let body = serde_json::to_string_pretty(&request.json()).unwrap_or_default();
    (format!("POST {path}"), format!("{body}\nanswered {}", request.status))
}
