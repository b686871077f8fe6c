//! What messages say about webhooks that Tableau disabled.

use super::{Fact, Status, Value};
use plain_text::{is_blank, one_line};
use std::borrow::Cow;
use tableau::{Action, DisabledWebhook, Event};

/// Where to look for the state of webhooks.
pub(super) const LIST: &str = "For the state of all webhooks, run: tableau-webhooks webhooks list";

/// Whether the event says that a webhook, which Tableau had disabled, is enabled again.
pub(crate) fn is_enabled_again(event: &Event) -> bool {
    event.webhook.as_ref().is_some_and(|webhook| webhook.enabled_again.is_some())
}

/// Why Tableau disabled the webhook, as far as Tableau says it.
pub fn reason(webhook: &DisabledWebhook) -> &str {
    let reason = webhook.reason.trim();
    if is_blank(reason) { "Tableau gives no reason" } else { reason }
}

/// The title of an event; `None`: the event does not say enough.
pub(super) fn title(webhook: Option<&DisabledWebhook>) -> String {
    let Some(webhook) = webhook else { return "Webhook disabled".to_owned() };
    // Tableau may have events that this version does not know.
    let event = one_line(webhook.event.as_str());
    match webhook.enabled_again {
        None => format!("Webhook disabled, no {event} events arrive"),
        Some(_) => format!("Webhook enabled again, {event} events were missing"),
    }
}

/// The title of a group of events like this one.
pub(super) fn title_of_many(event: &Event, count: usize) -> String {
    match is_enabled_again(event) {
        true => format!("{count} webhooks enabled again, their events were missing"),
        false => format!("{count} webhooks disabled, their events do not arrive"),
    }
}

/// The recommended next step for an event.
pub(super) fn next_step(event: &Event) -> Cow<'static, str> {
    if is_enabled_again(event) {
        return Cow::Borrowed("Look in Tableau for what happened while the webhook was disabled.");
    }
    match event.webhook.as_ref().map(|webhook| webhook.note.trim()).filter(|note| !note.is_empty()) {
        Some(note) => Cow::Owned(format!("{note} {LIST}")),
        None => Cow::Borrowed(LIST),
    }
}

/// The recommended next step for a group of events like this one. `None` if they are not about webhooks.
pub(super) fn next_step_of_many(event: &Event) -> Option<&'static str> {
    let is_of_webhooks = event.name.action() == Some(Action::Disabled);
    is_of_webhooks.then(|| match is_enabled_again(event) {
        true => "Look in Tableau for what happened while they were disabled.",
        false => LIST,
    })
}

/// What Tableau says about the webhook.
pub(super) fn facts(webhook: &DisabledWebhook) -> Vec<Fact> {
    let events = Fact::new("Events", Value::Text(webhook.event.as_str().to_owned()));
    let owner = webhook.owner.as_ref().map(|owner| Fact::new("Registered by", Value::Text(owner.clone())));
    let reason = Fact::new("Reason at Tableau", Value::Text(reason(webhook).to_owned()));
    [Some(events), owner, Some(reason)].into_iter().flatten().collect()
}

