#![doc = include_str!("../README.md")]

mod key;
mod keys;
mod permissions;
mod rate;
mod secret;

pub use key::Key;
pub use keys::{Keys, NewKey};
pub use permissions::Permissions;
pub use rate::{LARGEST_RATE, Turn};
pub use secret::{KEY_START, bearer};
