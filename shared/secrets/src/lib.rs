#![doc = include_str!("../README.md")]

mod clean;
mod parse;
mod problem;
mod secret;
mod store;

pub use parse::{Malformed, parse};
pub use secret::{LIFETIME, Secret};
pub use store::{MemorySecrets, ReadError, SecretStore, SecretsFile, SecretsManager};
