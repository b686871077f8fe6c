//! The texts of template.yaml that the AWS console shows.

use super::kind::{Kind, Text};
use crate::repository::{Problem, Repository};
use saphyr::{LoadableYamlNode as _, MarkedYaml, Scalar, YamlData};

const FILE: &str = "template.yaml";

const KEYS: [&str; 4] = ["AlarmDescription", "AssertDescription", "ConstraintDescription", "Description"];

/// The descriptions of the template.
pub(super) fn all(repository: &Repository) -> Result<Vec<Text>, Problem> {
    let yaml = repository.read(FILE)?;
    let documents =
        MarkedYaml::load_from_str(&yaml).map_err(|error| format!("cannot parse {FILE}: {error}"))?;
    let mut found = Vec::new();
    documents.iter().for_each(|document| collect(document, &mut found));
    Ok(found)
}

fn collect(node: &MarkedYaml<'_>, found: &mut Vec<Text>) {
    match &node.data {
        YamlData::Sequence(items) => items.iter().for_each(|item| collect(item, found)),
        YamlData::Tagged(_, inner) => collect(inner, found),
        YamlData::Mapping(entries) => {
            for (key, value) in entries {
                let is_text = text(key).is_some_and(|key| KEYS.contains(&key));
                match text(value).filter(|_| is_text) {
                    Some(text) => found.push(Text {
                        kind: Kind::Template,
                        file: FILE.to_owned(),
                        line: key.span.start.line(),
                        text: text.to_owned(),
                    }),
                    None => collect(value, found),
                }
            }
        }
        _ => {}
    }
}

/// A text, also one with a tag such as `!Sub`.
fn text<'a>(node: &'a MarkedYaml<'_>) -> Option<&'a str> {
    match &node.data {
        YamlData::Value(Scalar::String(text)) => Some(text),
        YamlData::Representation(text, ..) => Some(text),
        YamlData::Tagged(_, inner) => text(inner),
        _ => None,
    }
}
