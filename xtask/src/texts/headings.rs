//! The headings of Markdown pages.

use super::kind::{Kind, Text};
use super::sources::files;
use crate::repository::{Problem, Repository};

/// The headings of all pages. Decisions are left out: each is a page of its own date, in the words of that day.
pub(super) fn all(repository: &Repository) -> Result<Vec<Text>, Problem> {
    let mut found = Vec::new();
    for file in files(repository, "", ".md")? {
        if file.starts_with("docs/decisions/") {
            continue;
        }
        for (line, text) in headings(&repository.read(&file)?) {
            found.push(Text { kind: Kind::Heading, file: file.clone(), line, text });
        }
    }
    Ok(found)
}

/// The headings of a page, with their lines.
fn headings(page: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut is_code = false;
    for (index, line) in page.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        let text = line.trim_start_matches('#');
        if !is_code && text.len() < line.len() && text.starts_with(' ') {
            found.push((index + 1, text.trim().to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_in_a_block_of_code_is_no_heading() {
        let page = "# One\n\n```sh\n# two\n```\n\n## Three #4\n#5 is open\n";
        assert_eq!(headings(page), [(1, "One".to_owned()), (7, "Three #4".to_owned())]);
    }
}