impl Status {
    /// In which time a webhook delivered no events.
    pub fn of_webhook(webhook: &DisabledWebhook) -> Self {
        let last_enabled = webhook.last_enabled;
        match webhook.enabled_again {
            None => Self::NoDeliveries { last_enabled, found: webhook.found },
            Some(until) => Self::MissedDeliveries { last_enabled, until },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;
    use crate::group::Member;
    use crate::notification::{About, Notification, Severity, event, group_announced};
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use rules::Site;
    use tableau::{EventName, Payload};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn disabled() -> DisabledWebhook {
        DisabledWebhook {
            webhook: "w-1".parse().unwrap(),
            name: "refreshes".to_owned(),
            event: EventName::WorkbookRefreshFailed,
            owner: Some("Bea Costa".to_owned()),
            reason: "4 failed attempts".to_owned(),
            last_enabled: Some(at("2025-01-15T17:00:00Z")),
            found: at("2025-01-15T17:15:00Z"),
            enabled_again: None,
            note: "Its URL does not answer.".to_owned(),
        }
    }

    fn enabled_again() -> DisabledWebhook {
        let enabled_again = Some(at("2025-01-15T19:10:00Z"));
        DisabledWebhook { enabled_again, note: String::new(), ..disabled() }
    }

    fn event_of(webhook: &DisabledWebhook) -> Event {
        Event::try_from(&webhook.payload(&"s-1".parse().unwrap())).unwrap()
    }

    fn shown(webhook: &DisabledWebhook) -> Notification {
        let timezone = TimeZone::get("Europe/Berlin").unwrap();
        let site = Site {
            luid: "s-1".parse().unwrap(),
            name: "Marketing".to_owned(),
            timezone,
            suspends_after: None,
        };
        event(&About { event: &event_of(webhook), site: Some(&site), context: &Context::default() })
    }

    fn sentences(shown: &Notification) -> Vec<String> {
        let zone = shown.timezone.as_ref();
        shown.status.iter().map(|status| status.sentence(zone).unwrap().to_string()).collect()
    }

    #[test]
    fn a_disabled_webhook_is_a_failure_with_what_is_known_and_what_happens_next() {
        let shown = shown(&disabled());
        assert_eq!((shown.severity, shown.symbol), (Severity::Error, "🔕"));
        assert_eq!(shown.headline(), "Webhook disabled, no WorkbookRefreshFailed events arrive: refreshes");
        let labels: Vec<&str> = shown.facts.iter().map(|fact| fact.label.as_ref()).collect();
        assert_eq!(labels, ["Events", "Registered by", "Reason at Tableau", "When", "Site"]);
        assert_eq!(
            sentences(&shown),
            ["No deliveries since some time between Wed 15 Jan 2025, 18:00 CET (17:00 UTC) and \
              Wed 15 Jan 2025, 18:15 CET (17:15 UTC). Events are lost until the webhook is enabled again."]
        );
        let step = shown.next_step.unwrap();
        assert_eq!(step, format!("Its URL does not answer. {LIST}"));
        assert!(shown.footnotes.contains(&"webhook w-1".to_owned()), "{:?}", shown.footnotes);
    }

    #[test]
    fn an_enabled_webhook_says_for_how_long_events_may_be_missing() {
        let shown = shown(&enabled_again());
        assert_eq!((shown.severity, shown.symbol), (Severity::Notice, "🔔"));
        assert_eq!(
            shown.headline(),
            "Webhook enabled again, WorkbookRefreshFailed events were missing: refreshes"
        );
        assert_eq!(
            sentences(&shown),
            [
                "No deliveries for up to 2 h 10 min, from Wed 15 Jan 2025, 18:00 to 20:10 CET (17:00 to 19:10 UTC). \
              Events while it was disabled did not arrive, and are lost."
            ]
        );
        let step = shown.next_step.unwrap();
        assert_eq!(step, "Look in Tableau for what happened while the webhook was disabled.");
    }

    #[test]
    fn what_tableau_does_not_say_is_named_or_left_out() {
        let little = |webhook| DisabledWebhook {
            owner: None,
            reason: " \u{200b}".to_owned(),
            last_enabled: None,
            note: String::new(),
            ..webhook
        };
        let shown_disabled = shown(&little(disabled()));
        let reason = Fact::new("Reason at Tableau", Value::Text("Tableau gives no reason".to_owned()));
        assert!(shown_disabled.facts.contains(&reason), "{:?}", shown_disabled.facts);
        assert!(!shown_disabled.facts.iter().any(|fact| fact.label == "Registered by"));
        assert_eq!(shown_disabled.next_step.as_deref(), Some(LIST));
        let before = "No deliveries since some time before Wed 15 Jan 2025, 18:15 CET (17:15 UTC). ";
        assert!(sentences(&shown_disabled)[0].starts_with(before), "{:?}", sentences(&shown_disabled));
        let unknown = "No deliveries from an unknown time to Wed 15 Jan 2025, 20:10 CET (19:10 UTC). ";
        assert!(sentences(&shown(&little(enabled_again())))[0].starts_with(unknown));
        // Another sender may leave all of it out.
        let payload = Payload { other: Default::default(), ..disabled().payload(&"s-1".parse().unwrap()) };
        let bare = Event::try_from(&payload).unwrap();
        let shown = event(&About { event: &bare, site: None, context: &Context::default() });
        assert_eq!(
            (shown.headline().as_str(), shown.severity),
            ("Webhook disabled: refreshes", Severity::Error)
        );
        assert_eq!((shown.status, shown.next_step.as_deref()), (Vec::new(), Some(LIST)));
    }

    #[test]
    fn an_event_that_this_version_does_not_know_stays_on_one_line() {
        let odd = DisabledWebhook { event: EventName::from("Flow\nRun"), ..disabled() };
        assert_eq!(shown(&odd).title, "Webhook disabled, no Flow Run events arrive");
    }

    #[test]
    fn many_webhooks_are_one_message() {
        let members: Vec<_> = (0..18)
            .map(|n| (n.to_string(), Member::new(&n.to_string(), "x", None, at("2025-01-15T17:15:00Z"))))
            .collect();
        let shown = group_announced(&event_of(&disabled()), &members, true, None);
        assert_eq!(shown.headline(), "18 webhooks disabled, their events do not arrive");
        assert_eq!((shown.severity, shown.next_step.as_deref()), (Severity::Error, Some(LIST)));
        let shown = group_announced(&event_of(&enabled_again()), &members, true, None);
        assert_eq!(shown.headline(), "18 webhooks enabled again, their events were missing");
        assert_eq!((shown.severity, shown.symbol), (Severity::Notice, "🔔"));
        let step = shown.next_step.unwrap();
        assert_eq!(step, "Look in Tableau for what happened while they were disabled.");
    }
}
