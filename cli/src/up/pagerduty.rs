//! PagerDuty on the local stack: a simulated account with the services of the rules, or one of one's own.

use super::settings::Settings;
use destinations::pagerduty::{PagerDutyCredential, Region};
use rules::Rules;
use rules::settings::PageOnCall;
use serde_json::{Value, json};
use simulator::PagerDutySimulator;
use std::collections::BTreeMap;
use workflow::BoxError;

/// The settings for a real account.
const KEY: &str = "PAGERDUTY_ROUTING_KEY";
const REGION: &str = "PAGERDUTY_REGION";

/// A real account.
pub(super) struct Real {
    secret: Value,
    region: String,
}

/// The services that the rules name, each once.
pub(super) fn services(rules: &Rules) -> Result<Vec<String>, BoxError> {
    let mut services: Vec<String> =
        rules.settings::<PageOnCall>()?.into_iter().map(|named| named.service).collect();
    services.sort();
    services.dedup();
    Ok(services)
}

/// The account of the settings. `None` if they have none.
pub(super) fn real(settings: &Settings) -> Result<Option<Real>, BoxError> {
    let Some(key) = settings.get(KEY) else { return Ok(None) };
    let secret = json!({ "routing_keys": { "default": key } });
    let problem = match secrets::parse::<PagerDutyCredential>(&secret.to_string().into()) {
        Ok(credential) => credential.problems().into_iter().next(),
        Err(problem) => Some(problem.to_string()),
    };
    if let Some(problem) = problem {
        return Err(format!("{}: {problem}", settings.named(KEY)).into());
    }
    let region = settings.get(REGION).unwrap_or("us").to_owned();
    region.parse::<Region>().map_err(|problem| format!("{}: {problem}", settings.named(REGION)))?;
    Ok(Some(Real { secret, region }))
}

/// The region, or the address of the simulated account.
pub(super) fn region(real: Option<&Real>, pagerduty: &PagerDutySimulator) -> String {
    real.map_or_else(|| pagerduty.url(), |real| real.region.clone())
}

/// The PagerDuty secret.
pub(super) fn secret(real: Option<&Real>, pagerduty: &PagerDutySimulator, services: &[String]) -> Value {
    if let Some(real) = real {
        return real.secret.clone();
    }
    let keys = services.iter().map(|service| (service.as_str(), pagerduty.add_service(service)));
    let mut keys: BTreeMap<&str, String> = keys.collect();
    // A rule that is published later may name a service that no earlier one does.
    keys.entry("default").or_insert_with(|| pagerduty.add_service("default"));
    json!({ "routing_keys": keys })
}
