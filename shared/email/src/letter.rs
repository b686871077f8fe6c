//! A mail that a workflow writes itself, in parts, in place of a notification.

use crate::headers::{line, references, subject};
use crate::mail::{Mail, automatic};
use crate::render::{self, Part, Parts};
use alerting::notification::Severity;
use rules::Address;

/// A mail in parts, which are rendered as HTML and as text like those of a notification. All texts may be untrusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The recipient.
    pub to: Address,
    /// The title, which is the subject too.
    pub title: String,
    /// A sign before the title: decoration.
    pub symbol: &'static str,
    /// The colour at its edge.
    pub severity: Severity,
    /// The id of the thread that it belongs to, if it belongs to one: letters, digits and hyphens.
    pub thread: Option<String>,
    /// What follows the title.
    pub parts: Vec<Paragraph>,
}

/// One part of a letter.
#[derive(Clone, PartialEq, Eq)]
pub enum Paragraph {
    /// A paragraph; may have several lines.
    Text(String),
    /// A heading.
    Heading(String),
    /// Labels and values.
    Facts(Vec<(String, String)>),
    /// A link that is a credential: label and address. Amazon SES leaves it as it is also where it counts clicks.
    ///
    /// Source: <https://docs.aws.amazon.com/ses/latest/dg/faqs-metrics.html>
    Credential(String, String),
    /// A link: label and address.
    Link(String, String),
    /// Small print, a paragraph each.
    Small(Vec<String>),
}

impl std::fmt::Debug for Paragraph {
    /// Shows no address of a link, which may be a credential.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.debug_tuple("Text").field(text).finish(),
            Self::Heading(text) => f.debug_tuple("Heading").field(text).finish(),
            Self::Facts(facts) => f.debug_tuple("Facts").field(facts).finish(),
            Self::Credential(label, _) => f.debug_tuple("Credential").field(label).finish_non_exhaustive(),
            Self::Link(label, _) => f.debug_tuple("Link").field(label).finish_non_exhaustive(),
            Self::Small(texts) => f.debug_tuple("Small").field(texts).finish(),
        }
    }
}

impl Letter {
    /// The mail, from this sender. Answers go to the sender: an answer often quotes the mail with its links.
    pub fn mail(self, from: &Address) -> Mail {
        let parts = Parts {
            severity: self.severity,
            symbol: self.symbol,
            title: line(&self.title),
            parts: self.parts.into_iter().map(part).collect(),
        };
        let rendered = render::rendered(&parts);
        let mut headers = automatic();
        if let Some(id) = self.thread.as_deref().and_then(|thread| references(thread, from)) {
            headers.push(("References", id.clone()));
            headers.push(("In-Reply-To", id));
        }
        Mail {
            to: vec![self.to],
            reply_to: None,
            subject: subject(&rendered.subject),
            html: rendered.html,
            text: rendered.text,
            headers,
        }
    }
}

fn part(paragraph: Paragraph) -> Part {
    match paragraph {
        Paragraph::Text(text) => Part::Paragraph(text),
        Paragraph::Heading(text) => Part::Heading(line(&text)),
        Paragraph::Facts(facts) => {
            Part::Facts(facts.into_iter().map(|(label, value)| (label, line(&value))).collect())
        }
        Paragraph::Credential(label, url) => Part::Credential(line(&label), url),
        Paragraph::Link(label, url) => Part::Link(line(&label), url),
        Paragraph::Small(texts) => Part::Small(texts.iter().map(|text| line(text)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(title: &str, parts: Vec<Paragraph>) -> Mail {
        let to = Address::parse("steward@example.com").unwrap();
        let letter = Letter {
            to,
            title: title.to_owned(),
            symbol: "●",
            severity: Severity::Notice,
            thread: Some("ab-1".to_owned()),
            parts,
        };
        letter.mail(&Address::parse("alerts@example.com").unwrap())
    }

    // M08, M09
    #[test]
    fn a_link_that_is_a_credential_is_sent_as_it_is_and_not_counted() {
        let url = "https://abcdefghij.execute-api.ap-southeast-2.amazonaws.com/c/AbC-_9".to_owned();
        let mail = letter("Certify?", vec![Paragraph::Credential("Certify <b>".to_owned(), url.clone())]);
        assert!(mail.html.contains(&format!("<a href=\"{url}\" ses:no-track ")), "{}", mail.html);
        assert!(mail.html.contains(">Certify &lt;b&gt;</a>"), "{}", mail.html);
        assert!(mail.text.contains(&format!("Certify <b>: {url}")), "{}", mail.text);
        let shown = format!("{:?}", Paragraph::Credential("Certify".to_owned(), url));
        assert!(!shown.contains("AbC"), "{shown}");
    }

    #[test]
    fn a_name_makes_no_header_and_no_element() {
        let name = "Sales\r\nBcc: x@example.org\u{0}<img src=x onerror=alert(1)>";
        let facts = Paragraph::Facts(vec![("Name".to_owned(), name.to_owned())]);
        let mail = letter(name, vec![facts, Paragraph::Text(name.to_owned())]);
        assert_eq!(mail.subject, "Sales Bcc: x@example.org <img src=x onerror=alert(1)>");
        assert!(!mail.html.contains("<img"), "{}", mail.html);
        let header = |name: &str| {
            mail.headers.iter().find(|(found, _)| *found == name).map(|(_, value)| value.as_str())
        };
        assert_eq!(header("Auto-Submitted"), Some("auto-generated"));
        assert_eq!(header("References"), Some("<tableau-ab-1@example.com>"));
    }
}
