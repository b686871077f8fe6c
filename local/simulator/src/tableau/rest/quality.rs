//! Data quality warnings.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_metadata.htm>

use super::call::{Answer, Call, malformed};
use super::element::Element;
use super::error::RestError;
use crate::tableau::events::seconds;
use crate::tableau::model::{Label, Model, WARNINGS};

fn element(model: &Model, warning: &Label) -> Element {
    let owner = warning.owner.as_ref().and_then(|luid| model.user(luid.as_str()));
    let site = model.datasource(&warning.content).map(|datasource| datasource.site.as_str());
    Element::new("dataQualityWarning")
        .with("id", warning.luid.as_str())
        .with_some("userDisplayName", owner.map(|u| u.full_name.as_str()))
        .with("contentId", warning.content.as_str())
        .with("contentType", "DATASOURCE")
        .with_some("type", warning.warning())
        .with("message", warning.message.as_str())
        .with("isActive", warning.active)
        .with("isSevere", warning.elevated)
        .with("createdAt", seconds(warning.created_at))
        .with("updatedAt", seconds(warning.updated_at))
        .child_some(site.map(|site| Element::new("site").with("id", site)))
        .child_some(owner.map(|u| Element::new("owner").with("id", u.luid.as_str())))
}

/// The data source in the path. Other content with warnings (tables, databases, flows) is not simulated.
fn content(call: &Call<'_>) -> Result<String, RestError> {
    let found = call.model.datasource(call.id()).filter(|d| d.site == call.site());
    let found = found.map(|d| d.luid.to_string());
    found.ok_or_else(|| RestError::not_found("404029", "Datasource", call.id()))
}

fn answer(call: &Call<'_>, content: &str, wrapped: bool) -> Answer {
    let warnings = call.model.labels.iter().filter(|l| is_warning(l, content));
    let warnings = warnings.map(|w| element(call.model, w));
    let root = Element::root();
    Answer::ok(match wrapped {
        true => root.child(Element::new("dataQualityWarningList").many(warnings.collect())),
        false => warnings.fold(root, Element::child),
    })
}

/// Whether the label is a quality warning. Certifications are not.
fn is_warning(label: &Label, content: &str) -> bool {
    label.content == content && label.warning().is_some()
}

fn no_warning(content: &str) -> RestError {
    RestError::not_found("404030", "Data quality warning of", content)
}

pub(crate) fn get(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let content = content(call)?;
    call.may_read(&content)?;
    Ok(answer(call, &content, true))
}

/// Adds a warning; an existing warning is a conflict.
pub(crate) fn add(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let content = content(call)?;
    call.may_change(&content)?;
    if call.model.labels.iter().any(|l| is_warning(l, &content)) {
        return Err(RestError::new("409000", "There is a data quality warning already."));
    }
    let warning = Label {
        luid: uuid::Uuid::new_v4().to_string(),
        content: content.clone(),
        value: "warning".to_owned(),
        active: true,
        elevated: false,
        message: String::new(),
        owner: call.session.as_ref().map(|s| s.user.clone()),
        created_at: call.now,
        updated_at: call.now,
    };
    let warning = changed(call, warning)?;
    call.model.labels.push(warning);
    Ok(answer(call, &content, false))
}

pub(crate) fn update(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let content = content(call)?;
    call.may_change(&content)?;
    let at = call.model.labels.iter().position(|l| is_warning(l, &content));
    let at = at.ok_or_else(|| no_warning(&content))?;
    let warning = changed(call, call.model.labels[at].clone())?;
    call.model.labels[at] = warning;
    Ok(answer(call, &content, false))
}

pub(crate) fn delete(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let content = content(call)?;
    call.may_change(&content)?;
    if !call.model.labels.iter().any(|l| is_warning(l, &content)) {
        return Err(no_warning(&content));
    }
    call.model.labels.retain(|l| !is_warning(l, &content));
    Ok(Answer::no_content())
}

fn changed(call: &Call<'_>, mut warning: Label) -> Result<Label, RestError> {
    let text = |key: &str| call.body.text(&["dataQualityWarning", key]);
    if let Some(kind) = text("type") {
        let known = WARNINGS.iter().find(|(known, _)| *known == kind);
        let unknown = || malformed(&format!("'{kind}' is no type of data quality warning."));
        known.ok_or_else(unknown)?.1.clone_into(&mut warning.value);
    }
    if let Some(message) = text("message") {
        message.clone_into(&mut warning.message);
    }
    let flag = |key: &str| call.body.flag(&["dataQualityWarning", key]);
    warning.active = flag("isActive").unwrap_or(warning.active);
    warning.elevated = flag("isSevere").unwrap_or(warning.elevated);
    warning.updated_at = call.now;
    Ok(warning)
}
