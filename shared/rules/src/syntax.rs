//! What is no YAML, in words for the author of the file. The parser says where it stopped; the cause is often further up, so
//! the text is looked through for it. No I/O.

use crate::comment::Comment;
use crate::error::Problem;
use crate::file::Position;
use crate::lines::{Bracket, Scan, indentation, key_of, scan};
use crate::secret::masked;

/// What is wrong with a text that the parser cannot read, where it stopped and what it says.
pub(crate) fn problem(text: &str, found: &str, at: Position) -> Problem {
    let comment = Comment::in_place_of_value(text, at.line)
        .filter(|_| found.starts_with("comments must be separated"))
        .or_else(|| Comment::that_hides_a_bracket(text));
    if let Some(comment) = comment {
        return Problem::at(comment.at(), comment.problem());
    }
    let source = Source { text, scan: scan(text), found, at };
    let causes = [
        Source::tab,
        Source::no_break_space,
        Source::second_document,
        Source::template,
        Source::quote,
        Source::escape,
        Source::after_quote,
        Source::special,
        Source::typing,
        Source::bracket,
        Source::comma,
        Source::list_on_one_line,
        Source::second_colon,
        Source::alignment,
    ];
    causes.iter().find_map(|cause| cause(&source)).unwrap_or_else(|| {
        Problem::at(
            at,
            format!("this is no YAML ({found}): put a value with special characters in quotation marks"),
        )
    })
}

struct Source<'t> {
    text: &'t str,
    scan: Scan,
    /// What the parser says.
    found: &'t str,
    at: Position,
}

