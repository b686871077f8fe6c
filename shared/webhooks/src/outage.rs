//! A webhook that Tableau has disabled: since when, and when it may be enabled again. No I/O.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tableau::{DisabledWebhook, EventName, WebhookLuid};
use tableau_client::Webhook;

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// How long after the last time a webhook is enabled again, by how often it was enabled within a day. After the last one it stays
/// disabled until the first one is a day ago. A minute less than the runs of a schedule are apart, which do not come to the second.
pub const GAPS: [SignedDuration; 6] = [
    SignedDuration::ZERO,
    SignedDuration::from_mins(14),
    SignedDuration::from_mins(29),
    SignedDuration::from_mins(59),
    SignedDuration::from_mins(119),
    SignedDuration::from_mins(239),
];
/// What Tableau stores when a person disables a webhook and gives no reason. What it stores when it disables one itself is not
/// documented: any other reason counts as Tableau's.
///
/// Source: <https://github.com/tableau/webhooks-docs>, README
pub const BY_A_USER: &str = "Webhook disabled by user";
/// How the reason begins that `tableau-webhooks webhooks disable` stores.
pub const KEPT_OFF: &str = "Keep disabled";

/// What is known about a webhook of the stack.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Seen {
    name: String,
    event: Option<EventName>,
    owner: Option<String>,
    /// When it was last seen enabled, or was enabled by this stack.
    pub(crate) last_enabled: Option<Timestamp>,
    pub(crate) outage: Option<Outage>,
    /// When this stack enabled it, within the last day.
    pub(crate) enables: Vec<Timestamp>,
}

/// The time in which a webhook is disabled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outage {
    found: Timestamp,
    #[serde(default)]
    last_enabled: Option<Timestamp>,
    #[serde(default)]
    pub(crate) reason: String,
    /// Why it stays disabled.
    #[serde(default)]
    pub(crate) note: String,
    #[serde(default)]
    is_announced: bool,
}

/// Whether a disabled webhook is enabled now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MayEnable {
    Now,
    /// It was enabled too often.
    At(Timestamp),
    /// A person wants it so.
    Never,
}

impl Outage {
    pub(crate) fn new(found: Timestamp, last_enabled: Option<Timestamp>, reason: &str) -> Self {
        Self { found, last_enabled, reason: reason.to_owned(), note: String::new(), is_announced: false }
    }

    /// Whether a person has disabled the webhook, by Tableau's reason.
    pub(crate) fn is_wanted(&self) -> bool {
        let reason = self.reason.trim();
        reason.eq_ignore_ascii_case(BY_A_USER) || reason.starts_with(KEPT_OFF)
    }
}

impl Seen {
    pub(crate) fn describe(&mut self, webhook: &Webhook) {
        self.name.clone_from(&webhook.name);
        self.event.clone_from(&webhook.event);
        self.owner = webhook.owner.as_ref().and_then(|owner| owner.name.clone());
    }

    /// Whether it may be enabled at `now`.
    pub(crate) fn may_enable(&self, now: Timestamp) -> MayEnable {
        if self.outage.as_ref().is_some_and(Outage::is_wanted) {
            return MayEnable::Never;
        }
        let within_a_day: Vec<&Timestamp> =
            self.enables.iter().filter(|at| now.duration_since(**at) < DAY).collect();
        let (Some(first), Some(last)) = (within_a_day.first(), within_a_day.last()) else {
            return MayEnable::Now;
        };
        let at = match GAPS.get(within_a_day.len()) {
            Some(gap) => last.checked_add(*gap),
            None => first.checked_add(DAY),
        };
        match at {
            Ok(at) if now < at => MayEnable::At(at),
            _ => MayEnable::Now,
        }
    }

    /// Ends the outage, and gives what is to be said about it.
    pub(crate) fn end_outage(&mut self, luid: &WebhookLuid, now: Timestamp) -> Option<DisabledWebhook> {
        self.enables.retain(|at| now.duration_since(*at) < DAY);
        let outage = self.outage.take()?;
        let said = self.said(luid, &outage)?;
        Some(DisabledWebhook { enabled_again: Some(now), note: String::new(), ..said })
    }

    /// What is to be said about a webhook that stays disabled, once for each outage.
    pub(crate) fn announcement(&mut self, luid: &WebhookLuid) -> Option<DisabledWebhook> {
        let outage = self.outage.as_mut().filter(|outage| !outage.is_announced)?;
        outage.is_announced = true;
        let outage = outage.clone();
        self.said(luid, &outage)
    }

    fn said(&self, luid: &WebhookLuid, outage: &Outage) -> Option<DisabledWebhook> {
        Some(DisabledWebhook {
            webhook: luid.clone(),
            name: self.name.clone(),
            event: self.event.clone()?,
            owner: self.owner.clone(),
            reason: outage.reason.clone(),
            last_enabled: outage.last_enabled,
            found: outage.found,
            enabled_again: None,
            note: outage.note.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    fn seen(reason: &str, enables: &[i64]) -> Seen {
        Seen {
            outage: Some(Outage::new(at(0), None, reason)),
            enables: enables.iter().copied().map(at).collect(),
            ..Seen::default()
        }
    }

    #[test]
    fn a_webhook_is_enabled_again_with_growing_gaps_and_six_times_a_day() {
        for (enables, now, expected) in [
            (&[][..], 0, MayEnable::Now),
            (&[0], 13, MayEnable::At(at(14))),
            (&[0], 14, MayEnable::Now),
            (&[0, 15], 43, MayEnable::At(at(44))),
            (&[0, 15, 45], 100, MayEnable::At(at(104))),
            (&[0, 15, 45, 105, 225], 463, MayEnable::At(at(464))),
            (&[0, 15, 45, 105, 225, 465], 1_400, MayEnable::At(at(1_440))),
            // The first one is a day ago: five are left, and the gap of five.
            (&[0, 15, 45, 105, 225, 465], 1_440, MayEnable::Now),
            (&[0], 1_440, MayEnable::Now),
        ] {
            assert_eq!(seen("", enables).may_enable(at(now)), expected, "{enables:?} at {now}");
        }
    }

    #[test]
    fn what_a_person_has_disabled_stays_disabled_and_any_other_reason_is_tableaus() {
        for (reason, expected) in [
            ("Webhook disabled by user", MayEnable::Never),
            (" webhook disabled by USER ", MayEnable::Never),
            ("Keep disabled: maintenance", MayEnable::Never),
            ("Webhook disabled after 4 failed delivery attempts", MayEnable::Now),
            ("Webhook disabled by user after failures", MayEnable::Now),
            ("", MayEnable::Now),
        ] {
            assert_eq!(seen(reason, &[]).may_enable(at(0)), expected, "{reason}");
        }
    }
}
