//! Public pages of a workflow, which people open from a link in a message.

use std::fmt;

/// A request of a person's browser, or of a machine that follows the links of a message. `Debug` shows neither the token nor the body.
#[derive(Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// What the request asks for.
    pub method: PageMethod,
    /// The last segment of the path, percent-decoded: whatever was sent.
    pub token: String,
    /// `Content-Type`, in lower case and without parameters; empty if there is none.
    pub content_type: String,
    /// `Sec-Fetch-Site`, which browsers send and pages of others cannot set; empty if there is none.
    ///
    /// Source: <https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header>
    pub fetch_site: String,
    /// The body; empty for [`PageMethod::Get`].
    pub body: Vec<u8>,
}

/// The method of a request for a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageMethod {
    /// Shows a page, and must change nothing. Also `HEAD`, whose answer is sent without its body.
    Get,
    /// Sends a form.
    Post,
}

impl fmt::Debug for PageRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageRequest")
            .field("method", &self.method)
            .field("content_type", &self.content_type)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// A page. It is sent as HTML and stored nowhere. `Debug` does not show its text.
#[derive(Clone, PartialEq, Eq)]
pub struct Page {
    /// HTTP status.
    pub status: u16,
    /// The whole HTML document.
    pub html: String,
    /// `Content-Security-Policy`.
    pub policy: String,
    /// Whether a person has to fix a setting or a secret before the page can do what it is for. This raises the alarm of refused credentials.
    pub is_misconfigured: bool,
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").field("status", &self.status).finish_non_exhaustive()
    }
}
