//! New ids.

/// A new id.
pub(super) fn id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
