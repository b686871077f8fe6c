//! An element of the Recycle Bin.

use crate::filter::{Field, Filtered, Named, sealed};
use crate::lenient;
use crate::resources::OwnerRef;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// An element of the Recycle Bin.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DeletedItem {
    /// Its LUID, if the answer has one.
    #[serde(default, deserialize_with = "lenient::text")]
    pub id: Option<String>,
    /// Its name: untrusted text.
    #[serde(deserialize_with = "lenient::name")]
    pub name: String,
    /// The names of the projects that it was in, from the top, separated by `/`; empty if the answer does not say it.
    #[serde(default, deserialize_with = "path")]
    pub original_path: String,
    /// Whose it was.
    #[serde(default, deserialize_with = "person")]
    pub owner: Option<OwnerRef>,
    /// Who deleted it.
    #[serde(default, deserialize_with = "person")]
    pub deleter: Option<OwnerRef>,
    /// When it came into the Recycle Bin.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub created_at: Option<Timestamp>,
}

impl sealed::Sealed for DeletedItem {}
impl Named for DeletedItem {}

impl Filtered for DeletedItem {
    fn field(&self, _: &str) -> Field<'_> {
        Field::Text(Some(&self.name))
    }
}

/// A person: an object, or only a name.
fn person<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<OwnerRef>, D::Error> {
    let value = Option::<Value>::deserialize(deserializer)?;
    Ok(match value {
        Some(Value::String(name)) => {
            Some(OwnerRef { id: None, name: Some(name), full_name: None, email: None })
        }
        Some(value) => OwnerRef::deserialize(value).ok(),
        None => None,
    })
}

/// A path, in the form in which [`ProjectTree::path`](crate::ProjectTree::path) has it.
fn path<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let path = lenient::text_or_empty(deserializer)?;
    let names = path.split('/').map(str::trim).filter(|name| !name.is_empty());
    Ok(names.collect::<Vec<_>>().join("/"))
}
