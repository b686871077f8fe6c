#![doc = include_str!("../README.md")]

mod secret;
mod store;

pub use secret::{LIFETIME, Secret};
pub use store::{MemorySecrets, ReadError, SecretStore, SecretsFile, SecretsManager};
