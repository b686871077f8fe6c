//! Writes answers as XML, and parses XML bodies into the form of JSON bodies.

use super::call::malformed;
use super::element::{Child, Element, Scalar};
use super::error::RestError;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde_json::{Map, Value};

/// The deepest nesting, the same as for JSON.
const DEEPEST: usize = 128;
const NAMESPACE: &str = "http://tableau.com/api";

/// A whole answer as XML.
pub(crate) fn render(root: &Element) -> String {
    let mut text = "<?xml version='1.0' encoding='UTF-8'?>".to_owned();
    let schema = "http://www.w3.org/2001/XMLSchema-instance";
    let location = format!("{NAMESPACE} https://help.tableau.com/samples/en-us/rest_api/ts-api_3_29.xsd");
    let declared = format!(" xmlns=\"{NAMESPACE}\" xmlns:xsi=\"{schema}\" xsi:schemaLocation=\"{location}\"");
    write(root, &declared, &mut text);
    text
}

fn write(element: &Element, declared: &str, to: &mut String) {
    to.push_str(&format!("<{}{declared}", element.name));
    for (name, value) in &element.attributes {
        let value = match value {
            Scalar::Text(text) => attribute(text),
            Scalar::Flag(flag) => flag.to_string(),
        };
        to.push_str(&format!(" {name}=\"{value}\""));
    }
    if element.text.is_none() && element.children.is_empty() {
        to.push_str("/>");
        return;
    }
    to.push('>');
    to.push_str(&escape(printable(element.text.as_deref().unwrap_or_default())));
    for child in &element.children {
        match child {
            Child::One(child) => write(child, "", to),
            Child::Many(children) => children.iter().for_each(|child| write(child, "", to)),
        }
    }
    to.push_str(&format!("</{}>", element.name));
}

/// Escapes a line break in an attribute, which a parser would read as a space.
fn attribute(text: &str) -> String {
    escape(printable(text)).replace('\n', "&#10;").replace('\r', "&#13;").replace('\t', "&#9;")
}

/// Drops control characters that XML 1.0 cannot express.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t')).collect()
}

