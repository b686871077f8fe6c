//! Sending events to webhooks, with Tableau's retries and switch-off.

use super::delivery::{Attempt, Delivery, DeliveryState};
use super::events::About;
use super::model::WebhookRecord;
use super::state::State;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tableau::EventName;
use url::Url;

/// How long a destination may take to answer a delivery. Tableau's own limit is not known.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(10);

/// The simulated server has no such object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {what} with LUID `{luid}` on the simulated server")]
pub struct NotFound {
    /// The kind of object.
    pub what: &'static str,
    /// The LUID.
    pub luid: String,
}

/// A fired event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired {
    /// The body of each delivery.
    pub payload: String,
    /// The number of webhooks that the event is delivered to.
    pub webhooks: usize,
}

/// The reason that Tableau stores when it disables a webhook. Its exact wording is not known.
const SWITCHED_OFF: &str = "Webhook disabled after 4 failed delivery attempts";

impl State {
    /// Delivers the event to every enabled webhook for it on its site.
    pub(crate) fn fire(self: &Arc<Self>, event: &EventName, luid: &str) -> Result<Fired, NotFound> {
        let at = self.settings.clock.now();
        let (about, webhooks) = {
            let model = self.model();
            let about = About::find(&model, event, luid)
                .ok_or_else(|| NotFound { what: About::kind(event), luid: luid.to_owned() })?;
            let wanted = |w: &&_| is_wanted(w, event, &about, model.webhooks_enabled);
            let webhooks: Vec<_> = model.webhooks.iter().filter(wanted).cloned().collect();
            (about, webhooks)
        };
        let payload = about.body(event, at);
        let copies = self.duplicates.load(Ordering::SeqCst);
        for webhook in &webhooks {
            for copy in 0..=copies {
                self.send(Delivery {
                    webhook: webhook.name.clone(),
                    webhook_luid: webhook.luid.clone(),
                    event: event.clone(),
                    url: webhook.url.clone(),
                    payload: payload.clone(),
                    copy,
                    attempts: Vec::new(),
                    state: DeliveryState::Pending,
                });
            }
        }
        Ok(Fired { payload, webhooks: webhooks.len() })
    }

    fn send(self: &Arc<Self>, delivery: Delivery) {
        let index = {
            let mut deliveries = self.deliveries();
            deliveries.push(delivery.clone());
            deliveries.len() - 1
        };
        self.in_flight.send_modify(|n| *n += 1);
        let state = Arc::clone(self);
        self.runtime.spawn(async move {
            let end = state.attempt(index, &delivery).await;
            if let Some(delivery) = state.deliveries().get_mut(index) {
                delivery.state = end;
            }
            state.in_flight.send_modify(|n| *n -= 1);
        });
    }

    /// Makes the first attempt and up to three retries.
    async fn attempt(&self, index: usize, delivery: &Delivery) -> DeliveryState {
        let gaps = self.settings.retry_gaps.map(Some).into_iter().chain([None]);
        for gap in gaps {
            let enabled = self.model().webhooks.iter().any(|w| w.luid == delivery.webhook_luid && w.enabled);
            if !enabled {
                return DeliveryState::Dropped;
            }
            let status = self.post(&delivery.url, &delivery.payload).await.map(|(status, _)| status);
            let delivered = matches!(status, Ok(200..=299));
            let attempt = Attempt { at: self.settings.clock.now(), status };
            if let Some(delivery) = self.deliveries().get_mut(index) {
                delivery.attempts.push(attempt);
            }
            match gap {
                _ if delivered => return DeliveryState::Delivered,
                Some(gap) => tokio::time::sleep(gap).await,
                None => {}
            }
        }
        if let Some(webhook) = self.model().webhooks.iter_mut().find(|w| w.luid == delivery.webhook_luid) {
            webhook.enabled = false;
            webhook.status_change_reason = SWITCHED_OFF.to_owned();
        }
        DeliveryState::Failed
    }

    /// Sends one POST to a destination and returns the status and body of the answer.
    pub(crate) async fn post(&self, url: &str, body: &str) -> Result<(u16, String), String> {
        let (address, name) = on_this_machine(url);
        let mut request =
            self.client.post(address).header("content-type", "application/json").body(body.to_owned());
        if let Some(name) = name {
            request = request.header("host", name);
        }
        let answer = request.timeout(DELIVERY_TIMEOUT).send().await;
        let answer = answer.map_err(|e| reason(&e.without_url()))?;
        let status = answer.status().as_u16();
        Ok((status, answer.text().await.unwrap_or_default()))
    }
}

/// The address to call and, for a name below `localhost`, the name: not every resolver knows such names.
fn on_this_machine(url: &str) -> (String, Option<String>) {
    let Ok(mut parsed) = url.parse::<Url>() else { return (url.to_owned(), None) };
    let Some(host) = parsed.host_str().filter(|host| host.ends_with(".localhost")) else {
        return (url.to_owned(), None);
    };
    let name = parsed.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let is_set = parsed.set_host(Some("127.0.0.1")).is_ok();
    (parsed.into(), is_set.then_some(name))
}

fn is_wanted(webhook: &WebhookRecord, event: &EventName, about: &About, feature: bool) -> bool {
    feature && webhook.enabled && webhook.event == *event && webhook.site == about.site
}

/// The innermost cause of an error: the operating system's message.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut error: &dyn std::error::Error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
