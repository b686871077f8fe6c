//! Topics, and what they have taken.

use super::super::Refusal;
use super::super::names::{ACCOUNT, REGION};
use super::super::query_protocol::escaped;
use http::StatusCode;
use std::collections::BTreeMap;

const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";
/// The largest message with its attributes, in bytes, unless a topic has another limit.
const LIMIT_BYTES: usize = 256 * 1024;
/// The longest subject, in characters: fewer than 100.
const SUBJECT_LIMIT: usize = 99;

/// A message that a topic has taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publication {
    /// The ARN of the topic.
    pub topic: String,
    /// The subject; empty if there is none.
    pub subject: String,
    /// The message.
    pub message: String,
    /// The attributes of type `String`.
    pub attributes: BTreeMap<String, String>,
    /// The group, of a topic of the kind FIFO.
    pub group: Option<String>,
}

/// Amazon SNS.
#[derive(Debug, Default)]
pub(in crate::aws) struct Topics {
    /// For each topic the ids of deduplication that it knows.
    topics: BTreeMap<String, Vec<String>>,
    published: Vec<Publication>,
}

impl Topics {
    /// Creates a topic. Returns its ARN.
    pub(in crate::aws) fn create(&mut self, name: &str) -> String {
        let arn = format!("arn:aws:sns:{REGION}:{ACCOUNT}:{name}");
        self.topics.entry(arn.clone()).or_default();
        arn
    }

    pub(in crate::aws) fn published(&self) -> Vec<Publication> {
        self.published.clone()
    }

    pub(super) fn publish(&mut self, fields: &BTreeMap<String, String>) -> Result<String, Refusal> {
        let publication = read(fields)?;
        let Some(known) = self.topics.get_mut(&publication.topic) else {
            return Err(Refusal::new("NotFound", "Topic does not exist").with_status(StatusCode::NOT_FOUND));
        };
        let is_repeat = match fields.get("MessageDeduplicationId") {
            Some(id) if known.contains(id) => true,
            Some(id) => {
                known.push(id.clone());
                false
            }
            None => false,
        };
        if !is_repeat {
            self.published.push(publication);
        }
        let id = uuid::Uuid::new_v4();
        Ok(format!(
            r#"<PublishResponse xmlns="{NAMESPACE}"><PublishResult><MessageId>{}</MessageId></PublishResult><ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></PublishResponse>"#,
            escaped(&id.to_string())
        ))
    }
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidParameter", message)
}

fn read(fields: &BTreeMap<String, String>) -> Result<Publication, Refusal> {
    let text = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let known =
        ["Action", "Version", "TopicArn", "Message", "Subject", "MessageGroupId", "MessageDeduplicationId"];
    let is_known =
        |name: &&String| known.contains(&name.as_str()) || name.starts_with("MessageAttributes.entry.");
    if let Some(unknown) = fields.keys().find(|name| !is_known(name)) {
        return Err(invalid(format!("local-aws does not implement {unknown} of Publish")));
    }
    let topic = text("TopicArn");
    let message = text("Message");
    let subject = text("Subject");
    if message.is_empty() {
        return Err(invalid("Invalid parameter: Empty message"));
    }
    let is_plain =
        |text: &str| text.chars().all(|c| c.is_ascii_graphic() || c == ' ') && !text.starts_with(' ');
    if fields.contains_key("Subject")
        && (subject.is_empty() || subject.len() > SUBJECT_LIMIT || !is_plain(&subject))
    {
        return Err(invalid("Invalid parameter: Subject"));
    }
    let attributes = attributes(fields)?;
    let size =
        message.len() + attributes.iter().map(|(name, value)| name.len() + value.len() + 6).sum::<usize>();
    if size > LIMIT_BYTES {
        return Err(invalid("Invalid parameter: Message too long"));
    }
    let group = fields.get("MessageGroupId").cloned();
    let is_fifo = topic.ends_with(".fifo");
    if is_fifo != group.is_some() || is_fifo != fields.contains_key("MessageDeduplicationId") {
        return Err(invalid("Invalid parameter: MessageGroupId"));
    }
    if fields.get("MessageDeduplicationId").is_some_and(|id| !(1..=128).contains(&id.len())) {
        return Err(invalid("Invalid parameter: MessageDeduplicationId"));
    }
    Ok(Publication { topic, subject, message, attributes, group })
}

fn attributes(fields: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Refusal> {
    let mut all = BTreeMap::new();
    for number in 1..=10 {
        let part = |end: &str| fields.get(&format!("MessageAttributes.entry.{number}.{end}")).cloned();
        let Some(name) = part("Name") else { break };
        let kind = part("Value.DataType");
        let value = part("Value.StringValue").unwrap_or_default();
        if kind.as_deref() != Some("String") || value.is_empty() {
            return Err(Refusal::new(
                "ParameterValueInvalid",
                format!("The message attribute '{name}' must contain non-empty message attribute value."),
            ));
        }
        all.insert(name, value);
    }
    Ok(all)
}
