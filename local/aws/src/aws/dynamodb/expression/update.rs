//! Parses and applies update expressions.

use super::super::super::Refusal;
use super::super::value::{Item, Value};
use super::evaluate::{Change, Term, add, delete};
use super::parser::{Parser, Placeholders};
use super::path::Path;
use super::token::Token;

/// A parsed update expression, which can be applied to items.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Update(Vec<(Path, Action)>);

#[derive(Clone, Debug, PartialEq)]
enum Action {
    Set(Term),
    Remove,
    Add(Value),
    Delete(Value),
}

const SECTIONS: [&str; 4] = ["SET", "REMOVE", "ADD", "DELETE"];

impl Update {
    /// Parses an `UpdateExpression`.
    pub(crate) fn parse(text: &str, placeholders: &mut Placeholders) -> Result<Self, Refusal> {
        let mut parser = Parser::new("UpdateExpression", text, placeholders)?;
        let mut actions: Vec<(Path, Action)> = Vec::new();
        let mut seen = Vec::new();
        while parser.peek().is_some() {
            let section = SECTIONS.into_iter().find(|section| parser.keyword(section));
            let section = section.ok_or_else(|| parser.syntax_error())?;
            if seen.contains(&section) {
                let reason =
                    format!("The \"{section}\" section can only be used once in an update expression;");
                return Err(parser.refuse(reason));
            }
            seen.push(section);
            loop {
                let path = parser.path()?;
                let action = action(&mut parser, section)?;
                if let Some((other, _)) = actions.iter().find(|(other, _)| other.overlaps(&path)) {
                    return Err(parser.refuse(format_args!(
                        "Two document paths overlap with each other; must remove or rewrite one of these paths; \
                         path one: {other}, path two: {path}"
                    )));
                }
                actions.push((path, action));
                if !parser.sign(",") {
                    break;
                }
            }
        }
        Ok(Self(actions))
    }

    /// The top-level attributes that the update changes.
    pub(crate) fn roots(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(path, _)| path.root.as_str())
    }

    /// Applies the update. Every value is computed from the item as it was before the update.
    pub(crate) fn apply(&self, item: &mut Item) -> Result<(), Refusal> {
        let dead_end = |_| {
            Refusal::validation("The document path provided in the update expression is invalid for update")
        };
        let before = item.clone();
        let mut removals = Vec::new();
        for (path, action) in &self.0 {
            let value = match action {
                Action::Remove => {
                    removals.push(path);
                    continue;
                }
                Action::Set(term) => term.value(&before)?,
                Action::Add(value) => add(path.get(&before), value)?,
                Action::Delete(value) => match delete(path.get(&before), value)? {
                    Change::Nothing => continue,
                    Change::Set(left) => left,
                    Change::Remove => {
                        removals.push(path);
                        continue;
                    }
                },
            };
            path.set(item, value).map_err(dead_end)?;
        }
        // Remove list items from the back, so that earlier indexes stay valid.
        removals.sort_by_key(|path| std::cmp::Reverse(*path));
        removals.into_iter().try_for_each(|path| path.remove(item).map_err(dead_end))
    }
}

fn action(parser: &mut Parser<'_>, section: &str) -> Result<Action, Refusal> {
    let kinds: &[&str] = match section {
        "SET" => {
            parser.expect_sign("=")?;
            let left = term(parser)?;
            let join = match parser.peek() {
                Some(Token::Sign("+")) => Term::Plus,
                Some(Token::Sign("-")) => Term::Minus,
                _ => return Ok(Action::Set(left)),
            };
            parser.take();
            let right = term(parser)?;
            return Ok(Action::Set(join(Box::new(left), Box::new(right))));
        }
        "REMOVE" => return Ok(Action::Remove),
        "ADD" => &["N", "SS", "NS", "BS"],
        _ => &["SS", "NS", "BS"],
    };
    let value = parser.value()?.ok_or_else(|| parser.syntax_error())?;
    if !kinds.contains(&value.kind()) {
        let kind = value.kind();
        return Err(parser.refuse(format_args!(
            "Incorrect operand type for operator or function; operator: {section}, operand type: {kind}"
        )));
    }
    Ok(if section == "ADD" { Action::Add(value) } else { Action::Delete(value) })
}

fn term(parser: &mut Parser<'_>) -> Result<Term, Refusal> {
    if let Some(value) = parser.value()? {
        return Ok(Term::Value(value));
    }
    let Some(function) = parser.function() else { return Ok(Term::Path(parser.path()?)) };
    parser.enter()?;
    let call = match function {
        "if_not_exists" => {
            let path = parser.path()?;
            parser.expect_sign(",")?;
            Term::IfNotExists(path, Box::new(term(parser)?))
        }
        "list_append" => {
            let first = term(parser)?;
            parser.expect_sign(",")?;
            Term::ListAppend(Box::new(first), Box::new(term(parser)?))
        }
        other => return Err(parser.refuse(format_args!("Invalid function name; function: {other}"))),
    };
    parser.expect_sign(")")?;
    parser.leave();
    Ok(call)
}

