//! How exported PDF files look.

use std::time::Duration;

/// How an exported PDF file looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportShape {
    /// How many bytes the file has beside its pages.
    pub padding_bytes: u64,
    /// How long the server pauses after each 64 KiB.
    pub pause: Duration,
    /// How many pages each view has.
    pub pages: usize,
    /// What is in the file.
    pub content: ExportContent,
}

/// What is in an exported file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportContent {
    /// What the views show.
    Whole,
    /// Pages without anything on them.
    Blank,
    /// The first half of a file.
    Cut,
    /// A text in place of a PDF file.
    Text,
}

impl Default for ExportShape {
    fn default() -> Self {
        Self { padding_bytes: 0, pause: Duration::ZERO, pages: 1, content: ExportContent::Whole }
    }
}
