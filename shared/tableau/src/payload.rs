//! The body of a webhook delivery.

use serde_json::{Map, Value};

/// The JSON body of a delivery, as Tableau wrote it.
///
/// Every field is optional: a missing field and a JSON `null` are both `None`. Undocumented keys are kept in `other`,
/// so that a stored payload can be read back without loss.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Payload {
    /// `WORKBOOK`, `DATASOURCE`, `EXTRACTS`, `USER`, `SITE` or `VIEW`.
    pub resource: Option<String>,
    /// The event name.
    pub event_type: Option<String>,
    /// The object's display name at the time of the event. Any user who may publish can choose it: untrusted text.
    pub resource_name: Option<String>,
    /// The LUID of the site. Tableau never sends the site's name.
    pub site_luid: Option<String>,
    /// The LUID of the workbook, data source, view, user or site; for `EXTRACTS`, of the workbook or data source.
    pub resource_luid: Option<String>,
    /// When the event happened: RFC 3339, UTC, whole seconds.
    pub created_at: Option<String>,
    /// A sentence for people. Real deliveries contain it, Tableau's documentation does not mention it.
    pub text: Option<String>,
    /// All other keys of the body.
    pub other: Map<String, Value>,
}

/// Why a body is not a payload. The error says where the problem is, and never shows the content, which may come from
/// a stranger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// The bytes are not UTF-8.
    #[error("body: not UTF-8 from byte {0} on")]
    NotUtf8(usize),
    /// The bytes are compressed, or text in an encoding other than UTF-8.
    #[error("body: {0}; send plain JSON")]
    Encoded(&'static str),
    /// The text is not JSON.
    #[error("body: not JSON, at line {line}, column {column}{problem}")]
    NotJson {
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// What is wrong at that place, after a colon; empty if the parser gives no reason.
        problem: String,
    },
    /// The body is JSON, but not an object.
    #[error("body: expected a JSON object, found {0}")]
    NotAnObject(&'static str),
    /// A documented field is not a string.
    #[error("{field}: expected a string, found {found}")]
    NotAString {
        /// The field's name.
        field: &'static str,
        /// The kind of value that was found.
        found: &'static str,
    },
}

/// U+FEFF in UTF-8. Some senders and proxies put this mark before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The kind of data that the first bytes show, if these cannot begin a JSON text: a compression or another text
/// encoding.
fn encoding(body: &[u8]) -> Option<&'static str> {
    Some(match body {
        [0x1f, 0x8b, ..] => "compressed with gzip",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "compressed with zstd",
        // The first two bytes of a zlib stream, read as one number, are a multiple of 31.
        [0x78, flags, ..] if (0x7800 + u16::from(*flags)) % 31 == 0 && !body.is_ascii() => {
            "compressed with deflate"
        }
        [b'P', b'K', 3, 4, ..] => "a zip archive",
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => "compressed with bzip2",
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => "compressed with xz",
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'{', 0, ..] | [0, b'{', ..] => "text in UTF-16",
        _ => return None,
    })
}

