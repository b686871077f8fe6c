//! Searches. The only condition is a key, and what is found is compared with it: an instance ignores a condition that it does not know,
//! and finds some other incident then.
//!
//! Source: <https://www.servicenow.com/docs/r/api-reference/rest-api-explorer/c_RESTAPI.html>

use super::call::Call;
use super::guarded::{Table, Trouble};
use super::key::Key;
use super::record::{Record, Reference, SysId};
use serde_json::Value;
use std::collections::BTreeMap;
use workflow::Invocation;

/// How many incidents a search for one key takes. There is one, unless a person has copied it.
const FOUND: usize = 10;
/// How many keys one search has.
const KEYS: usize = 40;
/// How many children of an incident are looked at.
pub(super) const MOST_CHILDREN: usize = 1_000;

impl Table {
    /// The incident with this key: one that is open is preferred, then the newest.
    ///
    /// # Errors
    /// [`Trouble`], also if the instance ignores the condition. A search that failed never means that there is none.
    pub(super) async fn find(
        &self,
        key: &Key,
        resolved: u32,
        invocation: &Invocation,
    ) -> Result<Option<Record>, Trouble> {
        let query = format!("correlation_id={key}");
        let found = self.records(&query, FOUND, invocation).await?;
        if found.iter().any(|record| !record.is_of(key)) {
            return Err(Trouble::no_key());
        }
        let open = found.iter().position(|record| record.is_open(resolved)).unwrap_or_default();
        Ok(found.into_iter().nth(open))
    }

    /// The incidents with these keys.
    ///
    /// # Errors
    /// As for [`Self::find`].
    pub(super) async fn find_all(
        &self,
        keys: &[Key],
        invocation: &Invocation,
    ) -> Result<BTreeMap<Key, Record>, Trouble> {
        let mut all = BTreeMap::new();
        for keys in keys.chunks(KEYS) {
            let listed: Vec<&str> = keys.iter().map(Key::as_str).collect();
            let query = format!("correlation_idIN{}", listed.join(","));
            for record in self.records(&query, KEYS * 2, invocation).await? {
                match keys.iter().find(|key| record.is_of(key)) {
                    Some(key) => all.entry(key.clone()).or_insert(record),
                    None => return Err(Trouble::no_key()),
                };
            }
        }
        Ok(all)
    }

    /// The children of an incident.
    ///
    /// # Errors
    /// [`Trouble`].
    pub(super) async fn children(
        &self,
        parent: &Reference,
        invocation: &Invocation,
    ) -> Result<Vec<Record>, Trouble> {
        let parent = parent.sys_id.as_str();
        let mut found = self.records(&format!("parent_incident={parent}"), MOST_CHILDREN, invocation).await?;
        found.retain(|record| record.parent == parent);
        Ok(found)
    }

    /// One incident; `None` if it was deleted, or the account may not see it.
    ///
    /// # Errors
    /// [`Trouble`].
    pub(super) async fn read(
        &self,
        sys_id: &SysId,
        invocation: &Invocation,
    ) -> Result<Option<Record>, Trouble> {
        match self.call(Call::Read { sys_id }, invocation).await {
            Ok(value) => {
                Record::read(&value).map(Some).ok_or_else(|| Trouble::unusable("show an incident", false))
            }
            Err(trouble) if trouble.refused().is_some_and(|refused| refused.is_gone()) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    async fn records(
        &self,
        query: &str,
        limit: usize,
        invocation: &Invocation,
    ) -> Result<Vec<Record>, Trouble> {
        let found = self.call(Call::Search { query, limit }, invocation).await?;
        let unusable = || Trouble::unusable("search for an incident", false);
        let list = found.as_array().ok_or_else(unusable)?;
        list.iter().map(|record: &Value| Record::read(record).ok_or_else(unusable)).collect()
    }
}
