//! DynamoDB's expressions: conditions, updates, projections. A tokenizer and recursive descent; no I/O.

mod condition;
mod evaluate;
mod grammar;
mod parser;
mod path;
mod token;
mod update;

pub(super) use condition::{Comparator, Condition, Operand};
pub(super) use parser::Placeholders;
pub(super) use path::Path;
pub(super) use update::Update;

use super::super::Refusal;
use parser::Parser;

/// Parses a projection expression into its paths.
pub(super) fn projection(text: &str, placeholders: &mut Placeholders) -> Result<Vec<Path>, Refusal> {
    let mut parser = Parser::new("ProjectionExpression", text, placeholders)?;
    let mut paths = vec![parser.path()?];
    while parser.sign(",") {
        paths.push(parser.path()?);
    }
    parser.end()?;
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::super::value::read_item;
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn placeholders() -> Placeholders {
        let names = json!({ "#n": "name", "#s": "status" });
        let values =
            json!({ ":s": { "S": "x" }, ":n": { "N": "1" }, ":l": { "L": [] }, ":ss": { "SS": ["x"] } });
        Placeholders::read(Some(&names), Some(&values)).unwrap()
    }

    /// Random texts that look like expressions, for the property tests.
    fn near_expression() -> impl Strategy<Value = String> {
        let parts = [
            "a",
            "b.c",
            "a[0]",
            "#n",
            "#s",
            ":s",
            ":n",
            ":l",
            ":ss",
            "(",
            ")",
            ",",
            ".",
            "=",
            "<>",
            "<",
            ">=",
            "+",
            "-",
            "AND",
            "or",
            "NOT",
            "BETWEEN",
            "IN",
            "SET",
            "REMOVE",
            "ADD",
            "DELETE",
            "attribute_exists",
            "begins_with",
            "contains",
            "size",
            "if_not_exists",
            "list_append",
            "[",
            "]",
            "0",
            "name",
        ];
        prop::collection::vec(prop::sample::select(parts.to_vec()), 0..24).prop_map(|parts| parts.join(" "))
    }

    proptest! {
        #[test]
        fn no_text_panics(text in prop_oneof![".{0,80}", near_expression()]) {
            let item = read_item(&json!({ "a": { "N": "1" }, "b": { "M": { "c": { "S": "x" } } } })).unwrap();
            if let Ok(condition) = Condition::parse("ConditionExpression", &text, &mut placeholders()) {
                let _ = condition.holds(&item);
            }
            if let Ok(update) = Update::parse(&text, &mut placeholders()) {
                let _ = update.apply(&mut item.clone());
            }
            let _ = projection(&text, &mut placeholders());
        }
    }

    #[test]
    fn nesting_without_end_is_refused_not_followed() {
        for bomb in ["(".repeat(4_000), "NOT ".repeat(1_000), "(a = :s AND ".repeat(300)] {
            let refusal = Condition::parse("ConditionExpression", &bomb, &mut placeholders()).unwrap_err();
            assert!(refusal.message().starts_with("Invalid ConditionExpression"), "{}", refusal.message());
        }
        let bomb = format!("SET a = {}", "list_append(".repeat(300));
        assert!(Update::parse(&bomb, &mut placeholders()).is_err());
    }

    #[test]
    fn a_reserved_word_needs_a_placeholder() {
        for text in ["status = :s", "Name = :s", "a.state = :s"] {
            let refusal = Condition::parse("ConditionExpression", text, &mut placeholders()).unwrap_err();
            assert!(refusal.message().contains("reserved keyword"), "{}", refusal.message());
        }
    }

    #[test]
    fn projections_are_lists_of_paths() {
        let paths = projection("a, b.c[1], #n", &mut placeholders()).unwrap();
        assert_eq!(
            paths.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["[a]", "[b, c, [1]]", "[name]"]
        );
        assert!(projection("a,", &mut placeholders()).is_err());
    }
}
