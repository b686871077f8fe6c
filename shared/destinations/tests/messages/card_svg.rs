//! Draws Adaptive Cards as Teams shows them, as an SVG picture.

use crate::markup::{Piece, Style, length, wrap};
use crate::svg::{WIDTH, escape, frame};
use crate::symbols::symbol;
use serde_json::Value;
use std::fmt::Write;

const LEFT: f64 = 32.0;
const TEXT_WIDTH: f64 = WIDTH - 2.0 * LEFT;
const SIZE: f64 = 14.0;
const SMALL: f64 = 12.0;
const LARGE: f64 = 16.5;
/// Teams gives the titles of facts no more.
const FACT_TITLE: f64 = 150.0;

/// Draws cards one below the other. `title` is for readers who do not see the picture.
pub(crate) fn draw(title: &str, cards: &[Value]) -> String {
    let mut drawing = Drawing { body: String::new(), y: 16.0 };
    for card in cards {
        drawing.card(card);
    }
    frame(title, drawing.y, "#f5f5f5", &drawing.body)
}

struct Drawing {
    body: String,
    y: f64,
}

impl Drawing {
    fn card(&mut self, card: &Value) {
        let top = self.y;
        let before = std::mem::take(&mut self.body);
        for element in card["body"].as_array().unwrap() {
            self.element(element);
        }
        for action in card["actions"].as_array().into_iter().flatten() {
            self.button(action["title"].as_str().unwrap());
        }
        self.y += 14.0;
        let inner = std::mem::replace(&mut self.body, before);
        let height = self.y - top;
        let width = WIDTH - 32.0;
        self.line(&format!(
            r##"<rect x="16" y="{top:.1}" width="{width}" height="{height:.1}" rx="6" fill="#ffffff" stroke="#e0e0e0"/>"##
        ));
        self.body.push_str(&inner);
        self.y += 12.0;
    }

    fn element(&mut self, element: &Value) {
        match element["type"].as_str() {
            Some("Container") => self.title(element),
            Some("TextBlock") => {
                self.y += if element["spacing"] == "Small" { 1.0 } else { 7.0 };
                let is_small = element["size"] == "Small" && element["fontType"] != "Monospace";
                let size = if is_small { SMALL } else { SIZE };
                let colour = if element["isSubtle"] == true { "#616161" } else { "" };
                for line in lines(element["text"].as_str().unwrap(), of(element)) {
                    self.text(&line, LEFT, TEXT_WIDTH, size, colour);
                }
            }
            Some("FactSet") => self.facts(element["facts"].as_array().unwrap()),
            other => panic!("{other:?}"),
        }
    }

