//! XML or JSON: what a body is written in, and what a caller wants an answer in.

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
    /// XML, unless JSON is asked for.
    pub(crate) fn accepted(headers: &HeaderMap) -> Self {
        let ranges = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut ranges = ranges.flat_map(|value| value.split(','));
        let known = ranges.find(|range| ["json", "xml", "*/*"].iter().any(|name| range.contains(name)));
        if known.is_some_and(|range| range.contains("json")) { Self::Json } else { Self::Xml }
    }

    /// As `Content-Type` says; where it says nothing, as the first character looks.
    fn of_body(headers: &HeaderMap, body: &[u8]) -> Self {
        let declared =
            headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        match (declared.contains("json"), declared.contains("xml")) {
            (true, _) => Self::Json,
            (_, true) => Self::Xml,
            _ if first == Some(&b'<') => Self::Xml,
            _ => Self::Json,
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

/// The body of a request as JSON. An empty one is as good as `{}`.
pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Value, RestError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(Map::new()));
    }
    match Format::of_body(headers, body) {
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
}
