//! The picture of a mail in `docs/`, drawn from its HTML part in light and in dark mode. `UPDATE=1 cargo test -p email --test mails
//! picture` draws it anew; look at what has changed.

use crate::markup::{Piece, Style, wrap};
use crate::scenes;
use crate::steward;
use crate::symbols::symbol;
use email::render;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

const FILE: &str = "images/mail.svg";
const TITLE: &str = "A mail about a failed extract refresh, in light and in dark mode";
const WIDTH: f64 = 430.0;
const GAP: f64 = 20.0;
const LEFT: f64 = 40.0;
const TEXT_WIDTH: f64 = WIDTH - LEFT - 20.0;
/// Where the values of facts begin.
const VALUES: f64 = 70.0;
const SIZE: f64 = 13.0;
const SMALL: f64 = 11.0;

/// The colours that a mail program chooses: background, its edge, text, and link.
const MODES: [[&str; 4]; 2] =
    [["#ffffff", "#d0d0d0", "#000000", "#0000ee"], ["#121212", "#444444", "#ffffff", "#9e9eff"]];

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// The HTML part of the mail about the failure of which `docs/messages.md` shows Slack's message first.
fn page() -> String {
    let (_, _, opened) = scenes::all().into_iter().find(|(name, _, _)| *name == "opened").unwrap();
    render(&opened[0], &steward()).html
}

#[test]
fn the_picture_shows_the_mail_in_light_and_in_dark_mode() {
    let picture = draw(&page());
    let path = docs().join(FILE);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &picture).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap() == picture,
        "{FILE} shows another mail: draw it anew with UPDATE=1"
    );
    for page in ["messages.md", "../functions/send-email/README.md"] {
        let text = fs::read_to_string(docs().join(page)).unwrap();
        assert!(text.contains(&format!("{FILE})")), "{page} does not show {FILE}");
    }
}

#[test]
fn the_picture_has_every_word_of_the_mail() {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let page = page();
    let body = page.split("<h1>").nth(1).unwrap();
    let mail: Vec<String> = elements(body).iter().flat_map(|element| words(&element.text)).collect();
    assert!(mail.len() > 60, "{mail:?}");
    let drawn = draw(&page);
    let one = drawn.split("</g>\n<g").next().unwrap();
    let shown: Vec<String> =
        one.split("<text ").skip(1).flat_map(|part| words(&unescaped(&text_of(part)))).collect();
    for word in mail.iter().filter(|word| symbol(word).is_none()) {
        assert!(shown.contains(word), "{word} is not in {shown:?}");
    }
}

fn text_of(part: &str) -> String {
    let inner = part.split_once('>').unwrap().1;
    inner.split("</text>").next().unwrap().to_owned()
}

/// One element of the page that shows text, by its tag.
struct Element {
    tag: &'static str,
    text: String,
}

/// The elements of a page, in their order. A cell of a table is one.
fn elements(html: &str) -> Vec<Element> {
    const TAGS: [&str; 7] = ["h1", "h2", "p", "th", "td", "li", "div"];
    let mut elements: Vec<Element> = Vec::new();
    for part in html.split('<') {
        let (tag, text) = part.split_once('>').unwrap_or(("h1", part));
        let name = tag.split(' ').next().unwrap_or_default();
        if let Some(tag) = TAGS.into_iter().find(|known| *known == name) {
            elements.push(Element { tag, text: String::new() });
        }
        let special = match name {
            "code" => Some("code"),
            "a" => Some("a"),
            _ => None,
        };
        if let (Some(tag), Some(last)) = (special, elements.last_mut()) {
            last.tag = tag;
        }
        match elements.last_mut() {
            Some(last) if !name.starts_with("style") => last.text.push_str(&unescaped(text)),
            _ => elements.push(Element { tag: "h1", text: unescaped(text) }),
        }
    }
    elements
}

