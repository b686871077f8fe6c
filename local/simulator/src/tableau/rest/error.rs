//! Tableau's errors by code.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_concepts_errors.htm>

use super::element::Element;

/// The known error codes, each with its summary: those that routes answer, and those that a fault can set.
pub(in crate::tableau) const CODES: &[(&str, &str)] = &[
    ("400000", "Bad Request"),
    ("400006", "Invalid page number"),
    ("400007", "Invalid page size"),
    ("400008", "Invalid parameter value"),
    ("400009", "Bad Request"),
    ("400031", "Bad Request"),
    ("400065", "Bad Request"),
    ("400066", "Bad Request"),
    ("400105", "Bad Request"),
    ("400108", "Bad Request"),
    ("400109", "Bad Request"),
    ("400110", "Webhook error"),
    ("400111", "Webhook error"),
    ("400112", "Webhook error"),
    ("400113", "Webhook error"),
    ("400118", "Invalid webhook destination"),
    ("400124", "Webhook error"),
    ("400127", "Invalid status change reason"),
    ("401000", "Unauthorized Access"),
    ("401001", "Signin Error"),
    ("401002", "Unauthorized Access"),
    ("401003", "Server Error"),
    ("403000", "Forbidden"),
    ("403001", "Forbidden"),
    ("403003", "Forbidden"),
    ("403004", "Forbidden"),
    ("403005", "Forbidden"),
    ("403010", "Forbidden"),
    ("403014", "Page size limit exceeded"),
    ("403027", "Forbidden"),
    ("403070", "Forbidden"),
    ("403072", "Forbidden"),
    ("403073", "Forbidden"),
    ("403074", "Forbidden"),
    ("403076", "Forbidden"),
    ("403077", "Forbidden"),
    ("403079", "Forbidden"),
    ("403091", "Forbidden"),
    ("403096", "Forbidden"),
    ("403104", "Forbidden"),
    ("403105", "Forbidden"),
    ("403109", "Webhooks disabled"),
    ("403128", "Forbidden"),
    ("403135", "Forbidden"),
    ("403151", "Broadcasts disabled"),
    ("403157", "Feature disabled"),
    ("404000", "Resource Not Found"),
    ("404001", "API version not found"),
    ("404002", "Resource Not Found"),
    ("404003", "Resource Not Found"),
    ("404004", "Resource Not Found"),
    ("404005", "Resource Not Found"),
    ("404006", "Resource Not Found"),
    ("404007", "Resource Not Found"),
    ("404011", "Resource Not Found"),
    ("404012", "Resource Not Found"),
    ("404013", "Resource Not Found"),
    ("404014", "Resource Not Found"),
    ("404018", "Resource Not Found"),
    ("404025", "Resource Not Found"),
    ("404026", "Resource Not Found"),
    ("404029", "Resource Not Found"),
    ("404030", "Resource Not Found"),
    ("404032", "Resource Not Found"),
    ("404033", "Resource Not Found"),
    ("404034", "Resource Not Found"),
    ("405000", "Invalid Request Method"),
    ("406000", "Not Acceptable"),
    ("409000", "Resource Conflict"),
    ("409004", "Resource Conflict"),
    ("409082", "Resource Conflict"),
    ("409093", "Resource Conflict"),
    ("429000", "Too Many Requests"),
    ("500000", "Server Error"),
    ("500001", "Server Error"),
];

/// An error answer of the REST API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RestError {
    pub(crate) code: &'static str,
    pub(crate) detail: String,
}

impl RestError {
    pub(crate) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    /// The error for an object that does not exist.
    pub(crate) fn not_found(code: &'static str, what: &str, luid: &str) -> Self {
        Self::new(code, format!("{what} '{luid}' could not be found."))
    }

    /// The HTTP status: the first three digits of the code.
    pub(crate) fn status(&self) -> u16 {
        self.code.get(..3).and_then(|digits| digits.parse().ok()).unwrap_or(500)
    }

    fn summary(&self) -> &'static str {
        let known = CODES.iter().find(|(code, _)| *code == self.code);
        known.map_or("Server Error", |(_, summary)| summary)
    }

    pub(crate) fn element(&self) -> Element {
        let error = Element::new("error").with("code", self.code);
        let error = error.child(Element::new("summary").text(self.summary()));
        Element::root().child(error.child(Element::new("detail").text(self.detail.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// All quoted texts that look like an error code, in all files below `folder`.
    fn codes_in(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                codes_in(&entry.path(), found);
            } else if entry.path().extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(entry.path()).unwrap();
                let is_code = |text: &&str| text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
                found.extend(text.split('"').filter(is_code).map(str::to_owned));
            }
        }
    }

    #[test]
    fn every_code_that_is_answered_is_in_the_table_once_and_in_order() {
        let mut found = Vec::new();
        codes_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tableau"), &mut found);
        for code in &found {
            assert!(CODES.iter().any(|(known, _)| known == code), "{code}");
        }
        assert!(CODES.is_sorted_by(|before, after| before.0 < after.0));
    }
}
