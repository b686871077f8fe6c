//! The Recycle Bin: what was deleted, by whom, and where it was.
//!
//! Tableau's page names the lists, and says that they have pages, filters and an order, and that each element has `name`,
//! `originalPath`, `owner`, `deleter` and `createdAt`. Its samples of whole answers were not to be had. So elements are
//! recognised by these members, whatever the lists around them are called.

mod item;
mod page;

pub use item::DeletedItem;

use super::OwnerRef;
use crate::call::{Call, Path};
use crate::filter::Filter;
use crate::{ApiVersion, Error, Owner, TableauClient};
use jiff::{SignedDuration, Timestamp};
use page::{OPERATION, Page};
use serde_json::{Map, Value};
use std::fmt;

/// The first version of the REST API with a Recycle Bin.
///
/// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_recycle_bin.htm>
pub const RECYCLE_BIN_SINCE: ApiVersion = ApiVersion::new(3, 29);

/// The elements of one page, the most that Tableau allows.
const PAGE_SIZE: usize = 1_000;
/// The most pages that are read: the bin of a large site keeps what was deleted for a month.
const PAGES: usize = 3;
/// How far an element's time may be from the deletion, if only its name says that it is the one. The bin may have others of
/// this name, deleted earlier.
const NEAR: SignedDuration = SignedDuration::from_mins(15);

/// A kind of content that the Recycle Bin keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeletedKind {
    /// Workbooks.
    Workbook,
    /// Published data sources.
    Datasource,
    /// Flows.
    Flow,
    /// Projects.
    Project,
}

/// The deleted object that is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Deleted<'a> {
    /// Its kind.
    pub kind: DeletedKind,
    /// Its LUID.
    pub luid: &'a str,
    /// Its name, if it is known.
    pub name: Option<&'a str>,
    /// When it was deleted.
    pub at: Timestamp,
}

/// What the Recycle Bin says about a deleted object.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RecycleBinLookup {
    /// This.
    Found(Box<DeletedItem>),
    /// It does not have the object, or the user may not see it there: administrators see everything, others what they own.
    NotListed,
    /// It has several objects of this name that were deleted about then, and says of none that it is this one.
    Ambiguous,
    /// It has more elements than are read.
    TooMany,
    /// Tableau refused, with this code.
    Refused {
        /// Tableau's error code.
        code: String,
    },
    /// The session's version of the REST API has no Recycle Bin.
    TooOld {
        /// The session's version.
        version: ApiVersion,
    },
}

impl DeletedKind {
    /// The name of the list in the path.
    fn list(self) -> &'static str {
        match self {
            Self::Workbook => "workbooks",
            Self::Datasource => "datasources",
            Self::Flow => "flows",
            Self::Project => "projects",
        }
    }
}

impl OwnerRef {
    /// The person, if the answer has a name or an e-mail address.
    pub fn person(&self) -> Option<Owner> {
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let login = filled(&self.name);
        let email = filled(&self.email).or_else(|| login.clone().filter(|login| login.contains('@')));
        let name = filled(&self.full_name).or_else(|| login.clone()).or_else(|| email.clone())?;
        Some(Owner { name, email, login: login.unwrap_or_default() })
    }
}

impl TableauClient {
    /// Searches the Recycle Bin for a deleted object: by its LUID; else by its name, among what was deleted about then. At
    /// most four calls, usually one. REST API 3.29+; an older version is not asked. JWT scope
    /// `tableau:recyclebin_content:read`.
    ///
    /// # Errors
    /// [`Error`] when Tableau does not answer, or a person has to fix the credential. A refusal is
    /// [`RecycleBinLookup::Refused`].
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_recycle_bin.htm>; the page names the
    /// scope for deleting, `tableau:recyclebin_content:delete`, and the scope for reading is inferred from it.
    pub async fn deleted_item(&self, deleted: Deleted<'_>) -> Result<RecycleBinLookup, Error> {
        let version = self.session_version().await?;
        if version < RECYCLE_BIN_SINCE {
            return Ok(RecycleBinLookup::TooOld { version });
        }
        match self.search_recycle_bin(deleted).await {
            Ok(found) => Ok(found),
            // A connected app without the scope: the Recycle Bin is not in the default scopes, and the rest works without it.
            Err(Error::SessionRefused { stolen: false, source, .. }) => {
                let code = source.code().unwrap_or_default().to_owned();
                Ok(RecycleBinLookup::Refused { code })
            }
            Err(error) if error.is_transient() || error.is_misconfiguration() => Err(error),
            Err(error) => match error.code() {
                Some(code) => Ok(RecycleBinLookup::Refused { code: code.to_owned() }),
                None => Err(error),
            },
        }
    }

