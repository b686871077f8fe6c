//! Webhooks that Tableau disabled, one and many.

use crate::environment::{By, Environment, at};
use jiff::{SignedDuration, Timestamp};
use tableau::{DisabledWebhook, Event, EventName};
use workflow::Outcome;

const RULES: &str = "
rules:
  - name: webhooks
    on: [WebhookDisabled]
    do: [{ notify-slack: { channel: data-alerts } }]
";

/// The event of a webhook for events with this name that was found disabled, or was enabled again, at this time.
fn event(environment: &Environment, name: &EventName, found: Timestamp, is_enabled: bool) -> Event {
    let webhook = DisabledWebhook {
        webhook: format!("webhook-{name}").parse().unwrap(),
        name: format!("stack {name}"),
        event: name.clone(),
        owner: None,
        reason: String::new(),
        last_enabled: Some(found - SignedDuration::from_mins(15)),
        found,
        enabled_again: is_enabled.then_some(found),
        note: String::new(),
    };
    Event::try_from(&webhook.payload(&environment.tableau.site())).unwrap()
}

/// An event a second for so many webhooks.
fn events(environment: &Environment, count: i64, is_enabled: bool) -> Vec<(Timestamp, Event)> {
    let of = |(second, name): (i64, &EventName)| {
        let found = at(0) + SignedDuration::from_secs(second);
        (found, event(environment, name, found, is_enabled))
    };
    (0..count).zip(&EventName::KNOWN).map(of).collect()
}

#[tokio::test]
async fn eighteen_disabled_webhooks_are_two_messages_and_nothing_is_asked_about_them() {
    for by in By::ALL {
        let environment = Environment::start(by, RULES).await;
        environment.run(events(&environment, 18, false)).await;
        let said = environment.new_messages();
        assert_eq!(said.len(), 2, "{by:?}: {said:#?}");
        assert!(
            said[0].contains("Webhook disabled, no AdminDemoted events arrive: stack AdminDemoted"),
            "{}",
            said[0]
        );
        assert!(said[0].contains("since some time between"), "{}", said[0]);
        let many = environment.said().last().unwrap().text.clone();
        assert!(many.contains("17 webhooks disabled") && many.contains("stack WorkbookDeleted"), "{many}");
        assert_eq!(environment.tableau.calls("*"), 0, "{by:?}");
    }
}

#[tokio::test]
async fn those_that_are_enabled_again_are_other_news_than_those_that_are_not() {
    for by in By::ALL {
        let environment = Environment::start(by, RULES).await;
        let mut all = events(&environment, 5, false);
        all.extend(events(&environment, 12, true).into_iter().skip(5));
        environment.run(all).await;
        let said = environment.new_messages();
        assert_eq!(said.len(), 4, "{by:?}: {said:#?}");
        for part in ["4 webhooks disabled", "6 webhooks enabled again"] {
            assert_eq!(said.iter().filter(|text| text.contains(part)).count(), 1, "{by:?}: {said:#?}");
        }
    }
}

/// Too few for a group: each message has what the event says, although it is made of what was stored.
#[tokio::test]
async fn two_webhooks_are_two_messages_with_all_that_is_known() {
    for by in By::ALL {
        let environment = Environment::start(by, RULES).await;
        environment.run(events(&environment, 2, true)).await;
        let said = environment.new_messages();
        assert_eq!(said.len(), 2, "{by:?}: {said:#?}");
        for (text, name) in said.iter().zip(["AdminDemoted", "AdminPromoted"]) {
            let title = format!("Webhook enabled again, {name} events were missing: stack {name}");
            assert!(text.contains(&title) && text.contains("for up to 15 min"), "{by:?}: {text}");
        }
    }
}

#[tokio::test]
async fn a_digest_says_what_was_disabled_and_enabled_again_at_night() {
    let rules = RULES.replace("    on:", "    quiet: { from: 15:00, to: 23:00 }\n    on:");
    for by in By::ALL {
        let environment = Environment::start(by, &rules).await;
        let name = EventName::WorkbookRefreshFailed;
        for (minute, is_enabled) in [(0, false), (90, true)] {
            let event = event(&environment, &name, at(minute), is_enabled);
            let outcome = environment.attempt(&event, at(minute)).await.unwrap();
            assert!(matches!(&outcome, Outcome::Skipped(why) if why.contains("digest")), "{outcome:?}");
        }
        environment.wait_until(at(421)).await;
        let said = environment.new_messages();
        assert_eq!(said.len(), 1, "{by:?}: {said:#?}");
        for part in ["2 events in quiet hours", "Webhook disabled, no Work", "Webhook enabled again, Work"] {
            assert!(said[0].contains(part), "{by:?}: no {part} in\n{}", said[0]);
        }
    }
}

/// A webhook is in no project, has no owner and no tags, as a site. A condition on its name holds.
#[tokio::test]
async fn conditions_on_content_do_not_hold_and_ask_nothing() {
    let conditions = [
        ("project: Finance", false),
        ("owner: ana", false),
        ("owner_group: Analysts", false),
        ("tags: { any: [critical] }", false),
        ("certified: true", false),
        ("tags: { none: [critical] }", true),
        ("certified: false", true),
        ("name: \"stack Workbook*\"", true),
        ("name: Sales", false),
    ];
    for (condition, holds) in conditions {
        let on = "on: [WebhookDisabled, WorkbookUpdated, DatasourceUpdated]";
        let rules = RULES.replace("on: [WebhookDisabled]", &format!("{on}\n    where: {{ {condition} }}"));
        let environment = Environment::start(By::RecorderOfPosts, &rules).await;
        let event = event(&environment, &EventName::WorkbookUpdated, at(0), false);
        let outcome = environment.attempt(&event, at(0)).await.unwrap();
        assert_eq!(outcome == Outcome::Done, holds, "{condition}: {outcome:?}");
        assert_eq!(environment.tableau.calls("*"), 0, "{condition}");
    }
}
