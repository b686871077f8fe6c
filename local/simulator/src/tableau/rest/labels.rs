//! Labels on data sources: certifications, warnings, sensitivity.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_metadata.htm>

use super::call::{Answer, Call, Then};
use super::element::Element;
use super::error::RestError;
use crate::tableau::events::seconds;
use crate::tableau::model::{CERTIFIED, Label, category_of, is_set_by_monitoring};
use serde_json::Value;
use tableau::EventName;

fn invalid(detail: String) -> RestError {
    RestError::new("409004", detail)
}

fn element(call: &Call<'_>, label: &Label) -> Element {
    let owner = label.owner.as_ref().and_then(|luid| call.model.user(luid.as_str()));
    Element::new("label")
        .with("id", label.luid.as_str())
        .with_some("userDisplayName", owner.map(|u| u.full_name.as_str()))
        .with("contentId", label.content.as_str())
        .with("contentType", "datasource")
        .with("message", label.message.as_str())
        .with("value", label.value.as_str())
        .with_some("category", category_of(&label.value))
        .with("active", label.active)
        .with("elevated", label.elevated)
        .with("createdAt", seconds(label.created_at))
        .with("updatedAt", seconds(label.updated_at))
        .child(Element::new("site").with("id", call.site().as_str()))
        .child_some(owner.map(|u| Element::new("owner").with("id", u.luid.as_str())))
}

/// The LUIDs of the data sources in a request's body. Other assets (databases, tables, flows) are not simulated, so
/// they are never found.
fn contents(call: &Call<'_>, none: &'static str) -> Result<Vec<String>, RestError> {
    let contents = call.body.list(&["contentList", "content"]);
    if contents.is_empty() {
        return Err(RestError::new(none, "Payload is either malformed or incomplete: no content."));
    }
    let text = |content: &Value, name: &str| {
        content.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let found = contents.into_iter().map(|content| {
        let kind = text(content, "contentType");
        let id = text(content, "id");
        let datasource = call.model.datasource(&id).filter(|d| d.site == call.site());
        let found = datasource.filter(|_| kind.eq_ignore_ascii_case("datasource"));
        let missing = || RestError::new("404029", format!("There is no {kind} '{id}'."));
        found.map(|d| d.luid.to_string()).ok_or_else(missing)
    });
    found.collect()
}

fn list(call: &Call<'_>, fits: impl Fn(&Label) -> bool) -> Answer {
    let labels = call.model.labels.iter().filter(|label| fits(label)).map(|label| element(call, label));
    Answer::ok(Element::root().child(Element::new("labelList").many(labels.collect())))
}

/// Lists the labels of the data sources in the body. The call reads, but is a `POST` because it has a body.
pub(crate) fn of_all(call: &mut Call<'_>) -> Result<Answer, RestError> {
    call.model.label_the_certified();
    let contents = contents(call, "400000")?;
    for content in &contents {
        call.may_read(content)?;
    }
    Ok(list(call, |label| contents.contains(&label.content)))
}

/// Only project leaders and administrators may set a certification; any user who may change the data source may set
/// other labels.
fn may_label(call: &Call<'_>, content: &str, value: &str) -> Result<(), RestError> {
    if value == CERTIFIED { call.may_judge(content) } else { call.may_change(content) }
}

/// The label value that a body names. A value that only Tableau's monitoring sets is refused.
fn value(call: &Call<'_>) -> Result<Option<String>, RestError> {
    let Some(name) = call.body.text(&["label", "value"]) else { return Ok(None) };
    if category_of(name).is_none() {
        return Err(invalid(format!("There is no label value '{name}'.")));
    }
    if is_set_by_monitoring(name) {
        return Err(invalid(format!("'{name}' is set by monitoring alone.")));
    }
    Ok(Some(name.to_owned()))
}

/// Copies the body's label members into a label.
fn write(call: &Call<'_>, label: &mut Label) {
    let flag = |name: &str| call.body.flag(&["label", name]);
    label.message = call.body.text(&["label", "message"]).unwrap_or_default().to_owned();
    label.active = flag("active").unwrap_or(true);
    label.elevated = flag("elevated").unwrap_or(false);
    label.owner = call.session.as_ref().map(|s| s.user.clone());
    label.updated_at = call.now;
}

/// Sets the label on each data source. An existing label of the same value is changed.
pub(crate) fn update_all(call: &mut Call<'_>) -> Result<Answer, RestError> {
    call.model.label_the_certified();
    let contents = contents(call, "400108")?;
    let missing = || RestError::new("400108", "Payload is either malformed or incomplete: no label.");
    let value = value(call)?.ok_or_else(missing)?;
    for content in &contents {
        may_label(call, content, &value)?;
    }
    let mut events = Vec::new();
    for content in &contents {
        let at = call.model.labels.iter().position(|l| l.content == *content && l.value == value);
        let mut label = at.map(|at| call.model.labels.remove(at)).unwrap_or_else(|| Label {
            luid: uuid::Uuid::new_v4().to_string(),
            content: content.clone(),
            value: value.clone(),
            active: true,
            elevated: false,
            message: String::new(),
            owner: None,
            created_at: call.now,
            updated_at: call.now,
        });
        write(call, &mut label);
        call.model.labels.push(label);
        call.model.certify_the_labelled(content);
        let event = if at.is_some() { EventName::LabelUpdated } else { EventName::LabelCreated };
        events.push((event, content.clone()));
    }
    let answer = list(call, |label| contents.contains(&label.content) && label.value == value);
    Ok(answer.then(Then::Fire(events)))
}

pub(crate) fn delete(call: &mut Call<'_>) -> Result<Answer, RestError> {
    call.model.label_the_certified();
    let id = call.id().to_owned();
    let site = call.site();
    if uuid::Uuid::parse_str(&id).is_err() {
        return Err(invalid(format!("'{id}' is no LUID.")));
    }
    let on_site = |label: &Label| call.model.datasource(&label.content).is_some_and(|d| d.site == site);
    let found = call.model.labels.iter().position(|label| label.luid == id && on_site(label));
    let at = found.ok_or_else(|| RestError::not_found("400105", "Label", &id))?;
    let label = call.model.labels[at].clone();
    may_label(call, &label.content, &label.value)?;
    call.model.labels.remove(at);
    call.model.certify_the_labelled(&label.content);
    Ok(Answer::no_content().then(Then::Fire(vec![(EventName::LabelDeleted, label.content)])))
}
