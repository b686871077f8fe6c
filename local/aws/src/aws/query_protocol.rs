//! CloudFormation's protocol, which is older than JSON: forms in, XML out.

use percent_encoding::percent_decode_str;
use std::collections::BTreeMap;

pub(super) const NAMESPACE: &str = "http://cloudformation.amazonaws.com/doc/2010-05-15/";

/// A form's fields.
pub(super) fn fields(form: &str) -> BTreeMap<String, String> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

/// What an XML text must not hold.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// An error as this protocol has it.
pub(super) fn error(kind: &str, message: &str) -> String {
    format!(
        r#"<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error></ErrorResponse>"#,
        escaped(kind),
        escaped(message)
    )
}
