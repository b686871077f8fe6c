//! Webhooks: subscriptions that post an event to a URL.

mod event;
mod webhook;

pub use webhook::{NewWebhook, Webhook, WebhookChange, WebhookState, WebhookTest};

use crate::call::{Call, Path};
use crate::pages::{List, Pages, Place, all_fields};
use crate::{ApiVersion, Error, Filter, TableauClient, lenient};
use confidential::Secrets;
use event::set_event;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tableau::{EventName, WebhookLuid};

/// The JWT scope to list and fetch webhooks.
const READ: &str = "tableau:webhooks:read";

/// The secrets in a webhook's URL: it contains the token of the receiving service.
fn secrets_of(url: &str) -> Secrets {
    url.parse().map_or_else(|_| Secrets::new([url.into()]), |url| Secrets::of_url(&url))
}

fn destination(url: &str) -> Value {
    json!({ "webhook-destination-http": { "method": "POST", "url": url } })
}

#[derive(Deserialize)]
struct Answer {
    webhook: Webhook,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TestAnswer {
    webhook_test_result: TestResult,
}

#[derive(Deserialize)]
struct TestResult {
    #[serde(default, deserialize_with = "lenient::number")]
    status: Option<u16>,
    #[serde(default)]
    body: Value,
}

/// Adds a hint to Tableau's error 400000, which does not say that the event's name is unknown.
fn with_hint(mut error: Error, event: &EventName) -> Error {
    if let (Error::Refused { code, detail, .. }, EventName::Other(name)) = (&mut error, event)
        && code == "400000"
    {
        let meant = EventName::nearest(name).map(|meant| format!("; is it `{meant}`?")).unwrap_or_default();
        let between = if detail.is_empty() { "" } else { " " };
        detail.push_str(&format!("{between}(`{name}` is not among the events that are known here{meant})"));
    }
    error
}

impl TableauClient {
    /// Lists the webhooks of the site. Administrators only. REST API 3.6+; JWT scope `tableau:webhooks:read`,
    /// 3.27+.
    ///
    /// # Errors
    /// When the list is fetched: [`Error::Refused`] with code 403000 without the rights, 403109 when webhooks are
    /// switched off on the server.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_notifications.htm#list_webhooks_for_site>
    pub fn webhooks(&self) -> Pages<Webhook> {
        let list = List {
            operation: "list the webhooks",
            path: "webhooks".to_owned(),
            wrapper: "webhooks",
            element: "webhook",
            place: Place::Site,
            paged: false,
            unknown: all_fields,
        };
        Pages::new(self, list, Filter::all()).scope(READ)
    }

    /// Fetches a webhook. Administrators only. REST API 3.6+; JWT scope as for [`TableauClient::webhooks`].
    ///
    /// # Errors
    /// The same as for [`TableauClient::webhooks`]; also [`Error::Refused`] with code 404034 when the site has no
    /// such webhook.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_notifications.htm#get_webhook>
    pub async fn webhook(&self, luid: &WebhookLuid) -> Result<Webhook, Error> {
        let path = format!("webhooks/{luid}");
        let answer: Answer = self.ask(Call::get("fetch the webhook", Path::Site(&path)).scope(READ)).await?;
        Ok(answer.webhook)
    }

    /// Creates a webhook. Retried only if the first try was certainly not carried out, so that there are never two.
    /// Administrators only. REST API 3.6+; JWT scope `tableau:webhooks:create`, 3.27+.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 400118 for a destination that Tableau does not accept, 400000 for an unknown
    /// event, 400110 for another reason, 403000 without the rights, 403109 when webhooks are switched off.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_notifications.htm#create_webhook>
    pub async fn create_webhook(&self, new: &NewWebhook) -> Result<Webhook, Error> {
        let version = self.session_version().await?;
        let mut webhook = Map::new();
        webhook.insert("name".to_owned(), json!(new.name));
        webhook.insert("webhook-destination".to_owned(), destination(&new.url));
        set_event(&mut webhook, &new.event, version);
        if version >= ApiVersion::new(3, 8) {
            webhook.insert("isEnabled".to_owned(), json!(new.is_enabled));
        }
        let body = json!({ "webhook": webhook });
        let answer: Answer = self
            .ask(
                Call::create("create the webhook", Path::Site("webhooks"), &body)
                    .scope("tableau:webhooks:create")
                    .with_secrets(secrets_of(&new.url)),
            )
            .await
            .map_err(|error| with_hint(error, &new.event))?;
        Ok(answer.webhook)
    }