#[cfg(test)]
mod tests {
    use super::super::super::value::{item_json, read_item};
    use super::*;
    use serde_json::{Value as Json, json};

    fn updated(item: Json, text: &str, values: Json) -> Result<Json, String> {
        let values = values.as_object().is_some_and(|map| !map.is_empty()).then_some(values);
        let names = text.contains("#s").then(|| json!({ "#s": "state" }));
        let mut placeholders = Placeholders::read(names.as_ref(), values.as_ref()).unwrap();
        let mut item = read_item(&item).unwrap();
        let update = Update::parse(text, &mut placeholders).map_err(|r| r.message().to_owned())?;
        update.apply(&mut item).map_err(|r| r.message().to_owned())?;
        Ok(item_json(&item))
    }

    #[test]
    fn set_writes_computes_and_falls_back() {
        let item = json!({ "n": { "N": "5" }, "l": { "L": [{ "N": "1" }] }, "m": { "M": {} } });
        let values = json!({ ":one": { "N": "1" }, ":l": { "L": [{ "N": "2" }] }, ":t": { "S": "x" } });
        let text = "SET n = n + :one, fresh = if_not_exists(fresh, :one), kept = if_not_exists(n, :t), \
                    l = list_append(l, :l), m.deep = :t, lower_n = n - :one, #s = :t";
        let expected = json!({
            "n": { "N": "6" }, "fresh": { "N": "1" }, "kept": { "N": "5" }, "lower_n": { "N": "4" },
            "l": { "L": [{ "N": "1" }, { "N": "2" }] }, "m": { "M": { "deep": { "S": "x" } } }, "state": { "S": "x" }
        });
        assert_eq!(updated(item, text, values), Ok(expected));
    }

    #[test]
    fn sections_come_in_any_order_once_each() {
        let item =
            json!({ "gone": { "S": "x" }, "tags": { "SS": ["a", "b"] }, "final_tags": { "SS": ["z"] } });
        let values =
            json!({ ":n": { "N": "2" }, ":a": { "SS": ["a"] }, ":z": { "SS": ["z"] }, ":s": { "S": "v" } });
        let text = "DELETE tags :a, final_tags :z, nothing :a REMOVE gone SET s1 = :s ADD n :n, more :a";
        let expected = json!({
            "tags": { "SS": ["b"] }, "s1": { "S": "v" }, "n": { "N": "2" }, "more": { "SS": ["a"] }
        });
        assert_eq!(updated(item, text, values), Ok(expected));
    }

    #[test]
    fn indexes_mean_what_they_meant_before_the_update() {
        let item = json!({ "l": { "L": [{ "N": "0" }, { "N": "1" }, { "N": "2" }] } });
        assert_eq!(
            updated(item.clone(), "REMOVE l[0], l[1]", json!({})),
            Ok(json!({ "l": { "L": [{ "N": "2" }] } }))
        );
        let values = json!({ ":n": { "N": "9" } });
        let set = updated(item, "SET l[1] = :n, l[40] = :n", values).unwrap();
        assert_eq!(set, json!({ "l": { "L": [{ "N": "0" }, { "N": "9" }, { "N": "2" }, { "N": "9" }] } }));
    }

    #[test]
    fn what_dynamodb_refuses_is_refused_with_a_reason() {
        let item = json!({ "t": { "S": "x" }, "n": { "N": "1" } });
        let values = json!({ ":n": { "N": "1" }, ":t": { "S": "x" }, ":l": { "L": [] } });
        for (text, part) in [
            ("", "can not be empty"),
            ("t = :t", "Syntax error"),
            ("SET t = :t SET n = :n", "can only be used once"),
            ("SET t = :t, t = :t", "overlap"),
            ("SET a.b = :t, a = :t", "overlap"),
            ("SET t = t + :n", "incorrect data type"),
            ("SET t = list_append(t, :l)", "incorrect data type"),
            ("SET x = absent + :n", "does not exist in the item"),
            ("SET x = absent", "does not exist in the item"),
            ("SET t.deep = :t", "invalid for update"),
            ("SET absent.deep = :t", "invalid for update"),
            ("ADD t :n", "incorrect data type"),
            ("ADD n :t", "operator: ADD, operand type: S"),
            ("DELETE n :n", "operator: DELETE, operand type: N"),
            ("SET state = :t", "reserved keyword: state"),
            ("SET t = size(t)", "Invalid function name; function: size"),
            ("REMOVE", "Syntax error"),
        ] {
            let message = updated(item.clone(), text, values.clone()).unwrap_err();
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
