//! Filters for lists: the conditions that elements must meet.
//!
//! Tableau checks most conditions. Two kinds are checked by this client on the returned elements: a value with `,` or
//! `&`, which cannot be sent in any encoding, and a second condition on the same field, of which Tableau keeps only
//! the last.

use jiff::Timestamp;
use std::fmt;
use std::marker::PhantomData;

/// The conditions for a list of `T`: an element must meet all of them.
pub struct Filter<T> {
    conditions: Vec<(&'static str, Condition)>,
    of: PhantomData<fn(&T)>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    Is(String),
    AnyOf(Vec<String>),
    Since(Timestamp),
    Before(Timestamp),
    Below(u64),
}

/// The value of an element in one field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Field<'a> {
    /// A text, if the element has one.
    Text(Option<&'a str>),
    /// Several texts, of which one must match.
    Texts(&'a [String]),
    /// A time, if the element has one.
    Time(Option<Timestamp>),
    /// A number, if the element has one.
    Number(Option<u64>),
}

/// A type whose lists can be filtered. Only this crate implements it.
pub trait Filtered: sealed::Sealed {
    /// The element's value in a field.
    #[doc(hidden)]
    fn field(&self, name: &str) -> Field<'_>;
}

/// A type with names. Names are unique only within a project.
pub trait Named: Filtered {}

/// A type with tags: workbooks, data sources and views.
pub trait Tagged: Filtered {}

/// A type that is published to a project: workbooks and data sources.
pub trait Published: Named + Tagged {}

pub(crate) mod sealed {
    /// Prevents implementations of `Filtered` outside this crate.
    pub trait Sealed {}
}

impl<T> Filter<T> {
    /// A filter without conditions: all elements.
    pub fn all() -> Self {
        Self { conditions: Vec::new(), of: PhantomData }
    }

    pub(crate) fn with(mut self, field: &'static str, condition: Condition) -> Self {
        self.conditions.push((field, condition));
        self
    }
}

impl<T: Filtered> Filter<T> {
    /// The filter expression to send to Tableau, if any. `unknown` lists fields that the server's version cannot
    /// filter by.
    pub(crate) fn expression(&self, unknown: &[&str]) -> Option<String> {
        let sent: Vec<String> = self.sent(unknown).filter_map(|(name, c)| c.expression(name)).collect();
        (!sent.is_empty()).then(|| sent.join(","))
    }

    /// Whether an element meets the conditions that were not sent to Tableau.
    pub(crate) fn matches(&self, element: &T, unknown: &[&str]) -> bool {
        let sent: Vec<_> = self.sent(unknown).map(|(_, condition)| std::ptr::from_ref(condition)).collect();
        let mut left = self.conditions.iter().filter(|(_, c)| !sent.contains(&std::ptr::from_ref(c)));
        left.all(|(name, condition)| condition.holds(element.field(name)))
    }

    fn sent(&self, unknown: &[&str]) -> impl Iterator<Item = (&'static str, &Condition)> {
        let mut taken: Vec<&str> = unknown.to_vec();
        self.conditions.iter().filter_map(move |(name, condition)| {
            let first = !taken.contains(name) && condition.expression(name).is_some();
            first.then(|| taken.push(name))?;
            Some((*name, condition))
        })
    }
}

impl<T: Named> Filter<T> {
    /// Elements with this name; there may be several.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        self.with("name", Condition::Is(name.to_owned()))
    }
}

impl<T: Tagged> Filter<T> {
    /// Elements with this tag. If called twice, elements with both tags.
    #[must_use]
    pub fn tagged(self, tag: &str) -> Self {
        self.with("tags", Condition::Is(tag.to_owned()))
    }

    /// Elements with at least one of these tags.
    #[must_use]
    pub fn tagged_any<S: Into<String>>(self, tags: impl IntoIterator<Item = S>) -> Self {
        self.with("tags", Condition::AnyOf(tags.into_iter().map(Into::into).collect()))
    }
}

impl<T: Published> Filter<T> {
    /// Elements in projects with this name (of the project itself, not of its parents).
    #[must_use]
    pub fn in_project(self, name: &str) -> Self {
        self.with("projectName", Condition::Is(name.to_owned()))
    }

    /// Elements that changed at this time or later.
    #[must_use]
    pub fn updated_since(self, time: Timestamp) -> Self {
        self.with("updatedAt", Condition::Since(time))
    }

