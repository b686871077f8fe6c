//! Evaluates what an update expression writes: terms, sums and sets.

use super::super::super::Refusal;
use super::super::number::{NotANumber, Number};
use super::super::value::{Item, Value, number_refusal};
use super::path::Path;

/// The right side of a `SET` action.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Term {
    Path(Path),
    Value(Value),
    IfNotExists(Path, Box<Term>),
    ListAppend(Box<Term>, Box<Term>),
    Plus(Box<Term>, Box<Term>),
    Minus(Box<Term>, Box<Term>),
}

fn incorrect_type() -> Refusal {
    Refusal::validation("An operand in the update expression has an incorrect data type")
}

impl Term {
    pub(super) fn value(&self, item: &Item) -> Result<Value, Refusal> {
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::Path(path) => path.get(item).cloned().ok_or_else(|| {
                Refusal::validation(
                    "The provided expression refers to an attribute that does not exist in the item",
                )
            }),
            Self::IfNotExists(path, other) => match path.get(item) {
                Some(value) => Ok(value.clone()),
                None => other.value(item),
            },
            Self::ListAppend(first, second) => match (first.value(item)?, second.value(item)?) {
                (Value::L(mut first), Value::L(second)) => {
                    first.extend(second);
                    Ok(Value::L(first))
                }
                _ => Err(incorrect_type()),
            },
            Self::Plus(left, right) => calculate(item, left, right, Number::plus),
            Self::Minus(left, right) => calculate(item, left, right, Number::minus),
        }
    }
}

fn calculate(
    item: &Item,
    left: &Term,
    right: &Term,
    with: fn(Number, Number) -> Result<Number, NotANumber>,
) -> Result<Value, Refusal> {
    match (left.value(item)?, right.value(item)?) {
        (Value::N(left), Value::N(right)) => {
            with(left, right).map(Value::N).map_err(|reason| number_refusal(reason, "the result"))
        }
        _ => Err(incorrect_type()),
    }
}

/// `ADD`: adds to a number or a set. A missing attribute counts as zero or as the empty set.
pub(super) fn add(present: Option<&Value>, value: &Value) -> Result<Value, Refusal> {
    match (present, value) {
        (None, value) => Ok(value.clone()),
        (Some(Value::N(a)), Value::N(b)) => {
            a.plus(*b).map(Value::N).map_err(|reason| number_refusal(reason, "the sum"))
        }
        (Some(Value::Ss(a)), Value::Ss(b)) => Ok(Value::Ss(a | b)),
        (Some(Value::Ns(a)), Value::Ns(b)) => Ok(Value::Ns(a | b)),
        (Some(Value::Bs(a)), Value::Bs(b)) => Ok(Value::Bs(a | b)),
        _ => Err(incorrect_type()),
    }
}

/// The result of deleting elements from a set.
pub(super) enum Change {
    /// The attribute did not exist.
    Nothing,
    /// The elements that remain in the set.
    Set(Value),
    /// The set lost its last element, so the attribute is removed.
    Remove,
}

/// `DELETE`: removes elements from a set.
pub(super) fn delete(present: Option<&Value>, value: &Value) -> Result<Change, Refusal> {
    let left = match (present, value) {
        (None, _) => return Ok(Change::Nothing),
        (Some(Value::Ss(a)), Value::Ss(b)) => Value::Ss(a - b),
        (Some(Value::Ns(a)), Value::Ns(b)) => Value::Ns(a - b),
        (Some(Value::Bs(a)), Value::Bs(b)) => Value::Bs(a - b),
        _ => return Err(incorrect_type()),
    };
    Ok(if left.size() == Some(0) { Change::Remove } else { Change::Set(left) })
}
