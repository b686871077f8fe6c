//! A key, as it is stored.

use crate::permissions::Permissions;
use crate::secret::Hash;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use workflow::BoxError;

/// A key, as it is stored. The secret is not part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// The key's id, which logs and records may show.
    pub id: String,
    pub(crate) hash: Hash,
    /// Whose it is: the name of a pipeline, a team or a person.
    pub caller: String,
    /// What it may do.
    pub permissions: Permissions,
    /// How many requests a minute it may make.
    pub per_minute: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked.
    #[serde(default)]
    pub revoked_at: Option<Timestamp>,
}

impl Key {
    /// The secret with which what is sent to this caller is signed, as Standard Webhooks writes it.
    ///
    /// # Errors
    /// Never in practice: a hash of 32 bytes is a valid key.
    pub fn signing_secret(&self) -> Result<SecretString, BoxError> {
        self.hash.signing_secret()
    }
}
