#![doc = include_str!("../README.md")]

mod clean;
mod parse;
mod problem;
mod secret;
mod store;
mod webhook_tokens;

pub use parse::{Malformed, parse};
pub use secret::{FRESH, LIFETIME, Secret};
pub use store::{MemorySecrets, ReadError, SecretStore, SecretsFile, SecretsManager};
pub use webhook_tokens::{SHORTEST as SHORTEST_WEBHOOK_TOKEN, WebhookTokens};
