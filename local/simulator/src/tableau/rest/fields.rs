//! `?fields=`: which attributes and elements a list shows.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_concepts_fields.htm>, which has no code for
//! an expression that is wrong; `tableau/server-client-python#1620` says that it is a bad request.

use super::element::{Child, Element};
use super::error::RestError;

/// The known fields of one kind of row, as `name` or `owner.name`. Each row is built with all of them.
pub(crate) struct Fields {
    /// The row's own prefix: `workbook.name` is the same as `name`.
    pub(crate) row: &'static str,
    /// The default fields. `owner` alone stands for all fields of the owner.
    pub(crate) by_default: &'static [&'static str],
    pub(crate) more: &'static [&'static str],
}

/// The fields that one call requests.
pub(crate) struct Asked(Vec<&'static str>);

impl Fields {
    /// Parses `_default_,owner.email`. A keyword must come first; names are case sensitive; unknown names are refused.
    pub(crate) fn asked(&self, expression: Option<&str>) -> Result<Asked, RestError> {
        let all = || self.by_default.iter().chain(self.more).copied();
        let Some(expression) = expression else { return Ok(Asked(self.by_default.to_vec())) };
        let mut asked = Vec::new();
        for (at, name) in expression.split(',').enumerate() {
            match name {
                "_all_" if at == 0 => asked.extend(all()),
                "_default_" if at == 0 => asked.extend(self.by_default),
                name => {
                    let own = name.strip_prefix(self.row).and_then(|rest| rest.strip_prefix('.'));
                    // Tableau's help pages use both names.
                    let name = if own.unwrap_or(name) == "tag" { "tags" } else { own.unwrap_or(name) };
                    let before = asked.len();
                    asked.extend(all().filter(|field| *field == name));
                    if asked.len() == before {
                        asked.extend(self.below(name));
                    }
                    if asked.len() == before {
                        let detail = format!("The field expression '{name}' is not valid here.");
                        return Err(RestError::new("400008", detail));
                    }
                }
            }
        }
        Ok(Asked(asked))
    }

    /// The default fields of a nested object that is requested as a whole; all of its fields if none is a default.
    fn below(&self, resource: &str) -> Vec<&'static str> {
        let of = |fields: &[&'static str]| -> Vec<&'static str> {
            let below =
                |field: &&&str| field.strip_prefix(resource).is_some_and(|rest| rest.starts_with('.'));
            fields.iter().filter(below).copied().collect()
        };
        let by_default = of(self.by_default);
        if by_default.is_empty() { of(self.more) } else { by_default }
    }
}

impl Asked {
    pub(crate) fn has(&self, field: &str) -> bool {
        self.0.contains(&field)
    }

    /// The row with only the requested fields.
    pub(crate) fn of(&self, row: Element) -> Element {
        self.below("", row)
    }

    fn below(&self, at: &str, mut element: Element) -> Element {
        let place = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
        element.attributes.retain(|(name, _)| self.has(&place(name)));
        element.children.retain_mut(|child| match child {
            Child::Many(_) => false,
            Child::One(child) => {
                let at = place(&child.name);
                if self.has(&at) {
                    return true;
                }
                let emptied = Element { children: Vec::new(), ..Element::new(child.name.clone()) };
                *child = self.below(&at, std::mem::replace(child, emptied));
                !child.attributes.is_empty() || !child.children.is_empty()
            }
        });
        element
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: Fields = Fields {
        row: "workbook",
        by_default: &["id", "name", "owner.id", "project.id", "project.name", "tags"],
        more: &["size", "owner.email", "project.description", "location.id", "location.type"],
    };

    fn shown(expression: &str) -> Result<String, &'static str> {
        let one = |name, attributes: &[&'static str]| {
            attributes.iter().fold(Element::new(name), |element, name| element.with(name, 1_u8))
        };
        let row = one("workbook", &["id", "name", "size"])
            .child(one("owner", &["id", "email"]))
            .child(one("project", &["id", "name", "description"]))
            .child(one("location", &["id", "type"]))
            .child(Element::new("tags").many(vec![one("tag", &["label"])]));
        let asked = FIELDS.asked(Some(expression)).map_err(|error| error.code)?;
        Ok(super::super::json::render(&Element::root().child(asked.of(row))).replace("\"1\"", "1"))
    }

    #[test]
    fn a_row_shows_what_was_asked_for_and_nothing_else() {
        for (expression, expected) in [
            ("name", r#"{"workbook":{"name":1}}"#),
            ("workbook.name,project", r#"{"workbook":{"name":1,"project":{"id":1,"name":1}}}"#),
            ("location", r#"{"workbook":{"location":{"id":1,"type":1}}}"#),
            ("tag", r#"{"workbook":{"tags":{"tag":[{"label":1}]}}}"#),
            ("owner.email,size", r#"{"workbook":{"owner":{"email":1},"size":1}}"#),
            (
                "_default_,owner.email",
                r#"{"workbook":{"id":1,"name":1,"owner":{"email":1,"id":1},"project":{"id":1,"name":1},"tags":{"tag":[{"label":1}]}}}"#,
            ),
        ] {
            assert_eq!(shown(expression).as_deref(), Ok(expected), "{expression}");
        }
        assert!(shown("_all_").unwrap().contains("description"));
    }

    #[test]
    fn what_no_row_has_is_refused_and_a_keyword_comes_first() {
        for expression in
            ["", "colour", "Name", "owner.colour", "name,_default_", "name,", "project.tags", "_ALL_"]
        {
            assert_eq!(shown(expression), Err("400008"), "{expression}");
        }
    }
}
