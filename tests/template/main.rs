//! What the blocks of `template.yaml` have in common, and whether they match `functions/` and `rules.yaml`.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod alarms;
mod blocks;
mod dashboard;
mod environment;
mod events;
mod ingresses;
mod network;
mod policies;
mod queues;
mod reading;
mod rules;
mod scan;
mod stores;
mod switches;
mod timers;
