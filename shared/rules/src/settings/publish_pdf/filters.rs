//! Filters of an export, as Tableau's REST API takes them.
//!
//! Sources: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_concepts_filtering_and_sorting.htm>,
//! `tableau/server-client-python#1840`, `#845`

use crate::body::Scalar;
use jiff::civil;
use serde::Deserialize;

/// One value of a filter.
pub type FilterValue = Scalar;

const DAY: &str = "Tableau takes one exact day, written as 2025-04-03, and no range and no relative date: let the workbook have a \
                   parameter for those, and filter by the parameter";

/// The value or values that a field may have.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(
    untagged,
    expecting = "write one value, or a list of values in brackets: [West, East]; for a range let the workbook have a parameter, and filter by the parameter"
)]
pub enum FilterValues {
    /// This value.
    One(FilterValue),
    /// One of these values.
    Several(Vec<FilterValue>),
}

impl FilterValues {
    fn all(&self) -> &[FilterValue] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Several(values) => values,
        }
    }

    /// The text after `vf_<field>=`, before it is encoded for the address.
    pub(super) fn query(&self) -> String {
        self.all().iter().map(|value| escaped(&plain(value))).collect::<Vec<_>>().join(",")
    }

    pub(super) fn check(&self) -> Result<(), String> {
        if self.all().is_empty() {
            return Err("the list is empty: write a value, or remove the field".to_owned());
        }
        self.all().iter().try_for_each(check_value)
    }
}

pub(super) fn check_field(field: &str) -> Result<(), String> {
    if field.trim().is_empty() {
        return Err("the name of a field is empty".to_owned());
    }
    if field.chars().any(char::is_control) {
        return Err(format!("`{}` is no name of a field", field.escape_default()));
    }
    match field.strip_prefix("vf_") {
        Some(plain) => Err(format!("write `{plain}`, without vf_")),
        None => Ok(()),
    }
}

fn check_value(value: &FilterValue) -> Result<(), String> {
    let Scalar::Text(text) = value else { return Ok(()) };
    let problem = match text.as_str() {
        "" => {
            "an empty value lifts a filter that is saved in the workbook: name the field in `lift_filters` if you mean that"
        }
        text if text.chars().any(char::is_control) => "a value has a line break or another control character",
        text if text.contains('*') => "`*` matches nothing in Tableau: write each value",
        text if is_other_date(text) => DAY,
        _ => return Ok(()),
    };
    Err(problem.to_owned())
}

/// The value as text. Tableau knows truth values in small letters only.
fn plain(value: &FilterValue) -> String {
    match value {
        Scalar::Truth(truth) => truth.to_string(),
        Scalar::Number(number) => number.to_string(),
        Scalar::Text(text) if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") => {
            text.to_ascii_lowercase()
        }
        Scalar::Text(text) => text.clone(),
    }
}

/// The value with a backslash before each comma. A backslash that would itself stand before one is doubled.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            ',' => out.push_str("\\,"),
            '\\' if matches!(rest.peek(), None | Some(',' | '\\')) => out.push_str("\\\\"),
            c => out.push(c),
        }
    }
    out
}

/// Whether the text is meant as a date, and is not one exact day or moment.
fn is_other_date(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    if is_day(&text) {
        return text.get(..10).is_none_or(|day| day.parse::<civil::Date>().is_err());
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_unit = |word: &str| {
        let word = word.strip_suffix('s').unwrap_or(word);
        matches!(word, "day" | "week" | "month" | "quarter" | "year" | "hour" | "minute")
    };
    let is_relative = match words.as_slice() {
        ["today" | "yesterday" | "tomorrow" | "now"] => true,
        ["last" | "next" | "this" | "previous" | "past" | "current", .., unit] => is_unit(unit),
        [.., unit, "ago"] => is_unit(unit),
        ["year" | "month" | "quarter" | "week", "to", "date"] => true,
        _ => false,
    };
    is_relative || is_local_day(&text) || is_range(&text)
}

/// `2025-04-03`, or the same with a time.
fn is_day(text: &str) -> bool {
    let form = |text: &str| {
        let mut bytes = text.bytes().enumerate();
        text.len() == 10
            && bytes.all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() })
    };
    match text.get(..10) {
        Some(day) if form(day) => {
            text.len() == 10 || text[10..].starts_with([' ', 't']) && !text[10..].contains("-")
        }
        _ => false,
    }
}

/// Three numbers with slashes, dots or hyphens between: `03/04/2025`, `3.4.2025`, `2025/04/03`, `03-04-2025`.
fn is_local_day(text: &str) -> bool {
    ['/', '.', '-'].into_iter().any(|separator| {
        let parts: Vec<&str> = text.split(separator).collect();
        let is_number =
            |part: &&str| (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        let years = parts.iter().filter(|part| part.len() == 4).count();
        let has_year =
            years == 1 || (years == 0 && separator == '/' && parts.iter().all(|part| part.len() <= 2));
        parts.len() == 3 && parts.iter().all(is_number) && has_year
    })
}

/// Two days with something between: `2025-04-01 to 2025-04-03`, `2025-04-01..2025-04-03`.
fn is_range(text: &str) -> bool {
    let starts = text.get(..10).is_some_and(is_day);
    let ends = text.len().checked_sub(10).and_then(|at| text.get(at..)).is_some_and(is_day);
    text.len() > 20 && starts && ends
}
