//! Draws an incident as ServiceNow shows it, as an SVG picture.

use crate::markup::{Piece, Style, wrap};
use crate::svg::{WIDTH, escape, frame};
use destinations::servicenow::Rendered;

const LEFT: f64 = 24.0;
const COLUMN: f64 = 150.0;
const SIZE: f64 = 13.0;

/// Draws an incident that was resolved, with one work note.
pub(crate) fn draw(opened: &Rendered, note: &str, end: &str) -> String {
    let mut drawing = Drawing { body: String::new(), y: 14.0 };
    drawing.title("Incident INC0010001");
    for (label, value) in [
        ("State", "Resolved"),
        ("Assignment group", "BI Platform"),
        ("Impact, urgency", "2 - Medium, 2 - Medium"),
        ("Short description", opened.short.as_str()),
        ("Description", opened.long.as_str()),
        ("Resolution code", "Solution provided"),
        ("Resolution notes", end),
        ("Work notes", note),
    ] {
        drawing.field(label, value);
    }
    frame(
        "An incident in ServiceNow: a failed refresh, a work note, and the end",
        drawing.y,
        "#f2f4f5",
        &drawing.body,
    )
}

struct Drawing {
    body: String,
    y: f64,
}

impl Drawing {
    fn title(&mut self, text: &str) {
        self.y += 18.0;
        self.text(text, LEFT, 16.0, r#" font-weight="700""#);
        self.y += 8.0;
    }

    /// A label, and a box with the value.
    fn field(&mut self, label: &str, value: &str) {
        let width = WIDTH - LEFT * 2.0 - COLUMN;
        let lines: Vec<String> = value
            .lines()
            .flat_map(|line| {
                let piece = Piece { style: Style::Plain, text: line.to_owned() };
                wrap(&[piece], width - 16.0, SIZE)
            })
            .map(|line| line.into_iter().map(|piece| piece.text).collect())
            .collect();
        let top = self.y;
        let height = SIZE * 1.4 * f64::from(u32::try_from(lines.len()).unwrap()) + 10.0;
        self.y = top + SIZE + 6.0;
        self.text(label, LEFT, SIZE, r##" fill="#5b6770""##);
        let x = LEFT + COLUMN;
        self.body.push_str(&format!(
            "<rect x=\"{x}\" y=\"{top:.1}\" width=\"{width}\" height=\"{height:.1}\" rx=\"3\" fill=\"#ffffff\" stroke=\"#cfd5d8\"/>\n"
        ));
        self.y = top + 4.0;
        for line in &lines {
            self.y += SIZE * 1.4;
            self.text(line.trim_end(), x + 8.0, SIZE, "");
        }
        self.y = top + height + 6.0;
    }

    fn text(&mut self, text: &str, x: f64, size: f64, style: &str) {
        self.body.push_str(&format!(
            "<text x=\"{x:.1}\" y=\"{:.1}\" font-size=\"{size}\"{style} xml:space=\"preserve\">{}</text>\n",
            self.y,
            escape(text)
        ));
    }
}
