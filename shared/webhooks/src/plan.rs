//! The steps that make the webhooks of a site match what the rules need. No I/O.

use crate::identity::Identity;
use crate::needed::Needed;
use crate::outage::MayEnable;
use crate::state::State;
use crate::step::{Action, Step};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tableau::{EventName, WebhookLuid};
use tableau_client::Webhook;
use url::Url;

/// What a plan is made from.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'s> {
    /// Which webhooks are the stack's own.
    pub identity: &'s Identity,
    /// What the rules need.
    pub needed: &'s [Needed],
    /// All webhooks of the site.
    pub listed: &'s [Webhook],
    /// What the table has.
    pub state: &'s State,
    /// The URL that webhooks should have.
    pub url: &'s SecretString,
    /// Whether Tableau can change webhooks.
    pub can_update: bool,
    /// The time.
    pub now: Timestamp,
}

/// What is to be done, and what is left as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What is to be done, in this order.
    pub steps: Vec<Step>,
    /// Disabled webhooks of the stack that are not enabled now.
    pub waiting: Vec<Waiting>,
    /// Webhooks of others that post to this stack's ingress, by name: the stack leaves them alone.
    pub foreign: Vec<String>,
    /// How many webhooks are as they should be.
    pub unchanged: usize,
}

/// A disabled webhook that is not enabled now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The webhook.
    pub luid: WebhookLuid,
    /// Its name.
    pub name: String,
    /// Its event.
    pub event: EventName,
    /// Why not.
    pub reason: String,
}

impl Plan {
    /// Makes the plan.
    pub fn of(situation: &Situation<'_>) -> Self {
        let own = stacks_own(situation.identity, situation.state, situation.listed);
        let mut plan = Self::default();
        let mut deletions = Vec::new();
        for needed in situation.needed {
            let mut found: Vec<&Webhook> =
                own.iter().copied().filter(|webhook| webhook.event.as_ref() == Some(&needed.event)).collect();
            // The best one is kept.
            found.sort_by_key(|webhook| {
                let is_known = situation.state.knows(&webhook.id);
                // One that sends events is never deleted for one that does not.
                (!webhook.is_enabled, !situation.is_right(webhook, &needed.event), !is_known)
            });
            let mut found = found.into_iter();
            match found.next() {
                Some(kept) => plan.keep(situation, kept, &needed.event),
                None => plan.steps.push(Step {
                    action: Action::Create,
                    event: Some(needed.event.clone()),
                    name: situation.identity.name(&needed.event),
                    luid: None,
                    reason: needed.reason.to_string(),
                }),
            }
            deletions.extend(found.map(|webhook| deletion(webhook, "another one sends the same event")));
        }
        let is_needed = |webhook: &&Webhook| {
            situation.needed.iter().any(|needed| Some(&needed.event) == webhook.event.as_ref())
        };
        let unneeded = own.iter().copied().filter(|webhook| !is_needed(webhook));
        deletions.extend(unneeded.map(|webhook| deletion(webhook, "no rule needs it")));
        plan.steps.extend(deletions);
        let foreign = situation.listed.iter().filter(|webhook| {
            situation.identity.is_ingress(&webhook.url) && !own.iter().any(|own| own.id == webhook.id)
        });
        plan.foreign = foreign.map(|webhook| webhook.name.clone()).collect();
        plan
    }

    fn keep(&mut self, situation: &Situation<'_>, webhook: &Webhook, event: &EventName) {
        let step = |action, reason: String| Step {
            action,
            event: Some(event.clone()),
            name: webhook.name.clone(),
            luid: Some(webhook.id.clone()),
            reason,
        };
        let is_right = situation.is_right(webhook, event);
        if !is_right {
            let action = if situation.can_update { Action::Update } else { Action::Replace };
            let what = match same_address(&webhook.url, situation.url.expose_secret()) {
                true => format!("its name is to be `{}`", situation.identity.name(event)),
                false if situation.identity.is_ingress(&webhook.url) => {
                    "its URL does not have the present token".to_owned()
                }
                false => "its URL does not lead to this stack".to_owned(),
            };
            self.steps.push(step(action, what));
        }
        if webhook.is_enabled {
            self.unchanged += usize::from(is_right);
            return;
        }
        let may =
            situation.state.seen(&webhook.id).map_or(MayEnable::Now, |seen| seen.may_enable(situation.now));
        let reason = match may {
            MayEnable::Now => {
                let reason = webhook.status_change_reason.trim();
                let why =
                    if reason.is_empty() { "without a reason".to_owned() } else { format!("\"{reason}\"") };
                return self.steps.push(step(Action::Enable, format!("Tableau has disabled it: {why}")));
            }
            MayEnable::At(at) => format!("it was enabled too often; the next try is after {at:.0}"),
            MayEnable::Never => {
                "a person has disabled it; `tableau-webhooks webhooks enable` enables it".to_owned()
            }
        };
        self.waiting.push(Waiting {
            luid: webhook.id.clone(),
            name: webhook.name.clone(),
            event: event.clone(),
            reason,
        });
    }

    /// What a person agrees to: equal for the same steps with the same webhooks.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for step in &self.steps {
            let luid = step.luid.as_ref().map_or("-", WebhookLuid::as_str);
            hash.update(format!("{} {} {luid}\n", step.action, step.event()));
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn deletion(webhook: &Webhook, reason: &str) -> Step {
    Step {
        action: Action::Delete,
        event: webhook.event.clone(),
        name: webhook.name.clone(),
        luid: Some(webhook.id.clone()),
        reason: reason.to_owned(),
    }
}

/// The stack's own webhooks among those of a site.
pub(crate) fn stacks_own<'w>(identity: &Identity, state: &State, listed: &'w [Webhook]) -> Vec<&'w Webhook> {
    listed.iter().filter(|webhook| identity.owns(webhook, state.knows(&webhook.id))).collect()
}

impl Situation<'_> {
    fn is_right(&self, webhook: &Webhook, event: &EventName) -> bool {
        same_address(&webhook.url, self.url.expose_secret()) && webhook.name == self.identity.name(event)
    }
}

/// Whether two texts are the same address, however written.
fn same_address(one: &str, other: &str) -> bool {
    let read = |text: &str| text.trim().trim_end_matches('/').parse::<Url>();
    one == other || matches!((read(one), read(other)), (Ok(one), Ok(other)) if one == other)
}
