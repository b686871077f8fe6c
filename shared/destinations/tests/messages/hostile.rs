//! Hostile names in every field of every kind of message, sent to a Slack simulator that checks Block Kit's limits.

use crate::samples::{all, event_named, members};
use crate::snapshots::readable;
use alerting::notification::{Cause, Kind, Notification, Place, Value, group_announced};
use alerting::notifier::{Delivery, Notifier};
use circuit::Circuits;
use destinations::slack::{Slack, SlackCredential, SlackNotifier, render};
use jiff::Timestamp;
use plain_text::is_invisible;
use rules::settings::NotifySlack;
use simulator::SlackSimulator;
use std::sync::Arc;
use std::time::Duration;
use workflow::{Fixed, Invocation};

/// Slack's limit for the text of all blocks together.
const ALL_LIMIT: usize = 13_200;

/// Names that a Tableau user may choose, and how each begins in the message, where it must appear.
pub(crate) fn names() -> Vec<(String, Option<&'static str>)> {
    let many = |text: &str| text.repeat(10_000 / text.chars().count());
    vec![
        ("<!channel> <@U0123456789> <!subteam^S1|x>".to_owned(), Some("&lt;!channel&gt;")),
        (many("<!here> "), Some("&lt;!here&gt;")),
        ("<https://evil.example|Open in Tableau>".to_owned(), Some("&lt;https://evil.example|")),
        (many("a"), Some("aaaaaaaa")),
        (many("&"), Some("&amp;&amp;")),
        (many("*"), Some("\u{200b}*\u{200b}")),
        (many("`x` "), None),
        (many(":warning: "), Some(":\u{200b}warning:")),
        (many("Größe データ 👩‍👩‍👧 "), Some("Größe データ")),
        ("\u{3164}\u{200b}\u{2060}".to_owned(), Some("(no name)")),
        (many("\u{200b}"), Some("(no name)")),
        (String::new(), Some("(no name)")),
        ("\u{202e}selaS\u{202c} \u{2067}a\u{2069}".to_owned(), Some("selaS a")),
        ("Sales\n*Owner*\r\n\u{2028}x\u{0}\u{1b}[31m".to_owned(), Some("Sales ")),
    ]
}

/// A notification with this text in every field that can contain foreign text.
pub(crate) fn with(name: &str, mut shown: Notification) -> Notification {
    let text = || name.to_owned();
    shown.subject = shown.subject.map(|_| text());
    shown.cause = shown.cause.map(|cause| match cause {
        Cause::Known { .. } => Cause::Known { title: text(), line: text() },
        Cause::Unknown { .. } => Cause::Unknown { why: text() },
    });
    for fact in &mut shown.facts {
        fact.value = match &fact.value {
            Value::Text(_) => Value::Text(text()),
            Value::Person { .. } => Value::Person { name: text(), email: Some(text()) },
            Value::Time(at) => Value::Time(*at),
        };
    }
    for list in &mut shown.lists {
        for item in &mut list.items {
            item.name = text();
            item.place = Place { project: Some(text()), owner: Some(text()) };
            item.what = item.what.as_ref().map(|_| text());
            item.cause = item.cause.as_ref().map(|_| text());
        }
    }
    for workbook in shown.impact.iter_mut().flat_map(|impact| &mut impact.workbooks) {
        *workbook = text();
    }
    // Its title and what happens next are texts of the event.
    if shown.event.as_ref().is_some_and(|event| event.webhook.is_some()) {
        shown.title = format!("Webhook disabled, no {name} events arrive");
        shown.next_step = shown.next_step.map(|step| format!("{name} {step}"));
    }
    shown.links.iter_mut().for_each(|link| link.url = format!("https://tableau.example/{name}"));
    shown.footnotes.push(text());
    shown
}

/// Every kind of notification, with many entries in each list.
pub(crate) fn notifications() -> Vec<Notification> {
    // Events differ only in their titles; a few events are enough.
    let mut notifications: Vec<Notification> =
        all().into_iter().flat_map(|(_, shown)| shown.into_iter().take(4)).collect();
    let mut digest = notifications.iter().find(|shown| shown.kind == Kind::Digest).unwrap().clone();
    for list in &mut digest.lists {
        list.items = list.items.iter().cycle().take(500).cloned().collect();
    }
    let mut many_facts = notifications.iter().find(|shown| shown.kind == Kind::Updated).unwrap().clone();
    many_facts.facts = many_facts.facts.iter().cycle().take(12).cloned().collect();
    let mut many_causes = notifications.iter().find(|shown| shown.kind == Kind::GroupOpened).unwrap().clone();
    many_causes.lists = many_causes.lists.iter().cycle().take(40).cloned().collect();
    for list in &mut many_causes.lists {
        list.heading = Some("&".repeat(10_000));
        list.items.truncate(10);
    }
    notifications.extend([digest, many_facts, many_causes]);
    notifications
}

pub(crate) async fn notifier(slack: &SlackSimulator) -> SlackNotifier {
    let credential = Arc::new(Fixed::new(SlackCredential::bot_token(slack.token())));
    let http = http_client::client(None).unwrap();
    let client = Slack::new(http, slack.api_url().parse().unwrap(), credential);
    SlackNotifier::new(client, Circuits::new(store::documents(None), "notify-test", "Slack"))
}

