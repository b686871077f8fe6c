//! Tableau's errors by code.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_concepts_errors.htm>

use super::element::Element;

/// A call that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RestError {
    pub(crate) code: &'static str,
    pub(crate) detail: String,
}

impl RestError {
    pub(crate) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    /// A thing that is not there.
    pub(crate) fn not_found(code: &'static str, what: &str, luid: &str) -> Self {
        Self::new(code, format!("{what} '{luid}' could not be found."))
    }

    /// The first three digits of the code.
    pub(crate) fn status(&self) -> u16 {
        self.code.get(..3).and_then(|digits| digits.parse().ok()).unwrap_or(500)
    }

    fn summary(&self) -> &'static str {
        match self.code {
            "400000" => "Bad Request",
            "400006" => "Invalid page number",
            "400007" => "Invalid page size",
            "400110" | "400111" | "400112" | "400113" | "400124" => "Webhook error",
            "400118" => "Invalid webhook destination",
            "400127" => "Invalid status change reason",
            "401000" | "401002" => "Unauthorized Access",
            "401001" => "Signin Error",
            "403014" => "Page size limit exceeded",
            "403109" => "Webhooks disabled",
            "403151" => "Broadcasts disabled",
            "404001" => "API version not found",
            "405000" => "Invalid Request Method",
            "409093" => "Resource Conflict",
            "429000" => "Too Many Requests",
            code if code.starts_with("403") => "Forbidden",
            code if code.starts_with("404") => "Resource Not Found",
            code if code.starts_with("409") => "Resource Conflict",
            code if code.starts_with("400") => "Bad Request",
            _ => "Server Error",
        }
    }

    pub(crate) fn element(&self) -> Element {
        let error = Element::new("error").with("code", self.code);
        let error = error.child(Element::new("summary").text(self.summary()));
        Element::root().child(error.child(Element::new("detail").text(self.detail.as_str())))
    }
}
