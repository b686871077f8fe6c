//! The result of a fault run, event by event.

use crate::events::Occurrence;
use crate::figures::Figures;
use crate::groups::{digest, group, is_about_one};
use crate::history::History;
use crate::run::Environment;
use serde_json::Value;
use simulator::{SlackCall, SlackMessage, render};
use std::collections::{BTreeMap, BTreeSet};
use tableau::EventId;

/// The result of a fault run.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    messages: usize,
    alone: usize,
    grouped: usize,
    /// Events that more than one message announced, including messages whose answer was lost.
    more_than_once: usize,
    groups: usize,
    doubled: usize,
    reasons: BTreeMap<&'static str, usize>,
    missing: usize,
    lost: usize,
    letters: usize,
    broadcasts: usize,
    overwritten_again: usize,
    /// Violations: results that must not happen.
    pub(crate) wrong: Vec<String>,
}

/// Reads the table, the dead letters, Slack and Tableau, and checks them.
pub(crate) async fn judge(environment: &Environment, events: &[Occurrence]) -> Findings {
    let mut judged = Findings::default();
    let items = environment.stack.emulator.items(environment.stack.table()).await;
    let done: BTreeSet<&str> = items
        .iter()
        .filter(|item| matches!(item["state"]["S"].as_str(), Some("done" | "skipped")))
        .filter_map(|item| item["pk"]["S"].as_str())
        .collect();
    let mut given_up = BTreeSet::new();
    for queue in environment.stack.plan.queues.iter().filter_map(|queue| queue.dead_letters.as_ref()) {
        for (id, letter) in environment.stack.emulator.drain(&queue.queue).await {
            judged.dead_letter(&id, &letter);
            given_up.insert((queue.queue.clone(), id.to_string()));
        }
    }
    let ended = |workflow: &str, letters: &str, id: &EventId| {
        let key = format!("delivery#{workflow}#{id}");
        (done.contains(key.as_str()), given_up.contains(&(letters.to_owned(), id.to_string())))
    };
    let said = environment.slack.messages();
    judged.messages = said.iter().filter(|message| message.call != SlackCall::Update).count();
    judged.unknown(&environment.history, &said);
    let announced = judged.announced_with_others(&items, &said);
    let nowhere = BTreeSet::new();
    for event in events {
        let (done, given_up) = ended("notify-slack", "NotifySlackDeadLetters", &event.id);
        let with_others = announced.get(event.id.short()).unwrap_or(&nowhere);
        judged.event(&environment.history, &event.id, done, given_up, with_others);
        if let Some(view) = &event.broadcast {
            let (done, given_up) = ended("update-broadcast", "UpdateBroadcastDeadLetters", &event.id);
            let records = environment.tableau.broadcasts();
            let mut of_view = records.iter().filter(|record| record.view == *view);
            let (Some(record), None) = (of_view.next(), of_view.next()) else {
                judged.wrong.push(format!("{}: not one Broadcast of its view", event.id));
                continue;
            };
            let follows = record.show_tabs && record.allow_downloads && !record.show_watermark;
            judged.broadcasts += usize::from(follows);
            // The message was sent once before.
            judged.overwritten_again += usize::try_from(record.times).unwrap().saturating_sub(2);
            judged.lost(&event.id, done || given_up);
            judged.missing(&event.id, follows || given_up);
        }
    }
    let ours: BTreeSet<&str> = events.iter().map(|event| event.id.short()).collect();
    judged.wrong.extend(environment.beyond_roles());
    // Slack's message ids contain a point.
    let acted = environment.history.acted();
    let events = acted.iter().filter(|key| !key.contains('.'));
    for stranger in events.filter(|event| !ours.contains(event.as_str())) {
        judged.wrong.push(format!("{stranger}: a message about no event of ours"));
    }
    for (what, there) in [
        ("messages that Slack would refuse", environment.slack.refusals().len()),
        ("processes that fell over", usize::try_from(environment.history.counted("fallen over")).unwrap()),
    ] {
        if there > 0 {
            judged.wrong.push(format!("{there} {what}"));
        }
    }
    judged
}

impl Findings {
    /// The groups and digests that announced each event, by short event id.
    fn announced_with_others(
        &mut self,
        items: &[Value],
        said: &[SlackMessage],
    ) -> BTreeMap<String, BTreeSet<String>> {
        let mut partitions: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for item in items {
            partitions.entry(item["pk"]["S"].as_str().unwrap_or_default()).or_default().push(item);
        }
        let mut announced: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (partition, items) in partitions {
            let events = match partition.split('#').next() {
                Some("group") => group(&items, said),
                Some("digest") => Ok(digest(&items)),
                _ => continue,
            };
            match events {
                Ok(events) => {
                    self.groups += usize::from(!events.is_empty());
                    for event in events {
                        announced.entry(event).or_default().insert(partition.to_owned());
                    }
                }
                Err(why) => self.wrong.push(format!("{partition}: {why}")),
            }
        }
        announced
    }

