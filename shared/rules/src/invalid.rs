//! Why settings cannot be used.

/// Why the value of a field cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The field's name, as rules write it.
    pub field: &'static str,
    /// What is wrong with its value, and what to write.
    pub problem: String,
}

/// Why a template cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidTemplate {
    /// The name of the field that has the template, as rules write it.
    pub field: &'static str,
    /// The line of the template, from 1, if it is known.
    pub line: Option<usize>,
    /// What is wrong there, and what to write.
    pub problem: String,
}
