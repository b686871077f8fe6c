//! Fills in the placeholders of DynamoDB expressions. No I/O.
//!
//! `#state` stands for the attribute `state`, and `:claimed` for the state `claimed`. DynamoDB refuses an expression
//! with an undefined placeholder, so a wrong name shows in the first test.

use crate::attribute::{ATTRIBUTES, text};
use crate::state::State;
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;

/// The attribute names behind the `#` placeholders of expressions.
pub(crate) fn names(expressions: &[&str]) -> HashMap<String, String> {
    let used = expressions.iter().flat_map(|expression| placeholders(expression, '#'));
    let known = used.filter(|name| ATTRIBUTES.contains(name));
    known.map(|name| (format!("#{name}"), name.to_owned())).collect()
}

/// The states behind the `:` placeholders of expressions.
pub(crate) fn states(expressions: &[&str]) -> HashMap<String, AttributeValue> {
    let used = expressions.iter().flat_map(|expression| placeholders(expression, ':'));
    let known = used.filter(|word| !matches!(State::from(*word), State::Other(_)));
    known.map(|word| (format!(":{word}"), text(word))).collect()
}

/// The placeholders of an expression that begin with `sign`, without the sign: `state` for `#state`.
fn placeholders(expression: &str, sign: char) -> impl Iterator<Item = &str> {
    let is_end = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    expression.split(sign).skip(1).filter_map(move |rest| rest.split(is_end).next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_placeholder_is_the_attribute_or_the_state_of_its_name() {
        let expressions =
            ["#state IN (:claimed,:done) AND #attempts= :attempt", "SET #deadline_ms = :d, #no = :u"];
        let names: BTreeMap<_, _> = names(&expressions).into_iter().collect();
        let expected = ["attempts", "deadline_ms", "state"];
        assert_eq!(names, expected.map(|name| (format!("#{name}"), name.to_owned())).into());
        let states = states(&expressions);
        assert_eq!(
            states,
            [(":claimed".to_owned(), text("claimed")), (":done".to_owned(), text("done"))].into()
        );
    }
}
