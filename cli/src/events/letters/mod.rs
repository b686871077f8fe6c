//! Dead letters: what workflows have given up, listed, sent round again, dropped.

mod batch;
mod choice;
mod discard;
mod facts;
mod interrupt;
mod letter;
mod list;
mod progress;
mod queue;
mod records;
mod replay;
mod subject;
mod sweep;
mod timers;

pub(super) use discard::drop;
pub(super) use letter::{Letter, Timer};
pub(super) use list::list;
pub(super) use queue::count;
pub(super) use replay::replay;
pub(super) use timers::timers;
