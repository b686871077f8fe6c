//! Templates that make JSON. A value stands in the text as JSON, with quotation marks and escapes: no name can break out of its place.

use super::concat::{joined, with};
use super::data::Data;
use super::filters;
use super::limits::LONGEST_BYTES;
use super::mistake::Mistake;
use super::names;
use super::scalar::Scalar;
use super::source::{Part, line_of, parts};
use super::values::{Asked, Unknown, variables};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, escape_formatter,
};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many steps one template may take: many times what a body needs, and far from a second.
const FUEL: u64 = 50_000;
/// How deep templates may nest their calls.
const RECURSION: usize = 50;
/// The first of the characters that mark lines while the place of a mistake is looked for. Unicode leaves them to programs.
const FIRST_MARK: u32 = 0xf_0000;

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
    source: &'a str,
    parts: Vec<Part<'a>>,
    /// The text that minijinja gets.
    text: Cow<'a, str>,
    /// How many bytes of values the body has so far.
    written: Arc<AtomicUsize>,
    values: &'a BTreeMap<String, Scalar>,
}

/// The name of the only template. The end says to minijinja that it makes JSON.
const NAME: &str = "body.json";

impl<'a> Template<'a> {
    /// The body for an event: a JSON text.
    ///
    /// # Errors
    /// What is wrong with the template, for its author. No error repeats a value.
    pub fn render(&self, data: &Data) -> Result<String, Mistake> {
        self.prepare()?.render(data)
    }

    /// The same template as [`Self::prepare`] makes. A template that minijinja cannot read is refused here and not at the first event.
    pub(super) fn compile(&self) -> Result<Rendering<'a>, Mistake> {
        let rendering = self.prepare()?;
        rendering.read()?;
        Ok(rendering)
    }

    /// Names are checked for each event: rules of an earlier version may have what is refused today, and a few calls would end the process.
    fn prepare(&self) -> Result<Rendering<'a>, Mistake> {
        let written = Arc::new(AtomicUsize::new(0));
        let environment = environment(&written);
        let parts = parts(self.text);
        let names = names::check(self.text, &parts, self.values);
        let text = joined(self.text, &parts).map_or(Cow::Borrowed(self.text), Cow::Owned);
        let rendering =
            Rendering { environment, source: self.text, parts, text, written, values: self.values };
        if names.is_err() {
            // Of a template that cannot be read, the names may be wrong ones.
            rendering.read()?;
        }
        names.map(|()| rendering)
    }
}

impl Rendering<'_> {
    /// What minijinja says to the template as it is written: this error is in the author's words.
    fn read(&self) -> Result<(), Mistake> {
        let read = self.environment.template_from_named_str(NAME, self.source);
        read.map(|_| ()).map_err(|error| Mistake::of(&error))
    }

    pub(super) fn render(&self, data: &Data) -> Result<String, Mistake> {
        let text = self.made(&self.text, data)?;
        if text.len() > LONGEST_BYTES {
            return Err(Mistake::too_long());
        }
        match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
            Ok(_) => Ok(text.trim().to_owned()),
            Err(error) => {
                let line = self.line_that_makes(&text, &error, data);
                Err(Mistake::not_json(self.source, &self.parts, line))
            }
        }
    }

    fn made(&self, text: &str, data: &Data) -> Result<String, Mistake> {
        let template = match self.environment.template_from_named_str(NAME, text) {
            Ok(template) => template,
            Err(error) => return Err(self.read().err().unwrap_or_else(|| Mistake::of(&error))),
        };
        let asked = Asked::default();
        let variables =
            variables(data, self.values, &asked).map_err(|error| Mistake::new(error.to_string()))?;
        self.written.store(0, Ordering::Relaxed);
        let made = template.render(variables);
        if let Some(unknown) = asked.unknown() {
            let line = made.err().and_then(|error| error.line());
            return Err(Mistake { line, text: self.unknown(&unknown) });
        }
        made.map_err(|error| Mistake::of(&error))
    }

    /// What to say of a part that there is not. It is named only if the author wrote it: else it may be a value of the event.
    fn unknown(&self, Unknown { object, key }: &Unknown) -> String {
        let is_written = self.parts.iter().any(|part| match part {
            Part::Tag { tokens, .. } => tokens.iter().any(|token| token.spells(key)),
            Part::Raw { .. } => false,
        });
        if is_written {
            let parts: Vec<&str> = object.split('.').chain([key.as_str()]).collect();
            names::unknown_variable(&parts, &[])
        } else {
            names::computed(object)
        }
    }

    /// The line of the template that makes the place where the JSON ends. For that, the template is rendered again, with a mark at the
    /// beginning of each line: lines of the body are others where there are loops and conditions.
    fn line_that_makes(&self, made: &str, error: &serde_json::Error, data: &Data) -> Option<usize> {
        let before =
            made.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
        let end = before + error.column();
        let visible = |c: &char| !c.is_whitespace();
        let count = made.char_indices().take_while(|(at, _)| *at < end).filter(|(_, c)| visible(c)).count();
        let mut marks = Vec::new();
        for part in &self.parts {
            let Part::Raw { at, text } = part else { continue };
            let breaks = text.match_indices('\n').map(|(index, _)| at + index + 1);
            for place in std::iter::once(*at).chain(breaks) {
                let line = u32::try_from(line_of(self.source, place)).ok()?;
                marks.push((place, char::from_u32(FIRST_MARK + line)?.to_string()));
            }
        }
        let marked = with(self.source, marks);
        let marked = joined(&marked, &parts(&marked)).unwrap_or(marked);
        let marked = self.made(&marked, data).ok()?;
        let mut line = None;
        let mut left = count;
        for c in marked.chars().filter(visible) {
            match u32::from(c).checked_sub(FIRST_MARK) {
                Some(mark) => line = usize::try_from(mark).ok(),
                None => match left.checked_sub(1) {
                    Some(less) if less > 0 => left = less,
                    _ => break,
                },
            }
        }
        line
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

fn environment<'a>(written: &Arc<AtomicUsize>) -> Environment<'a> {
    let mut environment = Environment::empty();
    let written = Arc::clone(written);
    environment.set_formatter(move |output, state, value| limited(&written, output, state, value));
    environment.set_auto_escape_callback(|_| AutoEscape::Json);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(RECURSION);
    filters::add(&mut environment);
    environment.add_test("defined", minijinja::tests::is_defined);
    environment
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
