//! The names that a template may use: what has another name is refused wherever it stands, also where no sample leads. No I/O.

use super::data::Data;
use super::filters::FILTERS;
use super::mistake::Mistake;
use super::scalar::Scalar;
use super::source::{Kind, Part, Token, line_of};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// How much of an unknown name is repeated, in characters.
const LONGEST: usize = 40;
/// The words of the template language. They are no variables.
const KEYWORDS: [&str; 13] =
    ["and", "else", "false", "False", "if", "in", "is", "none", "None", "not", "or", "true", "True"];
const LOOP: [&str; 12] = [
    "index",
    "index0",
    "revindex",
    "revindex0",
    "first",
    "last",
    "length",
    "depth",
    "depth0",
    "previtem",
    "nextitem",
    "changed",
];
/// The variables in the order of the documentation, which decides between several that are as near.
const VARIABLES: [&str; 11] =
    ["title", "lines", "object", "event", "owner", "project", "cause", "site", "deleted", "rule", "missing"];

/// A name with its parts, as in `object.name`.
struct Path<'t> {
    parts: Vec<&'t str>,
    line: usize,
    /// Whether it may be missing: `x | default(…)`, `x is defined`.
    is_optional: bool,
}

/// The fields of [`Data`], without values.
fn fields() -> &'static Value {
    static FIELDS: OnceLock<Value> = OnceLock::new();
    FIELDS.get_or_init(|| serde_json::to_value(Data::default()).unwrap_or_default())
}

/// What to say of a name that no variable has. Its last part is the one that is wrong.
pub(super) fn unknown_variable(parts: &[&str], assigned: &BTreeSet<&str>) -> String {
    let name: String = parts.join(".").chars().take(LONGEST).collect();
    let of = |root: &str| -> Vec<String> {
        let inner = fields().get(root).and_then(Value::as_object);
        inner.into_iter().flat_map(|map| map.keys()).map(|key| format!("{root}.{key}")).collect()
    };
    let all: Vec<String> = VARIABLES.iter().flat_map(|root| of(root)).collect();
    let siblings = parts.first().map(|root| of(root)).unwrap_or_default();
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
    let tags = || {
        parts.iter().filter_map(|part| match part {
            Part::Tag { is_block, tokens, .. } => Some((*is_block, tokens.as_slice())),
            Part::Raw { .. } => None,
        })
    };
    let assigned: BTreeSet<&str> =
        tags().filter(|(block, _)| *block).flat_map(|(_, tag)| targets(tag)).collect();
    let mut given = Vec::new();
    for (is_block, tokens) in tags() {
        for path in paths(text, tokens, is_block)? {
            match path.parts.as_slice() {
                [root, ..] if assigned.contains(root) => {}
                ["values", _, ..] => given.push(path),
                ["values"] => {}
                ["loop", part, ..] if !LOOP.contains(part) && *part != "cycle" => {
                    let near =
                        tableau::nearest(part, LOOP).map(|near| format!("; did you mean `loop.{near}`?"));
                    let near = near.unwrap_or_default();
                    return Err(Mistake::at(path.line, format!("there is no variable `loop.{part}`{near}")));
                }
                ["loop", ..] => {}
                parts => {
                    if let Some(count) = unknown_part(parts) {
                        let parts = parts.get(..count).unwrap_or(parts);
                        return Err(Mistake::at(path.line, unknown_variable(parts, &assigned)));
                    }
                }
            }
        }
    }
    let name = |path: &Path<'_>| path.parts.get(1).copied().unwrap_or_default().to_owned();
    let optional: BTreeSet<String> = given.iter().filter(|path| path.is_optional).map(name).collect();
    let is_missing = |path: &&Path<'_>| !values.contains_key(&name(path)) && !optional.contains(&name(path));
    match given.iter().find(is_missing) {
        Some(path) => Err(missing_value(&name(path), path.line, values)),
        None => Ok(()),
    }
}

