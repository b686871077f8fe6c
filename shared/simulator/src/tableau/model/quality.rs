//! Data quality warnings.

use jiff::Timestamp;
use tableau::UserLuid;

/// A warning on a piece of content, which has at most one.
#[derive(Clone, Debug)]
pub(crate) struct QualityWarning {
    pub(crate) luid: String,
    /// LUID of what it warns of.
    pub(crate) content: String,
    /// `WARNING`, `DEPRECATED`, `STALE`, `MAINTENANCE` or `SENSITIVE_DATA`.
    pub(crate) kind: String,
    pub(crate) active: bool,
    pub(crate) severe: bool,
    pub(crate) message: String,
    pub(crate) owner: Option<UserLuid>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}
