//! The rules file: its text, its shape, and what its values mean.

mod build;
mod build_conditions;
mod entries;
mod keys;
mod never;
mod newer;
mod node;
mod projects;
mod shape;
mod unknown;
mod values;

pub(crate) use build::{Depth, Parts};
pub(crate) use entries::File;
pub(crate) use keys::is_key;
#[cfg(feature = "schema")]
pub(crate) use keys::{keys_by_definition, required_by_definition};
pub use node::Position;

use crate::error::{Error, Problem};
use crate::syntax;
use node::{At, Node};
use serde_json::Value;
use serde_saphyr::DuplicateKeyPolicy;

/// The problems of a file, at most. More are of no help.
const MOST_PROBLEMS: usize = 100;

/// The parts of a file's text, or everything that is wrong with it.
pub(crate) fn read(text: &str, depth: Depth) -> Result<(Parts, File), Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut root = parse(text)?;
    let mut problems = shape::check(&mut root, text);
    let file: File = serde_json::from_value(root.to_json())
        // What has the right shape can be read. A difference is a mistake of ours, and no reason to end.
        .map_err(|error| Error::from(Problem::at(Position::default(), error.to_string())))?;
    let parts = build::build(file.clone(), At::new(Some(&root)), depth, &mut problems);
    problems.sort_by_key(|problem| problem.at);
    problems.truncate(MOST_PROBLEMS);
    Error::of(problems)?;
    Ok((parts, file))
}

/// The parts of a file in its JSON form, as [`crate::Rules::to_json`] writes it.
pub(crate) fn read_json(json: &str) -> Result<Parts, Error> {
    let wrong = |text: String| Error::from(Problem::at(Position::default(), text));
    let mut value: Value = serde_json::from_str(json).map_err(|error| wrong(error.to_string()))?;
    if !value.get("rules").is_some_and(Value::is_array) {
        return Err(wrong("this is not the JSON form of a rules file".to_owned()));
    }
    newer::prepare(&mut value);
    let file: File = serde_json::from_value(value).map_err(|error| wrong(error.to_string()))?;
    let mut problems = Vec::new();
    let parts = build::build(file, At::new(None), Depth::Function, &mut problems);
    Error::of(problems)?;
    Ok(parts)
}

fn parse(text: &str) -> Result<Node, Error> {
    // As in YAML 1.2, `no` is a text: a project may be called so. Where a flag is expected, it is false all the same.
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
    };
    serde_saphyr::from_str_with_options::<Node>(text, options).map_err(|error| {
        // The parser's text ends with the place, which stands before it already, and may show lines around it.
        let found = error.without_snippet().to_string();
        let found = found.lines().next().unwrap_or_default();
        let found = found.split(" at line ").next().unwrap_or_default();
        let at = error
            .location()
            .map_or(Position { line: 1, column: 1 }, |at| Position { line: at.line(), column: at.column() });
        syntax::problem(text, found, at).into()
    })
}
