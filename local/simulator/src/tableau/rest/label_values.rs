//! What labels can say on a site: label values and their categories.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_metadata.htm>

use super::call::{Answer, Call};
use super::element::Element;
use super::error::RestError;
use super::labels::sized;
use crate::tableau::model::{CATEGORIES, CustomValue, LabelCategory, LabelValue};

const NAME: usize = 128;
const DESCRIPTION: usize = 500;

fn invalid(detail: String) -> RestError {
    RestError::new("409004", detail)
}

/// Administrators make label values and categories; the code is not that of other methods for administrators.
fn may_make(call: &Call<'_>) -> Result<(), RestError> {
    let forbidden = || RestError::new("403004", "Only administrators may do this.");
    if call.is_administrator() { Ok(()) } else { Err(forbidden()) }
}

fn element(call: &Call<'_>, value: &LabelValue) -> Element {
    Element::new("labelValue")
        .with("name", value.name.as_str())
        .with("category", value.category.as_str())
        .with("description", value.description.as_str())
        .with("internal", value.internal)
        .with("elevatedDefault", false)
        .with("builtIn", value.built_in)
        .child(Element::new("site").with("id", call.site().as_str()))
}

pub(crate) fn values(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let categories = call.model.label_categories(&call.site());
    let asked: Option<Vec<&str>> = call.query("categories").map(|c| c.split(',').map(str::trim).collect());
    let unknown = asked.iter().flatten().find(|name| !categories.iter().any(|(known, _)| known == *name));
    if let Some(name) = unknown {
        return Err(invalid(format!("There is no label category '{name}'.")));
    }
    let internal = match call.query("isInternal") {
        None => None,
        Some(text) => Some(text.parse::<bool>().map_err(|_| invalid(format!("'{text}' is no flag.")))?),
    };
    let all = call.model.label_values(&call.site());
    let shown = all.iter().filter(|value| {
        asked.as_ref().is_none_or(|asked| asked.contains(&value.category.as_str()))
            && internal.is_none_or(|internal| internal == value.internal)
    });
    let values = shown.map(|value| element(call, value)).collect();
    Ok(Answer::ok(Element::root().child(Element::new("labelValueList").many(values))))
}

fn find(call: &Call<'_>, name: &str) -> Option<LabelValue> {
    call.model.label_values(&call.site()).into_iter().find(|value| value.name == name)
}

pub(crate) fn value(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let missing = || RestError::not_found("404029", "Label value", call.id());
    let value = find(call, call.id()).ok_or_else(missing)?;
    Ok(Answer::ok(Element::root().child(element(call, &value))))
}

/// The label value of a body, made or changed. It stays in its category, and one that ships with Tableau only gets
/// another description here.
fn make(call: &mut Call<'_>, old: Option<LabelValue>) -> Result<Answer, RestError> {
    let text = |name: &str| call.body.text(&["labelValue", name]);
    let name = sized(text("name"), "name", NAME)?;
    let category = sized(text("category"), "category", NAME)?;
    let description = match (text("description"), &old) {
        (None, Some(old)) => old.description.clone(),
        (description, _) => sized(description, "description", DESCRIPTION)?,
    };
    let site = call.site();
    if !call.model.label_categories(&site).iter().any(|(known, _)| *known == category) {
        return Err(invalid(format!("There is no label category '{category}'.")));
    }
    if old.as_ref().is_some_and(|old| old.category != category) {
        return Err(invalid("A label value stays in its category.".to_owned()));
    }
    let renamed = old.as_ref().filter(|old| old.name != name);
    if let Some(old) = renamed
        && (old.built_in || find(call, &name).is_some())
    {
        return Err(invalid(format!("'{}' cannot be called '{name}'.", old.name)));
    }
    let before = old.as_ref().map_or(&name, |old| &old.name).clone();
    let built_in = old.as_ref().is_some_and(|old| old.built_in);
    let internal = old.is_some_and(|old| old.internal);
    let value = LabelValue { name, category, description, built_in, internal };
    call.model.custom_values.retain(|custom| custom.site != site || custom.value.name != before);
    call.model.custom_values.push(CustomValue { site: site.clone(), value: value.clone() });
    let datasources = &call.model.datasources;
    let on_site = |content: &str| datasources.iter().any(|d| d.luid.as_str() == content && d.site == site);
    for label in call.model.labels.iter_mut().filter(|label| label.value == before && on_site(&label.content))
    {
        label.value.clone_from(&value.name);
    }
    Ok(Answer::ok(Element::root().child(element(call, &value))))
}

