//! What all expression parsers share: placeholders, paths, and error messages in DynamoDB's words.

use super::super::super::Refusal;
use super::super::value::Value;
use super::path::{Path, Step};
use super::token::{Token, tokens};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// Whether a name is a reserved word, which an expression may use only through a `#placeholder`.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html>
fn is_reserved(name: &str) -> bool {
    let words = include_str!("reserved_words.txt").split_ascii_whitespace();
    words.into_iter().any(|word| word.eq_ignore_ascii_case(name))
}

/// `ExpressionAttributeNames` and `ExpressionAttributeValues` of a request, and which of them the expressions used.
#[derive(Debug)]
pub(crate) struct Placeholders {
    names: Option<BTreeMap<String, String>>,
    values: Option<BTreeMap<String, Value>>,
    used: BTreeSet<String>,
}

impl Placeholders {
    pub(crate) fn read(names: Option<&Json>, values: Option<&Json>) -> Result<Self, Refusal> {
        let entries = |json: Option<&Json>, member: &str| match json {
            None => Ok(None),
            Some(json) => match json.as_object() {
                Some(map) if !map.is_empty() => Ok(Some(map.clone())),
                _ => Err(Refusal::validation(format!("{member} must not be empty"))),
            },
        };
        let text = |(key, value): (String, Json)| {
            let name = value.as_str().ok_or_else(|| Refusal::validation("Attribute names are texts"))?;
            Ok((key, name.to_owned()))
        };
        let value = |(key, value): (String, Json)| Ok((key, Value::read(&value)?));
        let names = entries(names, "ExpressionAttributeNames")?;
        let values = entries(values, "ExpressionAttributeValues")?;
        Ok(Self {
            names: names.map(|map| map.into_iter().map(text).collect::<Result<_, Refusal>>()).transpose()?,
            values: values
                .map(|map| map.into_iter().map(value).collect::<Result<_, Refusal>>())
                .transpose()?,
            used: BTreeSet::new(),
        })
    }

    /// Refuses placeholders that no expression of the request uses.
    pub(crate) fn check_all_used(&self, has_expression: bool) -> Result<(), Refusal> {
        let names = self.names.as_ref().map(|map| map.keys().collect::<Vec<_>>());
        let values = self.values.as_ref().map(|map| map.keys().collect::<Vec<_>>());
        for (member, keys) in [("ExpressionAttributeNames", names), ("ExpressionAttributeValues", values)] {
            let Some(keys) = keys else { continue };
            if !has_expression {
                let message = format!("{member} can only be specified when using expressions");
                return Err(Refusal::validation(message));
            }
            let unused: Vec<&str> =
                keys.into_iter().filter(|key| !self.used.contains(*key)).map(String::as_str).collect();
            if !unused.is_empty() {
                let unused = unused.join(", ");
                let message = format!("Value provided in {member} unused in expressions: keys: {{{unused}}}");
                return Err(Refusal::validation(message));
            }
        }
        Ok(())
    }
}

/// The deepest nesting that this parser accepts. DynamoDB instead limits the number of operators, to 300.
const MAX_DEPTH: usize = 60;
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const MAX_BYTES: usize = 4_096;

/// The parser's position in the tokens of an expression.
#[derive(Debug)]
pub(super) struct Parser<'a> {
    what: &'static str,
    tokens: Vec<Token<'a>>,
    at: usize,
    depth: usize,
    placeholders: &'a mut Placeholders,
}

impl<'a> Parser<'a> {
    pub(super) fn new(
        what: &'static str,
        text: &'a str,
        placeholders: &'a mut Placeholders,
    ) -> Result<Self, Refusal> {
        let refuse = |reason: String| Err(Refusal::validation(format!("Invalid {what}: {reason}")));
        if text.len() > MAX_BYTES {
            let size = text.len();
            return refuse(format!(
                "Expression size has exceeded the maximum allowed size; expression size: {size}"
            ));
        }
        match tokens(text) {
            Ok(tokens) if tokens.is_empty() => refuse("The expression can not be empty;".to_owned()),
            Ok(tokens) => Ok(Self { what, tokens, at: 0, depth: 0, placeholders }),
            Err(character) => refuse(format!("Syntax error; token: \"{character}\"")),
        }
    }

    pub(super) fn refuse(&self, reason: impl std::fmt::Display) -> Refusal {
        Refusal::validation(format!("Invalid {}: {reason}", self.what))
    }

