#![doc = include_str!("../README.md")]

mod circuit;
mod circuits;
mod error;

pub use circuit::{Ask, Change, Circuit, End, FAILURES, FIRST_OPEN, LEASE, LONGEST_OPEN, Ticket, WINDOW};
pub use circuits::{CallResult, Circuits};
pub use error::{CircuitOpen, Guarded};