/// The content of `<tsRequest>` in the form of the same JSON body: attributes are strings, and repeated elements are
/// an array.
pub(crate) fn parse(text: &str) -> Result<Value, RestError> {
    let wrong = |_| malformed("The payload is not well-formed XML.");
    let mut reader = Reader::from_str(text);
    // The stack of open elements; the innermost is last.
    let mut open: Vec<(String, Node)> = Vec::new();
    loop {
        if open.len() > DEEPEST {
            return Err(malformed("The payload nests too deep."));
        }
        match reader.read_event().map_err(wrong)? {
            Event::Start(start) => open.push((name(&start), Node::of(&start)?)),
            Event::Empty(start) => {
                let name = name(&start);
                let node = Node::of(&start)?;
                match open.last_mut() {
                    Some((_, parent)) => parent.add(name, node.value()),
                    None => return request(&name, node),
                }
            }
            Event::End(_) => {
                let Some((name, node)) = open.pop() else {
                    return Err(malformed("The payload is not well-formed XML."));
                };
                if !node.members.is_empty() && !node.text.trim().is_empty() {
                    return Err(malformed(
                        "An element of the payload has a text beside its attributes or elements.",
                    ));
                }
                match open.last_mut() {
                    Some((_, parent)) => parent.add(name, node.value()),
                    None => return request(&name, node),
                }
            }
            Event::Text(piece) => push(&mut open, &piece.xml10_content()),
            Event::CData(piece) => push(&mut open, &piece.xml10_content()),
            Event::GeneralRef(entity) => {
                let character = entity.resolve_char_ref().map_err(wrong)?.map(String::from);
                let named = || resolve_predefined_entity(&entity).map(str::to_owned);
                let text = character.or_else(named);
                push(&mut open, &text.ok_or_else(|| malformed("An entity of the payload is not known."))?);
            }
            Event::Eof => return Err(malformed("The payload is not well-formed XML.")),
            Event::DocType(_) => return Err(malformed("The payload has a document type.")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

fn request(name: &str, node: Node) -> Result<Value, RestError> {
    if name == "tsRequest" { Ok(node.object()) } else { Err(malformed("The payload is not a tsRequest.")) }
}

fn name(start: &BytesStart<'_>) -> String {
    start.local_name().as_ref().to_owned()
}

fn push(open: &mut [(String, Node)], text: &str) {
    if let Some((_, node)) = open.last_mut() {
        node.text.push_str(text);
    }
}

/// An element that is being parsed.
#[derive(Default)]
struct Node {
    members: Map<String, Value>,
    text: String,
}

impl Node {
    fn of(start: &BytesStart<'_>) -> Result<Self, RestError> {
        let mut node = Self::default();
        for attribute in start.attributes() {
            let attribute =
                attribute.map_err(|_| malformed("An attribute of the payload is not well-formed."))?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.map_err(|_| malformed("An attribute of the payload is not well-formed."))?;
            let name: &str = attribute.key.as_ref();
            if !name.starts_with("xmlns") && !name.contains(':') {
                node.members.insert(name.to_owned(), Value::from(value.into_owned()));
            }
        }
        Ok(node)
    }

    fn add(&mut self, name: String, value: Value) {
        match self.members.get_mut(&name) {
            None => {
                self.members.insert(name, value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }

    fn object(self) -> Value {
        Value::Object(self.members)
    }

    /// An element with only text becomes that text.
    fn value(self) -> Value {
        let text = self.text.trim();
        if self.members.is_empty() && !text.is_empty() { Value::from(text) } else { self.object() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_is_a_ts_response_in_tableaus_namespace() {
        let tags =
            vec![Element::new("tag").with("label", "a<b \"c\"\n&d"), Element::new("tag").with("label", "x")];
        let root = Element::root()
            .child(Element::new("tags").many(tags))
            .child(Element::new("notes").text("line one\nline <two>"))
            .child(Element::new("none").many(Vec::new()));

        let text = render(&root);

        let (head, body) = text.split_once("ts-api_3_29.xsd\">").unwrap();
        assert!(head.contains(r#"<tsResponse xmlns="http://tableau.com/api""#), "{head}");
        assert_eq!(
            body,
            "<tags><tag label=\"a&lt;b &quot;c&quot;&#10;&amp;d\"/><tag label=\"x\"/></tags>\
             <notes>line one\nline &lt;two&gt;</notes><none></none></tsResponse>"
        );
    }

    #[test]
    fn a_body_in_xml_is_read_as_the_same_body_in_json() {
        let text = r#"<?xml version="1.0"?><tsRequest xmlns="http://tableau.com/api"><!-- x --><webhook name="a &amp; b"
            isEnabled="true"><webhook-source><webhook-source-event-site-updated/></webhook-source><why>x &lt; y</why>
            </webhook><tags><tag label="1"/><tag label="2"></tag></tags></tsRequest>"#;

        let expected = json!({
            "webhook": {
                "name": "a & b",
                "isEnabled": "true",
                "webhook-source": { "webhook-source-event-site-updated": {} },
                "why": "x < y",
            },
            "tags": { "tag": [{ "label": "1" }, { "label": "2" }] },
        });
        assert_eq!(parse(text).unwrap(), expected);
        assert_eq!(parse("<tsRequest/>").unwrap(), json!({}));
    }

    #[test]
    fn what_is_no_request_is_malformed() {
        for text in [
            "",
            "<tsRequest>",
            "<other/>",
            "<tsRequest></x>",
            "<!DOCTYPE x><tsRequest/>",
            "text",
            "<tsRequest><a b=\"c\">d</a></tsRequest>",
        ] {
            assert_eq!(parse(text).unwrap_err().code, "400000", "{text}");
        }
    }
}
