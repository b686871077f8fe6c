//! Where secrets are stored: AWS Secrets Manager, a file, or memory.

use crate::clean::trimmed;
use async_trait::async_trait;
use aws_sdk_secretsmanager::error::SdkError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use secrecy::SecretString;
use serde_json::Value;
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use workflow::BoxError;

/// The largest file with secrets, in bytes. Secrets Manager allows 64 KiB for one secret.
const MOST_BYTES: u64 = 1024 * 1024;
const ACTION: &str = "secretsmanager:GetSecretValue";

/// The error that a secret could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct ReadError {
    /// Whether a later try may succeed.
    pub transient: bool,
    /// What went wrong, without any secret value.
    pub source: BoxError,
}

impl ReadError {
    fn permanent(source: impl Into<BoxError>) -> Self {
        Self { transient: false, source: source.into() }
    }
}

/// A store of secrets.
#[async_trait]
pub trait SecretStore: Send + Sync {
    /// Reads the text of the secret `id`.
    ///
    /// # Errors
    /// [`ReadError`] when the secret does not exist, is forbidden, or the store does not answer.
    async fn read(&self, id: &str) -> Result<SecretString, ReadError>;
}

/// AWS Secrets Manager. The id of a secret is its name or ARN.
#[derive(Clone, Debug)]
pub struct SecretsManager(aws_sdk_secretsmanager::Client);

impl SecretsManager {
    /// Uses the account and region of `client`.
    pub fn new(client: aws_sdk_secretsmanager::Client) -> Self {
        Self(client)
    }
}

#[async_trait]
impl SecretStore for SecretsManager {
    async fn read(&self, id: &str) -> Result<SecretString, ReadError> {
        let answer =
            self.0.get_secret_value().secret_id(id).send().await.map_err(|error| read_error(&error))?;
        let text = answer.secret_string.ok_or_else(|| ReadError::permanent("it is binary, not text"))?;
        Ok(SecretString::from(text))
    }
}

fn read_error(error: &SdkError<GetSecretValueError>) -> ReadError {
    let denied = |e: &GetSecretValueError| e.meta().code() == Some("AccessDeniedException");
    let transient = match error {
        SdkError::ServiceError(service) => {
            let error = service.err();
            !(error.is_resource_not_found_exception()
                || error.is_invalid_request_exception()
                || error.is_invalid_parameter_exception()
                || error.is_decryption_failure()
                || denied(error))
        }
        _ => true,
    };
    // Only the error code of the answer is used: if the SDK cannot read the answer, the secret may be in it.
    ReadError { transient, source: aws_http::reason(ACTION, error).into() }
}

/// A JSON file, `{"<secret id>": {…}, …}`, read again each time.
#[derive(Clone, Debug)]
pub struct SecretsFile(PathBuf);

impl SecretsFile {
    /// Uses the file at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }
}

#[async_trait]
impl SecretStore for SecretsFile {
    async fn read(&self, id: &str) -> Result<SecretString, ReadError> {
        let file = self.0.display();
        let text = read_text(&self.0).map_err(|e| ReadError::permanent(format!("{file}: {e}")))?;
        let all = all(&text).map_err(|what| ReadError::permanent(format!("{file}: {what}")))?;
        let value = all
            .get(id)
            .ok_or_else(|| ReadError::permanent(format!("{file}: it has no secret of this name")))?;
        Ok(SecretString::from(value.to_string()))
    }
}

/// Reads a file, unless it is larger than a file with secrets may be.
fn read_text(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(std::io::Error::other(format!("larger than {MOST_BYTES} bytes")));
    }
    Ok(text)
}

/// Reads all secrets by id. The parser's own error text is left out, because it could repeat a part of the file.
fn all(text: &str) -> Result<HashMap<String, Value>, String> {
    serde_json::from_str(trimmed(text)).map_err(|error| format!("line {}: not a JSON object", error.line()))
}

/// Secrets in memory.
#[derive(Debug, Default)]
pub struct MemorySecrets(Mutex<HashMap<String, SecretString>>);

impl MemorySecrets {
    /// Reads secrets from a JSON object, `{"<secret id>": {…}, …}`.
    ///
    /// # Errors
    /// [`ReadError`] when the text is not such an object; the error does not repeat the text.
    pub fn from_json(text: &str) -> Result<Self, ReadError> {
        let secrets = Self::default();
        for (id, value) in all(text).map_err(ReadError::permanent)? {
            secrets.put(id, value.to_string());
        }
        Ok(secrets)
    }

    /// Adds a secret, or replaces it.
    pub fn put(&self, id: impl Into<String>, text: impl Into<String>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(id.into(), SecretString::from(text.into()));
    }
}

#[async_trait]
impl SecretStore for MemorySecrets {
    async fn read(&self, id: &str) -> Result<SecretString, ReadError> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(id).cloned().ok_or_else(|| ReadError::permanent("there is no such secret"))
    }
}
