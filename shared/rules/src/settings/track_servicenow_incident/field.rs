//! The value of a further field.

use serde::Deserialize;

/// The value of a further field, as a rule writes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(untagged, expecting = "it must be a text, a whole number, true or false")]
pub enum FieldValue {
    /// True or false.
    Is(bool),
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
}

impl FieldValue {
    /// The value as the table takes it: a text.
    pub fn to_text(&self) -> String {
        match self {
            Self::Is(is) => is.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}
