//! The MD5 sums that SQS returns, by which clients check what arrived.

use crate::aws::md5_hex::md5_hex;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// `MD5OfMessageBody`.
pub(crate) fn of_body(body: &str) -> String {
    md5_hex(body.as_bytes())
}

/// `MD5OfMessageAttributes`; `None` when there are no attributes. The sum requires the attributes sorted by name, as
/// the map has them.
///
/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation>
pub(crate) fn of_attributes(attributes: &Map<String, Value>) -> Option<String> {
    const STRING: u8 = 1;
    const BINARY: u8 = 2;
    if attributes.is_empty() {
        return None;
    }
    let mut bytes = Vec::new();
    for (name, attribute) in attributes {
        sized(&mut bytes, name.as_bytes());
        sized(&mut bytes, attribute["DataType"].as_str().unwrap_or_default().as_bytes());
        match attribute["BinaryValue"].as_str() {
            Some(encoded) => {
                bytes.push(BINARY);
                sized(&mut bytes, &STANDARD.decode(encoded).unwrap_or_default());
            }
            None => {
                bytes.push(STRING);
                sized(&mut bytes, attribute["StringValue"].as_str().unwrap_or_default().as_bytes());
            }
        }
    }
    Some(md5_hex(&bytes))
}

/// Adds a part to the sum, preceded by its length in four bytes.
fn sized(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend(part);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sums_are_those_of_the_documentation_and_of_other_clients() {
        assert_eq!(of_body("This is a test message"), "fafb00f5732ab283681e124bf8747ed1");
        let attributes = json!({ "timestamp": { "DataType": "Number", "StringValue": "1493147359900" } });
        let sum = of_attributes(attributes.as_object().unwrap());
        assert_eq!(sum.as_deref(), Some("235c5c510d26fb653d073faed50ae77c"));
        assert_eq!(of_attributes(&Map::new()), None);
    }
}
