//! The real binary: events in, requests to receivers, buses and topics out.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod aws;
mod hooks;
mod incidents;
mod presets;
mod stopped;
mod support;
mod trial;
mod trouble;
