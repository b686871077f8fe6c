//! Dead letters, which are the messages that workflows gave up: listed, replayed or deleted.

mod batch;
mod dead_letter;
mod delete;
mod facts;
mod interrupt;
mod lines;
mod list;
mod progress;
mod queue;
mod records;
mod replay;
mod scan;
mod selector;
mod subject;
mod timers;

pub(super) use dead_letter::{DeadLetter, Timer};
pub(super) use delete::drop;
pub(super) use list::list;
pub(super) use queue::count;
pub(super) use replay::replay;
pub(super) use timers::timers;
