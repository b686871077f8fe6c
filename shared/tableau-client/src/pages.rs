//! Lists that are read page by page. Only one page is in memory, unless the caller asks for all elements.
//!
//! Each page shows the list at the time of its request. If the list changes between two requests, that is no error: a
//! list that became shorter ends earlier, and elements may have moved to a page already read.

use crate::BoxError;
use crate::call::{Call, Path, foreign};
use crate::filter::{Filter, Filtered};
use crate::{ApiVersion, Error, TableauClient, lenient};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::fmt;

/// The largest page size that Tableau allows.
const LARGEST: u16 = 1_000;
/// The most pages that are read. A list that claims more is not genuine.
const MOST_PAGES: u32 = 10_000;
/// Tableau's error code for a page after the end of a list.
///
/// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_concepts_errors.htm>
const BEYOND_THE_END: &str = "400006";

/// A list that is fetched page by page while it is read.
///
/// ```no_run
/// # async fn read(client: tableau_client::TableauClient) -> Result<(), tableau_client::Error> {
/// use tableau_client::Filter;
///
/// let mut critical = client.workbooks(Filter::all().tagged("critical"));
/// while let Some(workbook) = critical.next().await? {
///     println!("{}", workbook.name);
/// }
/// # Ok(())
/// # }
/// ```
pub struct Pages<T> {
    client: TableauClient,
    list: List,
    filter: Filter<T>,
    query: Vec<(&'static str, String)>,
    page_size: u16,
    /// The fields that the session's REST API version cannot filter by; `None` before the first page.
    unknown: Option<&'static [&'static str]>,
    fetched: u32,
    seen: u64,
    ended: bool,
    ready: VecDeque<T>,
    /// Whether the list has pages although it has no total: a short page is its last.
    until_short: bool,
    scope: Option<&'static str>,
}

/// A list of the REST API.
pub(crate) struct List {
    pub(crate) operation: &'static str,
    pub(crate) path: String,
    /// The list's name in the answer, and the name of its elements.
    pub(crate) wrapper: &'static str,
    pub(crate) element: &'static str,
    /// Where the list is.
    pub(crate) place: Place,
    /// Whether Tableau documents a `pagination` block for this list. Lists without it have one page.
    pub(crate) paged: bool,
    /// The fields that a REST API version cannot filter by, although others can.
    pub(crate) unknown: fn(ApiVersion) -> &'static [&'static str],
}

/// Where a list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Below the site.
    Site,
    /// Below the site, in the experimental API. What such a list takes is not documented: the first page is requested without
    /// parameters, and further pages of the same size only if the first one says that there is more.
    Experimental,
}

#[derive(Deserialize)]
struct Pagination {
    #[serde(default, rename = "totalAvailable", deserialize_with = "lenient::number")]
    total: Option<u64>,
}

impl List {
    /// The total number of elements in the list, as a page states it.
    fn total(&self, answer: &Map<String, Value>) -> Result<Option<u64>, BoxError> {
        match answer.get("pagination") {
            None if self.paged => Err(lenient::expected("`pagination`", "it is missing")),
            None => Ok(None),
            Some(pagination) => {
                let total = Pagination::deserialize(pagination).ok().and_then(|pagination| pagination.total);
                let unreadable =
                    || lenient::expected("a number at `pagination.totalAvailable`", "there is none");
                total.map(Some).ok_or_else(unreadable)
            }
        }
    }
}

impl<T> Pages<T> {
    pub(crate) fn new(client: &TableauClient, list: List, filter: Filter<T>) -> Self {
        Self {
            client: client.clone(),
            list,
            filter,
            query: Vec::new(),
            page_size: LARGEST,
            unknown: None,
            fetched: 0,
            seen: 0,
            ended: false,
            ready: VecDeque::new(),
            until_short: false,
            scope: None,
        }
    }

    /// For a list without a total that has pages all the same.
    pub(crate) fn until_short(mut self) -> Self {
        self.until_short = true;
        self
    }