    /// Changes a webhook, for example switches it on again. Administrators only. REST API 3.8+; JWT scope
    /// `tableau:webhooks:update`, 3.27+.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 404034 when the site has no such webhook, 400124 when this change is not
    /// possible; otherwise as for [`TableauClient::create_webhook`].
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_notifications.htm#update_webhook>
    pub async fn update_webhook(&self, luid: &WebhookLuid, change: &WebhookChange) -> Result<Webhook, Error> {
        let mut webhook = Map::new();
        if let Some(name) = &change.name {
            webhook.insert("name".to_owned(), json!(name));
        }
        if let Some(event) = &change.event {
            set_event(&mut webhook, event, self.session_version().await?);
        }
        if let Some(url) = &change.url {
            webhook.insert("webhook-destination".to_owned(), destination(url));
        }
        if let Some(state) = &change.state {
            webhook.insert("isEnabled".to_owned(), json!(*state == WebhookState::On));
        }
        // Tableau accepts a reason only when the webhook is switched off.
        if let Some(WebhookState::Off { reason: Some(reason) }) = &change.state {
            webhook.insert("statusChangeReason".to_owned(), json!(reason));
        }
        let path = format!("webhooks/{luid}");
        let secrets = change.url.as_deref().map(secrets_of).unwrap_or_default();
        let body = json!({ "webhook": webhook });
        let call = Call::put("change the webhook", Path::Site(&path), &body);
        let call = call.scope("tableau:webhooks:update").with_secrets(secrets);
        let answer: Result<Answer, Error> = self.ask(call).await;
        let answer = answer.map_err(|error| match &change.event {
            Some(event) => with_hint(error, event),
            None => error,
        })?;
        Ok(answer.webhook)
    }

    /// Deletes a webhook. Administrators only. REST API 3.6+; JWT scope `tableau:webhooks:delete`, 3.27+.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 404034 when the site has no such webhook, 400111 when it cannot be deleted.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_notifications.htm#delete_webhook>
    pub async fn delete_webhook(&self, luid: &WebhookLuid) -> Result<(), Error> {
        let path = format!("webhooks/{luid}");
        let call = Call::delete("delete the webhook", Path::Site(&path)).gone_with("404034");
        self.run(call.scope("tableau:webhooks:delete")).await
    }

    /// Lets Tableau post an empty event to the webhook's URL, and returns that server's answer. Administrators only.
    /// REST API 3.6+; JWT scope `tableau:webhooks:test`, 3.27+.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 400113 when there is no such webhook. An error status of the destination is not
    /// an error here.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_notifications.htm#test_webhook>
    pub async fn test_webhook(&self, luid: &WebhookLuid) -> Result<WebhookTest, Error> {
        const OPERATION: &str = "test the webhook";
        let path = format!("webhooks/{luid}/test");
        let answer: TestAnswer =
            self.ask(Call::get(OPERATION, Path::Site(&path)).scope("tableau:webhooks:test")).await?;
        let TestResult { status, body } = answer.webhook_test_result;
        let missing = || Error::Unreadable { operation: OPERATION, source: "no inner status".into() };
        let body = match body {
            Value::Null => String::new(),
            Value::String(text) => text,
            other => other.to_string(),
        };
        Ok(WebhookTest { status: status.ok_or_else(missing)?, body })
    }
}
