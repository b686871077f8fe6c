//! The Recycle Bin of a site.

use jiff::Timestamp;
use tableau::{SiteLuid, UserLuid};

/// A kind of content that the Recycle Bin keeps: its element and its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) element: &'static str,
    pub(crate) list: &'static str,
}

pub(crate) const WORKBOOKS: Kind = Kind { element: "workbook", list: "workbooks" };
pub(crate) const DATASOURCES: Kind = Kind { element: "datasource", list: "datasources" };
pub(crate) const FLOWS: Kind = Kind { element: "flow", list: "flows" };
pub(crate) const PROJECTS: Kind = Kind { element: "project", list: "projects" };

/// Deleted content.
#[derive(Clone, Debug)]
pub(crate) struct Recycled {
    pub(crate) kind: Kind,
    pub(crate) luid: String,
    pub(crate) site: SiteLuid,
    pub(crate) name: String,
    /// The names of the projects that it was in, from the top, separated by `/`.
    pub(crate) path: String,
    pub(crate) owner: UserLuid,
    pub(crate) deleter: Option<UserLuid>,
    pub(crate) at: Timestamp,
}
