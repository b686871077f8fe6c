//! Upload sessions that have not ended: as long as one is open, SharePoint takes no other upload of the file, and only its address ends it.
//!
//! Source: `microsoftgraph/microsoft-graph-docs-contrib#412`, `#6558`

use super::sealed::{open, seal};
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use store::{Document, Documents};

/// The upload session of one file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct OpenUpload {
    /// Its address, sealed; empty if there is none.
    sealed: String,
}

impl Document for OpenUpload {
    const KIND: &'static str = "upload";
    /// SharePoint ends a session after some days.
    const KEPT_DAYS: i64 = 15;
}

/// The upload sessions of a workflow.
#[derive(Debug)]
pub(super) struct Sessions {
    documents: Documents,
    workflow: &'static str,
}

impl Sessions {
    pub(super) fn new(documents: Documents, workflow: &'static str) -> Self {
        Self { documents, workflow }
    }

    /// What names the session of a file in a library.
    pub(super) fn key(&self, drive: &str, path: &[String]) -> String {
        let place = format!("{drive}/{}", path.join("/"));
        let hash = digest(&SHA256, place.as_bytes());
        let hash: String = hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("{}#{hash}", self.workflow)
    }

    /// The address of the session that an earlier attempt has left open.
    pub(super) async fn left_open(
        &self,
        key: &str,
        secret: &SecretString,
    ) -> Result<Option<SecretString>, store::Error> {
        let left: OpenUpload = self.documents.read(key).await?;
        Ok(Some(left.sealed)
            .filter(|sealed| !sealed.is_empty())
            .and_then(|sealed| open(secret, key, &sealed)))
    }

    /// Notes the address of a session, before its first piece is sent.
    pub(super) async fn opened(
        &self,
        key: &str,
        secret: &SecretString,
        address: &str,
    ) -> Result<(), store::Error> {
        let sealed = seal(secret, key, address).unwrap_or_default();
        self.documents
            .create_or_change(key, Timestamp::now(), |upload: &mut OpenUpload| {
                upload.sealed.clone_from(&sealed)
            })
            .await?;
        Ok(())
    }

    /// Notes that the session has ended.
    pub(super) async fn ended(&self, key: &str) -> Result<(), store::Error> {
        self.documents.change(key, Timestamp::now(), |upload: &mut OpenUpload| upload.sealed.clear()).await?;
        Ok(())
    }
}
