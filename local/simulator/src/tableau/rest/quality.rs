//! Data quality warnings.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_metadata.htm>

use super::call::{Answer, Call, malformed};
use super::element::Element;
use super::error::RestError;
use crate::tableau::events::seconds;
use crate::tableau::model::{Label, Model, WARNINGS};
use crate::tableau::version::RestVersion;

/// The REST version since which a warning needs no message, and its message is formatted text.
const MESSAGE_MAY_BE_MISSING: RestVersion = RestVersion { major: 3, minor: 22 };
/// The REST version since which an object can have more than one warning.
const SEVERAL_WARNINGS_SINCE: RestVersion = RestVersion { major: 3, minor: 24 };

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
    needs_data_management(call)?;
    let found = call.model.datasource(call.id()).filter(|d| d.site == call.site());
    let found = found.map(|d| d.luid.to_string());
    found.ok_or_else(|| RestError::not_found("404029", "Datasource", call.id()))
}

fn needs_data_management(call: &Call<'_>) -> Result<(), RestError> {
    let off = || RestError::new("403157", "The feature is disabled.");
    call.settings.data_management.then_some(()).ok_or_else(off)
}

/// The warning in the path, by its own LUID: where it is in the model, and the data source that it is on.
fn of_id(call: &Call<'_>) -> Result<(usize, String), RestError> {
    needs_data_management(call)?;
    let at = call.model.labels.iter().position(|label| label.luid == call.id() && label.warning().is_some());
    let found = at.map(|at| (at, call.model.labels[at].content.clone()));
    let is_ours = |content: &str| call.model.datasource(content).is_some_and(|d| d.site == call.site());
    found.filter(|(_, content)| is_ours(content)).ok_or_else(|| no_warning(call.id()))
}

fn one(call: &Call<'_>, warning: &Label) -> Answer {
    Answer::ok(Element::root().child(element(call.model, warning)))
}

/// Whether the label is a quality warning. Certifications are not.
fn is_warning(label: &Label, content: &str) -> bool {
    label.content == content && label.warning().is_some()
}

fn no_warning(of: &str) -> RestError {
    RestError::not_found("404030", "Data quality warning", of)
}

pub(crate) fn get(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let content = content(call)?;
    call.may_read(&content)?;
    let warnings = call.model.labels.iter().filter(|label| is_warning(label, &content));
    let warnings = warnings.map(|warning| element(call.model, warning)).collect();
    Ok(Answer::ok(Element::root().child(Element::new("dataQualityWarningList").many(warnings))))
}

pub(crate) fn get_one(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let (at, content) = of_id(call)?;
    call.may_read(&content)?;
    Ok(one(call, &call.model.labels[at]))
}

/// Adds a warning. Up to Tableau Server 2024.2 an object has one warning at most, later one of each type.
pub(crate) fn add(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let content = content(call)?;
    call.may_change(&content)?;
    if call.version < MESSAGE_MAY_BE_MISSING
        && call.body.text(&["dataQualityWarning", "message"]).is_none_or(str::is_empty)
    {
        return Err(malformed("A data quality warning needs a message."));
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
    refuse_a_second(call, &warning)?;
    let answer = one(call, &warning);
    call.model.labels.push(warning);
    Ok(answer)
}

/// Refuses a warning beside others that Tableau does not allow beside it.
fn refuse_a_second(call: &Call<'_>, warning: &Label) -> Result<(), RestError> {
    let others = call.model.labels.iter();
    let mut others = others.filter(|other| is_warning(other, &warning.content) && other.luid != warning.luid);
    match others.any(|other| call.version < SEVERAL_WARNINGS_SINCE || other.value == warning.value) {
        true => Err(RestError::new("409000", "There is a data quality warning already.")),
        false => Ok(()),
    }
}

/// Changes the oldest warning of a data source. The documentation has the warning's own id in the path; Tableau's Python client
/// calls this path.
///
/// Source: `tableau/server-client-python:tableauserverclient/server/endpoint/dqw_endpoint.py`
pub(crate) fn update(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let content = content(call)?;
    let at = call.model.labels.iter().position(|label| is_warning(label, &content));
    call.may_change(&content)?;
    change(call, at.ok_or_else(|| no_warning(&content))?)
}

pub(crate) fn update_one(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let (at, content) = of_id(call)?;
    call.may_change(&content)?;
    change(call, at)
}

fn change(call: &mut Call<'_>, at: usize) -> Result<Answer, RestError> {
    let warning = changed(call, call.model.labels[at].clone())?;
    refuse_a_second(call, &warning)?;
    let answer = one(call, &warning);
    call.model.labels[at] = warning;
    Ok(answer)
}

/// Removes every warning of a data source, also those of other users.
pub(crate) fn delete(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let content = content(call)?;
    call.may_change(&content)?;
    if !call.model.labels.iter().any(|l| is_warning(l, &content)) {
        return Err(no_warning(&content));
    }
    call.model.labels.retain(|l| !is_warning(l, &content));
    Ok(Answer::no_content())
}

pub(crate) fn delete_one(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let (at, content) = of_id(call)?;
    call.may_change(&content)?;
    call.model.labels.remove(at);
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
        warning.message = stored(message, call.version);
    }
    let flag = |key: &str| call.body.flag(&["dataQualityWarning", key]);
    warning.active = flag("isActive").unwrap_or(warning.active);
    warning.elevated = flag("isSevere").unwrap_or(warning.elevated);
    warning.updated_at = call.now;
    Ok(warning)
}

/// A message as it is listed afterwards. Formatted text loses tags; a special character that is no part of an entity becomes one.
fn stored(message: &str, version: RestVersion) -> String {
    if version < MESSAGE_MAY_BE_MISSING {
        return message.to_owned();
    }
    let mut stored = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find(['<', '>', '&']) {
        let (before, special) = rest.split_at(at);
        stored.push_str(before);
        let is_tag = special.starts_with('<') && special.contains('>');
        let is_entity = ["&lt;", "&gt;", "&amp;"].into_iter().find(|entity| special.starts_with(entity));
        let (shown, length) = match (is_entity, special.as_bytes().first()) {
            (Some(entity), _) => (entity, entity.len()),
            (None, Some(b'<')) if is_tag => ("", special.find('>').map_or(1, |end| end + 1)),
            (None, Some(b'<')) => ("&lt;", 1),
            (None, Some(b'>')) => ("&gt;", 1),
            (None, _) => ("&amp;", 1),
        };
        stored.push_str(shown);
        rest = &special[length..];
    }
    stored.push_str(rest);
    stored
}
