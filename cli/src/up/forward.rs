//! Receivers of forwarded events on the local stack.

use crate::out::plain;
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

/// A request for people: its path, without what may be a token, the names of its headers, and its body.
pub(super) fn shown(request: &Received) -> (String, String) {
    let path = if request.path.starts_with("/services/") { "/services/…" } else { &request.path };
    let body = serde_json::to_string_pretty(&request.json()).unwrap_or_default();
    let mut names: Vec<&str> = request.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    let headers = format!("headers, without their values: {}", names.join(", "));
    (format!("POST {path}"), plain(&headers) + &format!("\n{body}\nanswered {}", request.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_shown_with_the_names_of_its_headers_and_without_their_values() {
        let headers = [("webhook-id", "hunter2"), ("authorization", "GenieKey hunter2")];
        let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let request = Received {
            method: "POST".to_owned(),
            path: "/services/hunter2".to_owned(),
            headers: headers.into_iter().collect(),
            body: b"{\"a\":1}".to_vec(),
            status: 204,
        };
        let expected =
            "headers, without their values: authorization, webhook-id\n{\n  \"a\": 1\n}\nanswered 204";
        assert_eq!(shown(&request), ("POST /services/…".to_owned(), expected.to_owned()));
    }
}
