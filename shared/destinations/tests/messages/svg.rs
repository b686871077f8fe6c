//! Draws the blocks of Slack messages as an SVG picture.

use crate::markup::{Piece, Style, length, lines, wrap};
use crate::symbols::symbol;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

pub(crate) const WIDTH: f64 = 680.0;
const LEFT: f64 = 66.0;
const TEXT_WIDTH: f64 = WIDTH - LEFT - 22.0;
const SIZE: f64 = 14.5;
const SMALL: f64 = 12.0;
const LARGE: f64 = 17.5;

/// Draws messages one below the other. `title` is for readers who do not see the picture.
pub(crate) fn draw(title: &str, messages: &[Vec<Value>], names: &BTreeMap<String, String>) -> String {
    let mut drawing = Drawing { names, body: String::new(), y: 16.0 };
    for (index, blocks) in messages.iter().enumerate() {
        drawing.message(blocks, index);
    }
    frame(title, drawing.y, "#ffffff", &drawing.body)
}

/// The picture around what was drawn, down to `y`.
pub(crate) fn frame(title: &str, y: f64, ground: &str, body: &str) -> String {
    let height = y + 6.0;
    let inner = WIDTH - 1.0;
    let inner_height = height - 1.0;
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0}" viewBox="0 0 {WIDTH} {height:.0}" role="img" aria-labelledby="title"
  font-family="-apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif" font-size="{SIZE}" fill="#1d1c1d">
<title id="title">{}</title>
<rect x="0.5" y="0.5" width="{inner}" height="{inner_height:.0}" rx="10" fill="{ground}" stroke="#d0d0d0"/>
{body}</svg>
"##,
        escape(title)
    )
}

struct Drawing<'a> {
    names: &'a BTreeMap<String, String>,
    body: String,
    y: f64,
}

impl Drawing<'_> {
    fn message(&mut self, blocks: &[Value], index: usize) {
        let top = self.y;
        if index > 0 {
            self.line(&format!(
                r##"<line x1="16" y1="{top:.1}" x2="{:.1}" y2="{top:.1}" stroke="#e4e4e4"/>"##,
                WIDTH - 16.0
            ));
            self.y += 14.0;
        }
        let y = self.y;
        self.line(&format!(r##"<rect x="18" y="{y:.1}" width="36" height="36" rx="8" fill="#2f5d8a"/>"##));
        let base = y + 27.0;
        self.line(&format!(
            r##"<path d="M26 {base:.1} v-9 M33 {base:.1} v-16 M40 {base:.1} v-12 M47 {base:.1} v-19" stroke="#ffffff" stroke-width="3.5" stroke-linecap="round"/>"##
        ));
        let base = y + 12.0;
        self.line(&format!(r#"<text x="{LEFT}" y="{base:.1}" font-weight="700">tableau-webhooks</text>"#));
        let x = LEFT + 162.0;
        self.line(&format!(
            r##"<rect x="{x}" y="{:.1}" width="30" height="15" rx="3" fill="#e8e8e8"/>"##,
            base - 12.0
        ));
        self.line(&format!(
            r##"<text x="{}" y="{:.1}" font-size="10" fill="#616061">APP</text>"##,
            x + 4.5,
            base - 0.8
        ));
        self.y += 22.0;
        for block in blocks {
            self.block(block);
        }
        self.y = self.y.max(y + 40.0) + 6.0;
    }

    fn block(&mut self, block: &Value) {
        match block["type"].as_str() {
            Some("header") => self.header(block["text"]["text"].as_str().unwrap()),
            Some("section") => {
                if let Some(text) = block["text"]["text"].as_str() {
                    self.y += 5.0;
                    self.text(text, LEFT, TEXT_WIDTH, SIZE, "");
                }
                let fields = block["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
                self.fields(fields);
            }
            Some("context") => {
                self.y += 6.0;
                for element in block["elements"].as_array().unwrap() {
                    self.text(element["text"].as_str().unwrap(), LEFT, TEXT_WIDTH, SMALL, "#616061");
                }
            }
            other => panic!("{other:?}"),
        }
    }

    fn header(&mut self, text: &str) {
        let (sign, title) = text.split_once(' ').unwrap();
        let icon = symbol(sign).unwrap_or_else(|| panic!("no drawing of {sign}"));
        let y = self.y + 5.0;
        self.line(&format!(r#"<g transform="translate({LEFT} {y:.1})">{icon}</g>"#));
        let piece = Piece { style: Style::Bold, text: title.to_owned() };
        for line in wrap(&[piece], TEXT_WIDTH - 24.0, LARGE) {
            self.y += LARGE * 1.25;
            self.pieces(&line, LEFT + 24.0, LARGE, "");
        }
    }

    /// Two columns, as Slack shows fields on a wide screen.
    fn fields(&mut self, fields: &[Value]) {
        let column = TEXT_WIDTH / 2.0;
        for row in fields.chunks(2) {
            self.y += 5.0;
            let top = self.y;
            let mut bottom = top;
            for (index, field) in (0_u8..).zip(row) {
                self.y = top;
                let x = LEFT + column * f64::from(index);
                self.text(field["text"].as_str().unwrap(), x, column - 12.0, SIZE, "");
                bottom = bottom.max(self.y);
            }
            self.y = bottom;
        }
    }

    fn text(&mut self, markup: &str, x: f64, width: f64, size: f64, colour: &str) {
        for line in lines(markup, self.names) {
            for line in wrap(&line, width, size) {
                self.y += size * 1.45;
                self.pieces(&line, x, size, colour);
            }
        }
    }

    fn pieces(&mut self, line: &[Piece], x: f64, size: f64, colour: &str) {
        let y = self.y;
        if let [Piece { style: Style::Code, text }] = line {
            let width = length(text.trim_end(), Style::Code, size - 2.0) / 1.08 + 12.0;
            self.line(&format!(
                r##"<rect x="{x:.1}" y="{:.1}" width="{width:.1}" height="{:.1}" rx="3" fill="#f6f6f6" stroke="#dddddd"/>"##,
                y - size,
                size * 1.36
            ));
        }
        let is_code = matches!(line, [Piece { style: Style::Code, .. }]);
        let x = if is_code { x + 5.0 } else { x };
        let colour = if colour.is_empty() { String::new() } else { format!(r#" fill="{colour}""#) };
        let font = if size == SIZE { String::new() } else { format!(r#" font-size="{size}""#) };
        let mut text = format!(r#"<text x="{x:.1}" y="{y:.1}"{font}{colour} xml:space="preserve">"#);
        for (index, piece) in line.iter().enumerate() {
            let is_last = index + 1 == line.len();
            let shown = escape(if is_last { piece.text.trim_end() } else { &piece.text });
            let style = match piece.style {
                Style::Plain => "",
                Style::Bold => r#" font-weight="700""#,
                Style::Code => {
                    r##" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="12.5" fill="#c01343""##
                }
                Style::Link => r##" fill="#1264a3""##,
                Style::Mention => r##" fill="#1264a3" font-weight="700""##,
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

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
