//! The delivery records: what became of every event at every workflow.

mod attempts;
mod filter;
mod list;
mod record;
mod shared;
mod show;
mod store;
mod text;

pub(super) use list::list;
pub(super) use record::Outcome;
pub(super) use show::show;
pub(super) use store::Records;
