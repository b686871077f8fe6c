//! CloudFormation's query protocol, which is older than JSON: form fields in, XML out.

use percent_encoding::percent_decode_str;
use std::collections::BTreeMap;

pub(super) const NAMESPACE: &str = "http://cloudformation.amazonaws.com/doc/2010-05-15/";

/// The fields of a form-encoded request.
pub(super) fn fields(form: &str) -> BTreeMap<String, String> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

/// Escapes a text for XML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// An error as the query protocol writes it.
pub(super) fn error(kind: &str, message: &str) -> String {
    format!(
        r#"<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error></ErrorResponse>"#,
        escaped(kind),
        escaped(message)
    )
}
