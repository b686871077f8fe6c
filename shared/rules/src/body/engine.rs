//! Templates that make JSON. A value stands in the text as JSON, with quotation marks and escapes: no name can break out of its place.

use super::data::Data;
use super::filters;
use super::scalar::Scalar;
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, escape_formatter,
};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many steps one template may take: many times what a body needs, and far from a second.
const FUEL: u64 = 50_000;
/// How deep templates may nest their calls.
const RECURSION: usize = 50;
/// The longest body that a template may make, in bytes: what Amazon SNS takes, with room for what stands beside it.
pub const LONGEST_BYTES: usize = 240 * 1024;

const FILTERS: &str =
    "default, first, join, label, last, length, line, lower, mrkdwn, replace, tojson, trim, upper";

/// A template and its values.
#[derive(Clone, Copy, Debug)]
pub struct Template<'a> {
    /// The template's text.
    pub text: &'a str,
    /// The values that the rule gives it.
    pub values: &'a BTreeMap<String, Scalar>,
}

/// A template that is ready.
pub(super) struct Rendering<'a> {
    environment: Environment<'a>,
    text: &'a str,
    /// How many bytes of values the body has so far.
    written: Arc<AtomicUsize>,
    values: &'a BTreeMap<String, Scalar>,
}

/// The name under which the only template is kept. The end says to minijinja that it makes JSON.
const NAME: &str = "body.json";

impl<'a> Template<'a> {
    /// The body for an event: a JSON text.
    ///
    /// # Errors
    /// What is wrong with the template, for its author. No error repeats a value.
    pub fn render(&self, data: &Data) -> Result<String, String> {
        self.compile()?.render(data)
    }

    pub(super) fn compile(&self) -> Result<Rendering<'a>, String> {
        let written = Arc::new(AtomicUsize::new(0));
        let mut environment = environment(&written);
        environment.add_template(NAME, self.text).map_err(|error| words(&error))?;
        Ok(Rendering { environment, text: self.text, written, values: self.values })
    }
}

/// The variables of a template.
#[derive(Serialize)]
struct Variables<'a> {
    #[serde(flatten)]
    data: &'a Data,
    values: &'a BTreeMap<String, Scalar>,
}

impl Rendering<'_> {
    pub(super) fn render(&self, data: &Data) -> Result<String, String> {
        let variables = serde_json::to_value(Variables { data, values: self.values });
        let variables = value(&variables.map_err(|error| error.to_string())?);
        let template = self.environment.get_template(NAME).map_err(|error| words(&error))?;
        self.written.store(0, Ordering::Relaxed);
        let text = template.render(variables).map_err(|error| self.explained(&error))?;
        if text.len() > LONGEST_BYTES {
            return Err(too_long());
        }
        match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
            Ok(_) => Ok(text.trim().to_owned()),
            Err(error) => Err(not_json(&error, &text)),
        }
    }

    /// An error with the name of the value that is missing, where there is one.
    fn explained(&self, error: &Error) -> String {
        let text = words(error);
        if error.kind() != ErrorKind::UndefinedError {
            return text;
        }
        let template = self.environment.get_template(NAME);
        let used = template.map(|template| template.undeclared_variables(true)).unwrap_or_default();
        let mut missing: Vec<&str> = used
            .iter()
            .filter_map(|name| name.strip_prefix("values."))
            .filter(|name| !self.values.contains_key(*name))
            .collect();
        missing.sort_unstable();
        // A value that has a default is not the one that is missing.
        let line = error.line().and_then(|line| self.text.lines().nth(line.saturating_sub(1)));
        missing.retain(|name| line.is_none_or(|line| line.contains(&format!("values.{name}"))));
        match missing.first() {
            Some(name) => format!("there is no `values.{name}`: add `{name}` to `values`"),
            None => text,
        }
    }
}

/// Writes a value as JSON, unless the body has become too long: what is written before it ends has to fit into memory.
fn limited(
    written: &AtomicUsize,
    output: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    let length = value.as_str().map_or(8, str::len);
    if written.fetch_add(length, Ordering::Relaxed) + length > LONGEST_BYTES {
        return Err(Error::from(ErrorKind::WriteFailure));
    }
    escape_formatter(output, state, value)
}

fn too_long() -> String {
    format!("the template makes more than {} KiB", LONGEST_BYTES / 1024)
}

/// Few filters: each is a part of every function. There is none that says a text is safe.
fn environment<'a>(written: &Arc<AtomicUsize>) -> Environment<'a> {
    let mut environment = Environment::empty();
    let written = Arc::clone(written);
    environment.set_formatter(move |output, state, value| limited(&written, output, state, value));
    environment.set_auto_escape_callback(|_| AutoEscape::Json);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(RECURSION);
    environment.add_filter("default", minijinja::filters::default);
    environment.add_filter("first", minijinja::filters::first);
    environment.add_filter("join", minijinja::filters::join);
    environment.add_filter("last", minijinja::filters::last);
    environment.add_filter("length", minijinja::filters::length);
    environment.add_filter("lower", minijinja::filters::lower);
    environment.add_filter("replace", minijinja::filters::replace);
    environment.add_filter("tojson", minijinja::filters::tojson);
    environment.add_filter("trim", minijinja::filters::trim);
    environment.add_filter("upper", minijinja::filters::upper);
    environment.add_filter("label", |value: Value| filters::label(&value));
    environment.add_filter("line", |value: Value, most: usize| filters::line(&value, most));
    environment.add_filter("mrkdwn", |value: Value| filters::mrkdwn(&value));
    environment.add_test("defined", minijinja::tests::is_defined);
    environment
}

fn value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(truth) => Value::from(*truth),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(number) => Value::from(number),
            None => Value::from(number.as_f64().unwrap_or_default()),
        },
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(values) => values.iter().map(value).collect(),
        serde_json::Value::Object(object) => {
            Value::from_pairs(object.iter().map(|(key, one)| (key.as_str(), value(one))))
        }
    }
}

/// The usual mistake is a pair of quotation marks around `{{ … }}`.
fn not_json(error: &serde_json::Error, text: &str) -> String {
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    let before: Vec<char> = line.chars().take(error.column()).collect();
    let is_quoted_twice = before.windows(2).any(|pair| pair == ['"', '"']) || line.contains("\"\"");
    let hint = if is_quoted_twice {
        ": a value brings its own quotation marks, so write {{ object.name }} without any around it"
    } else {
        ": look for a comma too many or too few, and for a text without quotation marks"
    };
    format!("what the template makes is not JSON, at line {}, column {}{hint}", error.line(), error.column())
}

fn words(error: &Error) -> String {
    let detail = error.detail().unwrap_or_default();
    let at = error.line().map(|line| format!(", at line {line}")).unwrap_or_default();
    match error.kind() {
        ErrorKind::OutOfFuel => "the template takes too many steps: make it simpler".to_owned(),
        ErrorKind::WriteFailure => too_long(),
        ErrorKind::UnknownFilter => format!("{detail}{at}; there are: {FILTERS}"),
        ErrorKind::UndefinedError => {
            format!("there is no such variable{at}: functions/forward-event/README.md lists them")
        }
        ErrorKind::SyntaxError if detail.contains("end of variable block") => {
            format!("`{{{{` is not closed{at}: write `}}}}` after the variable")
        }
        ErrorKind::SyntaxError if detail.contains("end of input") => {
            "a block is not closed: write {% endif %} for {% if … %}, and {% endfor %} for {% for … %}"
                .to_owned()
        }
        kind if detail.is_empty() => format!("the template has a mistake{at}: {kind}"),
        _ => format!("the template has a mistake{at}: {detail}"),
    }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
