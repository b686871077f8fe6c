//! `webhooks update`.

use super::destination::{Destination, Source};
use super::lookup::find;
use super::options::UpdateOptions;
use super::shown::{Shown, secrets_of};
use super::site::at;
use crate::out::{self, line};
use std::process::ExitCode;
use tableau_client::{Webhook, WebhookChange};
use workflow::BoxError;

/// Changes what is not so already.
pub(super) async fn update(options: &UpdateOptions) -> Result<ExitCode, BoxError> {
    let source = options.url.as_deref().map(Source::read).transpose()?;
    if let Some(event) = options.event.as_ref().filter(|event| event.is_derived()) {
        return Err(format!("Tableau does not send {event}: a function of the stack does").into());
    }
    at(&options.site, async |site| {
        let destination = match source {
            Some(source) => Some(Destination::find(Some(source), site).await?),
            None => None,
        };
        let all = site.webhooks().await?;
        let (webhook, shown) = find(&all, &options.webhook)?;
        site.check_can_change("change", &webhook.id).await?;
        let change = change(options, webhook, destination.as_ref());
        if change.name.is_none() && change.event.is_none() && change.url.is_none() {
            print(shown, "unchanged", options.json)?;
            return Ok(ExitCode::SUCCESS);
        }
        // The client leaves the new URL out of its errors, and does not know the old one.
        let old = secrets_of(&webhook.url);
        let changed = site.tableau().update_webhook(&webhook.id, &change).await;
        let changed = changed.map_err(|error| site.failed(&error, &old))?;
        print(&site.shown(&changed).await?, "updated", options.json)?;
        Ok(ExitCode::SUCCESS)
    })
    .await
}

/// What differs from the webhook.
fn change(options: &UpdateOptions, webhook: &Webhook, destination: Option<&Destination>) -> WebhookChange {
    let name = options.name.clone().filter(|name| *name != webhook.name);
    let event = options.event.clone().filter(|event| webhook.event.as_ref() != Some(event));
    let url = destination.filter(|destination| !destination.is(&webhook.url)).map(Destination::url);
    WebhookChange { name, event, url, state: None }
}

fn print(shown: &Shown, result: &str, as_json: bool) -> Result<(), BoxError> {
    if as_json {
        line!("{}", out::json(&shown.json_with(result)))?;
        return Ok(());
    }
    shown.lines(result).iter().try_for_each(|text| line!("{text}"))?;
    Ok(())
}