    /// A message about several events that no document knows is a duplicate, and needs a reason.
    fn unknown(&mut self, history: &History, said: &[SlackMessage]) {
        let posts = said.iter().filter(|message| message.call != SlackCall::Update);
        for message in posts.filter(|message| !is_about_one(message) && !history.is_known(&message.ts)) {
            self.doubled += 1;
            match history.reason_of(&message.ts, &message.ts) {
                Some(reason) => *self.reasons.entry(reason).or_default() += 1,
                None => self.wrong.push(format!("once more for no reason:\n{}", render(message))),
            }
        }
    }

    /// Checks one event. `with_others` has the groups and digests that announced the event.
    fn event(
        &mut self,
        history: &History,
        id: &EventId,
        done: bool,
        given_up: bool,
        with_others: &BTreeSet<String>,
    ) {
        let events_history = history.of_event(id.short());
        let times = events_history.times_announced(with_others);
        self.alone += usize::from(!events_history.acts.is_empty());
        self.grouped += usize::from(!with_others.is_empty());
        self.more_than_once += usize::from(times > 1);
        self.lost(id, done || given_up);
        self.missing(id, times > 0 || given_up);
        self.doubled += times.saturating_sub(1);
        match history.reasons(id.short(), with_others) {
            Ok(reasons) => reasons.iter().for_each(|reason| *self.reasons.entry(reason).or_default() += 1),
            Err(wrong) => self.wrong.push(wrong),
        }
    }

    fn lost(&mut self, id: &EventId, there: bool) {
        if !there {
            self.lost += 1;
            self.wrong.push(format!("{id}: lost"));
        }
    }

    fn missing(&mut self, id: &EventId, there: bool) {
        if !there {
            self.missing += 1;
            self.wrong.push(format!("{id}: its effect is missing"));
        }
    }

    /// No dead letter is expected: no fault is permanent, and no event fails as often as the template allows.
    fn dead_letter(&mut self, id: &EventId, letter: &Value) {
        self.letters += 1;
        let reason = &letter["MessageAttributes"]["reason"]["StringValue"];
        self.wrong.push(format!("{id}: a dead letter: {reason}"));
    }

