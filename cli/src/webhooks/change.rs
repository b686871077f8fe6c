//! `webhooks enable` and `webhooks disable`.

use super::lookup::find_all;
use super::options::{DisableOptions, SomeWebhooks};
use super::shown::{Shown, State, secrets_of};
use super::site::at;
use crate::out::{self, line, plain, problem};
use std::process::ExitCode;
use tableau_client::{WebhookChange, WebhookState};
use webhooks::KEPT_OFF;
use workflow::BoxError;

/// Enables webhooks.
pub(super) async fn enable(options: &SomeWebhooks) -> Result<ExitCode, BoxError> {
    set(options, &WebhookState::On).await
}

/// Disables webhooks.
pub(super) async fn disable(options: &DisableOptions) -> Result<ExitCode, BoxError> {
    set(&options.which, &WebhookState::Off { reason: options.reason.as_deref().map(kept_off) }).await
}

/// The reason as it is stored. Any other counts as Tableau's, and the stack enables its own webhook again.
fn kept_off(reason: &str) -> String {
    match reason.trim() {
        reason if reason.starts_with(KEPT_OFF) => reason.to_owned(),
        reason => format!("{KEPT_OFF}: {reason}"),
    }
}

async fn set(options: &SomeWebhooks, state: &WebhookState) -> Result<ExitCode, BoxError> {
    let (verb, done) = match state {
        WebhookState::On => ("enable", "enabled"),
        WebhookState::Off { .. } => ("disable", "disabled"),
    };
    at(&options.site, async |site| {
        let all = site.webhooks().await?;
        let webhooks = find_all(&all, &options.webhooks)?;
        if let Some((webhook, _)) = webhooks.first() {
            site.check_can_change(verb, &webhook.id).await?;
        }
        let mut is_complete = true;
        for (webhook, shown) in webhooks {
            if is_so(shown, state) {
                print(shown, "unchanged", options.json)?;
                continue;
            }
            let change = WebhookChange { state: Some(state.clone()), ..WebhookChange::default() };
            match site.tableau().update_webhook(&webhook.id, &change).await {
                Ok(changed) => print(&site.shown(&changed).await?, done, options.json)?,
                Err(error) => {
                    let reason = site.failed_for_one(&error, &secrets_of(&webhook.url))?;
                    problem(format!("{}: {reason}", shown.words()));
                    is_complete = false;
                }
            }
        }
        Ok(if is_complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
    .await
}

/// Whether nothing is left to do. A disabled webhook can get another reason.
fn is_so(shown: &Shown, wanted: &WebhookState) -> bool {
    match (&shown.state, wanted) {
        (State::Enabled, WebhookState::On) | (State::Disabled(_), WebhookState::Off { reason: None }) => true,
        (State::Disabled(now), WebhookState::Off { reason: Some(reason) }) => now == reason,
        _ => false,
    }
}

fn print(shown: &Shown, result: &str, as_json: bool) -> Result<(), BoxError> {
    if as_json {
        line!("{}", out::json(&shown.json_with(result)))?;
        return Ok(());
    }
    let now = match (&shown.state, result) {
        (State::Disabled(reason), _) if !reason.trim().is_empty() => format!(": {}", plain(reason)),
        _ => String::new(),
    };
    match result {
        "unchanged" => line!("{} is {} already", shown.words(), shown.state())?,
        _ => line!("{result:<8} {}{now}", shown.words())?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_once_that_the_webhook_stays_disabled() {
        assert_eq!(kept_off("moves"), "Keep disabled: moves");
        assert_eq!(kept_off(" Keep disabled: moves"), "Keep disabled: moves");
    }
}
