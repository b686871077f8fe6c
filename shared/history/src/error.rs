//! Errors of the export and the report.

/// Why the history could not be read or written. Texts have no secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The table does not answer, or refuses.
    #[error("cannot read the delivery records: {0}")]
    Records(String),
    /// The documents of the export cannot be read or written.
    #[error("cannot read or write what the table says about the export")]
    Documents(#[from] store::Error),
    /// The bucket does not answer, or refuses.
    #[error("cannot {action} {key} in the bucket: {reason}")]
    Bucket {
        /// What was tried.
        action: &'static str,
        /// Of which object.
        key: String,
        /// Why it failed.
        reason: String,
    },
    /// A file of the export is not what the export writes.
    #[error("{key} is not a file of the export: {reason}")]
    File {
        /// Which object.
        key: String,
        /// What is wrong.
        reason: String,
    },
}
