//! Property tests of the conversion between XML and JSON.

use super::element::{Child, Element};
use super::{json, xml};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::Value;

const ATTRIBUTES: [&str; 4] = ["id", "name", "isEnabled", "content-url"];
const CHILDREN: [&str; 4] = ["workbook", "tag", "owner", "webhook-source"];

/// Random attribute values: every character that XML can express.
fn any_text() -> impl Strategy<Value = String> {
    "[^\\p{C}]{0,12}[\n\t\"'<>&]{0,3}[^\\p{C}]{0,12}"
}

/// Random element texts, without white space at the ends.
fn element_text() -> impl Strategy<Value = String> {
    "[!-~äß💡][ -~\n]{0,12}[!-~äß💡]"
}

fn element(name: &'static str) -> BoxedStrategy<Element> {
    let leaf = prop_oneof![
        btree_map(0..ATTRIBUTES.len(), (any::<bool>(), any_text()), 0..4).prop_map(move |attributes| {
            attributes.into_iter().fold(Element::new(name), |element, (at, (is_flag, text))| match is_flag {
                true => element.with(ATTRIBUTES[at], text.len().is_multiple_of(2)),
                false => element.with(ATTRIBUTES[at], text),
            })
        }),
        element_text().prop_map(move |text| Element::new(name).text(text)),
    ];
    leaf.prop_recursive(4, 40, 4, move |inner| {
        btree_map(0..CHILDREN.len(), vec(inner, 1..4), 0..4).prop_map(move |children| {
            children.into_iter().fold(Element::new(name), |element, (at, mut several)| {
                several.iter_mut().for_each(|child| child.name = CHILDREN[at].into());
                element.many(several)
            })
        })
    })
    .boxed()
}

/// The JSON of an answer after a round trip through XML: flags become texts, and a list of one becomes a single
/// element.
fn as_xml_reads_it(value: Value) -> Value {
    match value {
        Value::Bool(flag) => Value::from(flag.to_string()),
        Value::Array(mut values) if values.len() == 1 => as_xml_reads_it(values.remove(0)),
        Value::Array(values) => values.into_iter().map(as_xml_reads_it).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, as_xml_reads_it(value))).collect(),
        other => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_written_as_xml_reads_as_its_json(inside in element("workbook")) {
        let request = Element { name: "tsRequest".into(), attributes: Vec::new(), text: None, children: vec![Child::One(inside)] };
        let as_json: Value = serde_json::from_str(&json::render(&request)).unwrap();

        let read = xml::parse(&xml::render(&request)).unwrap();

        prop_assert_eq!(read, as_xml_reads_it(as_json));
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in ".{0,200}", bytes in vec(any::<u8>(), 0..200)) {
        let _ = xml::parse(&text);
        let _ = xml::parse(&String::from_utf8_lossy(&bytes));
        let _ = json::parse(&bytes);
    }

    #[test]
    fn no_damage_to_a_request_makes_its_reader_panic(inside in element("workbook"), at in any::<usize>(), put in ".{0,3}") {
        let request = Element { name: "tsRequest".into(), attributes: Vec::new(), text: None, children: vec![Child::One(inside)] };
        for text in [xml::render(&request), json::render(&request)] {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            let (from, rest) = text.split_at(places[at % places.len()]);
            let damaged = format!("{from}{put}{}", rest.chars().skip(1).collect::<String>());
            let _ = xml::parse(&damaged);
            let _ = json::parse(damaged.as_bytes());
        }
    }
}

#[test]
fn what_nests_too_deep_is_malformed() {
    let deep = format!("<tsRequest>{}{}</tsRequest>", "<a>".repeat(100_000), "</a>".repeat(100_000));
    assert_eq!(xml::parse(&deep).unwrap_err().code, "400000");
}
