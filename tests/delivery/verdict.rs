//! What came of a fault run, event by event.

use crate::events::Occurrence;
use crate::figures::Figures;
use crate::run::World;
use serde_json::Value;
use simulator::{SlackCall, SlackMessage, render};
use std::collections::{BTreeMap, BTreeSet};
use tableau::EventId;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    messages: usize,
    alone: usize,
    grouped: usize,
    groups: usize,
    doubled: usize,
    reasons: BTreeMap<&'static str, usize>,
    missing: usize,
    lost: usize,
    letters: usize,
    broadcasts: usize,
    overwritten_again: usize,
    /// What must not be.
    pub(crate) wrong: Vec<String>,
}

/// Looks at table, dead letters, Slack and Tableau.
pub(crate) async fn judge(world: &World, events: &[Occurrence]) -> Judged {
    let mut judged = Judged::default();
    let items = world.stack.emulator.items(world.stack.table()).await;
    let done: BTreeSet<&str> = items
        .iter()
        .filter(|item| matches!(item["state"]["S"].as_str(), Some("done" | "skipped")))
        .filter_map(|item| item["pk"]["S"].as_str())
        .collect();
    let mut given_up = BTreeSet::new();
    for queue in world.stack.plan.queues.iter().filter_map(|queue| queue.dead_letters.as_ref()) {
        for (id, letter) in world.stack.emulator.drain(&queue.queue).await {
            judged.dead_letter(&id, &letter);
            given_up.insert((queue.queue.clone(), id.to_string()));
        }
    }
    let ended = |workflow: &str, letters: &str, id: &EventId| {
        let key = format!("delivery#{workflow}#{id}");
        (done.contains(key.as_str()), given_up.contains(&(letters.to_owned(), id.to_string())))
    };
    let groups = judged.groups(world, &items);
    for event in events {
        let (done, given_up) = ended("notify-slack", "NotifySlackDeadLetters", &event.id);
        let announced = groups.contains(event.id.short());
        judged.event(world, &event.id, done, given_up, announced);
        if let Some(view) = &event.broadcast {
            let (done, given_up) = ended("update-broadcast", "UpdateBroadcastDeadLetters", &event.id);
            let records = world.tableau.broadcasts();
            let mut of_view = records.iter().filter(|record| record.view == *view);
            let (Some(record), None) = (of_view.next(), of_view.next()) else {
                judged.wrong.push(format!("{}: not one Broadcast of its view", event.id));
                continue;
            };
            let follows = record.show_tabs && record.allow_downloads && !record.show_watermark;
            judged.broadcasts += usize::from(follows);
            // It was sent once before.
            judged.overwritten_again += usize::try_from(record.times).unwrap().saturating_sub(2);
            judged.lost(&event.id, done || given_up);
            judged.missing(&event.id, follows || given_up);
        }
    }
    let ours: BTreeSet<&str> = events.iter().map(|event| event.id.short()).collect();
    judged.wrong.extend(world.beyond_roles());
    // The ids of messages have a point.
    let acted = world.ledger.acted();
    let events = acted.iter().filter(|key| !key.contains('.'));
    for stranger in events.filter(|event| !ours.contains(event.as_str())) {
        judged.wrong.push(format!("{stranger}: a message about no event of ours"));
    }
    for (what, there) in [
        ("messages that Slack would refuse", world.slack.refusals().len()),
        ("processes that fell over", usize::try_from(world.ledger.counted("fallen over")).unwrap()),
    ] {
        if there > 0 {
            judged.wrong.push(format!("{there} {what}"));
        }
    }
    judged
}

