//! Block Kit: the parts of a Slack message, each cut to the length that Slack accepts.
//!
//! Source: <https://docs.slack.dev/reference/block-kit/blocks>

use super::mrkdwn::{cut, escape};
use plain_text::one_line;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

const HEADER_LIMIT: usize = 150;
const SECTION_LIMIT: usize = 3_000;
const FIELD_LIMIT: usize = 2_000;
const FIELDS_LIMIT: usize = 10;
const CONTEXT_LIMIT: usize = 10;
const BLOCKS_LIMIT: usize = 50;
/// The longest `text`, in characters: some methods refuse longer ones (`msg_too_long`).
const TEXT_LIMIT: usize = 4_000;
/// The longest text that replaces a refused layout: well below Slack's limit, so that it is not refused for its
/// length too.
const PLAIN_LIMIT: usize = 3_000;

/// A text object. Lengths are counted in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    /// Shown literally: names from Tableau are safe in it.
    PlainText(String),
    /// Slack's markup. Text that is not this crate's own markup must go through [`escape`](super::mrkdwn::escape)
    /// first.
    Mrkdwn(String),
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::PlainText(text) => {
                let mut object = serializer.serialize_struct("Text", 3)?;
                object.serialize_field("type", "plain_text")?;
                object.serialize_field("text", text)?;
                // Otherwise Slack turns `:warning:` in a name into an emoji.
                object.serialize_field("emoji", &false)?;
                object.end()
            }
            Self::Mrkdwn(text) => {
                let mut object = serializer.serialize_struct("Text", 3)?;
                object.serialize_field("type", "mrkdwn")?;
                object.serialize_field("text", text)?;
                // Otherwise Slack turns parts of names into links and mentions.
                object.serialize_field("verbatim", &true)?;
                object.end()
            }
        }
    }
}

impl Text {
    fn cut(self, limit: usize) -> Self {
        match self {
            Self::PlainText(text) => Self::PlainText(cut(&text, limit)),
            Self::Mrkdwn(text) => Self::Mrkdwn(cut(&text, limit)),
        }
    }

    /// The text as markup.
    fn to_markup(&self) -> String {
        match self {
            Self::PlainText(text) => escape(text),
            Self::Mrkdwn(text) => text.clone(),
        }
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        match self {
            Self::PlainText(text) | Self::Mrkdwn(text) => text,
        }
    }
}

/// A block of a Slack message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Block {
    /// A large line of text.
    Header {
        /// The text, always plain.
        text: Text,
    },
    /// A paragraph, or up to ten fields in two columns.
    Section {
        /// The text of the paragraph.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<Text>,
        /// The fields, shown in two columns.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        fields: Vec<Text>,
    },
    /// Small print.
    Context {
        /// Up to ten texts.
        elements: Vec<Text>,
    },
}

impl Block {
    /// The block's texts, as markup.
    fn lines(&self) -> Vec<String> {
        match self {
            Self::Header { text } => vec![format!("*{}*", text.to_markup())],
            Self::Section { text, fields } => text.iter().chain(fields).map(Text::to_markup).collect(),
            Self::Context { elements } => elements.iter().map(Text::to_markup).collect(),
        }
    }

    /// A header, cut to 150 characters.
    pub fn header(text: &str) -> Self {
        Self::Header { text: Text::PlainText(cut(&one_line(text), HEADER_LIMIT)) }
    }

    /// A paragraph in markup, cut to 3,000 characters.
    pub fn section(markup: impl Into<String>) -> Self {
        Self::Section { text: Some(Text::Mrkdwn(markup.into()).cut(SECTION_LIMIT)), fields: Vec::new() }
    }

    /// A section with up to ten fields in markup, each cut to 2,000 characters. `None` without fields: Slack refuses
    /// an empty section.
    pub fn fields(markup: impl IntoIterator<Item = String>) -> Option<Self> {
        let fields = markup.into_iter().take(FIELDS_LIMIT);
        let fields: Vec<Text> = fields.map(|text| Text::Mrkdwn(text).cut(FIELD_LIMIT)).collect();
        (!fields.is_empty()).then_some(Self::Section { text: None, fields })
    }

