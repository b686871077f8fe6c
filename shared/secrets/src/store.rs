//! Where secrets are kept.

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

/// The most that a file with secrets may have. Secrets Manager takes 64 KiB for one.
const MOST_BYTES: u64 = 1024 * 1024;
const ACTION: &str = "secretsmanager:GetSecretValue";

/// A secret that was not read.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct ReadError {
    /// Whether asking again later may help.
    pub transient: bool,
    /// What went wrong. Holds no value.
    pub source: BoxError,
}

impl ReadError {
    fn permanent(source: impl Into<BoxError>) -> Self {
        Self { transient: false, source: source.into() }
    }
}

/// Where secrets are kept.
#[async_trait]
pub trait SecretStore: Send + Sync {
    /// The text of the secret `id`.
    ///
    /// # Errors
    /// [`ReadError`] when there is none, it is forbidden, or the store does not answer.
    async fn read(&self, id: &str) -> Result<SecretString, ReadError>;
}

/// AWS Secrets Manager. Ids are names or ARNs.
#[derive(Clone, Debug)]
pub struct SecretsManager(aws_sdk_secretsmanager::Client);

impl SecretsManager {
    /// The account and region that `client` is set up for.
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
    // Nothing of the answer but its code: where it cannot be read, the secret may be in it.
    ReadError { transient, source: aws_http::reason(ACTION, error).into() }
}

/// A JSON file, `{"<secret id>": {…}, …}`, read anew each time.
#[derive(Clone, Debug)]
pub struct SecretsFile(PathBuf);

impl SecretsFile {
    /// The file at `path`.
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

/// The text of a file, if it is not larger than one with secrets is.
fn read_text(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(std::io::Error::other(format!("larger than {MOST_BYTES} bytes")));
    }
    Ok(text)
}

/// Secrets by id. The error is without the parser's own words, which could repeat a part of the text.
fn all(text: &str) -> Result<HashMap<String, Value>, String> {
    serde_json::from_str(trimmed(text)).map_err(|error| format!("line {}: not a JSON object", error.line()))
}

/// Secrets in memory.
#[derive(Debug, Default)]
pub struct MemorySecrets(Mutex<HashMap<String, SecretString>>);

impl MemorySecrets {
    /// The secrets of a JSON object, `{"<secret id>": {…}, …}`.
    ///
    /// # Errors
    /// [`ReadError`] when the text is none; it repeats nothing of it.
    pub fn from_json(text: &str) -> Result<Self, ReadError> {
        let secrets = Self::default();
        for (id, value) in all(text).map_err(ReadError::permanent)? {
            secrets.put(id, value.to_string());
        }
        Ok(secrets)
    }

    /// Puts a secret in, or another in its place.
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
