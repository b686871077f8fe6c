//! What applies to a whole query: what its user may see, and how many nodes an answer may have.
//!
//! Sources: <https://help.tableau.com/current/api/metadata_api/en-us/docs/meta_api_examples.html#permissions>,
//! <https://help.tableau.com/current/api/metadata_api/en-us/docs/meta_api_errors.html>

use crate::tableau::model::Model;
use std::cell::Cell;
use std::collections::BTreeSet;

/// The largest page: a larger `first` counts as this.
pub(super) const LARGEST_PAGE: usize = 1_000;

/// How a list shows nodes that the user may not see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PermissionMode {
    /// They are in the list, without their values: what Tableau does if a query asks for no mode.
    Obfuscate,
    /// They are left out.
    Filter,
}

impl PermissionMode {
    /// The mode by its name in a query.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "OBFUSCATE_RESULTS" => Some(Self::Obfuscate),
            "FILTER_RESULTS" => Some(Self::Filter),
            _ => None,
        }
    }
}

/// A query, its user, and its answer so far.
pub(super) struct Asked<'a> {
    pub(super) model: &'a Model,
    /// The LUIDs of content that the user may not see.
    hidden: BTreeSet<String>,
    nodes_left: Cell<usize>,
    reached_limit: Cell<bool>,
    cut_page: Cell<bool>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(model: &'a Model, hidden: BTreeSet<String>, node_limit: usize) -> Self {
        let (reached_limit, cut_page) = (Cell::new(false), Cell::new(false));
        Self { model, hidden, nodes_left: Cell::new(node_limit), reached_limit, cut_page }
    }

    pub(super) fn hides(&self, luid: &str) -> bool {
        self.hidden.contains(luid)
    }

    /// Whether the answer has room for one more node. Counts it.
    pub(super) fn takes_node(&self) -> bool {
        let left = self.nodes_left.get();
        self.nodes_left.set(left.saturating_sub(1));
        self.reached_limit.set(self.reached_limit.get() || left == 0);
        left > 0
    }

    /// The size of a page for this `first`.
    pub(super) fn page(&self, first: usize) -> usize {
        self.cut_page.set(self.cut_page.get() || first > LARGEST_PAGE);
        first.min(LARGEST_PAGE)
    }

    /// The codes of the warnings beside the data.
    pub(super) fn warnings(&self) -> Vec<&'static str> {
        let page = self.cut_page.get().then_some("MAX_PAGE_SIZE_EXCEEDED");
        let nodes = self.reached_limit.get().then_some("NODE_LIMIT_EXCEEDED");
        page.into_iter().chain(nodes).collect()
    }
}
