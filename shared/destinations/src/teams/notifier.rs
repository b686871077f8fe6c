//! Teams as a destination: renders and sends notifications. The crate `alerting` decides when and to whom.

use super::card::render;
use super::guarded::{GuardedTeams, failure, is_too_large, may_have_arrived};
use super::plain::fields;
use super::{Left, Teams};
use crate::Error;
use alerting::Capabilities;
use alerting::notification::Notification;
use alerting::notifier::{Delivered, Delivery, Notifier, Undelivered};
use async_trait::async_trait;
use circuit::{Circuits, Guarded};
use rules::settings::{NotifyTeams, TeamsFormat};
use workflow::{Failure, Invocation};

/// The flows that notifications are sent to.
#[derive(Debug)]
pub struct TeamsNotifier {
    teams: GuardedTeams,
}

impl TeamsNotifier {
    /// Puts `teams` behind `circuits`.
    pub fn new(teams: Teams, circuits: Circuits) -> Self {
        Self { teams: GuardedTeams::new(teams, circuits) }
    }

    async fn post(
        &self,
        target: &NotifyTeams,
        shown: &Notification,
        invocation: &Invocation,
    ) -> Result<(), Guarded<Error>> {
        let body = match target.format {
            TeamsFormat::Card => card(shown, &target.channel),
            TeamsFormat::Plain => serde_json::json!(fields(shown)).to_string(),
        };
        match self.teams.post(&target.channel, &body, invocation).await {
            Err(error) if is_too_large(&error) => {
                tracing::warn!(
                    channel = target.channel,
                    size_bytes = body.len(),
                    "a flow refused a message as too large; it is sent again, shorter"
                );
                let brief = brief(shown);
                let body = match target.format {
                    TeamsFormat::Card => card(&brief, &target.channel),
                    TeamsFormat::Plain => serde_json::json!(fields(&brief)).to_string(),
                };
                self.teams.post(&target.channel, &body, invocation).await
            }
            other => other,
        }
    }
}

/// The card as JSON. What it leaves out is logged.
fn card(shown: &Notification, channel: &str) -> String {
    let card = render(shown);
    let left @ Left { items, facts, footnotes, shortened } = card.left();
    if !left.is_empty() {
        tracing::info!(channel, items, facts, footnotes, shortened, "a card was cut to what a flow takes");
    }
    card.to_json().to_string()
}

/// The notification without what is long: the lists keep their counts.
fn brief(shown: &Notification) -> Notification {
    let mut brief = shown.clone();
    for list in &mut brief.lists {
        list.more += list.items.len();
        list.items.clear();
    }
    brief.own_text = None;
    brief.footnotes.truncate(2);
    brief.facts.truncate(4);
    brief
}

#[async_trait]
impl Notifier for TeamsNotifier {
    type Target = NotifyTeams;

    /// A flow returns no id of a message, so that none can be edited or replied to.
    async fn capabilities(&self) -> Result<Capabilities, Failure> {
        Ok(Capabilities { edit: false, thread: false, idempotency_key: false, grouping: true })
    }

    async fn deliver(
        &self,
        target: &NotifyTeams,
        delivery: Delivery<'_>,
        notification: &Notification,
        invocation: &Invocation,
    ) -> Result<Delivered, Undelivered> {
        let audible = match delivery {
            Delivery::Post => true,
            Delivery::Edit { audible, .. } | Delivery::Close { audible, .. } => audible,
        };
        if !audible {
            return Ok(Delivered::default());
        }
        match self.post(target, notification, invocation).await {
            Ok(()) => Ok(Delivered { message: None, audible: true, note: None, skipped: None }),
            Err(error) => {
                let maybe_sent = may_have_arrived(&error);
                Err(Undelivered { failure: failure(error, invocation.attempt), maybe_sent })
            }
        }
    }

    // D003, D135
    async fn receipt(&self, target: &NotifyTeams, _: &Delivered) -> String {
        let accepted = "accepted by the flow, which does not say whether it posted: look in the channel, and else at the flow's \
                        run history. A flow bot is not in a private channel; let the flow post as a user there";
        match self.teams.host_kind(&target.channel).await {
            Ok(kind) => format!("{accepted}. The URL: {}", kind.advice()),
            Err(_) => accepted.to_owned(),
        }
    }
}