    /// The coloured ground with the title.
    fn title(&mut self, container: &Value) {
        let fill = match container["style"].as_str().unwrap() {
            "attention" => "#fde7e9",
            "good" => "#e7f2da",
            "warning" => "#fff4ce",
            "emphasis" => "#ebebeb",
            other => panic!("{other}"),
        };
        let text = container["items"][0]["text"].as_str().unwrap();
        let (sign, title) = text.split_once(' ').unwrap();
        let icon = symbol(sign).unwrap_or_else(|| panic!("no drawing of {sign}"));
        let pieces = lines(title, Style::Bold).concat();
        let wrapped = wrap(&pieces, TEXT_WIDTH - 24.0, LARGE);
        let top = self.y;
        let height = wrapped.iter().map(|_| LARGE * 1.3).sum::<f64>() + 16.0;
        let width = WIDTH - 32.0;
        self.line(&format!(
            r##"<path d="M16 {:.1} v{:.1} a6 6 0 0 1 6 -6 h{} a6 6 0 0 1 6 6 v{:.1} z" fill="{fill}"/>"##,
            top + height,
            6.0 - height,
            width - 12.0,
            height - 6.0
        ));
        self.line(&format!(r#"<g transform="translate({LEFT} {:.1})">{icon}</g>"#, top + 11.0));
        self.y += 5.0;
        for line in wrapped {
            self.y += LARGE * 1.3;
            self.pieces(&line, LEFT + 24.0, LARGE, "");
        }
        self.y = top + height;
    }

    /// Titles and values in two columns.
    fn facts(&mut self, facts: &[Value]) {
        self.y += 7.0;
        let titles: Vec<Vec<Piece>> =
            facts.iter().map(|fact| lines(fact["title"].as_str().unwrap(), Style::Bold).concat()).collect();
        let width =
            |pieces: &Vec<Piece>| pieces.iter().map(|piece| length(&piece.text, piece.style, SIZE)).sum();
        let column = titles.iter().map(width).fold(0.0_f64, f64::max).min(FACT_TITLE) + 16.0;
        for (fact, title) in facts.iter().zip(titles) {
            let top = self.y;
            self.text(&title, LEFT, column - 8.0, SIZE, "");
            let bottom = self.y;
            self.y = top;
            let value = lines(fact["value"].as_str().unwrap(), Style::Plain).concat();
            self.text(&value, LEFT + column, TEXT_WIDTH - column, SIZE, "");
            self.y = self.y.max(bottom) + 1.0;
        }
    }

    fn button(&mut self, title: &str) {
        self.y += 12.0;
        let width = length(title, Style::Plain, SIZE) + 26.0;
        self.line(&format!(
            r##"<rect x="{LEFT}" y="{:.1}" width="{width:.1}" height="30" rx="4" fill="#ffffff" stroke="#b0b0b0"/>"##,
            self.y
        ));
        self.y += 20.0;
        let piece = Piece { style: Style::Bold, text: title.to_owned() };
        self.pieces(&[piece], LEFT + 13.0, SIZE, "");
        self.y += 10.0;
    }

    fn text(&mut self, pieces: &[Piece], x: f64, width: f64, size: f64, colour: &str) {
        for line in wrap(pieces, width, size) {
            self.y += size * 1.43;
            self.pieces(&line, x, size, colour);
        }
    }

    fn pieces(&mut self, line: &[Piece], x: f64, size: f64, colour: &str) {
        let colour = if colour.is_empty() { String::new() } else { format!(r#" fill="{colour}""#) };
        let mut text =
            format!(r#"<text x="{x:.1}" y="{:.1}" font-size="{size}"{colour} xml:space="preserve">"#, self.y);
        for (index, piece) in line.iter().enumerate() {
            let is_last = index + 1 == line.len();
            let shown = escape(if is_last { piece.text.trim_end() } else { &piece.text });
            let style = match piece.style {
                Style::Plain => "",
                Style::Bold => r#" font-weight="700""#,
                Style::Code => r#" font-family="Consolas, ui-monospace, Menlo, monospace" font-size="12.5""#,
                Style::Link | Style::Mention => r##" fill="#5b5fc7""##,
            };
            match style {
                "" => text.push_str(&shown),
                style => write!(text, "<tspan{style}>{shown}</tspan>").unwrap(),
            }
        }
        self.line(&format!("{text}</text>"));
    }

    fn line(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }
}

/// How the text of an element looks where no markup says something else.
fn of(element: &Value) -> Style {
    match (element["weight"].as_str(), element["fontType"].as_str()) {
        (Some("Bolder"), _) => Style::Bold,
        (_, Some("Monospace")) => Style::Code,
        _ => Style::Plain,
    }
}

/// The lines of a text in the Markdown of cards, each as styled pieces.
fn lines(markdown: &str, usual: Style) -> Vec<Vec<Piece>> {
    markdown.lines().map(|line| pieces(line, usual)).collect()
}

fn pieces(line: &str, usual: Style) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut style = usual;
    let mut push = |style: Style, text: &str| match pieces.last_mut().filter(|last| last.style == style) {
        Some(last) => last.text.push_str(text),
        None => pieces.push(Piece { style, text: text.to_owned() }),
    };
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("**") {
            style = if style == Style::Bold { usual } else { Style::Bold };
            rest = after;
        } else if let Some((name, after)) =
            rest.strip_prefix("<at>").and_then(|rest| rest.split_once("</at>"))
        {
            push(Style::Mention, name);
            rest = after;
        } else {
            let escaped = rest.strip_prefix('\\').and_then(|rest| rest.chars().next());
            let shown = escaped.unwrap_or(c);
            rest = &rest[if escaped.is_some() { 1 } else { 0 } + shown.len_utf8()..];
            // The destination puts it beside a sign that is no markup.
            if shown != '\u{200b}' {
                push(style, shown.encode_utf8(&mut [0; 4]));
            }
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_styles_and_escaped_signs_stay_text() {
        let shown =
            pieces("<at>Ana Ruiz</at> · **Cause** – sales\\_eu \\*x\\* <\u{200b}at> 2 * 3", Style::Plain);
        let shown: Vec<(Style, &str)> =
            shown.iter().map(|piece| (piece.style, piece.text.as_str())).collect();
        assert_eq!(
            shown,
            [
                (Style::Mention, "Ana Ruiz"),
                (Style::Plain, " · "),
                (Style::Bold, "Cause"),
                (Style::Plain, " – sales_eu *x* <at> 2 * 3"),
            ]
        );
    }
}
