//! Condition and key condition expressions.

use super::super::number::Number;
use super::super::value::{Item, Value};
use super::path::Path;
use std::borrow::Cow;

/// A parsed condition expression, which can be evaluated on items.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    Or(Vec<Condition>),
    And(Vec<Condition>),
    Not(Box<Condition>),
    Compare(Operand, Comparator, Operand),
    Between(Operand, Operand, Operand),
    In(Operand, Vec<Operand>),
    Exists(Path),
    NotExists(Path),
    IsOfType(Path, String),
    BeginsWith(Path, Operand),
    Contains(Path, Operand),
}

/// An operand of a condition: a path, a value or a function such as `size()`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    Path(Path),
    Value(Value),
    Size(Path),
}

/// The comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparator {
    pub(super) fn of(sign: &str) -> Option<Self> {
        Some(match sign {
            "=" => Self::Equal,
            "<>" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    /// A missing operand, or an operand of another type, is unequal and neither less nor greater.
    fn holds(self, left: Option<&Value>, right: Option<&Value>) -> bool {
        let order = left.zip(right).filter(|(l, r)| l.kind() == r.kind()).map(|(l, r)| l.cmp(r));
        match self {
            Self::Equal => order.is_some_and(|o| o.is_eq()),
            Self::NotEqual => !order.is_some_and(|o| o.is_eq()),
            Self::Less => order.is_some_and(|o| o.is_lt()),
            Self::LessOrEqual => order.is_some_and(|o| o.is_le()),
            Self::Greater => order.is_some_and(|o| o.is_gt()),
            Self::GreaterOrEqual => order.is_some_and(|o| o.is_ge()),
        }
    }
}

impl Operand {
    fn value<'a>(&'a self, item: &'a Item) -> Option<Cow<'a, Value>> {
        match self {
            Self::Path(path) => path.get(item).map(Cow::Borrowed),
            Self::Value(value) => Some(Cow::Borrowed(value)),
            Self::Size(path) => path.get(item)?.size().map(|size| Cow::Owned(Value::N(Number::from(size)))),
        }
    }
}

impl Condition {
    /// Whether the condition holds for the item. A missing item counts as an item without attributes.
    pub(crate) fn holds(&self, item: &Item) -> bool {
        match self {
            Self::Or(parts) => parts.iter().any(|part| part.holds(item)),
            Self::And(parts) => parts.iter().all(|part| part.holds(item)),
            Self::Not(part) => !part.holds(item),
            Self::Compare(left, comparator, right) => {
                comparator.holds(left.value(item).as_deref(), right.value(item).as_deref())
            }
            Self::Between(operand, low, high) => {
                let value = operand.value(item);
                let holds = |comparator: Comparator, end: &Operand| {
                    comparator.holds(value.as_deref(), end.value(item).as_deref())
                };
                holds(Comparator::GreaterOrEqual, low) && holds(Comparator::LessOrEqual, high)
            }
            Self::In(operand, choices) => {
                let value = operand.value(item);
                let equals = |choice: &Operand| {
                    Comparator::Equal.holds(value.as_deref(), choice.value(item).as_deref())
                };
                choices.iter().any(equals)
            }
            Self::Exists(path) => path.get(item).is_some(),
            Self::NotExists(path) => path.get(item).is_none(),
            Self::IsOfType(path, kind) => path.get(item).is_some_and(|value| value.kind() == kind),
            Self::BeginsWith(path, start) => match (path.get(item), start.value(item).as_deref()) {
                (Some(Value::S(text)), Some(Value::S(start))) => text.starts_with(start),
                (Some(Value::B(bytes)), Some(Value::B(start))) => bytes.starts_with(start),
                _ => false,
            },
            Self::Contains(path, part) => match (path.get(item), part.value(item).as_deref()) {
                (Some(Value::S(text)), Some(Value::S(part))) => text.contains(part),
                (Some(Value::Ss(set)), Some(Value::S(part))) => set.contains(part),
                (Some(Value::Ns(set)), Some(Value::N(part))) => set.contains(part),
                (Some(Value::Bs(set)), Some(Value::B(part))) => set.contains(part),
                (Some(Value::L(items)), Some(part)) => items.contains(part),
                (Some(Value::B(bytes)), Some(Value::B(part))) => {
                    part.is_empty() || bytes.windows(part.len()).any(|window| window == part)
                }
                _ => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::value::read_item;
    use super::super::Placeholders;
    use super::*;
    use serde_json::{Value as Json, json};

    fn holds(text: &str, values: Json) -> Result<bool, String> {
        let item = read_item(&json!({
            "pk": { "S": "delivery#1" }, "n": { "N": "5" }, "state": { "S": "live" },
            "tags": { "SS": ["a", "b"] }, "things": { "L": [{ "N": "1" }, { "S": "x" }] },
            "nest": { "M": { "deep": { "BOOL": true } } }, "gone": { "NULL": true }
        }));
        let names = text.contains("#s").then(|| json!({ "#s": "state" }));
        let values = values.as_object().is_some_and(|map| !map.is_empty()).then_some(values);
        let mut placeholders = Placeholders::read(names.as_ref(), values.as_ref()).unwrap();
        let condition = Condition::parse("ConditionExpression", text, &mut placeholders);
        condition.map(|condition| condition.holds(&item.unwrap())).map_err(|r| r.message().to_owned())
    }

    #[test]
    fn comparisons_hold_between_values_of_one_type() {
        let values = json!({ ":n": { "N": "5" }, ":six": { "N": "6.0" }, ":t": { "S": "5" } });
        for (text, expected) in [
            ("n = :n", true),
            ("n <> :n", false),
            ("n < :six", true),
            ("n >= :six", false),
            ("n = :t", false),
            ("n <> :t", true),
            ("n < :t", false),
            ("absent = :n", false),
            ("absent <> :n", true),
            ("n BETWEEN :n AND :six", true),
            ("n IN (:t, :n)", true),
            ("size(things) < :n", true),
            ("nest.deep <> :n", true),
            ("things[0] < :n", true),
            ("things[7] = :n", false),
        ] {
            assert_eq!(holds(text, values.clone()), Ok(expected), "{text}");
        }
    }

    #[test]
    fn functions_look_at_what_is_there() {
        let values = json!({
            ":a": { "S": "a" }, ":d": { "S": "delivery#" }, ":x": { "S": "x" }, ":t": { "S": "NULL" }
        });
        for (text, expected) in [
            ("attribute_exists(pk)", true),
            ("attribute_not_exists(pk)", false),
            ("attribute_exists(nest.deep)", true),
            ("attribute_not_exists(nest.more)", true),
            ("begins_with(pk, :d)", true),
            ("begins_with(n, :d)", false),
            ("contains(tags, :a)", true),
            ("contains(things, :x)", true),
            ("contains(pk, :x)", false),
            ("attribute_type(gone, :t)", true),
        ] {
            assert_eq!(holds(text, values.clone()), Ok(expected), "{text}");
        }
    }

    #[test]
    fn not_binds_tighter_than_and_and_that_tighter_than_or() {
        let yes = "attribute_exists(pk)";
        let no = "attribute_exists(nope)";
        for (text, expected) in [
            (format!("{yes} OR {no} AND {no}"), true),
            (format!("({yes} OR {no}) AND {no}"), false),
            (format!("NOT {no} AND {yes}"), true),
            (format!("NOT ({no} OR {yes})"), false),
            (format!("not {no} and ({yes} or {no})"), true),
            (format!("(({yes}) OR {no}) AND ({yes})"), true),
        ] {
            assert_eq!(holds(&text, json!({})), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_dynamodb_refuses_is_refused_with_a_reason() {
        let values = json!({ ":n": { "N": "5" } });
        for (text, part) in [
            ("", "can not be empty"),
            ("n = ", "Syntax error"),
            ("n == :n", "Syntax error"),
            ("n = :n extra", "Syntax error"),
            ("((n = :n))", "redundant parentheses"),
            ("n = :m", "attribute value: :m"),
            ("#q = :n", "attribute name: #q"),
            ("state = :n", "reserved keyword: state"),
            ("nope(n)", "Invalid function name; function: nope"),
            ("begins_with(pk, :n)", "operand type: N"),
            ("n = n", "must be distinct"),
            ("n BETWEEN :n", "Syntax error"),
        ] {
            let message = holds(text, values.clone()).unwrap_err();
            assert!(message.starts_with("Invalid ConditionExpression: "), "{message}");
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
