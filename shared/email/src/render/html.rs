//! A mail as HTML: readable in light and dark mode and by screen readers. Nothing is loaded, nothing runs, and no one is tracked.
//!
//! No colour of text or background is set: the mail program chooses both for its reader's mode. Only the line at the side has a colour,
//! which can be seen on white and on black, and the title says in words what it means.

use super::parts::{ListItem, Part, Parts};
use crate::headers::cut;
use alerting::notification::Severity;

/// The largest page, in bytes: Gmail hides what is beyond 102 KB.
const PAGE_LIMIT: usize = 90_000;
/// Room for everything that is not in a list.
const LISTS_LIMIT: usize = 60_000;
/// The longest text that is shown whole. Names in Tableau have 255 characters and more, notes of jobs several pages.
const TEXT_LIMIT: usize = 4_000;

/// The longest title.
const TITLE_LIMIT: usize = 300;

const STYLE: &str = ":root{color-scheme:light dark;supported-color-schemes:light dark}\
body{margin:0;padding:0}\
h1{font-size:20px;line-height:1.3;margin:0 0 12px}\
h2{font-size:16px;line-height:1.3;margin:20px 0 4px}\
p,ul,pre,table{margin:0 0 8px}\
th{font-weight:600}";

/// The page.
pub(super) fn page(parts: &Parts) -> String {
    let mut room = LISTS_LIMIT;
    let mut body = String::new();
    for part in &parts.parts {
        let html = html(part, &mut room);
        // The parts outside lists are short, unless a text of a rule or of Tableau is not: the text part has all of it.
        if body.len() + html.len() > PAGE_LIMIT {
            body.push_str("<p>This mail is longer. Its text part has the rest.</p>");
            break;
        }
        body.push_str(&html);
    }
    let title = escape(&cut(&parts.title, TITLE_LIMIT));
    let (symbol, colour) = (escape(parts.symbol), colour(parts.severity));
    format!(
        "<!doctype html>\n<html lang=\"en\" dir=\"ltr\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"supported-color-schemes\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\"><tr>\
         <td style=\"padding:16px\">\n\
         <table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" style=\"max-width:640px\"><tr>\
         <td style=\"border-left:4px solid {colour};padding:4px 0 4px 16px;font-family:-apple-system,'Segoe UI',Roboto,Helvetica,\
         Arial,sans-serif;font-size:15px;line-height:1.5;overflow-wrap:anywhere\">\n\
         <h1><span aria-hidden=\"true\">{symbol}</span> {title}</h1>\n{body}</td></tr></table>\n</td></tr></table>\n</body>\n</html>\n"
    )
}

/// A colour with a contrast of 3 to 1 at least, on white and on black.
fn colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "#d13438",
        Severity::Notice => "#b8730a",
        Severity::Resolved => "#1a8a3c",
        Severity::Info => "#4a7dc9",
    }
}

fn html(part: &Part, room: &mut usize) -> String {
    match part {
        Part::Paragraph(text) => format!("<p>{}</p>\n", lines(text)),
        Part::Heading(text) => format!("<h2>{}</h2>\n", escape(&short(text))),
        Part::Quote(text) => format!(
            "<p style=\"font-family:Consolas,Menlo,monospace;font-size:14px\"><code>{}</code></p>\n",
            lines(text)
        ),
        Part::Facts(facts) => {
            let row = |(label, value): &(String, String)| {
                format!(
                    "<tr><th scope=\"row\" align=\"left\" valign=\"top\" style=\"padding:2px 16px 2px 0\">{}</th>\
                     <td valign=\"top\" style=\"padding:2px 0\">{}</td></tr>\n",
                    escape(&short(label)),
                    escape(&short(value))
                )
            };
            let rows: String = facts.iter().map(row).collect();
            format!("<table cellpadding=\"0\" cellspacing=\"0\" border=\"0\">\n{rows}</table>\n")
        }
        Part::List(items, more) => list(items, *more, room),
        Part::Link(label, url) => {
            format!("<p><a href=\"{}\">{}</a></p>\n", escape(url), escape(&short(label)))
        }
        // Without the attribute, a configuration set that counts clicks sends each reader, with the credential, over its own server.
        Part::Credential(label, url) => format!(
            "<p><a href=\"{}\" ses:no-track style=\"display:inline-block;padding:10px 18px;border:2px solid currentColor;border-radius:4px;\
             font-weight:600\">{}</a></p>\n",
            escape(url),
            escape(&short(label))
        ),
        Part::Small(texts) => {
            let texts: String =
                texts.iter().map(|text| format!("<p>{}</p>\n", escape(&short(text)))).collect();
            format!("<div style=\"font-size:13px;margin-top:24px\">\n{texts}</div>\n")
        }
    }
}

/// A list. Items that do not fit are counted.
fn list(items: &[ListItem], more: usize, room: &mut usize) -> String {
    let mut shown = String::new();
    let mut count = 0;
    for item in items {
        let html = format!("<li>{}</li>\n", escape(&short(&item.text)));
        if html.len() > *room {
            // A shorter item further down might fit, but a reader would take the list for a whole one.
            *room = 0;
            break;
        }
        *room -= html.len();
        shown.push_str(&html);
        count += 1;
    }
    let rest = items.iter().skip(count).map(|item| item.count).sum::<usize>() + more;
    let rest = if rest > 0 { format!("<li>… and {rest} more</li>\n") } else { String::new() };
    format!("<ul style=\"padding-left:20px\">\n{shown}{rest}</ul>\n")
}

/// Lines of a text, cut visibly.
fn lines(text: &str) -> String {
    escape(&short(text)).replace('\n', "<br>\n")
}

fn short(text: &str) -> String {
    cut(text, TEXT_LIMIT)
}

/// A text with everything escaped that has a meaning in HTML.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
