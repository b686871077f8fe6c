//! What came of a fault run, event by event.

use crate::events::Occurrence;
use crate::figures::Figures;
use crate::run::World;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tableau::EventId;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    messages: usize,
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
        .filter(|item| item["state"]["S"] == "done")
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
    for event in events {
        let (done, given_up) = ended("notify-slack", "NotifySlackDeadLetters", &event.id);
        judged.messages(world, &event.id, done, given_up);
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
    for stranger in world.ledger.acted().iter().filter(|event| !ours.contains(event.as_str())) {
        judged.wrong.push(format!("{stranger}: a message about no event of ours"));
    }
    for (what, there) in [
        ("messages that Slack would refuse", world.slack.refusals().len()),
        ("processes that fell over", usize::try_from(world.ledger.counted("fallen over")).unwrap()),
        ("messages nobody counted", world.slack.messages().len().abs_diff(judged.messages)),
    ] {
        if there > 0 {
            judged.wrong.push(format!("{there} {what}"));
        }
    }
    judged
}

impl Judged {
    fn messages(&mut self, world: &World, id: &EventId, done: bool, given_up: bool) {
        let acts = world.ledger.story(id.short()).acts.len();
        self.messages += acts;
        self.lost(id, done || given_up);
        self.missing(id, acts > 0 || given_up);
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
