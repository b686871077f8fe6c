//! The real binary: events in, PDF files in SharePoint.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod events;
mod export;
mod graph;
mod memory;
mod places;
mod s3;
mod support;
mod twice;
mod users;
