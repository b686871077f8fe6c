//! Lets `~` join texts only. minijinja would write `None` for what is not known, and `True` for true. No I/O.

use super::source::{Kind, Part, Token, loop_end};

/// The words that end what stands beside `~`.
const WORDS: [&str; 6] = ["and", "else", "if", "in", "not", "or"];
/// The signs that do. Others, such as `*` and `|`, bind more tightly than `~`.
const SIGNS: [&str; 10] = ["==", "!=", "<=", ">=", "<", ">", "=", ",", ":", "+"];

/// What stands beside `~`, up to now.
#[derive(Default)]
struct Operand {
    /// Its first and its last byte; `None` while it is empty.
    range: Option<(usize, usize)>,
    /// Whether `~` stands before it.
    is_joined: bool,
}

/// The template with `(x) | text` for each `x` beside `~`; `None` if there is none.
pub(super) fn joined(text: &str, parts: &[Part<'_>]) -> Option<String> {
    let mut ranges = Vec::new();
    for part in parts {
        if let Part::Tag { is_block, tokens, .. } = part {
            operands(tokens, *is_block, &mut ranges);
        }
    }
    let mut pieces: Vec<(usize, &str)> =
        ranges.iter().flat_map(|(start, end)| [(*start, "("), (*end, ")|text")]).collect();
    if pieces.is_empty() {
        return None;
    }
    // Operands within operands begin or end at one place: all parentheses close before one opens.
    pieces.sort_by_key(|(at, piece)| (*at, *piece == "("));
    Some(with(text, pieces))
}

/// A text with pieces put in before these bytes, which are in order.
pub(super) fn with<P: AsRef<str>>(text: &str, pieces: impl IntoIterator<Item = (usize, P)>) -> String {
    let mut made = String::with_capacity(text.len() * 2);
    let mut done = 0;
    for (at, piece) in pieces {
        made.push_str(text.get(done..at).unwrap_or_default());
        made.push_str(piece.as_ref());
        done = at;
    }
    made.push_str(text.get(done..).unwrap_or_default());
    made
}

fn operands(tokens: &[Token<'_>], is_block: bool, ranges: &mut Vec<(usize, usize)>) {
    let mut open = vec![Operand::default()];
    let mut previous: Option<&Token<'_>> = None;
    for token in tokens {
        let is_first = previous.is_none();
        let Some(operand) = open.last_mut() else { return };
        match token.text {
            _ if token.kind == Kind::Text => operand.take(token),
            "~" => {
                operand.end(true, ranges);
                *operand = Operand { range: None, is_joined: true };
            }
            "(" | "[" | "{" => {
                operand.take(token);
                open.push(Operand::default());
            }
            ")" | "]" | "}" => {
                operand.end(false, ranges);
                open.pop();
                if let Some(around) = open.last_mut() {
                    around.take(token);
                }
            }
            // `*` and `**` hand on the items of a list or an object as arguments.
            "*" | "**" if operand.range.is_none() => {}
            _ if (is_block && is_first)
                || is_recursive(tokens, token, is_block)
                || operand.is_ended_by(token, previous) =>
            {
                operand.end(false, ranges);
                *operand = Operand::default();
            }
            _ => operand.take(token),
        }
        previous = Some(token);
    }
    if let Some(operand) = open.last_mut() {
        operand.end(false, ranges);
    }
}

/// Whether it is the `recursive` at the end of `for`. Elsewhere it is a name.
fn is_recursive(tokens: &[Token<'_>], token: &Token<'_>, is_block: bool) -> bool {
    let end = loop_end(tokens).filter(|_| is_block);
    end.is_some_and(|recursive| recursive.at == token.at)
}

impl Operand {
    fn take(&mut self, token: &Token<'_>) {
        let start = self.range.map_or(token.at, |(start, _)| start);
        self.range = Some((start, token.end()));
    }

    fn end(&mut self, is_before: bool, ranges: &mut Vec<(usize, usize)>) {
        if is_before || self.is_joined {
            ranges.extend(self.range);
        }
    }

    fn is_ended_by(&self, token: &Token<'_>, previous: Option<&Token<'_>>) -> bool {
        match token.kind {
            Kind::Name if token.is("not") && previous.is_some_and(|previous| previous.is("is")) => false,
            Kind::Name => WORDS.contains(&token.text),
            // Behind a sign or a word, a minus belongs to its number.
            Kind::Sign if token.text == "-" => previous.is_some_and(Token::ends_value),
            Kind::Sign => SIGNS.contains(&token.text),
            Kind::Field | Kind::Text | Kind::Number => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::parts;
    use super::*;

    #[test]
    fn each_side_of_the_sign_becomes_a_text_and_nothing_else_changes() {
        for (text, expected) in [
            ("{{ a ~ b.c ~ \"~\" }}~", "{{ (a)|text ~ (b.c)|text ~ (\"~\")|text }}~"),
            ("{{ (a ~ b) | line(3) }}", "{{ ((a)|text ~ (b)|text) | line(3) }}"),
            ("{{ a ~ \"x\" ~ l | join(\", \") }}", "{{ (a)|text ~ (\"x\")|text ~ (l | join(\", \"))|text }}"),
            ("{{ a ~ (b or \"\") }}", "{{ (a)|text ~ ((b or \"\"))|text }}"),
            ("{{ a ~ b if c else d }}", "{{ (a)|text ~ (b)|text if c else d }}"),
            ("{{ a[\"b\" ~ 1] ~ -1 }}", "{{ (a[(\"b\")|text ~ (1)|text])|text ~ (-1)|text }}"),
            ("{% if not a ~ b == c %}", "{% if not (a)|text ~ (b)|text == c %}"),
            ("{% set x = a ~ b %}", "{% set x = (a)|text ~ (b)|text %}"),
            ("{{ a | replace(\"x\" ~ y, z) }}", "{{ a | replace((\"x\")|text ~ (y)|text, z) }}"),
            ("{{ a ~ b * 2 + 1 }}", "{{ (a)|text ~ (b * 2)|text + 1 }}"),
            ("{{ 2 * -3 ~ a }}", "{{ (2 * -3)|text ~ (a)|text }}"),
            (
                "{{ 2 ** -3 ~ 7 // -a.if ~ 7 % -(b) }}",
                "{{ (2 ** -3)|text ~ (7 // -a.if)|text ~ (7 % -(b))|text }}",
            ),
            (
                "{{ a[0] - b ~ (c) - -d ~ e.in - f }}",
                "{{ a[0] - (b)|text ~ ((c))|text - (-d)|text ~ (e.in)|text - f }}",
            ),
            ("{% if -1 ~ a %}", "{% if (-1)|text ~ (a)|text %}"),
            ("{{ f(*a ~ b, **c ~ d) }}", "{{ f(*(a)|text ~ (b)|text, **(c)|text ~ (d)|text) }}"),
            ("{% for a in b ~ c recursive %}", "{% for a in (b)|text ~ (c)|text recursive %}"),
            ("{{ recursive ~ a }}", "{{ (recursive)|text ~ (a)|text }}"),
        ] {
            assert_eq!(joined(text, &parts(text)).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(joined("{{ a }} ~", &parts("{{ a }} ~")), None);
    }
}
