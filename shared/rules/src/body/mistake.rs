//! What is wrong with a template, in words for its author. No I/O.

use super::filters::FILTERS;
use super::limits::LONGEST_BYTES;
use super::source::{Part, line_of};
use minijinja::{Error, ErrorKind};
use std::fmt;

/// How much of a text of the template a hint repeats, in characters.
const LONGEST: usize = 40;

/// What is wrong with a template. It repeats no value of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line of the template, from 1, if it is known.
    pub line: Option<usize>,
    /// What is wrong there, and what to write.
    pub text: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line} of the template: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

impl Mistake {
    pub(super) fn at(line: usize, text: impl Into<String>) -> Self {
        Self { line: Some(line), text: text.into() }
    }

    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { line: None, text: text.into() }
    }

    pub(super) fn too_long() -> Self {
        Self::new(format!("the template makes more than {} KiB", LONGEST_BYTES / 1024))
    }

    pub(super) fn of(error: &Error) -> Self {
        let detail = error.detail().unwrap_or_default();
        let text = match error.kind() {
            ErrorKind::OutOfFuel => return Self::new("the template takes too many steps: make it simpler"),
            ErrorKind::WriteFailure => return Self::too_long(),
            ErrorKind::UnknownFilter => format!("{detail}; there are: {}", FILTERS.join(", ")),
            ErrorKind::UndefinedError => {
                "a variable has no such part, or a list no such item: functions/forward-event/README.md lists the variables"
                    .to_owned()
            }
            // The name of an argument may be a value: `line(**{object.name: 1})`.
            ErrorKind::TooManyArguments => {
                "a filter has an argument that it does not take: functions/forward-event/README.md lists the filters"
                    .to_owned()
            }
            ErrorKind::SyntaxError if detail.contains("end of variable block") => {
                "`{{` is not closed: write `}}` after the variable".to_owned()
            }
            ErrorKind::SyntaxError if detail.contains("end of input") => {
                return Self::new(
                    "a block is not closed: write {% endif %} for {% if … %}, and {% endfor %} for {% for … %}",
                );
            }
            kind if detail.is_empty() => format!("the template has a mistake: {kind}"),
            _ => format!("the template has a mistake: {detail}"),
        };
        Self { line: error.line(), text }
    }

    /// What the template makes is not JSON. `line` is the template's line that makes the place where the JSON ends.
    pub(super) fn not_json(text: &str, parts: &[Part<'_>], line: Option<usize>) -> Self {
        const START: &str = "what the template makes is not JSON";
        match in_quotes(text, parts) {
            Some(Self { line, text }) => Self { line, text: format!("{START}: {text}") },
            None => Self {
                line,
                text: format!(
                    "{START}: look for a comma too many or too few, and for a text without quotation marks"
                ),
            },
        }
    }
}

/// The usual mistake: a variable stands between quotation marks, or within a text.
fn in_quotes(text: &str, parts: &[Part<'_>]) -> Option<Mistake> {
    // What stands between the last quotation mark and here, while a text is open.
    let mut open: Option<String> = None;
    for (index, part) in parts.iter().enumerate() {
        match part {
            Part::Raw { text, .. } => {
                let mut is_escaped = false;
                for c in text.chars() {
                    match (&mut open, c) {
                        (Some(before), _) if is_escaped => {
                            before.push(c);
                            is_escaped = false;
                        }
                        (Some(before), '\\') => {
                            before.push(c);
                            is_escaped = true;
                        }
                        (Some(_), '"' | '\n') => open = None,
                        (Some(before), c) => before.push(c),
                        (None, '"') => open = Some(String::new()),
                        (None, _) => {}
                    }
                }
            }
            Part::Tag { at, end, is_block: false, tokens } => {
                let Some(before) = &open else { continue };
                let (first, last) = (tokens.first()?, tokens.last()?);
                let written = text.get(first.at..last.end())?;
                let tag = text.get(*at..*end)?;
                let closes =
                    |part: &Part<'_>| matches!(part, Part::Raw { text, .. } if text.starts_with('"'));
                let advice = if before.is_empty() && parts.get(index + 1).is_some_and(closes) {
                    format!("so write {tag} without quotation marks around it")
                } else {
                    let before = if before.chars().count() > LONGEST { "…" } else { before };
                    let start = if before.is_empty() { String::new() } else { format!("\"{before}\" ~ ") };
                    format!("so join the text inside the braces: {{{{ {start}({written}) }}}}")
                };
                return Some(Mistake::at(
                    line_of(text, *at),
                    format!("a value brings its own quotation marks, {advice}"),
                ));
            }
            Part::Tag { .. } => {}
        }
    }
    None
}
