//! The names that a template may use: what has another name is refused wherever it stands, also where no sample leads. No I/O.

use super::data::Data;
use super::filters::FILTERS;
use super::mistake::Mistake;
use super::scalar::Scalar;
use super::scope::{Piece, Scopes};
use super::source::{Kind, Part, Token, line_of};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// How much of an unknown name is repeated, in characters.
const LONGEST: usize = 40;
/// The words of the template language. They are no variables.
const KEYWORDS: [&str; 13] =
    ["and", "else", "false", "False", "if", "in", "is", "none", "None", "not", "or", "true", "True"];
/// The parts of `loop`. minijinja also has calls, `loop.cycle()` and `loop.changed()`: the first one without arguments divides by zero,
/// which ends the process.
const LOOP: [&str; 9] =
    ["index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0"];
/// The variables in the order of the documentation, which decides between several that are as near.
const VARIABLES: [&str; 12] = [
    "title", "lines", "object", "event", "owner", "project", "cause", "site", "deleted", "rule", "data",
    "missing",
];

/// What is wrong at a byte of the template. Its line is counted only for the one that is said.
struct Wrong {
    at: usize,
    text: String,
}

/// A name with its parts, as in `object.name`.
struct Path<'t> {
    parts: Vec<&'t str>,
    /// Where it begins, in bytes.
    at: usize,
    /// Whether it may be missing: `x | default(…)`, `x is defined`.
    is_optional: bool,
}

/// The fields of [`Data`], without values.
fn fields() -> &'static Value {
    static FIELDS: OnceLock<Value> = OnceLock::new();
    FIELDS.get_or_init(|| serde_json::to_value(Data::default()).unwrap_or_default())
}

/// The names of an object's parts.
fn parts_of(object: &str) -> Vec<String> {
    let inner = fields().get(object).and_then(Value::as_object);
    inner.into_iter().flat_map(|map| map.keys()).map(|key| format!("{object}.{key}")).collect()
}

fn shown(name: &str) -> String {
    name.chars().take(LONGEST).collect()
}

/// What to say of a name that the template has made, and that may be a value of the event: `object[object.name]`.
pub(super) fn computed(object: &str) -> String {
    format!("a computed name is no part of `{object}`; there are: {}", parts_of(object).join(", "))
}

/// What to say of a name that no variable has. Its last part is the one that is wrong.
pub(super) fn unknown_variable(parts: &[&str], assigned: &[&str]) -> String {
    let name = shown(&parts.join("."));
    let all: Vec<String> = VARIABLES.iter().flat_map(|root| parts_of(root)).collect();
    let siblings = parts.first().map(|root| parts_of(root)).unwrap_or_default();
    let last = parts.last().copied().unwrap_or_default();
    // `nmae` may be any `name`: the first one, that of the object, is meant most often.
    let by_last_part = |paths: &[String]| {
        let last_parts = paths.iter().filter_map(|path| path.rsplit('.').next());
        let near = tableau::nearest(last, last_parts)?;
        paths.iter().find(|path| path.rsplit('.').next() == Some(near)).cloned()
    };
    let near = if siblings.is_empty() && parts.len() > 1 {
        by_last_part(&all)
    } else if siblings.is_empty() {
        let names = VARIABLES.iter().chain(assigned).copied().chain(all.iter().map(String::as_str));
        tableau::nearest(&name, names).map(str::to_owned).or_else(|| by_last_part(&all))
    } else {
        by_last_part(&siblings)
    };
    match near {
        Some(near) => format!("there is no variable `{name}`; did you mean `{near}`?"),
        None if siblings.is_empty() => {
            format!("there is no variable `{name}`; there are: {}, values", VARIABLES.join(", "))
        }
        None => format!("there is no variable `{name}`; there are: {}", siblings.join(", ")),
    }
}