impl Judged {
    /// Looks at the groups, and gives the events that one of them has announced.
    fn groups(&mut self, world: &World, items: &[Value]) -> BTreeSet<String> {
        let said = world.slack.messages();
        self.messages = said.iter().filter(|message| message.call != SlackCall::Update).count();
        let mut announced = BTreeSet::new();
        let in_group = |item: &&Value| item["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("group#"));
        let mut partitions: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for item in items.iter().filter(in_group) {
            partitions.entry(item["pk"]["S"].as_str().unwrap()).or_default().push(item);
        }
        for (partition, items) in partitions {
            match group(&items, &said) {
                Ok(members) => {
                    self.groups += usize::from(!members.is_empty());
                    announced.extend(members);
                }
                Err(why) => self.wrong.push(format!("{partition}: {why}")),
            }
        }
        // A message about many that no document knows was sent once more, and has to have a reason.
        let posts = said.iter().filter(|message| message.call != SlackCall::Update);
        for message in posts.filter(|message| !is_about_one(message)) {
            if world.ledger.is_known(&message.ts) {
                continue;
            }
            self.doubled += 1;
            match world.ledger.reason_of(&message.ts, &message.ts) {
                Some(reason) => *self.reasons.entry(reason).or_default() += 1,
                None => self.wrong.push(format!("once more for no reason:\n{}", render(message))),
            }
        }
        announced
    }

    fn event(&mut self, world: &World, id: &EventId, done: bool, given_up: bool, in_group: bool) {
        let acts = world.ledger.story(id.short()).acts.len();
        self.alone += usize::from(acts > 0);
        self.grouped += usize::from(in_group);
        self.lost(id, done || given_up);
        self.missing(id, acts > 0 || in_group || given_up);
        self.doubled += acts.saturating_sub(1);
        match world.ledger.reasons(id.short()) {
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

    /// None is expected: nothing here fails for good, and nothing as often as the template allows.
    fn dead_letter(&mut self, id: &EventId, letter: &Value) {
        self.letters += 1;
        let reason = &letter["MessageAttributes"]["reason"]["StringValue"];
        self.wrong.push(format!("{id}: a dead letter: {reason}"));
    }

    /// All figures.
    pub(crate) fn tell(&self, world: &World, figures: &mut Figures) {
        let counted = |name| world.ledger.counted(name);
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
        figures.row("… after their act", world.ledger.killed_after_act());
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
            ("doors: 503, sent again", "not accepted"),
            ("doors: killed, sent again", "doors killed"),
        ] {
            figures.row(row, counted(name));
        }
        figures.row("messages delivered", self.messages);
        figures.row("events announced alone", self.alone);
        figures.row("events announced in a group", self.grouped);
        figures.row("groups", self.groups);
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

/// Whether a message is about one event: its small print names it.
fn is_about_one(message: &SlackMessage) -> bool {
    message.blocks.iter().any(|block| block.to_string().contains("· event "))
}

/// The events that a group has announced.
///
/// # Errors
/// What is wrong with it: it was not announced, or its message does not account for all of them.
fn group(items: &[&Value], said: &[SlackMessage]) -> Result<BTreeSet<String>, String> {
    let document = |item: &Value| -> Value {
        serde_json::from_str(item["document"]["S"].as_str().unwrap_or_default()).unwrap_or_default()
    };
    let mut head = Value::Null;
    let mut members = BTreeMap::new();
    for item in items {
        match item["sk"]["S"].as_str().and_then(|sk| sk.strip_prefix("member#")) {
            Some(event) => {
                members.insert(event.to_owned(), document(item));
            }
            None => head = document(item),
        }
    }
    members.retain(|_, member| member["placement"] != "alone");
    if members.is_empty() {
        return Ok(BTreeSet::new());
    }
    if !head["pending"].is_null() {
        return Err(format!("a timer is pending that nothing will fire: {}", head["pending"]));
    }
    let id = head["message"]["id"].as_str().ok_or_else(|| format!("it was never announced: {head}"))?;
    let message = said.iter().rfind(|message| message.ts == id).ok_or("its message is not there")?;
    let text = render(message);
    let named = members.values().filter_map(|member| member["name"].as_str());
    let named = named.filter(|name| names(&text).contains(name)).count();
    let more = text.split("… and ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
    if named + more.unwrap_or_default() != members.len() {
        let count = members.len();
        return Err(format!("{named} of {count} members named, {more:?} more counted in\n{text}"));
    }
    Ok(members.into_keys().collect())
}

/// The names in a list.
fn names(text: &str) -> BTreeSet<&str> {
    let parts = text.lines().flat_map(|line| line.split(" · ")).flat_map(|part| part.split(" … and "));
    parts.map(str::trim).collect()
}
