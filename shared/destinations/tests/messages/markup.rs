//! Reads Slack's markup into styled words, and breaks them into lines.

use std::collections::BTreeMap;

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Bold,
    Code,
    Link,
    Mention,
}

/// A piece of text of one style.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) style: Style,
    pub(crate) text: String,
}

/// The lines of a text in Slack's markup, each as styled pieces. `names`: how people and groups are called, by id.
pub(crate) fn lines(markup: &str, names: &BTreeMap<String, String>) -> Vec<Vec<Piece>> {
    markup.lines().map(|line| pieces(line, names)).collect()
}

fn pieces(line: &str, names: &BTreeMap<String, String>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let styled = match c {
            '*' => between(rest, '*').map(|(text, rest)| (Style::Bold, text.to_owned(), rest)),
            '`' => between(rest, '`').map(|(text, rest)| (Style::Code, text.to_owned(), rest)),
            '<' => rest[1..].split_once('>').map(|(tag, rest)| {
                let (style, text) = tagged(tag, names);
                (style, text, rest)
            }),
            // The destination puts it beside a sign that is no markup.
            '\u{200b}' => {
                let sign: String = rest.chars().skip(1).take_while(|c| "*_~`".contains(*c)).take(1).collect();
                plain.push_str(&sign);
                rest = &rest[c.len_utf8() + sign.len()..];
                continue;
            }
            _ => None,
        };
        match styled {
            Some((style, text, after)) => {
                push(&mut pieces, Style::Plain, &std::mem::take(&mut plain));
                push(&mut pieces, style, &text);
                rest = after;
            }
            None => {
                plain.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    push(&mut pieces, Style::Plain, &plain);
    pieces
}

fn push(pieces: &mut Vec<Piece>, style: Style, text: &str) {
    if !text.is_empty() {
        let text =
            text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace('\u{200b}', "");
        pieces.push(Piece { style, text });
    }
}

/// The text up to the next such sign that ends it, and what stands behind.
fn between(text: &str, sign: char) -> Option<(&str, &str)> {
    let inner = &text[1..];
    let ends = |at: &usize| !inner[..*at].ends_with('\u{200b}');
    let end = inner.match_indices(sign).map(|(at, _)| at).find(ends).filter(|end| *end > 0)?;
    Some((&inner[..end], &inner[end + 1..]))
}

fn tagged(tag: &str, names: &BTreeMap<String, String>) -> (Style, String) {
    if let Some((_, label)) = tag.split_once('|') {
        return (Style::Link, label.to_owned());
    }
    let id = tag.trim_start_matches(['@', '!']).trim_start_matches("subteam^");
    (Style::Mention, format!("@{}", names.get(id).map_or(id, String::as_str)))
}

/// Breaks pieces into lines of at most `width`, between words, or within a word that is longer than a line.
pub(crate) fn wrap(pieces: &[Piece], width: f64, size: f64) -> Vec<Vec<Piece>> {
    let mut lines: Vec<Vec<Piece>> = vec![Vec::new()];
    let mut used = 0.0;
    for piece in pieces {
        for word in piece.text.split_inclusive(' ') {
            let mut word = word.to_owned();
            while !word.is_empty() {
                let visible = length(word.trim_end(), piece.style, size);
                if used + visible > width && used > 0.0 {
                    lines.push(Vec::new());
                    used = 0.0;
                }
                let fits = fitting(&word, piece.style, size, width);
                let rest = word.split_off(fits);
                used += length(&word, piece.style, size);
                let line = lines.last_mut().unwrap();
                match line.last_mut().filter(|last| last.style == piece.style) {
                    Some(last) => last.text.push_str(&word),
                    None => line.push(Piece { style: piece.style, text: word }),
                }
                word = rest;
            }
        }
    }
    lines
}

/// How many bytes of a word fit into a line of its own: all, unless it is very long.
fn fitting(word: &str, style: Style, size: f64, width: f64) -> usize {
    let mut end = 0;
    for (at, c) in word.char_indices() {
        let next = at + c.len_utf8();
        if end > 0 && length(word[..next].trim_end(), style, size) > width {
            return end;
        }
        end = next;
    }
    end
}

/// The width of a text: a little more than in Arial, since a reader's system has another font.
pub(crate) fn length(text: &str, style: Style, size: f64) -> f64 {
    let of = |c: char| match (style, c) {
        (Style::Code, _) => 0.61,
        (_, 'i' | 'j' | 'l' | '|' | '\'' | '.' | ',' | ':' | ';' | '!' | 'I') => 0.27,
        (_, ' ' | 'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '-' | '·' | '"') => 0.33,
        (_, 'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' | '–') => 0.87,
        (_, c) if c.is_ascii_uppercase() => 0.7,
        (_, c) if c.is_ascii() => 0.56,
        (_, c) if c > '\u{2e80}' => 1.05,
        _ => 0.62,
    };
    let bold = if style == Style::Bold { 1.14 } else { 1.0 };
    text.chars().map(of).sum::<f64>() * size * bold * 1.08
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Vec<(Style, String)> {
        let lines = lines(text, &BTreeMap::from([("U1".to_owned(), "Ana".to_owned())]));
        lines.concat().into_iter().map(|piece| (piece.style, piece.text)).collect()
    }

    #[test]
    fn markup_becomes_styles_and_escaped_signs_stay_text() {
        let of = |style, text: &str| (style, text.to_owned());
        assert_eq!(
            plain("*Cause* – a &lt;b&gt; `x y` <https://a|Open> <@U1> <!here>"),
            [
                of(Style::Bold, "Cause"),
                of(Style::Plain, " – a <b> "),
                of(Style::Code, "x y"),
                of(Style::Plain, " "),
                of(Style::Link, "Open"),
                of(Style::Plain, " "),
                of(Style::Mention, "@Ana"),
                of(Style::Plain, " "),
                of(Style::Mention, "@here"),
            ]
        );
        assert_eq!(plain("\u{200b}*\u{200b}Sales\u{200b}*\u{200b}"), [of(Style::Plain, "*Sales*")]);
        assert_eq!(plain("2 * 3"), [of(Style::Plain, "2 * 3")]);
    }

    #[test]
    fn no_line_is_longer_than_asked_and_no_word_is_lost() {
        let long = format!("a word, {} and more words to break", "x".repeat(300));
        for text in [long.as_str(), "short", &"Sales report · ".repeat(40)] {
            let piece = Piece { style: Style::Plain, text: text.to_owned() };
            let lines = wrap(&[piece], 200.0, 14.0);
            let words: String = lines.concat().into_iter().map(|piece| piece.text).collect();
            assert_eq!(words, text);
            for line in lines {
                let text: String = line.iter().map(|piece| piece.text.as_str()).collect();
                assert!(length(text.trim_end(), Style::Plain, 14.0) <= 200.0, "{text}");
            }
        }
    }
}