/// serde_json's messages for a syntax error are fixed sentences that do not repeat the input, so they can be shown.
fn not_json(error: &serde_json::Error) -> PayloadError {
    let words = error.to_string();
    let problem = match words.split_once(" at line ") {
        Some((problem, _)) if !error.is_data() => format!(": {problem}"),
        _ => String::new(),
    };
    PayloadError::NotJson { line: error.line(), column: error.column(), problem }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn take(map: &mut Map<String, Value>, field: &'static str) -> Result<Option<String>, PayloadError> {
    match map.remove(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(PayloadError::NotAString { field, found: kind(&other) }),
    }
}

impl Payload {
    /// Reads the body of a delivery. An empty body, white space and `null` give the empty payload; a byte order mark is
    /// removed.
    ///
    /// # Errors
    /// [`PayloadError`] when the bytes are compressed, not UTF-8, not a JSON object, or a documented field is not a string.
    pub fn parse(body: &[u8]) -> Result<Self, PayloadError> {
        let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
        if let Some(encoding) = encoding(body) {
            return Err(PayloadError::Encoded(encoding));
        }
        let text = std::str::from_utf8(body).map_err(|e| PayloadError::NotUtf8(e.valid_up_to()))?;
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let value = serde_json::from_str(text).map_err(|error| not_json(&error))?;
        match value {
            Value::Null => Ok(Self::default()),
            Value::Object(map) => Self::from_map(map),
            other => Err(PayloadError::NotAnObject(kind(&other))),
        }
    }

    fn from_map(mut map: Map<String, Value>) -> Result<Self, PayloadError> {
        Ok(Self {
            resource: take(&mut map, "resource")?,
            event_type: take(&mut map, "event_type")?,
            resource_name: take(&mut map, "resource_name")?,
            site_luid: take(&mut map, "site_luid")?,
            resource_luid: take(&mut map, "resource_luid")?,
            created_at: take(&mut map, "created_at")?,
            text: take(&mut map, "text")?,
            other: map,
        })
    }

    /// Whether this is the test that an administrator sends with Tableau's *Test Webhook*: an empty body, or the
    /// event type `Test`. Tableau does not document the exact body.
    pub fn is_test(&self) -> bool {
        *self == Self::default() || self.event_type.as_deref() == Some("Test")
    }

    /// The payload as compact JSON with sorted keys: equal payloads give equal text, in whatever order and spacing
    /// they arrived.
    pub fn canonical_json(&self) -> String {
        let mut out = String::with_capacity(256);
        write_canonical(&self.to_value(), &mut out);
        // SQS refuses these two characters. In JSON only a string can contain them, and inside a string they may be
        // escaped.
        if out.contains(['\u{fffe}', '\u{ffff}']) {
            out = out.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff");
        }
        out
    }

    fn to_value(&self) -> Value {
        let mut map = self.other.clone();
        let fields = [
            ("resource", &self.resource),
            ("event_type", &self.event_type),
            ("resource_name", &self.resource_name),
            ("site_luid", &self.site_luid),
            ("resource_luid", &self.resource_luid),
            ("created_at", &self.created_at),
            ("text", &self.text),
        ];
        for (name, value) in fields {
            if let Some(text) = value {
                map.insert(name.to_owned(), Value::String(text.clone()));
            }
        }
        Value::Object(map)
    }
}

/// Sorts the keys itself: whether `serde_json::Map` is sorted depends on a cargo feature that any dependency can
/// switch on, and the event id must not depend on that.
fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            out.push('{');
            for (i, key) in keys.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(&Value::String(key.clone()).to_string());
                out.push(':');
                write_canonical(&map[key], out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_body_an_empty_object_and_a_test_event_are_tests() {
        for body in ["", " \r\n", "null", "{}", r#"{"event_type":"Test"}"#, r#"{"event_type":null}"#] {
            assert!(Payload::parse(body.as_bytes()).unwrap().is_test(), "{body:?}");
        }
        assert!(!Payload::parse(br#"{"resource_name":"x"}"#).unwrap().is_test());
    }

    #[test]
    fn an_error_says_where_and_does_not_repeat_the_input() {
        let cases: [(&[u8], &str); 6] = [
            (b"hunter2", "body: not JSON, at line 1, column 1: expected value"),
            (b"{\"a\":\n hunter2}", "body: not JSON, at line 2, column 2: expected value"),
            (b"{}\xff", "body: not UTF-8 from byte 2 on"),
            (b"[\"hunter2\"]", "body: expected a JSON object, found an array"),
            (b"\"hunter2\"", "body: expected a JSON object, found a string"),
            (b"{\"event_type\":[\"hunter2\"]}", "event_type: expected a string, found an array"),
        ];
        for (body, expected) in cases {
            assert_eq!(Payload::parse(body).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_byte_order_mark_is_removed() {
        let body = br#"{"event_type":"SiteUpdated"}"#;
        let marked = [BYTE_ORDER_MARK, body].concat();
        assert_eq!(Payload::parse(&marked), Payload::parse(body));
        assert!(Payload::parse(BYTE_ORDER_MARK).unwrap().is_test());
    }

    #[test]
    fn a_body_in_another_encoding_is_named() {
        let utf_16: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let cases: [(&[u8], &str); 9] = [
            (b"BZh91AY&SY", "body: compressed with bzip2; send plain JSON"),
            (b"\xfd7zXZ\0\0", "body: compressed with xz; send plain JSON"),
            (b"\x1f\x8b\x08\x00", "body: compressed with gzip; send plain JSON"),
            (b"\x28\xb5\x2f\xfd\x04", "body: compressed with zstd; send plain JSON"),
            (b"\x78\x9c\xab\xae\x05", "body: compressed with deflate; send plain JSON"),
            (b"PK\x03\x04", "body: a zip archive; send plain JSON"),
            (b"\xff\xfe{\x00}\x00", "body: text in UTF-16; send plain JSON"),
            (&utf_16, "body: text in UTF-16; send plain JSON"),
            (b"x\x01 is no zlib header", "body: not JSON, at line 1, column 1: expected value"),
        ];
        for (body, expected) in cases {
            assert_eq!(Payload::parse(body).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn the_canonical_text_has_only_characters_that_sqs_takes() {
        let payload = Payload::parse("{\"resource_name\":\"a\u{ffff}b\u{fffe}\"}".as_bytes()).unwrap();
        assert_eq!(payload.canonical_json(), r#"{"resource_name":"a\uffffb\ufffe"}"#);
        assert_eq!(Payload::parse(payload.canonical_json().as_bytes()).unwrap(), payload);
    }

    #[test]
    fn order_spacing_and_nulls_do_not_change_the_canonical_text() {
        let one = Payload::parse(br#"{"resource":"SITE","zeta":{"b":1,"a":[2,{"d":1,"c":2}]},"text":null}"#)
            .unwrap();
        let two =
            Payload::parse(b"{ \"zeta\": {\"a\":[2,{\"c\":2,\"d\":1}],\"b\":1},\n \"resource\":\"SITE\" }")
                .unwrap();
        assert_eq!(one.canonical_json(), two.canonical_json());
        assert_eq!(one.canonical_json(), r#"{"resource":"SITE","zeta":{"a":[2,{"c":2,"d":1}],"b":1}}"#);
    }
}
