//! Teams on the local stack: simulated flows for the channels of the rules, or a flow of one's own.

use super::settings::Settings;
use destinations::teams::TeamsCredential;
use rules::Rules;
use rules::settings::{NotifyTeams, TeamsFormat};
use serde_json::{Value, json};
use simulator::TeamsSimulator;
use std::collections::BTreeMap;
use workflow::BoxError;

/// The JSON schema that a simulated flow for plain fields checks requests against.
const SCHEMA: &str = include_str!("../../../functions/notify-teams/power-automate.schema.json");

/// The setting for a real flow.
const SETTING: &str = "TEAMS_WEBHOOK_URL";

/// The channels that the rules name, each once for a format.
pub(super) fn channels(rules: &Rules) -> Result<Vec<NotifyTeams>, BoxError> {
    let mut channels: Vec<NotifyTeams> = rules
        .settings::<NotifyTeams>()?
        .iter()
        .map(|named| NotifyTeams::new(&named.channel, named.format))
        .collect();
    channels.sort_by(|one, other| one.channel.cmp(&other.channel));
    channels.dedup();
    Ok(channels)
}

/// The Teams secret, and whether it is for a real flow.
pub(super) fn secret(
    settings: &Settings,
    teams: &TeamsSimulator,
    channels: &[NotifyTeams],
) -> Result<(Value, bool), BoxError> {
    if let Some(url) = settings.get(SETTING) {
        let secret = json!({ "webhooks": { "default": url } });
        let parsed = secrets::parse::<TeamsCredential>(&secret.to_string().into());
        let problem = match &parsed {
            Ok(credential) => credential.problems().into_iter().next(),
            Err(problem) => Some(problem.to_string()),
        };
        return match problem {
            None => Ok((secret, true)),
            Some(problem) => Err(format!("{}: {problem}", settings.named(SETTING)).into()),
        };
    }
    let schema: Value = serde_json::from_str(SCHEMA)?;
    let mut urls: BTreeMap<&str, String> = BTreeMap::new();
    for NotifyTeams { channel, format, .. } in channels {
        let url = match format {
            TeamsFormat::Card => teams.add_flow(channel),
            TeamsFormat::Plain => teams.add_http_flow(channel, schema.clone()),
        };
        urls.insert(channel, url);
    }
    // A rule that is published later may name a channel that no earlier one does.
    urls.entry("default").or_insert_with(|| teams.add_flow("default"));
    Ok((json!({ "webhooks": urls }), false))
}