fn unescaped(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
    text.replace("&amp;", "&")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn draw(page: &str) -> String {
    let body = page.split("<h1>").nth(1).unwrap();
    let elements = elements(body);
    let line = page.split("border-left:4px solid ").nth(1).unwrap().split(';').next().unwrap();
    let mut groups = String::new();
    let mut height = 0.0;
    for (index, mode) in (0_u8..).zip(MODES) {
        let x = f64::from(index) * (WIDTH + GAP);
        let mut drawing = Drawing { link: mode[3], body: String::new(), y: 26.0, is_small: false };
        elements.iter().for_each(|element| drawing.element(element));
        height = drawing.y + 26.0;
        let [background, edge, text, _] = mode;
        writeln!(
            groups,
            "<g transform=\"translate({x} 0)\" fill=\"{text}\">\n<rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{:.0}\" rx=\"10\" \
             fill=\"{background}\" stroke=\"{edge}\"/>\n<rect x=\"20\" y=\"20\" width=\"4\" height=\"{:.0}\" fill=\"{line}\"/>\n{}</g>",
            WIDTH - 1.0,
            height - 1.0,
            height - 40.0,
            drawing.body
        )
        .unwrap();
    }
    let width = 2.0 * WIDTH + GAP;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height:.0}\" viewBox=\"0 0 {width} {height:.0}\" role=\"img\" \
         aria-labelledby=\"title\"\n  font-family=\"-apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif\" font-size=\"{SIZE}\">\n\
         <title id=\"title\">{TITLE}</title>\n{groups}</svg>\n"
    )
}

struct Drawing {
    link: &'static str,
    body: String,
    y: f64,
    /// The small print has begun.
    is_small: bool,
}

impl Drawing {
    fn element(&mut self, element: &Element) {
        let link = format!(" fill=\"{}\" text-decoration=\"underline\"", self.link);
        let text = element.text.trim();
        match element.tag {
            "h1" => self.title(text),
            "h2" => {
                self.y += 10.0;
                self.text(text, LEFT, Style::Bold, 15.0, " font-weight=\"700\"");
            }
            "code" => {
                self.text(text, LEFT, Style::Code, 12.0, " font-family=\"Consolas, Menlo, monospace\"");
            }
            "a" => self.text(text, LEFT, Style::Plain, SIZE, &link),
            "th" => self.text(text, LEFT, Style::Bold, SIZE, " font-weight=\"600\""),
            "td" => {
                self.y -= SIZE * 1.5;
                self.text(text, LEFT + VALUES, Style::Plain, SIZE, "");
            }
            "li" => self.text(&format!("• {text}"), LEFT, Style::Plain, SIZE, ""),
            "div" => {
                self.y += 10.0;
                self.is_small = true;
            }
            _ => {
                self.y += 4.0;
                let size = if self.is_small { SMALL } else { SIZE };
                self.text(text, LEFT, Style::Plain, size, "");
            }
        }
    }

    fn title(&mut self, text: &str) {
        let (sign, title) = text.split_once(' ').unwrap();
        let icon = symbol(sign).unwrap_or_else(|| panic!("no drawing of {sign}"));
        writeln!(self.body, "<g transform=\"translate({LEFT} {:.1})\">{icon}</g>", self.y).unwrap();
        self.y -= 8.0;
        self.text(title, LEFT + 24.0, Style::Bold, 17.0, " font-weight=\"700\"");
    }

    fn text(&mut self, text: &str, x: f64, style: Style, size: f64, attributes: &str) {
        let width = TEXT_WIDTH - (x - LEFT);
        let font = if size == SIZE { String::new() } else { format!(" font-size=\"{size}\"") };
        for line in text.lines() {
            for line in wrap(&[Piece { style, text: line.to_owned() }], width, size) {
                self.y += size * 1.5;
                let shown: String = line.into_iter().map(|piece| piece.text).collect();
                let shown = escaped(shown.trim_end());
                writeln!(self.body, "<text x=\"{x}\" y=\"{:.1}\"{font}{attributes}>{shown}</text>", self.y)
                    .unwrap();
            }
        }
    }
}
