//! What Tableau says about an event, kept for the other workflows that announce it.

use crate::context::Context;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::records::{Change, Key, Records, Write};
use tableau::Event;
use workflow::{BoxError, chain};

/// How long an answer counts. Owners change rarely, and a retried event is worth no second question.
const KEPT: SignedDuration = SignedDuration::from_hours(1);

/// An answer, and when it was given.
#[derive(Serialize, Deserialize)]
struct Answer {
    at: Timestamp,
    context: Context,
}

/// Answers about events, shared by all workflows.
pub(super) struct ContextCache {
    records: Arc<dyn Records>,
}

impl ContextCache {
    pub(super) fn new(records: Arc<dyn Records>) -> Self {
        Self { records }
    }

    /// The answer about an event, if another workflow has asked within the hour. Without the cache Tableau is asked, so no
    /// failure of it matters.
    pub(super) async fn get(&self, event: &Event, now: Timestamp) -> Option<Context> {
        let loaded = self.records.load(&[key(event)]).await;
        let loaded = loaded.inspect_err(|error| report(event, error)).ok()?;
        let record = loaded.into_iter().next().flatten()?;
        let answer: Answer = serde_json::from_str(&record.text).ok()?;
        (now.duration_since(answer.at).abs() < KEPT).then_some(answer.context)
    }

    pub(super) async fn put(&self, event: &Event, context: &Context, now: Timestamp) {
        let answer = Answer { at: now, context: context.clone() };
        let Ok(text) = serde_json::to_string(&answer) else { return };
        let expires_at = now.checked_add(KEPT).unwrap_or(now);
        let write = Write { text, expires_at, due: None, is_active: false };
        let change = Change { key: key(event), expected: None, write: Some(write) };
        if let Err(error) = self.records.commit(&[change]).await {
            report(event, &error);
        }
    }
}

fn key(event: &Event) -> Key {
    Key::single(format!("content#{}", event.id))
}

fn report(event: &Event, error: &BoxError) {
    let reason = chain(error.as_ref());
    tracing::warn!(event.id = %event.id, reason, "the table does not share what Tableau says about the event");
}
