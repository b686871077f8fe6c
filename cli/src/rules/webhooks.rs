//! Events that rules are for and that no webhook at Tableau sends.

use rules::Rules;
use tableau::EventName;
use tableau_client::TableauClient;
use workflow::{BoxError, chain};

/// How to have them listed.
pub(super) const HINT: &str = "not checked: whether webhooks at Tableau send these events; --webhooks asks Tableau, and `webhooks apply` registers \
     what is missing";

/// A note for each event that a rule is for and that no enabled webhook of the site sends.
pub(super) async fn unsent(rules: &Rules, tableau: &TableauClient) -> Result<Vec<String>, BoxError> {
    let webhooks = tableau.webhooks().all(usize::MAX).await;
    let webhooks = webhooks.map_err(|error| {
        let server = tableau.settings().server().as_url().origin().ascii_serialization();
        format!("cannot ask Tableau at {server} for its webhooks: {}", chain(&error))
    })?;
    let of_event = |event: &EventName| {
        webhooks.iter().filter(|webhook| webhook.event.as_ref() == Some(event)).collect::<Vec<_>>()
    };
    let mut notes = Vec::new();
    // Tableau sends no derived events.
    for (event, rule) in
        rules.events().into_iter().filter(|(event, _)| event.is_known() && !event.is_derived())
    {
        let found = of_event(&event);
        if found.iter().any(|webhook| webhook.is_enabled) {
            continue;
        }
        let what = match found.is_empty() {
            true => "no webhook sends it: `webhooks apply` registers one",
            false => "its webhook is disabled: `webhooks list` says why, `webhooks enable` enables it",
        };
        notes.push(format!("the rule `{rule}` is for {event}, and {what}"));
    }
    Ok(notes)
}
