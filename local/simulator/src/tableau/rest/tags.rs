//! Tags of workbooks, data sources and views.

use super::call::{Answer, Call, malformed};
use super::element::Element;
use super::error::RestError;
use crate::tableau::model::Model;
use serde_json::Value;
use tableau::SiteLuid;

/// A kind of content with tags: its path segment, its name in batches, and the error code when it does not exist.
struct Kind {
    segment: &'static str,
    name: &'static str,
    missing: &'static str,
}

const WORKBOOK: Kind = Kind { segment: "workbooks", name: "Workbook", missing: "404006" };
const DATASOURCE: Kind = Kind { segment: "datasources", name: "Datasource", missing: "404004" };
const VIEW: Kind = Kind { segment: "views", name: "View", missing: "404011" };
const KINDS: [&Kind; 3] = [&WORKBOOK, &DATASOURCE, &VIEW];

impl Kind {
    /// The tags of an object of this kind on this site.
    fn tags<'a>(&self, model: &'a mut Model, site: &SiteLuid, luid: &str) -> Option<&'a mut Vec<String>> {
        match self.segment {
            "workbooks" => {
                let mut all = model.workbooks.iter_mut();
                all.find(|w| w.luid.as_str() == luid && w.site == *site).map(|w| &mut w.tags)
            }
            "datasources" => {
                let mut all = model.datasources.iter_mut();
                all.find(|d| d.luid.as_str() == luid && d.site == *site).map(|d| &mut d.tags)
            }
            _ => {
                let mut all = model.views.iter_mut();
                all.find(|v| v.luid.as_str() == luid && v.site == *site).map(|v| &mut v.tags)
            }
        }
    }
}

/// The tags as answers show them.
pub(crate) fn element(tags: &[String]) -> Element {
    Element::new("tags")
        .many(tags.iter().map(|tag| Element::new("tag").with("label", tag.as_str())).collect())
}

pub(crate) fn add_to_workbook(call: &mut Call<'_>) -> Result<Answer, RestError> {
    add(call, &WORKBOOK)
}

pub(crate) fn add_to_datasource(call: &mut Call<'_>) -> Result<Answer, RestError> {
    add(call, &DATASOURCE)
}

pub(crate) fn add_to_view(call: &mut Call<'_>) -> Result<Answer, RestError> {
    add(call, &VIEW)
}

pub(crate) fn remove_from_workbook(call: &mut Call<'_>) -> Result<Answer, RestError> {
    remove(call, &WORKBOOK)
}

pub(crate) fn remove_from_datasource(call: &mut Call<'_>) -> Result<Answer, RestError> {
    remove(call, &DATASOURCE)
}

pub(crate) fn remove_from_view(call: &mut Call<'_>) -> Result<Answer, RestError> {
    remove(call, &VIEW)
}

/// Adds tags and answers with all tags of the object. A tag that it already has changes nothing.
fn add(call: &mut Call<'_>, kind: &Kind) -> Result<Answer, RestError> {
    let labels = labels(call, &["tags", "tag"])?;
    let id = call.id().to_owned();
    let site = call.site();
    let missing = || RestError::not_found(kind.missing, kind.name, &id);
    kind.tags(call.model, &site, &id).ok_or_else(missing)?;
    call.may_tag(&id)?;
    let tags = kind.tags(call.model, &site, &id).ok_or_else(missing)?;
    add_all(tags, &labels);
    Ok(Answer::ok(Element::root().child(element(tags))))
}

/// Removes a tag. A tag that the object does not have is an error; in a batch it is ignored.
fn remove(call: &mut Call<'_>, kind: &Kind) -> Result<Answer, RestError> {
    let label = unquoted(call.id());
    let site = call.site();
    let id = call.path.get(1).cloned().unwrap_or_default();
    let missing = || RestError::not_found(kind.missing, kind.name, &id);
    kind.tags(call.model, &site, &id).ok_or_else(missing)?;
    call.may_tag(&id)?;
    let tags = kind.tags(call.model, &site, &id).ok_or_else(missing)?;
    let at = tags.iter().position(|tag| *tag == label);
    tags.remove(at.ok_or_else(|| RestError::not_found("404007", "Tag", &label))?);
    Ok(Answer::no_content())
}

/// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_workbooks_and_views.htm#batch_add_tags>
pub(crate) fn batch_create(call: &mut Call<'_>) -> Result<Answer, RestError> {
    batch(call, add_all)
}

pub(crate) fn batch_delete(call: &mut Call<'_>) -> Result<Answer, RestError> {
    batch(call, |tags, labels| tags.retain(|tag| !labels.contains(tag)))
}

/// Changes nothing when one of the named objects does not exist.
fn batch(call: &mut Call<'_>, change: fn(&mut Vec<String>, &[String])) -> Result<Answer, RestError> {
    let labels = labels(call, &["tagBatch", "tags", "tag"])?;
    let site = call.site();
    let contents = call.body.list(&["tagBatch", "contents", "content"]);
    let text =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let contents: Vec<(String, String)> =
        contents.into_iter().map(|content| (text(content, "contentType"), text(content, "id"))).collect();
    let mut found = Vec::new();
    for (name, id) in contents {
        let kind = KINDS.into_iter().find(|kind| kind.name.eq_ignore_ascii_case(&name));
        let kind = kind.ok_or_else(|| malformed(&format!("'{name}' carries no tags.")))?;
        let missing = || RestError::not_found(kind.missing, kind.name, &id);
        kind.tags(call.model, &site, &id).ok_or_else(missing)?;
        call.may_tag(&id)?;
        found.push((kind, id));
    }
    for (kind, id) in found {
        if let Some(tags) = kind.tags(call.model, &site, &id) {
            change(tags, &labels);
        }
    }
    Ok(Answer::ok(Element::root().child(element(&labels))))
}

fn add_all(tags: &mut Vec<String>, labels: &[String]) {
    for label in labels {
        if !tags.contains(label) {
            tags.push(label.clone());
        }
    }
}

/// The tag labels in a body. An unquoted label ends at a space or comma.
fn labels(call: &Call<'_>, path: &[&str]) -> Result<Vec<String>, RestError> {
    let none = || malformed("Payload is either malformed or incomplete: no tags.");
    let label = |tag: &Value| tag.get("label").and_then(Value::as_str).map(str::to_owned).ok_or_else(none);
    let labels = call.body.list(path).into_iter().map(label).collect::<Result<Vec<String>, RestError>>()?;
    let labels: Vec<String> = labels
        .iter()
        .flat_map(|label| match label.strip_prefix('"').and_then(|l| l.strip_suffix('"')) {
            Some(quoted) => vec![quoted.to_owned()],
            None => label.split([' ', ',']).filter(|l| !l.is_empty()).map(str::to_owned).collect(),
        })
        .collect();
    if labels.is_empty() { Err(none()) } else { Ok(labels) }
}

fn unquoted(label: &str) -> String {
    label.strip_prefix('"').and_then(|l| l.strip_suffix('"')).unwrap_or(label).to_owned()
}
