//! A mail that was taken.

use super::header::decoded;
use std::fmt::Write as _;

/// A mail as its readers get it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mail {
    /// The sender with its display name, as it was sent.
    pub from: String,
    /// All recipients, also those of `Cc` and `Bcc`.
    pub to: Vec<String>,
    /// The recipients that are not on the account's suppression list.
    pub delivered_to: Vec<String>,
    /// The recipients that SES takes and never sends to, since they are on the account's suppression list.
    pub suppressed: Vec<String>,
    /// Where answers go.
    pub reply_to: Vec<String>,
    /// The subject as it was sent.
    pub subject: String,
    /// The HTML part; empty if there is none.
    pub html: String,
    /// The text part; empty if there is none.
    pub text: String,
    /// Further headers, in their order.
    pub headers: Vec<(String, String)>,
    /// The configuration set.
    pub configuration_set: Option<String>,
    /// The id that SES has given the mail.
    pub message_id: String,
}

impl Mail {
    /// The value of a header, if it was sent.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The subject as a reader sees it.
    pub fn shown_subject(&self) -> String {
        decoded(&self.subject).unwrap_or_default()
    }

    /// The sender as a reader sees it.
    pub fn shown_from(&self) -> String {
        decoded(&self.from).unwrap_or_default()
    }

    /// The mail as text, for people.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "From: {}", self.shown_from());
        let _ = writeln!(text, "To: {}", self.to.join(", "));
        if !self.reply_to.is_empty() {
            let _ = writeln!(text, "Reply-To: {}", self.reply_to.join(", "));
        }
        let _ = writeln!(text, "Subject: {}\n", self.shown_subject());
        text.push_str(&self.text);
        text
    }
}
