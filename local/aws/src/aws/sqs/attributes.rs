//! What SQS messages may contain, and how receivers see them.

use super::super::Refusal;
use super::super::names::ACCOUNT;
use super::{Attributes, Message, checksum};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// The largest message, attributes included, in bytes.
pub(super) const SIZE_LIMIT_BYTES: usize = 1_048_576;

/// The error for a parameter out of range.
pub(super) fn invalid_parameter(message: impl Into<String>) -> Refusal {
    let kind = "com.amazon.coral.service#InvalidParameterValueException";
    Refusal::sqs("InvalidParameterValueException", "InvalidParameterValue", message).of_kind(kind)
}

/// Checks a message's attributes and returns their size in bytes.
pub(super) fn check_attributes(attributes: &Attributes) -> Result<usize, Refusal> {
    if attributes.len() > 10 {
        return Err(invalid_parameter(format!(
            "Number of message attributes [{}] exceeds the allowed maximum [10].",
            attributes.len()
        )));
    }
    let mut size_bytes = 0;
    for (name, attribute) in attributes {
        let kind = attribute["DataType"].as_str().unwrap_or_default();
        let length = match kind.split('.').next().unwrap_or_default() {
            "String" | "Number" => attribute["StringValue"].as_str().map(str::len),
            "Binary" => {
                attribute["BinaryValue"].as_str().and_then(|v| STANDARD.decode(v).ok()).map(|v| v.len())
            }
            "" => {
                let message =
                    format!("The message attribute '{name}' must contain non-empty message attribute type.");
                return Err(invalid_parameter(message));
            }
            _ => {
                let message = format!(
                    "The type of message attribute '{name}' is invalid. You must use only the following \
                     supported type prefixes: Binary, Number, String."
                );
                return Err(invalid_parameter(message));
            }
        };
        match length {
            Some(length) if length > 0 => size_bytes += name.len() + kind.len() + length,
            _ => {
                let message = format!(
                    "The message attribute '{name}' must contain non-empty message attribute value for \
                     message attribute type '{kind}'."
                );
                return Err(invalid_parameter(message));
            }
        }
    }
    Ok(size_bytes)
}

/// Checks a message's body. `attributes_bytes` is the size of the message's attributes.
pub(super) fn check_body(body: &str, attributes_bytes: usize) -> Result<(), Refusal> {
    if body.len() + attributes_bytes > SIZE_LIMIT_BYTES {
        let message = format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {SIZE_LIMIT_BYTES} bytes."
        );
        return Err(invalid_parameter(message));
    }
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..);
    if !body.chars().all(allowed) {
        return Err(Refusal::sqs(
            "InvalidMessageContents",
            "InvalidMessageContents",
            "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | \
             #xE000 to #xFFFD | #x10000 to #x10FFFF",
        ));
    }
    Ok(())
}

/// The system attributes that SQS adds to a message.
pub(crate) fn system_attributes(message: &Message) -> Map<String, Value> {
    let mut attributes = Map::new();
    let mut set = |name: &str, value: String| attributes.insert(name.to_owned(), Value::String(value));
    set("SenderId", ACCOUNT.to_owned());
    set("SentTimestamp", message.sent_at_ms.to_string());
    set("ApproximateReceiveCount", message.receive_count.to_string());
    if let Some(first) = message.first_received_at_ms {
        set("ApproximateFirstReceiveTimestamp", first.to_string());
    }
    if let Some(source) = &message.dead_letter_of {
        set("DeadLetterQueueSourceArn", source.clone());
    }
    if let Some(trace) = &message.trace_header {
        set("AWSTraceHeader", trace.clone());
    }
    attributes
}

/// Whether a receiver's list of attribute names covers this attribute: by name, by `prefix.*`, or with `All`.
fn asked_for(wanted: &[&str], name: &str) -> bool {
    wanted.iter().any(|wanted| match *wanted {
        "All" | ".*" => true,
        wanted => match wanted.strip_suffix(".*") {
            Some(prefix) => name.starts_with(prefix),
            None => wanted == name,
        },
    })
}

/// The message as `ReceiveMessage` returns it, with the attributes that the receiver asked for.
pub(super) fn shown(message: &Message, system: &[&str], wanted: &[&str]) -> Value {
    let mut shown = json!({
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "Body": message.body,
        "MD5OfBody": checksum::of_body(&message.body),
    });
    let only = |attributes: Map<String, Value>, wanted: &[&str]| -> Map<String, Value> {
        attributes.into_iter().filter(|(name, _)| asked_for(wanted, name)).collect()
    };
    let system = only(system_attributes(message), system);
    if !system.is_empty() {
        shown["Attributes"] = Value::Object(system);
    }
    let attributes = only(message.attributes.clone(), wanted);
    if let Some(sum) = checksum::of_attributes(&attributes) {
        shown["MD5OfMessageAttributes"] = Value::String(sum);
        shown["MessageAttributes"] = Value::Object(attributes);
    }
    shown
}