    /// Elements that changed before this time.
    #[must_use]
    pub fn updated_before(self, time: Timestamp) -> Self {
        self.with("updatedAt", Condition::Before(time))
    }
}

impl Condition {
    /// The condition as an expression for Tableau; `None` if Tableau cannot check it.
    fn expression(&self, name: &str) -> Option<String> {
        let plain = |text: &str| !text.is_empty() && !text.contains([',', '&']);
        let time = |time: &Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        match self {
            Self::Is(text) => plain(text).then(|| format!("{name}:eq:{text}")),
            Self::AnyOf(texts) => {
                let fits = !texts.is_empty() && texts.iter().all(|t| plain(t) && !t.contains(['[', ']']));
                fits.then(|| format!("{name}:in:[{}]", texts.join(",")))
            }
            Self::Since(since) => Some(format!("{name}:gte:{}", time(since))),
            Self::Before(before) => Some(format!("{name}:lt:{}", time(before))),
            Self::Below(number) => Some(format!("{name}:lt:{number}")),
        }
    }

    fn holds(&self, field: Field<'_>) -> bool {
        let is = |text: &str| match self {
            Self::Is(wanted) => wanted == text,
            Self::AnyOf(wanted) => wanted.iter().any(|wanted| wanted == text),
            Self::Since(_) | Self::Before(_) | Self::Below(_) => false,
        };
        match (field, self) {
            (Field::Text(text), _) => text.is_some_and(is),
            (Field::Texts(texts), _) => texts.iter().any(|text| is(text)),
            // Compared in whole seconds, as Tableau does.
            (Field::Time(time), Self::Since(since)) => {
                time.is_some_and(|t| t.as_second() >= since.as_second())
            }
            (Field::Time(time), Self::Before(before)) => time.is_some_and(|t| t < *before),
            (Field::Number(number), Self::Below(most)) => number.is_some_and(|number| number < *most),
            (Field::Time(_) | Field::Number(_), _) => false,
        }
    }
}

impl<T> Clone for Filter<T> {
    fn clone(&self) -> Self {
        Self { conditions: self.conditions.clone(), of: PhantomData }
    }
}

impl<T> Default for Filter<T> {
    fn default() -> Self {
        Self::all()
    }
}

impl<T> fmt::Debug for Filter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filter").field(&self.conditions).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Workbook;
    use proptest::prelude::*;
    use serde_json::json;

    fn workbook(name: &str, tags: &[&str]) -> Workbook {
        let tags: Vec<_> = tags.iter().map(|tag| json!({ "label": tag })).collect();
        serde_json::from_value(json!({"id": "w", "name": name, "tags": {"tag": tags},
            "project": {"id": "p", "name": "Finance"}, "updatedAt": "2025-01-15T17:14:45Z"}))
        .unwrap()
    }

    #[test]
    fn conditions_are_joined() {
        let since = "2025-01-15T17:14:45.5Z".parse().unwrap();
        let filter = Filter::<Workbook>::all().named("A B").tagged_any(["x", "y"]).updated_since(since);
        let expected = "name:eq:A B,tags:in:[x,y],updatedAt:gte:2025-01-15T17:14:45Z";
        assert_eq!(filter.expression(&[]).unwrap(), expected);
        assert_eq!(Filter::<Workbook>::all().expression(&[]), None);
    }

    #[test]
    fn what_tableau_cannot_be_asked_is_checked_here() {
        for name in ["A, B", "A & B", ""] {
            let filter = Filter::<Workbook>::all().named(name).in_project("Finance");
            assert_eq!(filter.expression(&[]).unwrap(), "projectName:eq:Finance");
            assert!(filter.matches(&workbook(name, &[]), &[]));
            assert!(!filter.matches(&workbook("A", &[]), &[]));
        }
        let filter = Filter::<Workbook>::all().in_project("Finance");
        assert_eq!(filter.expression(&["projectName"]), None);
        assert!(filter.matches(&workbook("A", &[]), &["projectName"]));
    }

    #[test]
    fn of_two_conditions_on_one_field_the_second_is_checked_here() {
        let filter = Filter::<Workbook>::all().tagged("a").tagged("b");
        assert_eq!(filter.expression(&[]).unwrap(), "tags:eq:a");
        assert!(filter.matches(&workbook("W", &["a", "b"]), &[]));
        assert!(!filter.matches(&workbook("W", &["a"]), &[]));
        let from = "2025-01-15T17:00:00Z".parse().unwrap();
        let to = "2025-01-15T17:14:45Z".parse().unwrap();
        let window = Filter::<Workbook>::all().updated_since(from).updated_before(to);
        assert_eq!(window.expression(&[]).unwrap(), "updatedAt:gte:2025-01-15T17:00:00Z");
        assert!(!window.matches(&workbook("W", &[]), &[]));
    }

    proptest! {
        #[test]
        fn no_value_adds_a_condition(name in ".*", tags in prop::collection::vec(".*", 0..4)) {
            let filter = Filter::<Workbook>::all().named(&name).tagged_any(tags.clone());
            let expression = filter.expression(&[]).unwrap_or_default();
            prop_assert!(!expression.contains('&'));
            let lists = expression.find(":in:[").map_or(expression.len(), |at| at);
            prop_assert!(expression[..lists].matches(',').count() <= 1);
        }
    }
}
