//! Data quality warnings.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_metadata.htm>

use super::call::{Answer, Call, malformed};
use super::element::Element;
use super::error::RestError;
use crate::tableau::events::seconds;
use crate::tableau::model::{Model, QualityWarning};

const KINDS: [&str; 5] = ["WARNING", "DEPRECATED", "STALE", "MAINTENANCE", "SENSITIVE_DATA"];

fn element(model: &Model, warning: &QualityWarning) -> Element {
    let owner = warning.owner.as_ref().and_then(|luid| model.user(luid.as_str()));
    Element::new("dataQualityWarning")
        .with("id", warning.luid.as_str())
        .with_some("userDisplayName", owner.map(|u| u.full_name.as_str()))
        .with("contentId", warning.content.as_str())
        .with("contentType", "DATASOURCE")
        .with("type", warning.kind.as_str())
        .with("message", warning.message.as_str())
        .with("isActive", warning.active)
        .with("isSevere", warning.severe)
        .with("createdAt", seconds(warning.created_at))
        .with("updatedAt", seconds(warning.updated_at))
        .child_some(owner.map(|u| Element::new("owner").with("id", u.luid.as_str())))
}

/// The data source of the path. Other content with warnings (tables, databases, flows) is not simulated.
fn content(call: &Call<'_>) -> Result<String, RestError> {
    let found = call.model.datasource(call.id()).filter(|d| d.site == call.site());
    let found = found.map(|d| d.luid.to_string());
    found.ok_or_else(|| RestError::not_found("404004", "Datasource", call.id()))
}

fn answer(call: &Call<'_>, content: &str, wrapped: bool) -> Answer {
    let warnings =
        call.model.warnings.iter().filter(|w| w.content == content).map(|w| element(call.model, w));
    let root = Element::root();
    Answer::ok(match wrapped {
        true => root.child(Element::new("dataQualityWarningList").many(warnings.collect())),
        false => warnings.fold(root, Element::child),
    })
}

pub(crate) fn get(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let content = content(call)?;
    Ok(answer(call, &content, true))
}

/// What is there already is a conflict.
pub(crate) fn add(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let content = content(call)?;
    call.may_judge(&content)?;
    if call.model.warnings.iter().any(|w| w.content == content) {
        return Err(RestError::new("409000", "There is a data quality warning already."));
    }
    let warning = QualityWarning {
        luid: uuid::Uuid::new_v4().to_string(),
        content: content.clone(),
        kind: "WARNING".to_owned(),
        active: true,
        severe: false,
        message: String::new(),
        owner: call.session.as_ref().map(|s| s.user.clone()),
        created_at: call.now,
        updated_at: call.now,
    };
    let warning = changed(call, warning)?;
    call.model.warnings.push(warning);
    Ok(answer(call, &content, false))
}

pub(crate) fn update(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let content = content(call)?;
    call.may_judge(&content)?;
    let at = call.model.warnings.iter().position(|w| w.content == content);
    let at = at.ok_or_else(|| RestError::not_found("404030", "Data quality warning of", &content))?;
    let warning = changed(call, call.model.warnings[at].clone())?;
    call.model.warnings[at] = warning;
    Ok(answer(call, &content, false))
}

pub(crate) fn delete(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let content = content(call)?;
    call.may_judge(&content)?;
    call.model.warnings.retain(|w| w.content != content);
    Ok(Answer::no_content())
}

fn changed(call: &Call<'_>, mut warning: QualityWarning) -> Result<QualityWarning, RestError> {
    let text = |key: &str| call.body.text(&["dataQualityWarning", key]);
    if let Some(kind) = text("type") {
        if !KINDS.contains(&kind) {
            return Err(malformed(&format!("'{kind}' is no type of data quality warning.")));
        }
        kind.clone_into(&mut warning.kind);
    }
    if let Some(message) = text("message") {
        message.clone_into(&mut warning.message);
    }
    let flag = |key: &str| call.body.flag(&["dataQualityWarning", key]);
    warning.active = flag("isActive").unwrap_or(warning.active);
    warning.severe = flag("isSevere").unwrap_or(warning.severe);
    warning.updated_at = call.now;
    Ok(warning)
}
