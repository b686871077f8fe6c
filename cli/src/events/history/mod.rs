//! The delivery records: what happened to every event in every workflow.

mod attempts;
mod causes;
mod filter;
mod list;
mod record;
mod shared;
mod show;
mod store;
mod text;

use jiff::SignedDuration;

/// How far back a list goes without `--since`. The first digits of an event id are looked for in this time first.
const USUAL: SignedDuration = SignedDuration::from_hours(24);

pub(super) use list::list;
pub(super) use record::Outcome;
pub(crate) use show::payload_of;
pub(super) use show::show;
pub(super) use store::Records;
