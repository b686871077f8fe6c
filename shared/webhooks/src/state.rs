//! What a stack knows about its webhooks. No I/O.
//!
//! Tableau says neither when it disabled a webhook nor for how long: the only witness is this document, which each run writes.

use crate::outage::{Outage, Seen};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::Document;
use tableau::{DisabledWebhook, WebhookFigures, WebhookLuid};
use tableau_client::Webhook;

/// How many answers to CloudFormation are remembered: it may send a request again.
const REMEMBERED: usize = 16;

/// What a stack knows about its webhooks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Who works on the webhooks now.
    pub(crate) lease: Option<Lease>,
    /// The stack has removed its webhooks: nothing registers them again, except a new deploy.
    pub(crate) is_removed: bool,
    /// How requests of CloudFormation were answered, the newest last.
    pub(crate) answers: Vec<(String, Answered)>,
    /// The last deploy that was no rollback.
    pub(crate) deploy: Option<Deploy>,
    /// The stack's webhooks by LUID.
    pub(crate) webhooks: BTreeMap<String, Seen>,
    /// What is still to be announced.
    pub(crate) unannounced: Vec<DisabledWebhook>,
}

impl Document for State {
    const KIND: &'static str = "webhook";
    // As long as the stack lives.
    const KEPT_DAYS: i64 = 100 * 365;
}

/// How a request of CloudFormation was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Whether with a success.
    pub is_success: bool,
    /// With which reason.
    pub reason: String,
    /// What the template can read of it.
    #[serde(default)]
    pub registered: Option<String>,
}

/// From which properties to which ones a deploy goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Deploy {
    from: String,
    to: String,
}

/// Who works on the webhooks, and until when at the latest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lease {
    pub(crate) owner: String,
    pub(crate) until: Timestamp,
}

impl Lease {
    /// Whether it counts at `now`. One that ends later than any lease can is of a machine with a wrong clock.
    pub(crate) fn is_live(&self, now: Timestamp, longest: SignedDuration) -> bool {
        now < self.until && self.until.duration_since(now) <= longest
    }
}

impl State {
    /// Whether the table has this LUID.
    pub fn knows(&self, luid: &WebhookLuid) -> bool {
        self.webhooks.contains_key(luid.as_str())
    }

    /// How many webhooks there are and how many are disabled; `None` if there are none.
    pub(crate) fn figures(&self) -> Option<WebhookFigures> {
        let disabled = self.webhooks.values().filter(|seen| seen.outage.is_some()).count() as u64;
        let registered = self.webhooks.len() as u64;
        (registered > 0).then_some(WebhookFigures { registered, disabled })
    }

    /// What is known about a webhook.
    pub(crate) fn seen(&self, luid: &WebhookLuid) -> Option<&Seen> {
        self.webhooks.get(luid.as_str())
    }

    /// Takes in what Tableau says of the stack's own webhooks.
    pub(crate) fn observe(&mut self, own: &[&Webhook], now: Timestamp) {
        self.webhooks.retain(|luid, _| own.iter().any(|webhook| webhook.id.as_str() == luid));
        for webhook in own {
            self.take(webhook, now);
        }
    }

    /// Takes in what Tableau says of one webhook.
    pub(crate) fn take(&mut self, webhook: &Webhook, now: Timestamp) {
        let seen = self.webhooks.entry(webhook.id.as_str().to_owned()).or_default();
        seen.describe(webhook);
        match (webhook.is_enabled, &mut seen.outage) {
            (true, _) => {
                self.unannounced.extend(seen.end_outage(&webhook.id, now));
                seen.last_enabled = Some(now);
            }
            (false, Some(outage)) => outage.reason.clone_from(&webhook.status_change_reason),
            (false, outage @ None) => {
                *outage = Some(Outage::new(now, seen.last_enabled, &webhook.status_change_reason));
            }
        }
    }

    /// A webhook was enabled by this stack.
    pub(crate) fn enabled(&mut self, luid: &WebhookLuid, now: Timestamp) {
        let Some(seen) = self.webhooks.get_mut(luid.as_str()) else { return };
        seen.enables.push(now);
        self.unannounced.extend(seen.end_outage(luid, now));
        seen.last_enabled = Some(now);
    }

    /// Why a webhook stays disabled.
    pub(crate) fn stays_disabled(&mut self, luid: &WebhookLuid, note: String) {
        if let Some(outage) = self.webhooks.get_mut(luid.as_str()).and_then(|seen| seen.outage.as_mut()) {
            outage.note = note;
        }
    }

    pub(crate) fn forget(&mut self, luid: &WebhookLuid) {
        self.webhooks.remove(luid.as_str());
    }

    /// What has to be announced: what was left over, and each disabled webhook that was not announced.
    pub(crate) fn announcements(&mut self) -> Vec<DisabledWebhook> {
        for (luid, seen) in &mut self.webhooks {
            let Ok(luid) = luid.parse() else { continue };
            let announcement = seen.announcement(&luid);
            self.unannounced.extend(announcement);
        }
        self.unannounced.clone()
    }

    /// This was announced.
    pub(crate) fn announced(&mut self, announced: &DisabledWebhook) {
        self.unannounced.retain(|waiting| waiting != announced);
    }

    /// How many webhooks of the stack are disabled that no person has disabled.
    pub(crate) fn disabled(&self) -> usize {
        let outages = self.webhooks.values().filter_map(|seen| seen.outage.as_ref());
        outages.filter(|outage| !outage.is_wanted()).count()
    }

    /// How this request of CloudFormation was answered, if it was.
    pub(crate) fn answer_to(&self, request: &str) -> Option<&Answered> {
        self.answers.iter().find(|(answered, _)| answered == request).map(|(_, answer)| answer)
    }

    /// Notes how a request of CloudFormation is answered.
    pub(crate) fn answered(&mut self, request: &str, answer: Answered) {
        self.answers.retain(|(answered, _)| answered != request);
        self.answers.push((request.to_owned(), answer));
        let too_many = self.answers.len().saturating_sub(REMEMBERED);
        self.answers.drain(..too_many);
    }

    /// Notes a deploy; returns whether it is the rollback of the one before.
    pub(crate) fn deploy(&mut self, from: &str, to: &str) -> bool {
        if self.deploy.as_ref().is_some_and(|deploy| deploy.from == to && deploy.to == from) {
            return true;
        }
        self.deploy = Some(Deploy { from: from.to_owned(), to: to.to_owned() });
        false
    }
}