    /// A syntax error at the current token, as DynamoDB words it.
    pub(super) fn syntax_error(&self) -> Refusal {
        let text = |at: usize| self.tokens.get(at).map_or("<EOF>", Token::text);
        let near = self.tokens.iter().skip(self.at.saturating_sub(1)).take(3).map(Token::text);
        let near = near.collect::<Vec<_>>().join(" ");
        self.refuse(format_args!("Syntax error; token: \"{}\", near: \"{near}\"", text(self.at)))
    }

    pub(super) fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.at)
    }

    pub(super) fn step_back(&mut self, at: usize) {
        self.at = at;
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Returns the next token and moves past it.
    pub(super) fn take(&mut self) -> Option<Token<'a>> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    /// Moves past the next token if it is this sign; returns whether it was.
    pub(super) fn sign(&mut self, sign: &str) -> bool {
        let found = self.peek() == Some(&Token::Sign(sign));
        self.at += usize::from(found);
        found
    }

    /// Moves past the next token if it is this keyword; returns whether it was.
    pub(super) fn keyword(&mut self, keyword: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.is_keyword(keyword));
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect_sign(&mut self, sign: &str) -> Result<(), Refusal> {
        if self.sign(sign) { Ok(()) } else { Err(self.syntax_error()) }
    }

    /// If a function call comes next: moves past the name and the opening parenthesis, and returns the name.
    pub(super) fn function(&mut self) -> Option<&'a str> {
        match (self.tokens.get(self.at), self.tokens.get(self.at + 1)) {
            (Some(Token::Word(name)), Some(Token::Sign("("))) => {
                let name = *name;
                self.at += 2;
                Some(name)
            }
            _ => None,
        }
    }

    /// Whether these tokens are one group in parentheses.
    pub(super) fn is_one_group(&self, range: std::ops::Range<usize>) -> bool {
        let tokens = self.tokens.get(range).unwrap_or_default();
        let mut open = 0_usize;
        let closed_at = tokens.iter().position(|token| {
            open += usize::from(*token == Token::Sign("("));
            open = open.saturating_sub(usize::from(*token == Token::Sign(")")));
            open == 0
        });
        tokens.len() > 1 && closed_at == Some(tokens.len() - 1)
    }

    /// Enters one level of nesting; refuses an expression that is nested too deep.
    pub(super) fn enter(&mut self) -> Result<(), Refusal> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(self.refuse("The expression nests too deep;")) } else { Ok(()) }
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    pub(super) fn end(&self) -> Result<(), Refusal> {
        if self.peek().is_none() { Ok(()) } else { Err(self.syntax_error()) }
    }

    /// Parses a `:value` placeholder, if one comes next.
    pub(super) fn value(&mut self) -> Result<Option<Value>, Refusal> {
        let Some(Token::Value(key)) = self.peek() else { return Ok(None) };
        let key = *key;
        let found = self.placeholders.values.as_ref().and_then(|values| values.get(key)).cloned();
        let value = found.ok_or_else(|| {
            self.refuse(format_args!(
                "An expression attribute value used in expression is not defined; attribute value: {key}"
            ))
        })?;
        self.placeholders.used.insert(key.to_owned());
        self.at += 1;
        Ok(Some(value))
    }

    fn name(&mut self) -> Result<String, Refusal> {
        let name = match self.peek() {
            Some(Token::Word(word)) if is_reserved(word) => {
                return Err(self
                    .refuse(format_args!("Attribute name is a reserved keyword; reserved keyword: {word}")));
            }
            Some(Token::Word(word)) => (*word).to_owned(),
            Some(Token::Name(key)) => {
                let key = *key;
                let found = self.placeholders.names.as_ref().and_then(|names| names.get(key)).cloned();
                let name = found.ok_or_else(|| {
                    self.refuse(format_args!(
                        "An expression attribute name used in the document path is not defined; attribute name: {key}"
                    ))
                })?;
                self.placeholders.used.insert(key.to_owned());
                name
            }
            _ => return Err(self.syntax_error()),
        };
        self.at += 1;
        Ok(name)
    }

    /// Parses a document path. Another token is a syntax error.
    pub(super) fn path(&mut self) -> Result<Path, Refusal> {
        let mut path = Path { root: self.name()?, steps: Vec::new() };
        loop {
            if self.sign(".") {
                path.steps.push(Step::Name(self.name()?));
            } else if self.sign("[") {
                let index = match self.peek() {
                    Some(Token::Index(digits)) => digits.parse().map_err(|_| self.syntax_error())?,
                    _ => return Err(self.syntax_error()),
                };
                self.at += 1;
                self.expect_sign("]")?;
                path.steps.push(Step::Index(index));
            } else {
                return Ok(path);
            }
        }
    }
}
