//! Upload sessions that have not ended: as long as one is open, SharePoint takes no other upload of the file, and only its address ends it.
//!
//! Source: `microsoftgraph/microsoft-graph-docs-contrib#412`, `#6558`

use super::sealed::{open, seal};
use crate::{Error, Uploaded};
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use store::{Document, Documents};

/// The upload of one file: the one that runs, or the last one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct OpenUpload {
    /// The address of its session, sealed; empty if none is open.
    sealed: String,
    /// The event that it is for.
    owner: String,
    began: Option<Timestamp>,
    /// When the attempt ends that began it, also if its process dies.
    until: Option<Timestamp>,
    /// The file, once it is there.
    there: Option<There>,
}

/// A file that is there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct There {
    id: String,
    name: String,
    link: Option<String>,
}

impl Document for OpenUpload {
    const KIND: &'static str = "upload";
    /// SharePoint ends a session after some days.
    const KEPT_DAYS: i64 = 15;
}

/// Whose upload it is: an event, and when its attempt ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner<'a> {
    pub(super) event: &'a str,
    pub(super) until: Timestamp,
}

/// What is noted of the file's last upload.
pub(super) enum Noted {
    /// No session is open, as far as is known.
    Nothing,
    /// An earlier attempt of this event has finished the upload.
    There(Uploaded),
    /// An earlier attempt of this event opened this session at this time. Without an address, the application's secret has changed.
    Ours(Option<SecretString>, Timestamp),
    /// Another event's attempt opened this session, and still runs.
    Running(Option<SecretString>),
    /// Another event's attempt opened this session, and is over.
    LeftOpen(Option<SecretString>),
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

    /// What names the upload of a file in a library. SharePoint takes names that differ in case for the same.
    pub(super) fn key(&self, drive: &str, path: &[String]) -> String {
        let place = format!("{drive}/{}", path.join("/").to_lowercase());
        let hash = digest(&SHA256, place.as_bytes());
        let hash: String = hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("{}#{hash}", self.workflow)
    }

    /// What is noted, and the sealed address that a new note may replace.
    pub(super) async fn noted(
        &self,
        key: &str,
        secret: &SecretString,
        owner: Owner<'_>,
    ) -> Result<(Noted, String), store::Error> {
        let left: OpenUpload = self.documents.read(key).await?;
        let sealed = left.sealed;
        let is_ours = left.owner == owner.event;
        let address = || open(secret, key, &sealed);
        let now = Timestamp::now();
        let noted = match (left.there, left.began) {
            (Some(There { id, name, link }), _) if is_ours => Noted::There(Uploaded { id, name, link }),
            _ if sealed.is_empty() => Noted::Nothing,
            (_, Some(began)) if is_ours => Noted::Ours(address(), began),
            _ if left.until.is_some_and(|until| now < until) => Noted::Running(address()),
            _ => Noted::LeftOpen(address()),
        };
        Ok((noted, sealed))
    }

    /// Notes the address of a session, before its first piece is sent. Returns the sealed address, or `None` if another upload has noted
    /// its own since `replaces` was read.
    pub(super) async fn opened(
        &self,
        key: &str,
        secret: &SecretString,
        address: &str,
        owner: Owner<'_>,
        replaces: &str,
    ) -> Result<Option<String>, Error> {
        let sealed = seal(secret, key, address).ok_or(Error::NotSealed)?;
        let now = Timestamp::now();
        let note = |upload: &mut OpenUpload| {
            let may = [replaces, sealed.as_str()].contains(&upload.sealed.as_str());
            if may {
                *upload = OpenUpload {
                    sealed: sealed.clone(),
                    owner: owner.event.to_owned(),
                    began: Some(now),
                    until: Some(owner.until),
                    there: None,
                };
            }
            may
        };
        let (_, may) = self.documents.create_or_change(key, now, note).await?;
        Ok(may.then_some(sealed))
    }

    /// Notes that this session has ended, and with which file. The note of another session stays.
    pub(super) async fn ended(
        &self,
        key: &str,
        sealed: &str,
        uploaded: Option<&Uploaded>,
    ) -> Result<(), store::Error> {
        let there = uploaded.cloned().map(|Uploaded { id, name, link }| There { id, name, link });
        let note = |upload: &mut OpenUpload| {
            if upload.sealed == sealed {
                upload.sealed.clear();
                upload.there.clone_from(&there);
            }
        };
        self.documents.change(key, Timestamp::now(), note).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    // G01
    #[tokio::test]
    async fn a_session_belongs_to_its_event_and_only_it_clears_its_note() {
        let sessions = Sessions::new(store::documents(None), "w");
        let secret = SecretString::from("hunter2");
        let key = sessions.key("d", &["A".to_owned(), "Sales.pdf".to_owned()]);
        assert_eq!(key, sessions.key("d", &["a".to_owned(), "SALES.pdf".to_owned()]));
        let owner =
            |event, minutes| Owner { event, until: Timestamp::now() + SignedDuration::from_mins(minutes) };
        let (noted, seen) = sessions.noted(&key, &secret, owner("one", 15)).await.unwrap();
        assert!(matches!(noted, Noted::Nothing) && seen.is_empty());
        let open = async |event, minutes, seen: &str| {
            let address = format!("https://up.example/{event}?tempauth=abc");
            sessions.opened(&key, &secret, &address, owner(event, minutes), seen).await.unwrap()
        };
        let one = open("one", 15, "").await.unwrap();
        // The other one has seen no session either, but came later.
        assert_eq!(open("two", 15, "").await, None);
        let (noted, seen) = sessions.noted(&key, &secret, owner("two", 15)).await.unwrap();
        assert!(matches!(noted, Noted::Running(Some(_))) && seen == one);
        let (noted, _) = sessions.noted(&key, &SecretString::from("other"), owner("two", 15)).await.unwrap();
        assert!(matches!(noted, Noted::Running(None)));
        let (noted, _) = sessions.noted(&key, &secret, owner("one", 15)).await.unwrap();
        assert!(matches!(noted, Noted::Ours(Some(_), _)));

        let two = open("two", -1, &seen).await.unwrap();
        sessions.ended(&key, &one, None).await.unwrap();
        let (noted, seen) = sessions.noted(&key, &secret, owner("one", 15)).await.unwrap();
        assert!(
            matches!(noted, Noted::LeftOpen(Some(_))) && seen == two,
            "the note of the other session stays"
        );

        let there = Uploaded { id: "i".to_owned(), name: "Sales.pdf".to_owned(), link: None };
        sessions.ended(&key, &two, Some(&there)).await.unwrap();
        let (noted, _) = sessions.noted(&key, &secret, owner("two", 15)).await.unwrap();
        assert!(matches!(noted, Noted::There(uploaded) if uploaded == there));
        let (noted, _) = sessions.noted(&key, &secret, owner("three", 15)).await.unwrap();
        assert!(matches!(noted, Noted::Nothing));
    }
}
