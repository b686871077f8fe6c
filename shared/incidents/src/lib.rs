#![doc = include_str!("../README.md")]

mod burst;
mod digest;
mod incident;
mod telling;

pub use burst::{Board, Burst, Member, Place, Recovery};
pub use digest::{Digest, Entry, Turn};
pub use incident::{Change, Closed, How, Incident, Observation, Streak, Told};
pub use telling::{Holder, Lease, Message, Next};