#[tokio::test]
async fn no_name_makes_slack_refuse_a_message_or_mention_anyone() {
    let slack = SlackSimulator::start().await.unwrap();
    let notifier = notifier(&slack).await;
    let target = NotifySlack { channel: "data-alerts".to_owned(), ..NotifySlack::default() };
    let invocation = Invocation::new("r", Timestamp::UNIX_EPOCH, Duration::from_secs(60));
    let notifications = notifications();
    for (name, beginning) in names() {
        for shown in &notifications {
            let shown = with(&name, shown.clone());
            notifier.deliver(&target, Delivery::Post, &shown, &invocation).await.unwrap();
            let message = render(&shown);
            let text = readable(&message);
            let kind = shown.kind;
            let is_ours = |c: char| c == '\u{200b}' || c == '\u{200d}' || c == '\u{fe0f}';
            assert!(!text.contains(|c| is_invisible(c) && !is_ours(c)), "{kind:?} {text}");
            let lines = text.lines().filter(|line| line.starts_with('*') && line.contains("Owner"));
            assert!(lines.count() <= 3, "a name adds no line: {kind:?} {text}");
            if let Some(beginning) = beginning
                && shown.subject.is_some()
            {
                assert!(message.text().contains(beginning), "{kind:?} {name:?}: {}", message.text());
            }
            // The link is ours, or there is none.
            let markup = text.lines().filter(|line| !line.starts_with("[header] "));
            let links: usize = markup.map(|line| line.matches("<http").count()).sum();
            assert!(links <= shown.links.len(), "{kind:?} {text}");
            let markup = text.lines().filter(|line| !line.starts_with("[header] "));
            let spans: usize = markup.map(|line| line.replace("\u{200b}`", "").matches('`').count()).sum();
            assert!(spans.is_multiple_of(2), "a code span stays open: {kind:?} {text}");
            // However long a cause is, the message says what to do.
            if shown.next_step.is_some() {
                assert!(text.contains("*Next step* – "), "{kind:?} {text}");
            }
        }
    }
    assert_eq!(slack.refusals(), []);
    let messages = slack.messages();
    assert_eq!(messages.len(), names().len() * notifications.len());
    assert_eq!(slack.calls(), messages.len(), "none came as plain text");
    for mut message in messages {
        assert!(!message.blocks.is_empty());
        let header = message.blocks.remove(0);
        assert_eq!(header["text"]["type"], "plain_text", "markup has no meaning in it");
        assert_eq!(message.mentions(), Vec::<String>::new(), "{}", message.text);
        message.blocks.push(header);
        let length: usize = message.blocks.iter().map(text_length).sum();
        assert!(length <= ALL_LIMIT, "{length}");
    }
}

fn text_length(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Object(map) => map
            .iter()
            .map(|(key, value)| match value.as_str() {
                Some(text) if key == "text" => text.chars().count(),
                _ => text_length(value),
            })
            .sum(),
        serde_json::Value::Array(items) => items.iter().map(text_length).sum(),
        _ => 0,
    }
}

/// How many objects a message names or counts in its lists: names stand between dots or on lines of their own.
fn accounted(text: &str) -> usize {
    let counted = |words: &str| {
        let rest = words.split("… and ").nth(1).and_then(|rest| rest.split(' ').next());
        rest.map_or(0, |count| count.parse::<usize>().unwrap())
    };
    let others = |line: &str| {
        let count = line.split(" more have other causes").next().filter(|count| *count != line);
        count.map_or(0, |count| count.rsplit(' ').next().unwrap().parse::<usize>().unwrap())
    };
    let mut sum = 0;
    for line in text.lines() {
        match line.strip_prefix("[section] ").filter(|line| !line.starts_with("*")) {
            Some(names) => {
                let named = names.split(" … and ").next().unwrap();
                let named = if named.starts_with("… and ") { "" } else { named };
                sum += named.split(" · ").filter(|name| !name.is_empty()).count() + counted(names);
            }
            None => sum += others(line),
        }
    }
    sum
}

#[test]
fn a_group_accounts_for_every_member_however_long_names_are_and_however_many_causes_there_are() {
    let sample = event_named("DatasourceRefreshFailed");
    let causes: Vec<&'static str> =
        vec!["C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10", "C11", "C12"];
    for (name, _) in names() {
        // A dot in a name would look like a separator.
        let name = name.replace(['·', '*'], "x");
        for (count, kinds) in [(3, 1), (500, 1), (500, 3), (500, 8), (500, 12), (2_000, 5)] {
            let members = members(count, |n| Some(causes[n % kinds]), |_| false);
            let mut shown = group_announced(&sample, &members, true, None);
            let names = shown.lists.iter_mut().flat_map(|list| &mut list.items);
            names.for_each(|item| item.name.clone_from(&name));
            let message = render(&shown);
            let text = readable(&message);
            assert_eq!(accounted(&text), count, "{kinds} causes: {text}");
            assert!(message.blocks().len() <= 50);
        }
    }
}

#[test]
fn what_does_not_fit_into_a_digest_is_counted_exactly() {
    let (_, mut digests) = all().into_iter().find(|(name, _)| *name == "digest").unwrap();
    let mut shown = digests.remove(0);
    let mut line = shown.lists[1].items[0].clone();
    line.times = 3;
    shown.lists[1].items = vec![line; 400];
    let text = readable(&render(&shown));
    let named = text.lines().filter(|line| line.contains("3 times, ")).count();
    assert!(named > 20 && named < 400, "{named}");
    let rest = text.lines().find_map(|line| line.strip_prefix("… and ")).unwrap();
    assert_eq!(rest, format!("{} more", (400 - named) * 3), "each line is about three events");
}
