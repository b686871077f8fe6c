//! The workbooks that use a published data source: whom a failure of it concerns.

use super::lineage::{LineageOwner, nodes};
use super::{MetadataAnswer, MetadataError, OPERATION};
use crate::{Error, TableauClient, chain, lenient};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tableau::{DatasourceLuid, WorkbookLuid};

/// Workbooks on a page. Tableau takes up to 1,000, but gives a query five seconds only.
///
/// Source: <https://help.tableau.com/current/api/metadata_api/en-us/docs/meta_api_examples.html#pagination>
const PAGE: usize = 100;
/// The largest number of pages that are read, one call for each.
const PAGES: usize = 3;

/// Without `permissionMode` a workbook that the user may not see is in the list and in the count, without its name.
const QUERY: &str = "query dependents($luid: String!, $first: Int!, $after: String) { \
                     publishedDatasources(filter: {luid: $luid}) { \
                     downstreamWorkbooksConnection(first: $first, after: $after, orderBy: {field: NAME, direction: ASC}) { \
                     totalCount pageInfo { hasNextPage endCursor } \
                     nodes { luid name projectName owner { luid name email } } } } }";
const OF: &str = "publishedDatasources";
const PAGED: &str = "downstreamWorkbooksConnection";

/// The workbooks that use a published data source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependents {
    /// The workbooks by name: all of them, or the first 300.
    pub workbooks: Vec<Dependent>,
    /// How many workbooks use the data source.
    pub total: usize,
    /// How many different owners `workbooks` have, as far as Tableau shows them.
    pub owners: usize,
    /// Whether Tableau cut its answer short, so that there may be more than `total` says.
    pub is_cut_short: bool,
    /// What the Metadata API said beside its data.
    pub errors: Vec<MetadataError>,
}

/// One workbook that uses a data source. What the session's user may not see is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dependent {
    /// The workbook's LUID.
    #[serde(default, deserialize_with = "lenient::part")]
    pub luid: Option<WorkbookLuid>,
    /// The workbook's name: untrusted text.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: Option<String>,
    /// The name of the workbook's project (without the projects around it).
    #[serde(default, rename = "projectName", deserialize_with = "lenient::text")]
    pub project: Option<String>,
    /// The workbook's owner.
    #[serde(default, deserialize_with = "lenient::part")]
    pub owner: Option<LineageOwner>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default, deserialize_with = "lenient::number")]
    total_count: Option<usize>,
    #[serde(default, deserialize_with = "lenient::part_or_default")]
    page_info: PageInfo,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    #[serde(default, deserialize_with = "lenient::boolean")]
    has_next_page: bool,
    #[serde(default, deserialize_with = "lenient::text")]
    end_cursor: Option<String>,
}

impl Dependents {
    /// Whether `workbooks` has every workbook, so that `owners` counts all owners.
    pub fn is_complete(&self) -> bool {
        !self.is_cut_short && self.workbooks.len() >= self.total
    }

    /// Adds a page, and returns where the next one begins. `None` after the last one.
    fn add(&mut self, answer: &MetadataAnswer<Value>, datasource: &Value) -> Result<Option<String>, Error> {
        let Some(connection @ Value::Object(_)) = datasource.get(PAGED) else {
            return Err(match answer.errors.is_empty() {
                true => unreadable(datasource.get(PAGED).map_or("it is missing", lenient::shape)),
                false => Error::Metadata { operation: OPERATION, errors: answer.errors.clone() },
            });
        };
        let workbooks = nodes(answer, connection, "nodes")?;
        // What cannot be read is a workbook all the same.
        let read = |workbook: &Value| Dependent::deserialize(workbook).unwrap_or_default();
        self.workbooks.extend(workbooks.iter().map(read));
        let Page { total_count, page_info } = Page::deserialize(connection).unwrap_or_default();
        self.total = self.total.max(total_count.unwrap_or_default()).max(self.workbooks.len());
        self.is_cut_short |= answer.errors.iter().any(MetadataError::cuts_short)
            || (total_count.is_none() && page_info.has_next_page);
        self.errors.extend_from_slice(&answer.errors);
        let next = page_info.end_cursor.filter(|_| page_info.has_next_page && !workbooks.is_empty());
        Ok(next)
    }

    fn count_owners(&mut self) {
        let owners = self.workbooks.iter().filter_map(|workbook| workbook.owner.as_ref());
        self.owners = owners.filter_map(LineageOwner::key).collect::<BTreeSet<_>>().len();
    }
}

fn unreadable(shape: &'static str) -> Error {
    let source = lenient::expected(&format!("an object at `{PAGED}`"), shape);
    Error::Unreadable { operation: OPERATION, source }
}

impl TableauClient {
    /// Lists the workbooks that use a published data source, with their owners: one call for each hundred, and three
    /// calls at most. The total is known with the first one. `None` if the index does not know the data source. JWT scope
    /// `tableau:content:read`; needs the Metadata API.
    ///
    /// An error after the first page is no error: the workbooks before it are returned, and
    /// [`Dependents::is_cut_short`].
    ///
    /// # Errors
    /// The same as for [`TableauClient::metadata`].
    ///
    /// Source: <https://help.tableau.com/current/api/metadata_api/en-us/reference/publisheddatasource.doc.html>
    pub async fn dependents(&self, datasource: &DatasourceLuid) -> Result<Option<Dependents>, Error> {
        let mut found = Dependents::default();
        let mut after: Option<String> = None;
        for page in 1..=PAGES {
            let added = async {
                let variables = json!({ "luid": datasource.as_str(), "first": PAGE, "after": after });
                let answer = self.metadata::<Value>(QUERY, &variables).await?;
                match nodes(&answer, &answer.data, OF)?.first() {
                    Some(of) => found.add(&answer, of).map(Some),
                    None => Ok(None),
                }
            };
            let next = match added.await {
                Ok(Some(next)) => next,
                Ok(None) if page == 1 => return Ok(None),
                // Deleted between two pages.
                Ok(None) => None,
                Err(error) if page == 1 => return Err(error),
                Err(error) => {
                    tracing::warn!(reason = chain(&error), page, "a page of workbooks is missing");
                    found.is_cut_short = true;
                    None
                }
            };
            // A server that cuts its answers short is not asked for more of them.
            let is_last = next.is_none() || next == after || found.is_cut_short;
            after = next;
            if is_last {
                break;
            }
        }
        found.count_owners();
        Ok(Some(found))
    }
}