/// The first name that there is not.
pub(super) fn check(
    text: &str,
    parts: &[Part<'_>],
    values: &BTreeMap<String, Scalar>,
) -> Result<(), Mistake> {
    let found = find(parts, values);
    found.map_err(|Wrong { at, text: problem }| Mistake::at(line_of(text, at), problem))
}

fn find<'t>(parts: &[Part<'t>], values: &BTreeMap<String, Scalar>) -> Result<(), Wrong> {
    let mut scopes = Scopes::default();
    let mut given = Vec::new();
    let mut optional = BTreeSet::new();
    for part in parts {
        let Part::Tag { is_block, tokens, .. } = part else { continue };
        let mut look = |scopes: &Scopes<'t>, piece: Piece<'_, 't>| {
            each_path(piece, |path| {
                if of_values(scopes, &path)? {
                    given.push(path);
                }
                Ok(())
            })
        };
        if *is_block {
            known_block(tokens)?;
            scopes.follow(tokens, &mut look)?;
        } else {
            look(&scopes, Piece::Expression(tokens))?;
        }
        optional.extend(asked_for(tokens));
    }
    let name = |path: &Path<'_>| path.parts.get(1).copied().unwrap_or_default().to_owned();
    optional.extend(given.iter().filter(|path| path.is_optional).map(name));
    let is_missing = |path: &&Path<'_>| !values.contains_key(&name(path)) && !optional.contains(&name(path));
    match given.iter().find(is_missing) {
        Some(path) => Err(missing_value(&name(path), path.at, values)),
        None => Ok(()),
    }
}

/// Whether it is a name of `values`, which may be missing. Others have to be known.
fn of_values(scopes: &Scopes<'_>, path: &Path<'_>) -> Result<bool, Wrong> {
    let wrong = |text: String| Err(Wrong { at: path.at, text });
    match path.parts.as_slice() {
        [root, ..] if scopes.has(root) => Ok(false),
        // Each event has its own.
        ["data", ..] => Ok(false),
        ["values", _, ..] => Ok(true),
        ["values"] => Ok(false),
        ["loop", ..] if !scopes.has_loop() => {
            wrong("`loop` is known only between {% for … %} and {% endfor %}".to_owned())
        }
        ["loop", part, ..] if LOOP.contains(part) => Ok(false),
        ["loop", rest @ ..] => {
            let part = rest.first().copied().unwrap_or_default();
            let start = match part {
                "" => "`loop` is no value".to_owned(),
                part => format!("there is no variable `loop.{}`", shown(part)),
            };
            wrong(match tableau::nearest(part, LOOP) {
                Some(near) => format!("{start}; did you mean `loop.{near}`?"),
                None => format!("{start}; there are: {}", LOOP.map(|part| format!("loop.{part}")).join(", ")),
            })
        }
        parts => match unknown_part(parts) {
            Some(count) => {
                let assigned: Vec<&str> = scopes.names().collect();
                wrong(unknown_variable(parts.get(..count).unwrap_or(parts), &assigned))
            }
            None => Ok(false),
        },
    }
}

