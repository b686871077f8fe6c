//! The tokenizer of DynamoDB expressions. No I/O.

/// A token of a DynamoDB expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A word: an attribute name, a function name or a keyword.
    Word(&'a str),
    /// A `#name` placeholder, with its `#`.
    Name(&'a str),
    /// A `:value` placeholder, with its `:`.
    Value(&'a str),
    /// A list index such as `[0]`.
    Index(&'a str),
    /// A sign: `=`, `<>`, `(`, …
    Sign(&'a str),
}

impl<'a> Token<'a> {
    pub(super) fn text(&self) -> &'a str {
        match self {
            Self::Word(text)
            | Self::Name(text)
            | Self::Value(text)
            | Self::Index(text)
            | Self::Sign(text) => text,
        }
    }

    /// Whether the token is this keyword. Case does not matter.
    pub(super) fn is_keyword(&self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word.eq_ignore_ascii_case(keyword))
    }
}

/// Splits an expression into tokens. The error is the first character that belongs to no token.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, char> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let word = |from: usize| {
            let tail = &rest[from..];
            from + tail.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(tail.len())
        };
        let (length, token): (usize, fn(&str) -> Token<'_>) = match first {
            'a'..='z' | 'A'..='Z' => (word(1), |text| Token::Word(text)),
            '0'..='9' => (word(1), |text| Token::Index(text)),
            '#' if word(1) > 1 => (word(1), |text| Token::Name(text)),
            ':' if word(1) > 1 => (word(1), |text| Token::Value(text)),
            '<' if rest.starts_with("<>") || rest.starts_with("<=") => (2, |text| Token::Sign(text)),
            '>' if rest.starts_with(">=") => (2, |text| Token::Sign(text)),
            '=' | '<' | '>' | '(' | ')' | '[' | ']' | ',' | '.' | '+' | '-' => (1, |text| Token::Sign(text)),
            other => return Err(other),
        };
        let (text, tail) = rest.split_at(length);
        tokens.push(token(text));
        rest = tail.trim_start();
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_need_no_space() {
        let texts = |text| tokens(text).unwrap().iter().map(Token::text).collect::<Vec<_>>();
        assert_eq!(
            texts("a<=:b AND#c<>d[0].e"),
            ["a", "<=", ":b", "AND", "#c", "<>", "d", "[", "0", "]", ".", "e"]
        );
        assert_eq!(tokens("a ; b"), Err(';'));
        assert_eq!(tokens("# = :a"), Err('#'));
    }
}
