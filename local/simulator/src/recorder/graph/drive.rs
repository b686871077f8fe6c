//! Document libraries and their files.

use super::id::id;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How many bytes SharePoint adds to a PDF file when it writes its own data into it.
///
/// Source: `rclone/rclone#2599`
const ADDED_BYTES: u64 = 11;

/// The id of the application that writes the files.
pub(super) const CLIENT_ID: &str = "simulated-application";

/// A document library.
#[derive(Clone, Debug)]
pub(super) struct Drive {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) url: String,
    /// By path, such as `Reports/2026/Sales.pdf`.
    pub(super) files: BTreeMap<String, GraphFile>,
    /// Paths of files that are in use, and how that is said.
    pub(super) in_use: BTreeMap<String, InUse>,
    pub(super) is_full: bool,
}

/// How a file that is in use is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InUse {
    /// 423.
    Locked,
    /// 409, as for a file that is open in Office Online.
    Session,
    /// 403 with the lock inside another error.
    Hidden,
}

/// A file in a document library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphFile {
    /// Its id.
    pub id: String,
    /// Folders and name: `Reports/2026/Sales.pdf`.
    pub path: String,
    /// How many bytes were sent.
    pub sent_bytes: u64,
    /// The bytes that were sent, if they are few.
    pub content: Vec<u8>,
    /// Their SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// How often a file of this path was written.
    pub versions: u32,
    pub(super) changed_at: Timestamp,
}

impl GraphFile {
    /// The name, without its folders.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

impl Drive {
    pub(super) fn new(id: &str, name: &str, site: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            url: format!("https://contoso.sharepoint.com/sites/{site}/{}", name.replace(' ', "%20")),
            files: BTreeMap::new(),
            in_use: BTreeMap::new(),
            is_full: false,
        }
    }

    /// A name beside `path` that no file has: `Sales 1.pdf`.
    pub(super) fn free(&self, path: &str) -> String {
        let (stem, extension) = path.rsplit_once('.').unwrap_or((path, ""));
        let numbered = (1_u32..).map(|n| format!("{stem} {n}.{extension}"));
        let mut paths = std::iter::once(path.to_owned()).chain(numbered);
        paths.find(|path| self.stored(path).is_none()).unwrap_or_default()
    }

    /// The file of this path. SharePoint takes names that differ in case for the same.
    pub(super) fn stored(&self, path: &str) -> Option<&GraphFile> {
        let path = path.to_lowercase();
        self.files.values().find(|file| file.path.to_lowercase() == path)
    }

    /// Puts a file there. Whether there was none.
    pub(super) fn put(&mut self, path: &str, sent_bytes: u64, content: Vec<u8>, sha256: String) -> bool {
        let earlier = self.stored(path);
        let path = earlier.map_or_else(|| path.to_owned(), |file| file.path.clone());
        let file = GraphFile {
            id: earlier.map_or_else(|| id().to_uppercase(), |file| file.id.clone()),
            path: path.clone(),
            sent_bytes,
            content,
            sha256,
            versions: earlier.map_or(1, |file| file.versions + 1),
            changed_at: Timestamp::now(),
        };
        let is_new = earlier.is_none();
        self.files.insert(path, file);
        is_new
    }

    /// The files of a folder, whose path ends with `/` or is empty.
    pub(super) fn children(&self, folder: &str) -> Vec<Value> {
        let folder = folder.to_lowercase();
        let is_in = |file: &&GraphFile| {
            let path = file.path.to_lowercase();
            path.strip_prefix(&folder).is_some_and(|name| !name.contains('/'))
        };
        self.files.values().filter(is_in).map(|file| self.described(file)).collect()
    }

    /// The file as Graph describes it: the size is not the one that was sent.
    pub(super) fn item(&self, path: &str) -> Option<Value> {
        self.stored(path).map(|file| self.described(file))
    }

    fn described(&self, file: &GraphFile) -> Value {
        json!({
            "id": file.id,
            "name": file.name(),
            "size": file.sent_bytes + ADDED_BYTES,
            "webUrl": format!("{}/{}", self.url, file.path.replace(' ', "%20")),
            "lastModifiedDateTime": file.changed_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "lastModifiedBy": { "application": { "id": CLIENT_ID, "displayName": "tableau-webhooks" } },
            "parentReference": { "driveId": self.id },
            "file": { "mimeType": "application/pdf" },
        })
    }
}