impl<'t> Source<'t> {
    fn line(&self, number: u64) -> &'t str {
        let index = usize::try_from(number.saturating_sub(1)).unwrap_or_default();
        self.text.lines().nth(index).unwrap_or_default()
    }

    /// The lines with something in them, from where the parser stopped upwards.
    fn upwards(&self) -> impl Iterator<Item = (u64, &'t str)> {
        let until = usize::try_from(self.at.line).unwrap_or(usize::MAX);
        let lines: Vec<(u64, &str)> = (1..).zip(self.text.lines()).take(until).collect();
        lines.into_iter().rev().filter(|(_, line)| {
            let code = line.trim();
            !code.is_empty() && !code.starts_with('#')
        })
    }

    fn says(&self, starts: &[&str]) -> bool {
        starts.iter().any(|start| self.found.starts_with(start))
    }

    /// The value that begins at a place: to the end of the line, or of the entry where it is within brackets.
    fn value_at(&self, at: Position) -> String {
        let skipped = usize::try_from(at.column.saturating_sub(1)).unwrap_or_default();
        let rest: String = self.line(at.line).chars().skip(skipped).collect();
        let rest = rest.split(" #").next().unwrap_or_default();
        let is_within = self.scan.depth_at(at) > 0;
        let value = if is_within { rest.split([',', ']', '}']).next().unwrap_or_default() } else { rest };
        masked(value.trim())
    }

    fn tab(&self) -> Option<Problem> {
        if !self.found.contains("found a tab") && !self.says(&["tabs "]) {
            return None;
        }
        let lines = [self.at.line, self.at.line + 1, self.at.line.saturating_sub(1)];
        let indented = lines.into_iter().find(|line| indentation(self.line(*line)).contains('\t'));
        let text = "a tab indents this line: write spaces";
        Some(match indented {
            Some(line) => {
                let before = indentation(self.line(line)).chars().take_while(|c| *c != '\t').count();
                Problem::at(Position { line, column: before as u64 + 1 }, text)
            }
            None => Problem::at(self.at, "there is a tab where YAML has spaces: write spaces"),
        })
    }

    fn no_break_space(&self) -> Option<Problem> {
        let odd = |c: char| c.is_whitespace() && c != ' ' && c != '\t';
        let (line, text) = self.upwards().take(3).find(|(_, line)| indentation(line).contains(odd))?;
        let before = text.chars().take_while(|c| !odd(*c)).count();
        let text = "a no-break space indents this line, as web pages and chats have them: write spaces";
        Some(Problem::at(Position { line, column: before as u64 + 1 }, text))
    }

    fn second_document(&self) -> Option<Problem> {
        let text = "`---` begins a second document: put all rules below one `rules:`, and remove this line";
        if !self.says(&["multiple YAML documents"]) {
            return None;
        }
        let line =
            self.upwards().find(|(_, line)| line.starts_with("---")).map_or(self.at.line, |(line, _)| line);
        Some(Problem::at(Position { line, column: 1 }, text))
    }

    /// `title: {{ name }} failed` is a map within a map for YAML.
    fn template(&self) -> Option<Problem> {
        let line = self.line(self.at.line);
        let (before, _) = line.split_once("{{")?;
        let is_value = before.trim_end().ends_with([':', '-', '[', ',']);
        if !is_value || self.scan.quote_open_at(self.at.line).is_some() {
            return None;
        }
        let at = Position { line: self.at.line, column: before.chars().count() as u64 + 1 };
        let key = key_of(before).unwrap_or_default();
        let text = match key {
            "title" | "text" => {
                format!("a template needs quotation marks: write {key}: \"{{{{ name }}}} has failed\"")
            }
            _ => "`{{` is no YAML: write one `{`, or the value in quotation marks".to_owned(),
        };
        Some(Problem::at(at, text))
    }

    fn quote(&self) -> Option<Problem> {
        let is_open = self.says(&[
            "invalid indentation in multiline quoted",
            "while scanning a quoted scalar",
            "unclosed quote",
        ]);
        let has_ended = self.found.contains("quoted scalar") && self.found.contains("end of stream");
        if !is_open && !has_ended {
            return None;
        }
        let at = self.scan.quote_open_at(self.at.line)?;
        let quote = self.line(at.line).chars().nth(usize::try_from(at.column).ok()?.checked_sub(1)?)?;
        Some(Problem::at(
            at,
            format!("the quotation mark {quote} that opens here is never closed on its line: close it"),
        ))
    }

    fn escape(&self) -> Option<Problem> {
        if !self.found.contains("unknown escape") && !self.found.contains("escape character") {
            return None;
        }
        let text = "within \"…\", a backslash begins an escape: write the text in single quotation marks, or `\\\\` for each `\\`";
        Some(Problem::at(self.at, text))
    }

    fn after_quote(&self) -> Option<Problem> {
        let text = match () {
            () if self.says(&["invalid trailing content after single"]) => {
                "text follows the closing quotation mark: within '…', write '' for an apostrophe, or the whole value in \"…\""
            }
            () if self.says(&["invalid trailing content after"]) => {
                "text follows the closing quotation mark: put the whole value in quotation marks"
            }
            () => return None,
        };
        Some(Problem::at(self.at, text))
    }

    /// A value that begins with a character that means something in YAML.
    fn special(&self) -> Option<Problem> {
        let is_alias = self.says(&["alias references", "while scanning an anchor or alias"]);
        let is_other = self.says(&[
            "unexpected character",
            "mapping keys are not",
            "while scanning a block scalar",
            "while scanning a tag",
            "while parsing a tag",
        ]);
        if !is_alias && !is_other {
            return None;
        }
        let value = self.value_at(self.at);
        let before: String =
            self.line(self.at.line).chars().take(usize::try_from(self.at.column).unwrap_or(1) - 1).collect();
        if key_of(before.trim_end()) == Some("failures_in_a_row") {
            let text = "write a whole number: `failures_in_a_row: 3` is 3 or more";
            return Some(Problem::at(self.at, text));
        }
        let what = match value.chars().next()? {
            '*' => "`*` at the beginning of a value is an alias in YAML".to_owned(),
            '&' => "`&` at the beginning of a value is an anchor in YAML".to_owned(),
            '!' => "`!` at the beginning of a value is a tag in YAML".to_owned(),
            c @ ('|' | '>') => {
                format!("`{c}` at the beginning of a value begins a text of several lines in YAML")
            }
            c if is_other => format!("`{c}` cannot begin a value in YAML"),
            _ => return None,
        };
        let value = value.replace('\\', "\\\\").replace('"', "\\\"");
        Some(Problem::at(self.at, format!("{what}: put it in quotation marks: \"{value}\"")))
    }

    /// A space that is missing, or a character that looks like another one.
    fn typing(&self) -> Option<Problem> {
        let is_of_block = [
            "mapping values are not",
            "simple key expected",
            "while parsing a block",
            "while scanning a simple key",
            "illegal placement",
        ];
        if !self.says(&is_of_block) {
            return None;
        }
        self.upwards().take(3).find_map(|(line, text)| {
            let indent = indentation(text).chars().count();
            let code = text.trim_start();
            let at = |skipped: usize| Position { line, column: (indent + skipped) as u64 + 1 };
            if code.starts_with("//") {
                return Some(Problem::at(at(0), "`//` begins no comment in YAML: write `#`"));
            }
            if let Some(dash) =
                code.chars().next().filter(|c| matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}' | '•' | '·'))
            {
                let text = format!("`{dash}` is no dash as YAML has them: type `-`, with a space after it");
                return Some(Problem::at(at(0), text));
            }
            let entry = code.trim_start_matches("- ");
            let skipped = code.len() - entry.len();
            if let Some(rest) = entry.strip_prefix('-')
                && rest.chars().next().is_some_and(char::is_alphabetic)
                && rest.contains(':')
            {
                let key = rest.split(':').next().unwrap_or_default();
                return Some(Problem::at(
                    at(skipped),
                    format!("a space is missing after the dash: write `- {key}:`"),
                ));
            }
            let (key, value) = entry.split_once(':')?;
            let is_key =
                !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
            let is_glued = value.chars().next().is_some_and(|c| !c.is_whitespace() && c != '/');
            if is_key && is_glued {
                let column = skipped + key.chars().count() + 1;
                return Some(Problem::at(
                    at(column),
                    format!("a space is missing after the colon: write `{key}: …`"),
                ));
            }
            None
        })
    }

    fn bracket(&self) -> Option<Problem> {
        let is_within = self.scan.depth_at(self.at) > 0;
        match &self.scan.bracket {
            Some(Bracket::Unclosed { open, at }) => {
                Some(Problem::at(*at, format!("the bracket `{open}` that opens here is never closed")))
            }
            Some(Bracket::Mismatched { open, opened, close, at }) => {
                let Position { line, column } = opened;
                let text = format!(
                    "`{close}` cannot close the `{open}` of line {line}, column {column}: one of the brackets is missing or too many"
                );
                Some(Problem::at(*at, text))
            }
            Some(Bracket::Extra { close, at }) if self.at >= *at => {
                Some(Problem::at(*at, format!("`{close}` closes nothing: remove it, or open the bracket")))
            }
            _ if is_within && self.says(&["\"-\" is only valid"]) => {
                let text = "within brackets there are commas and no dashes: remove the brackets, or write [one, two]";
                Some(Problem::at(self.at, text))
            }
            _ => None,
        }
    }

    /// Within brackets: `{ channel: a mention: owner }`.
    fn comma(&self) -> Option<Problem> {
        if !self.found.contains("did not find expected ','") {
            return None;
        }
        let until = usize::try_from(self.at.column).ok()?.checked_sub(1)?;
        let before: String = self.line(self.at.line).chars().take(until).collect();
        let key = before.trim_end().rsplit([' ', '"', '\'']).next().unwrap_or_default();
        let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '-');
        let place = if is_key { format!(" before `{key}:`") } else { String::new() };
        Some(Problem::at(self.at, format!("is a comma missing between two settings? Write one{place}")))
    }

    fn list_on_one_line(&self) -> Option<Problem> {
        let text = "a list with dashes begins on the line below its key: put the dash there, indented";
        self.says(&["block sequence entries are not"]).then(|| Problem::at(self.at, text))
    }

    /// `name: failures: finance`, or two keys on one line.
    fn second_colon(&self) -> Option<Problem> {
        if !self.says(&["mapping values are not", "illegal placement"]) {
            return None;
        }
        let entry = self.line(self.at.line).trim_start().trim_start_matches("- ");
        let (key, value) = entry.split_once(": ")?;
        let (first, _) =
            value.split_once(": ").or_else(|| value.trim_end().strip_suffix(':').map(|v| (v, "")))?;
        let second = first.rsplit([' ', ',']).next().unwrap_or_default();
        if first.contains([' ', ',']) && crate::file::is_key(second) {
            let text = format!("there are two keys on this line: begin a line of its own with `{second}:`");
            return Some(Problem::at(self.at, text));
        }
        let value = masked(value.split(" #").next().unwrap_or_default().trim_end());
        let text = format!("a value with a colon in it needs quotation marks: write {key}: \"{value}\"");
        Some(Problem::at(self.at, text))
    }

    /// A line that is indented otherwise than those that it belongs to.
    fn alignment(&self) -> Option<Problem> {
        if !self.says(&["while parsing a block", "mapping values are not", "did not find expected"]) {
            return None;
        }
        let mut lines = self.upwards();
        let (line, text) = lines.next()?;
        let column = |text: &str| {
            let indent = indentation(text).chars().count();
            let code = text.trim_start();
            let is_entry = code.starts_with("- ");
            (
                indent + 1,
                if is_entry {
                    indent + 1 + (code.len() - code.trim_start_matches("- ").len())
                } else {
                    indent + 1
                },
            )
        };
        let (begin, key) = column(text);
        let is_entry = begin != key;
        let (above, above_text) = if is_entry {
            lines.find(|(_, text)| column(text).0 != column(text).1)?
        } else {
            lines.next()?
        };
        let (above_begin, above_key) = column(above_text);
        let above_column = if is_entry { above_begin } else { above_key };
        if begin == above_column {
            return None;
        }
        let name = key_of(above_text.split_inclusive(':').next().unwrap_or_default());
        let what = match name {
            Some(name) if !is_entry => format!("`{name}`"),
            _ => "the one".to_owned(),
        };
        let text = format!(
            "this line is not aligned with those above: it begins in column {begin}, and {what} on line {above} in column \
             {above_column}"
        );
        Some(Problem::at(Position { line, column: begin as u64 }, text))
    }
}
