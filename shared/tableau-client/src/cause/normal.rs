//! The form in which lines and patterns are compared: lower case, with `_`, tabs and runs of spaces as one space, and
//! plain quotes.

use std::ops::Range;

/// A line in its normal form, and where each byte of that form stands in the line.
pub(super) struct Normal {
    pub(super) text: String,
    origins: Vec<usize>,
    length: usize,
}

impl Normal {
    pub(super) fn of(line: &str) -> Self {
        let mut text = String::with_capacity(line.len());
        let mut origins = Vec::with_capacity(line.len());
        let mut put = |c: char, origin: usize| {
            text.push(c);
            origins.extend(std::iter::repeat_n(origin, c.len_utf8()));
        };
        let mut is_after_space = true;
        for (origin, c) in line.char_indices() {
            if c == '_' || c.is_whitespace() {
                if !is_after_space {
                    put(' ', origin);
                }
                is_after_space = true;
                continue;
            }
            is_after_space = false;
            match c {
                '‘' | '’' | '‚' | '`' | '´' => put('\'', origin),
                '“' | '”' | '„' => put('"', origin),
                c if c.is_ascii() => put(c.to_ascii_lowercase(), origin),
                c => c.to_lowercase().for_each(|lower| put(lower, origin)),
            }
        }
        Self { text, origins, length: line.len() }
    }

    /// The range of the line that a range of its normal form stands for.
    pub(super) fn origin(&self, range: &Range<usize>) -> Range<usize> {
        let at = |index: usize| self.origins.get(index).copied().unwrap_or(self.length);
        at(range.start)..at(range.end)
    }

    /// The range of the normal form that a range of the line stands for.
    pub(super) fn place(&self, range: &Range<usize>) -> Range<usize> {
        let at = |origin: usize| self.origins.partition_point(|at| *at < origin);
        at(range.start)..at(range.end)
    }
}

/// The words of a text in its normal form: runs of ASCII letters and digits.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_underscores_spaces_and_quotes_make_no_difference() {
        let normal = Normal::of("\t ORA_01017:  “Invalid”\u{a0}User\t`x` Ärger");
        assert_eq!(normal.text, "ora 01017: \"invalid\" user 'x' ärger");
    }

    #[test]
    fn a_range_leads_back_to_the_line() {
        let line = "  İ “Login”  Failed";
        let normal = Normal::of(line);
        let at = normal.text.find("login").unwrap();
        assert_eq!(&line[normal.origin(&(at..at + 5))], "Login");
        assert_eq!(&line[normal.origin(&(at..normal.text.len()))], "Login”  Failed");
        let login = line.find("Login").unwrap();
        assert_eq!(&normal.text[normal.place(&(login..login + 5))], "login");
    }
}
