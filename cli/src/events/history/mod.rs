//! The delivery records: what became of every event at every workflow.

mod attempts;
mod filter;
mod list;
mod record;
mod shared;
mod show;
mod store;
mod text;

use jiff::SignedDuration;

/// How far back a list goes without `--since`. Among these events the first digits of an id are looked for first.
const USUAL: SignedDuration = SignedDuration::from_hours(24);

pub(super) use list::list;
pub(super) use record::Outcome;
pub(crate) use show::payload_of;
pub(super) use show::show;
pub(super) use store::Records;