    /// All figures.
    pub(crate) fn add_to(&self, figures: &mut Figures, environment: &Environment) {
        let counted = |name| environment.history.counted(name);
        figures.row("times a function was given work", counted("batches"));
        for (row, name) in [
            ("kills at random moments", "kills at random"),
            ("kills between act and word", "kills at the word"),
            ("kills before the write of a group", "kills before the write"),
            ("kills between write and timer", "kills between write and timer"),
            ("kills between timer and delete", "kills between timer and delete"),
            ("invocations that died of them", "invocations killed"),
        ] {
            figures.row(row, counted(name));
        }
        figures.row("… after their act", environment.history.killed_after_act());
        for (row, name) in [
            ("destination: 429", "429"),
            ("destination: 500", "500"),
            ("destination: no answer in time", "timeouts"),
            ("destination: connection reset", "resets"),
            ("destination: message taken, answer lost", "destination's answers lost"),
            ("Tableau: all sessions ended", "sessions ended"),
            ("table: calls throttled", "throttled"),
            ("queue, bus: 503", "unavailable"),
            ("AWS: requests lost", "requests lost"),
            ("AWS: answers lost", "answers lost"),
            ("AWS: late by up to 2.6 s", "late"),
            ("queue: deletes lost", "deletes lost"),
            ("ingresses: 503, sent again", "not accepted"),
            ("ingresses: killed, sent again", "ingresses killed"),
        ] {
            figures.row(row, counted(name));
        }
        figures.row("messages delivered", self.messages);
        figures.row("events announced alone", self.alone);
        figures.row("events announced in a group", self.grouped);
        figures.row("events announced more than once", self.more_than_once);
        figures.row("groups and digests", self.groups);
        figures.row("doubled", self.doubled);
        for (reason, times) in &self.reasons {
            figures.row(format!("… {reason}"), times);
        }
        figures.row("… for no reason", self.doubled - self.reasons.values().sum::<usize>());
        figures.row("Broadcasts as their event left them", self.broadcasts);
        figures.row("… overwritten once more than needed", self.overwritten_again);
        figures.row("dead letters", self.letters);
        figures.row("effects missing", self.missing);
        figures.row("events lost", self.lost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::announcements::{Ended, Invocation, Says};
    use serde_json::json;
    use tableau::Payload;

    const FIRST: Invocation = (1, 1);
    const NEXT: Invocation = (2, 1);

    fn id() -> EventId {
        EventId::of(&Payload::parse(br#"{"event_type":"WorkbookCreated"}"#).unwrap())
    }

    fn item(partition: &str, sort: &str, document: &Value) -> Value {
        json!({ "pk": { "S": partition }, "sk": { "S": sort }, "document": { "S": document.to_string() } })
    }

    /// A group in the table with a message that names its only member.
    fn group_of(name: &str) -> (String, [Value; 2]) {
        let partition = format!("group#notify-slack#data-news#{name}");
        let head = json!({ "pending": null, "message": { "id": name } });
        let member = json!({ "placement": "grouped", "name": "Sales" });
        let items =
            [item(&partition, "head", &head), item(&partition, &format!("member#{}", id().short()), &member)];
        (partition, items)
    }

    /// A sent digest with an entry about the event, an entry about the end of a group, and an entry that is not sent
    /// yet.
    fn digest_of() -> (String, [Value; 4]) {
        let partition = "digest#notify-slack#data-news#1767225600".to_owned();
        let entry = |object: &str, generation| json!({ "object": object, "generation": generation });
        let items = [
            item(&partition, "head", &json!({ "done_generation": 1 })),
            item(&partition, &format!("entry#{}", id().short()), &entry("l-1", 1)),
            item(&partition, "entry#0a0a0a0a0a0a", &entry("", 1)),
            item(&partition, "entry#0b0b0b0b0b0b", &entry("l-2", 2)),
        ];
        (partition, items)
    }

    async fn said(names: &[&str]) -> Vec<SlackMessage> {
        let slack = simulator::SlackSimulator::start().await.unwrap();
        slack.add_channel("data-news", true);
        let http = http_client::client(None).unwrap();
        for _ in names {
            let text = json!({ "channel": "data-news", "text": "Sales" });
            let post = http.post(format!("{}/chat.postMessage", slack.api_url())).bearer_auth(slack.token());
            let post = post.header("content-type", "application/json").body(text.to_string());
            post.send().await.unwrap();
        }
        let mut said = slack.messages();
        assert_eq!(said.len(), names.len(), "{:?}", slack.refusals());
        for (message, name) in said.iter_mut().zip(names) {
            message.ts = (*name).to_owned();
        }
        said
    }

    fn judged(history: &History, with_others: &BTreeSet<String>) -> Findings {
        let mut judged = Findings::default();
        judged.event(history, &id(), true, false, with_others);
        judged
    }

    // An event that was announced alone and in a group counts as announced twice, not as a doubled message.
    #[tokio::test]
    async fn an_event_that_two_messages_announce_is_doubled_and_fails_the_run_without_a_reason() {
        let said = said(&["1.1", "1.2"]).await;
        let (group, of_group) = group_of("1.1");
        let (other, of_other) = group_of("1.2");
        let (digest, of_digest) = digest_of();
        let event = id();
        for (is_alone, items, partitions) in [
            (true, of_group.to_vec(), vec![&group]),
            (false, [of_group.to_vec(), of_digest.to_vec()].concat(), vec![&group, &digest]),
            (false, [of_group.to_vec(), of_other.to_vec()].concat(), vec![&group, &other]),
            (true, of_digest.to_vec(), vec![&digest]),
        ] {
            let announced = Findings::default().announced_with_others(&items, &said);
            let with_others = &announced[event.short()];
            assert!(with_others.iter().eq(partitions.iter().copied().collect::<BTreeSet<_>>()));
            assert_eq!(announced.len(), 1, "{announced:?}");

            let history = History::default();
            if is_alone {
                history.act(event.short(), FIRST, true);
            }
            for (partition, by) in partitions.iter().rev().zip([NEXT, FIRST]) {
                history.placed(event.short(), partition, by, true);
            }
            history.word(event.short(), Says::Done, NEXT, true);

            let without = judged(&history, with_others);
            assert_eq!((without.doubled, without.more_than_once), (1, 1));
            assert!(without.reasons.is_empty());
            assert!(without.wrong[0].contains("no reason"), "{:?}", without.wrong);

            for by in [FIRST, NEXT] {
                history.ended(by, Ended::Killed);
            }
            let with = judged(&history, with_others);
            assert_eq!((with.doubled, with.more_than_once), (1, 1));
            assert_eq!(with.reasons, BTreeMap::from([("worker killed", 1)]));
            assert_eq!(with.wrong, Vec::<String>::new());
        }
    }

    #[test]
    fn an_event_that_one_message_announces_is_not_doubled_and_one_that_none_announces_is_missing() {
        let history = History::default();
        let (group, _) = group_of("1.1");
        let none = judged(&history, &BTreeSet::new());
        assert_eq!((none.missing, none.doubled), (1, 0));
        history.placed(id().short(), &group, FIRST, true);
        let one = judged(&history, &BTreeSet::from([group]));
        assert_eq!((one.grouped, one.alone, one.doubled, one.missing), (1, 0, 0, 0));
        assert_eq!(one.wrong, Vec::<String>::new());
    }
}