    /// Small print in markup: up to ten texts.
    pub fn context(markup: impl IntoIterator<Item = String>) -> Self {
        let elements = markup.into_iter().take(CONTEXT_LIMIT);
        Self::Context { elements: elements.map(|text| Text::Mrkdwn(text).cut(FIELD_LIMIT)).collect() }
    }
}

/// A Slack message: its blocks, and a line of text that notifications and screen readers use in place of the blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    text: String,
    blocks: Vec<Block>,
}

impl Message {
    /// Creates a message. `text` is markup, cut to 4,000 characters. Blocks after the fiftieth are left out.
    pub fn new(text: &str, blocks: impl IntoIterator<Item = Block>) -> Self {
        Self { text: cut(text, TEXT_LIMIT), blocks: blocks.into_iter().take(BLOCKS_LIMIT).collect() }
    }

    /// The text for notifications and screen readers.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The blocks of the message.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The JSON body of the message. Link previews are switched off: Slack would add one under every message.
    pub(super) fn to_json(&self) -> Value {
        json!({ "text": self.text, "blocks": self.blocks, "unfurl_links": false, "unfurl_media": false })
    }

    /// The JSON body of the same message without blocks, after Slack refused the layout: the texts of the blocks,
    /// line by line.
    pub(super) fn to_plain_json(&self) -> Value {
        let lines: Vec<String> = self.blocks.iter().flat_map(Block::lines).collect();
        let text = if lines.is_empty() { self.text.clone() } else { lines.join("\n") };
        let text = cut(&text, PLAIN_LIMIT);
        json!({ "text": text, "parse": "none", "unfurl_links": false, "unfurl_media": false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // D013, D022: no attachments and no pictures. D113, D114: nothing that a person can press, so that Slack calls no endpoint.
    // D145: the text is there beside the blocks.
    #[test]
    fn a_message_has_the_shape_that_slack_documents() {
        let message = Message::new(
            "Refresh failed: Sales",
            [
                Block::header("Refresh failed: Sales"),
                Block::section("*Cause*"),
                Block::fields(["*Project*\nFinance".to_owned()]).unwrap(),
                Block::context(["event 1".to_owned()]),
            ],
        );
        assert_eq!(
            message.to_json(),
            json!({
                "text": "Refresh failed: Sales", "unfurl_links": false, "unfurl_media": false,
                "blocks": [
                    {"type": "header", "text": {"type": "plain_text", "text": "Refresh failed: Sales", "emoji": false}},
                    {"type": "section", "text": {"type": "mrkdwn", "text": "*Cause*", "verbatim": true}},
                    {"type": "section", "fields": [{"type": "mrkdwn", "text": "*Project*\nFinance", "verbatim": true}]},
                    {"type": "context", "elements": [{"type": "mrkdwn", "text": "event 1", "verbatim": true}]},
                ]
            })
        );
    }

    #[test]
    fn a_message_without_its_layout_says_the_same() {
        let blocks = [
            Block::header("Refresh failed: A <!channel> & B"),
            Block::section("*Cause* – `x`"),
            Block::fields(["*Project*\nFinance".to_owned()]).unwrap(),
            Block::context(["event 1".to_owned()]),
        ];
        let plain = Message::new("Refresh failed", blocks).to_plain_json();
        let text = "*Refresh failed: A &lt;!channel&gt; &amp; B*\n*Cause* – `x`\n*Project*\nFinance\nevent 1";
        let expected = json!({ "text": text, "parse": "none", "unfurl_links": false, "unfurl_media": false });
        assert_eq!(plain, expected);
        assert_eq!(Message::new("only a line", []).to_plain_json()["text"], "only a line");
        let long = Message::new("t", vec![Block::section("é".repeat(3_000)); 50]).to_plain_json();
        assert_eq!(long["text"].as_str().unwrap().chars().count(), PLAIN_LIMIT);
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let long = "é".repeat(5_000);
        let Block::Header { text } = Block::header(&long) else { panic!() };
        assert_eq!(text.as_str().chars().count(), HEADER_LIMIT);
        let Block::Section { text, .. } = Block::section(&long) else { panic!() };
        assert_eq!(text.unwrap().as_str().chars().count(), SECTION_LIMIT);
        assert_eq!(Message::new(&long, []).text().chars().count(), TEXT_LIMIT);
    }
}
