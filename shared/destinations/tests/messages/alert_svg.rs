//! Draws alerts as PagerDuty shows them, as an SVG picture.

use crate::markup::{Piece, Style, wrap};
use crate::svg::{WIDTH, escape, frame};
use simulator::PagerDutyEvent;
use std::fmt::Write;

const LEFT: f64 = 32.0;
const TEXT_WIDTH: f64 = WIDTH - 2.0 * LEFT;
const SIZE: f64 = 14.0;
const SMALL: f64 = 12.0;
const LARGE: f64 = 16.5;
/// Where the values of the table begin.
const COLUMN: f64 = 130.0;
/// The fields that PagerDuty shows above the details.
const FIELDS: [&str; 5] = ["severity", "source", "component", "group", "class"];

/// Draws the alert after each of its events, one below the other. `title` is for readers who do not see the picture.
pub(crate) fn draw(title: &str, events: &[PagerDutyEvent]) -> String {
    let mut drawing = Drawing { body: String::new(), y: 16.0 };
    for event in events {
        drawing.alert(event);
    }
    frame(title, drawing.y, "#f5f5f5", &drawing.body)
}

struct Drawing {
    body: String,
    y: f64,
}

impl Drawing {
    fn alert(&mut self, event: &PagerDutyEvent) {
        let top = self.y;
        let before = std::mem::take(&mut self.body);
        let (state, colour) = match event.action() {
            "trigger" => ("TRIGGERED", "#c3202e"),
            "resolve" => ("RESOLVED", "#25750f"),
            other => panic!("{other}"),
        };
        self.y += 12.0;
        let y = self.y;
        self.line(&format!(r#"<rect x="{LEFT}" y="{y:.1}" width="92" height="20" rx="3" fill="{colour}"/>"#));
        self.line(&format!(
            r##"<text x="{:.1}" y="{:.1}" font-size="11" font-weight="700" fill="#ffffff" text-anchor="middle">{state}</text>"##,
            LEFT + 46.0,
            y + 14.0
        ));
        self.line(&format!(
            r##"<text x="{:.1}" y="{:.1}" font-size="{SMALL}" fill="#616161">Service: {}</text>"##,
            LEFT + 104.0,
            y + 14.5,
            escape(&event.service)
        ));
        self.y += 24.0;
        self.text(event.summary(), Style::Bold, LEFT, TEXT_WIDTH, LARGE, "");
        self.y += 6.0;
        for name in FIELDS {
            self.row(name, event.field(name));
        }
        for link in event.body["links"].as_array().into_iter().flatten() {
            self.y += 4.0;
            self.text(link["text"].as_str().unwrap(), Style::Link, LEFT, TEXT_WIDTH, SIZE, "#1a73b5");
        }
        self.y += 8.0;
        self.text("Custom details", Style::Bold, LEFT, TEXT_WIDTH, SIZE, "");
        for (name, value) in event.body["payload"]["custom_details"].as_object().unwrap() {
            // The whole text says again what the other details say.
            if name != "text" {
                self.row(name, value.as_str().unwrap());
            }
        }
        self.row("text", "… all of it, in lines");
        self.y += 14.0;
        let inner = std::mem::replace(&mut self.body, before);
        let height = self.y - top;
        let width = WIDTH - 32.0;
        self.line(&format!(
            r##"<rect x="16" y="{top:.1}" width="{width}" height="{height:.1}" rx="6" fill="#ffffff" stroke="#e0e0e0"/>"##
        ));
        self.line(&format!(
            r#"<rect x="16" y="{top:.1}" width="5" height="{height:.1}" rx="2" fill="{colour}"/>"#
        ));
        self.body.push_str(&inner);
        self.y += 12.0;
    }

    /// A name and its value in two columns.
    fn row(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        let top = self.y;
        self.text(name, Style::Plain, LEFT, COLUMN, SMALL, "#616161");
        self.y = top;
        self.text(value, Style::Plain, LEFT + COLUMN, TEXT_WIDTH - COLUMN, SMALL, "");
        self.y += 2.0;
    }

    fn text(&mut self, text: &str, style: Style, x: f64, width: f64, size: f64, colour: &str) {
        let piece = Piece { style, text: text.to_owned() };
        let colour = if colour.is_empty() { String::new() } else { format!(r#" fill="{colour}""#) };
        let weight = if style == Style::Bold { r#" font-weight="700""# } else { "" };
        for line in wrap(&[piece], width, size) {
            self.y += size * 1.4;
            let shown: String = line.iter().map(|piece| escape(&piece.text)).collect();
            let y = self.y;
            let mut element = String::new();
            write!(
                element,
                r#"<text x="{x:.1}" y="{y:.1}" font-size="{size}"{weight}{colour} xml:space="preserve">{}</text>"#,
                shown.trim_end()
            )
            .unwrap();
            self.line(&element);
        }
    }

    fn line(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }
}