/// By the name in the body.
pub(crate) fn create_or_update(call: &mut Call<'_>) -> Result<Answer, RestError> {
    may_make(call)?;
    let old = call.body.text(&["labelValue", "name"]).and_then(|name| find(call, name));
    make(call, old)
}

/// By the name in the address.
pub(crate) fn update(call: &mut Call<'_>) -> Result<Answer, RestError> {
    may_make(call)?;
    let old = find(call, call.id());
    let old = old.ok_or_else(|| invalid(format!("There is no label value '{}'.", call.id())))?;
    make(call, Some(old))
}

/// One that ships with Tableau loses the description that it was given. The labels of another go with it.
pub(crate) fn delete(call: &mut Call<'_>) -> Result<Answer, RestError> {
    may_make(call)?;
    let (site, name) = (call.site(), call.id().to_owned());
    let found = call.model.custom_values.iter().position(|c| c.site == site && c.value.name == name);
    let found = found.ok_or_else(|| invalid(format!("There is no label value '{name}' to delete.")))?;
    if !call.model.custom_values.remove(found).value.built_in {
        let datasources = &call.model.datasources;
        let on_site =
            |content: &str| datasources.iter().any(|d| d.luid.as_str() == content && d.site == site);
        call.model.labels.retain(|label| label.value != name || !on_site(&label.content));
    }
    Ok(Answer::no_content().status(200))
}

fn category_element(name: &str, description: &str) -> Element {
    Element::new("labelCategory").with("name", name).with("description", description)
}

pub(crate) fn categories(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let all = call.model.label_categories(&call.site());
    let all = all.iter().map(|(name, description)| category_element(name, description)).collect();
    Ok(Answer::ok(Element::root().child(Element::new("labelCategoryList").many(all))))
}

/// Without what two names may differ in and still be too much alike.
fn bare(name: &str) -> String {
    name.chars().filter(|c| !" -_".contains(*c)).flat_map(char::to_lowercase).collect()
}

/// The category of a body, whose name is not too much like one that ships with Tableau.
fn category(call: &Call<'_>) -> Result<LabelCategory, RestError> {
    let text = |name: &str| call.body.text(&["labelCategory", name]);
    let name = sized(text("name"), "name", NAME)?;
    let description = sized(text("description"), "description", DESCRIPTION)?;
    if CATEGORIES.iter().any(|(built_in, _)| bare(built_in) == bare(&name)) {
        return Err(invalid(format!("'{name}' ships with Tableau.")));
    }
    Ok(LabelCategory { site: call.site(), name, description })
}

fn custom(call: &Call<'_>, name: &str) -> Option<usize> {
    let site = call.site();
    call.model.label_categories.iter().position(|c| c.site == site && c.name == name)
}

pub(crate) fn create_category(call: &mut Call<'_>) -> Result<Answer, RestError> {
    may_make(call)?;
    let new = category(call)?;
    if custom(call, &new.name).is_some() {
        return Err(invalid(format!("There is a label category '{}' already.", new.name)));
    }
    let element = category_element(&new.name, &new.description);
    call.model.label_categories.push(new);
    Ok(Answer::ok(Element::root().child(element)))
}

pub(crate) fn update_category(call: &mut Call<'_>) -> Result<Answer, RestError> {
    may_make(call)?;
    let at = custom(call, call.id());
    let at = at.ok_or_else(|| invalid(format!("There is no label category '{}' to change.", call.id())))?;
    let new = category(call)?;
    if custom(call, &new.name).is_some_and(|other| other != at) {
        return Err(invalid(format!("There is a label category '{}' already.", new.name)));
    }
    let old = std::mem::replace(&mut call.model.label_categories[at], new.clone());
    let values = call.model.custom_values.iter_mut().map(|custom| (&custom.site, &mut custom.value));
    for (_, value) in values.filter(|(site, value)| **site == new.site && value.category == old.name) {
        value.category.clone_from(&new.name);
    }
    Ok(Answer::ok(Element::root().child(category_element(&new.name, &new.description))))
}

/// Not while there are label values in it. What Tableau does then is not documented.
pub(crate) fn delete_category(call: &mut Call<'_>) -> Result<Answer, RestError> {
    may_make(call)?;
    let at = custom(call, call.id());
    let at = at.ok_or_else(|| invalid(format!("There is no label category '{}' to delete.", call.id())))?;
    if call.model.label_values(&call.site()).iter().any(|value| value.category == call.id()) {
        return Err(invalid("There are label values in the category.".to_owned()));
    }
    call.model.label_categories.remove(at);
    Ok(Answer::no_content().status(200))
}
