//! A file that is there.

/// A file that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uploaded {
    /// Its id in the library, or its address in S3.
    pub id: String,
    /// Its name there. Untrusted text.
    pub name: String,
    /// Its address in a browser.
    pub link: Option<String>,
}
