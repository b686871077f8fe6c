//! The features that a site's settings can forbid.

/// A feature that an administrator can forbid for the whole site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Feature {
    /// Listing jobs. Forbidden: `403079`.
    JobLists,
    /// Refreshes requested by users and REST calls, not by a schedule. Forbidden: `409082`.
    RunNow,
    /// PDFs, images and data of views. Forbidden: `403105`.
    Exports,
    /// The Metadata API, which is off on a new Tableau Server. Forbidden: `FEATURE_DISABLED` in a `200`.
    MetadataApi,
    /// Filters of lists by `contentUrl`, which some versions refuse. Forbidden: `400065`.
    ///
    /// Source: `tableau/server-client-python#1393`
    ContentUrlFilters,
}
