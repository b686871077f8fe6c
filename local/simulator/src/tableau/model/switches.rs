//! What the settings of a site can forbid.

/// Something that an administrator can forbid for a whole site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Feature {
    /// Listing jobs: `403079`.
    JobLists,
    /// Refreshes that are asked for by people and REST calls, not by a schedule: `409082`.
    RunNow,
    /// PDFs, images and data of views: `403105`.
    Exports,
}