    async fn search_recycle_bin(&self, deleted: Deleted<'_>) -> Result<RecycleBinLookup, Error> {
        let filter = deleted.name.map_or_else(Filter::<DeletedItem>::all, |name| Filter::all().named(name));
        match self.read_recycle_bin(deleted, filter.expression(&[])).await {
            // The list has filters, but which fields they take is not known.
            Err(Error::Refused { status: 400, .. }) => self.read_recycle_bin(deleted, None).await,
            found => found,
        }
    }

    async fn read_recycle_bin(
        &self,
        deleted: Deleted<'_>,
        filter: Option<String>,
    ) -> Result<RecycleBinLookup, Error> {
        let path = format!("recyclebin/{}", deleted.kind.list());
        let mut named = Vec::new();
        let mut seen = 0;
        for page in 1..=PAGES {
            let mut call = Call::get(OPERATION, Path::Site(&path))
                .query("pageSize", PAGE_SIZE.to_string())
                .query("pageNumber", page.to_string());
            if let Some(filter) = &filter {
                call = call.query("filter", filter.as_str());
            }
            let answer: Map<String, Value> = self.ask(call).await?;
            let Page { items, total } = Page::of(&answer)?;
            let here = items.len();
            for item in items {
                if item.id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(deleted.luid)) {
                    return Ok(RecycleBinLookup::Found(Box::new(item)));
                }
                if deleted.name == Some(item.name.as_str()) {
                    named.push(item);
                }
            }
            seen += here;
            if here == 0 || total.is_none_or(|total| seen >= total) {
                return Ok(of_name(named, deleted.at));
            }
        }
        Ok(RecycleBinLookup::TooMany)
    }
}

/// The newest of these objects with one name, if all that were deleted at about this time say the same.
fn of_name(mut named: Vec<DeletedItem>, at: Timestamp) -> RecycleBinLookup {
    let is_near =
        |item: &DeletedItem| item.created_at.is_some_and(|time| time.duration_since(at).abs() <= NEAR);
    named.retain(is_near);
    named.sort_by_key(|item| item.created_at);
    let Some(newest) = named.pop() else { return RecycleBinLookup::NotListed };
    let is_alike = |item: &DeletedItem| {
        item.original_path == newest.original_path
            && item.deleter == newest.deleter
            && item.owner == newest.owner
    };
    match named.iter().all(is_alike) {
        true => RecycleBinLookup::Found(Box::new(newest)),
        false => RecycleBinLookup::Ambiguous,
    }
}

impl fmt::Display for RecycleBinLookup {
    /// Why the object was not found there: for people, without a full stop.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found(_) => f.write_str("the Recycle Bin has it"),
            Self::NotListed => f.write_str(
                "the Recycle Bin does not show it; a token of a site administrator sees everything in it",
            ),
            Self::Ambiguous => {
                f.write_str("the Recycle Bin has several of this name, deleted at about that time")
            }
            Self::TooMany => f.write_str("the Recycle Bin has too much in it to find this"),
            Self::Refused { code } => {
                write!(f, "Tableau refused to show the Recycle Bin ({code})")?;
                match code.as_str() {
                    code if code.starts_with("403") => {
                        f.write_str("; the token's user has to be a site administrator")
                    }
                    code if code.starts_with("401") => {
                        f.write_str("; a connected app needs the scope tableau:recyclebin_content:read")
                    }
                    _ => Ok(()),
                }
            }
            Self::TooOld { version } => {
                write!(f, "the Recycle Bin needs REST API {RECYCLE_BIN_SINCE}, and {version} is in use")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    // 15-2
    #[test]
    fn an_element_that_only_its_name_identifies_must_be_of_that_time_and_the_only_one_that_differs() {
        let at: Timestamp = "2026-11-28T10:00:00Z".parse().unwrap();
        let item = |path: &str, minutes: i64| {
            let time = at + SignedDuration::from_mins(minutes);
            let item = json!({"name": "Sales", "originalPath": path, "createdAt": time.to_string()});
            serde_json::from_value::<DeletedItem>(item).unwrap()
        };
        let path = |lookup| match lookup {
            RecycleBinLookup::Found(item) => item.original_path,
            other => other.to_string(),
        };
        assert_eq!(path(of_name(vec![item("HR", -600), item("Finance", 1)], at)), "Finance");
        assert_eq!(of_name(vec![item("HR", -600)], at), RecycleBinLookup::NotListed);
        assert_eq!(of_name(vec![item("HR", -2), item("Finance", 1)], at), RecycleBinLookup::Ambiguous);
        assert_eq!(path(of_name(vec![item("HR", 1), item("HR", -2)], at)), "HR");
        let timeless = DeletedItem { created_at: None, ..item("HR", 0) };
        assert_eq!(of_name(vec![timeless], at), RecycleBinLookup::NotListed);
    }
}
