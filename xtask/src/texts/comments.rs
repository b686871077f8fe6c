//! The comments of Rust code: what lies between its tokens.

use super::kind::{Kind, Text};
use super::sources::files;
use crate::repository::{Problem, Repository};
use proc_macro2::{TokenStream, TokenTree};
use std::ops::Range;

/// The comments of all Rust code, tests too.
pub(super) fn all(repository: &Repository) -> Result<Vec<Text>, Problem> {
    let mut found = Vec::new();
    for file in files(repository, "", ".rs")? {
        let blocks =
            blocks(&repository.read(&file)?).map_err(|error| format!("cannot parse {file}: {error}"))?;
        found.extend(blocks.into_iter().map(|(line, text)| Text {
            kind: Kind::Comment,
            file: file.clone(),
            line,
            text,
        }));
    }
    Ok(found)
}

/// Each block of comment lines that belong together, with the line that it begins in.
fn blocks(source: &str) -> Result<Vec<(usize, String)>, proc_macro2::LexError> {
    let mut tokens = Vec::new();
    collect(source.parse()?, &mut tokens);
    // To the parser, documentation is tokens that lie where the comment does.
    tokens.retain(|range| !source.get(range.start..).is_some_and(|text| text.starts_with("//")));
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut last: Option<(usize, &str)> = None;
    let mut start = 0;
    for (index, line) in source.split_inclusive('\n').enumerate() {
        let is_in_token = |at: usize| {
            let next = tokens.partition_point(|range| range.start <= at);
            next.checked_sub(1).and_then(|before| tokens.get(before)).is_some_and(|range| range.contains(&at))
        };
        let comment = line.match_indices("//").map(|(at, _)| at).find(|at| !is_in_token(start + at));
        let is_alone = comment.is_some_and(|at| line.get(..at).is_some_and(|code| code.trim().is_empty()));
        if let Some(text) = comment.and_then(|at| line.get(at..)) {
            let mark = ["///", "//!", "//"].into_iter().find(|mark| text.starts_with(mark)).unwrap_or("//");
            let text = text.get(mark.len()..).unwrap_or_default().trim();
            match found.last_mut() {
                Some((_, block)) if is_alone && last == Some((index, mark)) => {
                    block.push(' ');
                    block.push_str(text);
                }
                _ => found.push((index + 1, text.to_owned())),
            }
            last = is_alone.then_some((index + 1, mark));
        }
        start += line.len();
    }
    Ok(found)
}

fn collect(stream: TokenStream, found: &mut Vec<Range<usize>>) {
    for token in stream {
        match token {
            TokenTree::Group(group) => {
                found.push(group.span_open().byte_range());
                collect(group.stream(), found);
            }
            token => found.push(token.span().byte_range()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_of_comment_lines_is_one_and_a_text_with_slashes_is_none() {
        let source = "//! A module.\n//! Its second line.\n\n/// An item.\n// A reason.\nconst A: &str = \"http://a\"; // Why.\nconst B: &str = r\"\n// no\n\";\n";
        let expected = [(1, "A module. Its second line."), (4, "An item."), (5, "A reason."), (6, "Why.")];
        assert_eq!(blocks(source).unwrap(), expected.map(|(line, text)| (line, text.to_owned())));
    }
}
