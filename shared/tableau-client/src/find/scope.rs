//! What a search may find and name. No I/O.

use super::found::FoundContent;

/// What a search may find and name, such as what a caller may refresh. What is not in it counts as if it did not exist.
pub trait Scope: Send + Sync {
    /// Whether this content is in it.
    fn has(&self, found: &FoundContent) -> bool;
    /// Whether this project is in it: the names from the top.
    fn has_project(&self, names: &[String]) -> bool;
}

/// All that the user may see.
#[derive(Clone, Copy, Debug)]
pub(super) struct Everything;

impl Scope for Everything {
    fn has(&self, _: &FoundContent) -> bool {
        true
    }

    fn has_project(&self, _: &[String]) -> bool {
        true
    }
}
