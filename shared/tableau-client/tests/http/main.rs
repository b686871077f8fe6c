//! The client over HTTP, against recorded or documented answers of Tableau.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod answers;
mod changes;
mod deleting;
mod dependents;
mod expected;
mod exports;
mod flows;
mod foreign;
mod jobs;
mod lists;
mod metadata;
mod moving;
mod oddities;
mod own_session;
mod quality_warnings;
mod repeating;
mod server;
mod shapes;
mod signing_in;
mod sites;
mod waiting;
mod webhooks;
mod words;