    /// Sets the JWT scope that the list needs, for the error of a connected app that lacks it.
    pub(crate) fn scope(mut self, scope: &'static str) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Sets how many elements are fetched per request: 1 to 1,000. The default is 1,000.
    #[must_use]
    pub fn page_size(mut self, elements: u16) -> Self {
        self.page_size = elements.clamp(1, LARGEST);
        self
    }

    /// Requests further fields of each element, such as `_default_,owner.email,project.name`.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_concepts_fields.htm>
    #[must_use]
    pub fn fields(mut self, fields: &str) -> Self {
        self.query.push(("fields", fields.to_owned()));
        self
    }

    /// Sets the order of the list, such as `createdAt:desc,name:asc`.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_concepts_filtering_and_sorting.htm>
    #[must_use]
    pub fn sorted(mut self, order: &str) -> Self {
        self.query.push(("sort", order.to_owned()));
        self
    }
}

impl<T: DeserializeOwned + Filtered> Pages<T> {
    /// Returns the next element; `None` at the end.
    ///
    /// # Errors
    /// [`Error`] when the element's page cannot be fetched. Calling again requests that page again.
    pub async fn next(&mut self) -> Result<Option<T>, Error> {
        loop {
            if let Some(element) = self.ready.pop_front() {
                return Ok(Some(element));
            }
            match self.fetch().await? {
                Some(page) => self.ready.extend(page),
                None => return Ok(None),
            }
        }
    }

    /// Returns the elements of the next page, except those already read; `None` at the end. Empty if the filter
    /// excludes the whole page.
    ///
    /// # Errors
    /// As [`Pages::next`].
    pub async fn page(&mut self) -> Result<Option<Vec<T>>, Error> {
        if self.ready.is_empty() { self.fetch().await } else { Ok(Some(self.ready.drain(..).collect())) }
    }

    /// Returns all remaining elements, at most `limit`.
    ///
    /// # Errors
    /// As [`Pages::next`].
    pub async fn all(mut self, limit: usize) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        while all.len() < limit {
            match self.next().await? {
                Some(element) => all.push(element),
                None => break,
            }
        }
        Ok(all)
    }

    async fn fetch(&mut self) -> Result<Option<Vec<T>>, Error> {
        let operation = self.list.operation;
        if self.ended {
            return Ok(None);
        }
        if self.fetched == MOST_PAGES {
            return Err(Error::Unreadable { operation, source: "the list does not end".into() });
        }
        let unknown = match self.unknown {
            Some(unknown) => unknown,
            None => (self.list.unknown)(self.client.session_version().await?),
        };
        self.unknown = Some(unknown);
        let mut call = match self.list.place {
            Place::Site => Call::get(operation, Path::Site(&self.list.path)),
            Place::Experimental => Call::get(operation, Path::Experimental(&self.list.path)),
        };
        let size = match self.list.place {
            Place::Site => Some(u64::from(self.page_size)),
            Place::Experimental => self.seen.checked_div(u64::from(self.fetched)),
        };
        if let Some(size) = size {
            call =
                call.query("pageSize", size.to_string()).query("pageNumber", (self.fetched + 1).to_string());
        }
        if let Some(scope) = self.scope {
            call = call.scope(scope);
        }
        if let Some(filter) = self.filter.expression(unknown) {
            call = call.query("filter", filter);
        }
        for (name, value) in &self.query {
            call = call.query(*name, value.as_str());
        }
        let answer: Map<String, Value> = match self.client.ask(call).await {
            // The list became shorter after the previous page, so this page does not exist.
            Err(error) if self.fetched > 0 && error.code() == Some(BEYOND_THE_END) => {
                self.ended = true;
                return Ok(None);
            }
            answer => answer?,
        };
        // An answer with something else in place of the list did not come from Tableau.
        if !answer.is_empty() && !answer.contains_key(self.list.wrapper) && !answer.contains_key("pagination")
        {
            return Err(foreign(operation, 200, None, b"{"));
        }
        let unreadable = |source| Error::Unreadable { operation, source };
        let items =
            lenient::elements(&answer, &[self.list.wrapper], self.list.element).map_err(unreadable)?;
        let here = u64::try_from(items.len()).unwrap_or(u64::MAX);
        let seen = self.seen.saturating_add(here);
        let total = self.list.total(&answer).map_err(unreadable)?.unwrap_or(seen);
        // If the list became shorter, more elements have been seen than it has now; but one page can never have more
        // elements than the list.
        if here > total || (here == 0 && seen < total) {
            let what =
                format!("`pagination.totalAvailable` to fit the elements of page {}", self.fetched + 1);
            let found = format!("it is {total}, after {seen} elements");
            return Err(unreadable(lenient::expected(&what, &found)));
        }
        let mut page: Vec<T> = lenient::read_some(items, self.list.element).map_err(unreadable)?;
        self.fetched += 1;
        self.seen = seen;
        self.ended = if self.until_short { here < u64::from(self.page_size) } else { seen >= total };
        page.retain(|element| self.filter.matches(element, unknown));
        Ok(Some(page))
    }
}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("path", &self.list.path)
            .field("filter", &self.filter)
            .field("fetched", &self.fetched)
            .finish_non_exhaustive()
    }
}

/// For lists that every version can filter by every field: no field is excluded.
pub(crate) fn all_fields(_: ApiVersion) -> &'static [&'static str] {
    &[]
}
