//! The format of bodies and answers: XML or JSON.

use super::element::Element;
use super::error::RestError;
use super::{json, xml};
use http::{HeaderMap, HeaderValue, header};
use serde_json::{Map, Value};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Xml,
    Json,
}

impl Format {
    /// The answer's format: XML, unless the caller accepts JSON.
    pub(crate) fn accepted(headers: &HeaderMap) -> Self {
        let ranges = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut ranges = ranges.flat_map(|value| value.split(','));
        let known = ranges.find(|range| ["json", "xml", "*/*"].iter().any(|name| range.contains(name)));
        if known.is_some_and(|range| range.contains("json")) { Self::Json } else { Self::Xml }
    }

    /// Refuses callers that accept neither JSON nor XML.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_concepts_errors.htm>
    pub(crate) fn acceptable(headers: &HeaderMap) -> Result<(), RestError> {
        let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut ranges = accepted.flat_map(|value| value.split(',')).map(str::trim).peekable();
        let known =
            |range: &str| ["json", "xml", "*/*", "application/*"].iter().any(|name| range.contains(name));
        if ranges.peek().is_none() || ranges.any(known) {
            return Ok(());
        }
        Err(RestError::new("406000", "The media types of the Accept header are not available here."))
    }

    /// The body's format: by `Content-Type`, or else by the first character.
    fn of_body(headers: &HeaderMap, body: &[u8]) -> Result<Self, RestError> {
        let Some(declared) = headers.get(header::CONTENT_TYPE) else {
            let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
            return Ok(if first == Some(&b'<') { Self::Xml } else { Self::Json });
        };
        let declared = declared.to_str().unwrap_or_default();
        let media_type = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match media_type.as_str() {
            "application/json" | "text/json" => Ok(Self::Json),
            "application/xml" | "text/xml" => Ok(Self::Xml),
            _ => Err(RestError::new("406000", "A body is application/json, application/xml or text/xml.")),
        }
    }

    pub(crate) fn render(self, root: &Element) -> String {
        match self {
            Self::Xml => xml::render(root),
            Self::Json => json::render(root),
        }
    }

    pub(crate) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Xml => "application/xml;charset=utf-8",
            Self::Json => "application/json;charset=utf-8",
        })
    }
}

/// The request's body as JSON. An empty body counts as `{}`.
pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Value, RestError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(Map::new()));
    }
    match Format::of_body(headers, body)? {
        Format::Json => json::parse(body),
        Format::Xml => xml::parse(&String::from_utf8_lossy(body)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_xml_unless_json_is_asked_for() {
        for (accept, expected) in [
            (None, Format::Xml),
            (Some("*/*"), Format::Xml),
            (Some("application/xml"), Format::Xml),
            (Some("application/json"), Format::Json),
            (Some("text/plain, application/json;q=0.9, */*"), Format::Json),
            (Some("application/xml, application/json"), Format::Xml),
            (Some("image/png"), Format::Xml),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            }
            assert_eq!(Format::accepted(&headers), expected, "{accept:?}");
        }
    }

    #[test]
    fn media_types_that_tableau_does_not_speak_are_refused() {
        for (accept, is_fine) in
            [("text/html", false), ("image/png", false), ("text/html, */*", true), ("application/*", true)]
        {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(Format::acceptable(&headers).is_ok(), is_fine, "{accept}");
        }
        for (declared, is_fine) in [
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
            ("application/json; charset=utf-8", true),
            ("Application/JSON", true),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(declared))]);
            let read = read(&headers, b"{}").map_err(|error| error.code);
            assert_eq!(read.err(), (!is_fine).then_some("406000"), "{declared}");
        }
    }
}