fn missing_value(name: &str, line: usize, values: &BTreeMap<String, Scalar>) -> Mistake {
    let shown: String = name.chars().take(LONGEST).collect();
    let text = match tableau::nearest(name, values.keys().map(String::as_str)) {
        Some(near) => format!("there is no `values.{shown}`; did you mean `values.{near}`?"),
        None => format!("there is no `values.{shown}`: add `{shown}` to `values`"),
    };
    Mistake::at(line, text)
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

/// The names that a block gives a value: those of `for`, `set` and `with`.
fn targets<'t>(tokens: &[Token<'t>]) -> Vec<&'t str> {
    let Some((first, rest)) = tokens.split_first() else { return Vec::new() };
    let names = |tokens: &[Token<'t>]| -> Vec<&'t str> {
        tokens.iter().filter(|token| token.kind == Kind::Name).map(|token| token.text).collect()
    };
    let until = |end: &str| rest.iter().take_while(|token| !token.is(end)).copied().collect::<Vec<_>>();
    match first.text {
        "for" => names(&until("in")),
        "set" => names(&until("=")),
        "with" => {
            let pairs = rest.windows(2).filter(|pair| pair.last().is_some_and(|next| next.is("=")));
            pairs.filter_map(|pair| pair.first()).map(|token| token.text).collect()
        }
        _ => Vec::new(),
    }
}

/// The names that a tag asks for.
fn paths<'t>(text: &str, tokens: &[Token<'t>], is_block: bool) -> Result<Vec<Path<'t>>, Mistake> {
    let mut paths = Vec::new();
    let is = |index: Option<usize>, text: &str| {
        index.and_then(|index| tokens.get(index)).is_some_and(|token| token.is(text))
    };
    for (index, token) in tokens.iter().enumerate() {
        let line = line_of(text, token.at);
        let before = index.checked_sub(1);
        if token.kind != Kind::Name {
            continue;
        }
        if is_block && index == 0 {
            if token.is("autoescape") {
                return Err(Mistake::at(
                    line,
                    "there is no `autoescape`: each value stands in the body as JSON",
                ));
            }
            continue;
        }
        let is_block_filter = is_block && index == 1 && is(Some(0), "filter");
        if is(before, "|") || is_block_filter {
            known_filter(token.text, line)?;
            continue;
        }
        let is_negated = is(before, "not") && is(index.checked_sub(2), "is");
        if (is(before, "is") && !token.is("not")) || is_negated {
            known_test(token.text, line)?;
            continue;
        }
        let is_argument = is(Some(index + 1), "=");
        if is(before, ".") || is_argument || KEYWORDS.contains(&token.text) || token.is("recursive") {
            continue;
        }
        if is(Some(index + 1), "(") {
            let name: String = token.text.chars().take(LONGEST).collect();
            let text = format!("there is no function `{name}`: a template has variables and filters");
            return Err(Mistake::at(line, text));
        }
        paths.push(path(tokens, index, line));
    }
    Ok(paths)
}

/// The name that begins at this token.
fn path<'t>(tokens: &[Token<'t>], start: usize, line: usize) -> Path<'t> {
    let mut parts = Vec::new();
    let mut rest = tokens.get(start..).unwrap_or_default();
    if let Some((first, after)) = rest.split_first() {
        parts.push(first.text);
        rest = after;
    }
    loop {
        match rest {
            [dot, name, after @ ..] if dot.is(".") && name.kind == Kind::Name => {
                parts.push(name.text);
                rest = after;
            }
            [open, text, close, after @ ..] if open.is("[") && text.kind == Kind::Text && close.is("]") => {
                parts.push(text.text.trim_matches(['"', '\'']));
                rest = after;
            }
            _ => break,
        }
    }
    let is_optional = match rest {
        [pipe, filter, ..] if pipe.is("|") => filter.is("default"),
        [is, not, test, ..] if is.is("is") && not.is("not") => test.is("defined"),
        [is, test, ..] if is.is("is") => test.is("defined"),
        _ => false,
    };
    Path { parts, line, is_optional }
}

fn known_filter(name: &str, line: usize) -> Result<(), Mistake> {
    if FILTERS.contains(&name) {
        return Ok(());
    }
    let shown: String = name.chars().take(LONGEST).collect();
    Err(Mistake::at(
        line,
        match tableau::nearest(name, FILTERS) {
            Some(near) => format!("there is no filter `{shown}`; did you mean `{near}`?"),
            None => format!("there is no filter `{shown}`; there are: {}", FILTERS.join(", ")),
        },
    ))
}

fn known_test(name: &str, line: usize) -> Result<(), Mistake> {
    match name {
        "defined" => Ok(()),
        _ => {
            let shown: String = name.chars().take(LONGEST).collect();
            let text = format!(
                "there is no test `is {shown}`; there is: is defined. `if x` asks whether x is known"
            );
            Err(Mistake::at(line, text))
        }
    }
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