/// The names of `values` that the template asks for before it takes them: `"x" in values`.
fn asked_for(tokens: &[Token<'_>]) -> Vec<String> {
    let name = |index: usize| {
        let (name, rest) = tokens.get(index..)?.split_first()?;
        let rest = match rest {
            [not, rest @ ..] if not.is("not") => rest,
            rest => rest,
        };
        match rest {
            [is_in, values, rest @ ..] if is_in.is("in") && values.is("values") => {
                let has_part = rest.first().is_some_and(|next| next.is(".") || next.is("["));
                name.content().filter(|_| !has_part).map(str::to_owned)
            }
            _ => None,
        }
    };
    (0..tokens.len()).filter_map(name).collect()
}

fn known_block(tokens: &[Token<'_>]) -> Result<(), Wrong> {
    match tokens.first().filter(|first| first.is("autoescape")) {
        Some(first) => {
            let text = "there is no `autoescape`: each value stands in the body as JSON".to_owned();
            Err(Wrong { at: first.at, text })
        }
        None => Ok(()),
    }
}

fn missing_value(name: &str, at: usize, values: &BTreeMap<String, Scalar>) -> Wrong {
    let shown = shown(name);
    let text = match tableau::nearest(name, values.keys().map(String::as_str)) {
        Some(near) => format!("there is no `values.{shown}`; did you mean `values.{near}`?"),
        None => format!("there is no `values.{shown}`: add `{shown}` to `values`"),
    };
    Wrong { at, text }
}

/// How many parts of a name there are up to the first that is not known; `None` if all are known.
fn unknown_part(parts: &[&str]) -> Option<usize> {
    let mut at = fields();
    for (index, part) in parts.iter().enumerate() {
        match at.get(part) {
            Some(found) => at = found,
            None => return Some(index + 1),
        }
    }
    None
}

/// Hands on each name that a piece of a tag asks for. The first mistake is the one that stands first.
fn each_path<'t>(
    piece: Piece<'_, 't>,
    mut found: impl FnMut(Path<'t>) -> Result<(), Wrong>,
) -> Result<(), Wrong> {
    let (tokens, begins_with_filter) = match piece {
        Piece::Expression(tokens) => (tokens, false),
        Piece::Filters(tokens) => (tokens, true),
    };
    let is = |index: Option<usize>, text: &str| {
        index.and_then(|index| tokens.get(index)).is_some_and(|token| token.is(text))
    };
    for (index, token) in tokens.iter().enumerate() {
        let before = index.checked_sub(1);
        let is_call = is(Some(index + 1), "(");
        if token.kind == Kind::Field && is_call {
            return Err(no_function(token));
        }
        if token.kind != Kind::Name {
            continue;
        }
        let has_part = is(Some(index + 1), ".");
        if is(before, "|") || (begins_with_filter && index == 0) {
            known_filter(token)?;
            if has_part {
                return Err(no_part(token));
            }
            continue;
        }
        let is_negated = is(before, "not") && is(index.checked_sub(2), "is");
        if (is(before, "is") && !token.is("not")) || is_negated {
            known_test(token)?;
            if has_part {
                return Err(no_part(token));
            }
            continue;
        }
        let is_argument = is(Some(index + 1), "=");
        if is_argument || KEYWORDS.contains(&token.text) {
            continue;
        }
        if is_call {
            return Err(no_function(token));
        }
        found(path(tokens, index))?;
    }
    Ok(())
}

fn no_part(token: &Token<'_>) -> Wrong {
    let name = shown(token.text);
    Wrong {
        at: token.at,
        text: format!("`{name}` has no parts: take away the dot behind it, and what follows it"),
    }
}

fn no_function(token: &Token<'_>) -> Wrong {
    let name = shown(token.text);
    let text = format!("there is no function `{name}`: a template has variables and filters");
    Wrong { at: token.at, text }
}

/// The name that begins at this token.
fn path<'t>(tokens: &[Token<'t>], start: usize) -> Path<'t> {
    let (before, from) = tokens.split_at(start.min(tokens.len()));
    let mut parts = Vec::new();
    let mut rest = from;
    let mut at = 0;
    if let Some((first, after)) = rest.split_first() {
        parts.push(first.text);
        at = first.at;
        rest = after;
    }
    loop {
        match rest {
            [dot, name, after @ ..] if dot.is(".") && name.kind == Kind::Field => {
                parts.push(name.text);
                rest = after;
            }
            [open, text, close, after @ ..] if open.is("[") && close.is("]") => {
                let Some(part) = text.content() else { break };
                parts.push(part);
                rest = after;
            }
            _ => break,
        }
    }
    for _ in 0..parentheses(before) {
        match rest {
            [close, after @ ..] if close.is(")") => rest = after,
            _ => break,
        }
    }
    let is_optional = match rest {
        [pipe, filter, ..] if pipe.is("|") => filter.is("default"),
        [is, not, test, ..] if is.is("is") && not.is("not") => test.is("defined"),
        [is, test, ..] if is.is("is") => test.is("defined"),
        _ => false,
    };
    Path { parts, at, is_optional }
}

/// How many parentheses open at the end, without that of a filter's arguments.
fn parentheses(tokens: &[Token<'_>]) -> usize {
    let count = tokens.iter().rev().take_while(|token| token.is("(")).count();
    let before = tokens.len().checked_sub(count + 1).and_then(|index| tokens.get(index));
    if before.is_some_and(Token::ends_value) { count.saturating_sub(1) } else { count }
}

fn known_filter(token: &Token<'_>) -> Result<(), Wrong> {
    let name = token.text;
    if FILTERS.contains(&name) {
        return Ok(());
    }
    let shown = shown(name);
    let text = match tableau::nearest(name, FILTERS) {
        Some(near) => format!("there is no filter `{shown}`; did you mean `{near}`?"),
        None => format!("there is no filter `{shown}`; there are: {}", FILTERS.join(", ")),
    };
    Err(Wrong { at: token.at, text })
}

fn known_test(token: &Token<'_>) -> Result<(), Wrong> {
    if token.is("defined") {
        return Ok(());
    }
    let shown = shown(token.text);
    let text = format!("there is no test `is {shown}`; there is: is defined. `if x` asks whether x is known");
    Err(Wrong { at: token.at, text })
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
