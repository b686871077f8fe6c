//! `events`: what became of events at a stack.

mod dead_letters;
mod interrupt;
mod letter;
mod replay;
mod table;

pub(crate) use replay::replay;
