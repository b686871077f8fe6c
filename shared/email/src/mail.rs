//! One mail, ready to be sent.

use crate::headers::{references, subject};
use crate::render::render;
use crate::target::MailTarget;
use alerting::notification::{Kind, Notification};
use rules::Address;
use std::fmt;

/// How readers of digests unsubscribe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unsubscribe {
    /// A page, if there is one: https.
    pub url: Option<String>,
}

/// One mail, as Amazon SES gets it. Every header value is one line of printable ASCII. `Debug` does not show what it says: there may be links
/// in it that are credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// The recipients.
    pub to: Vec<Address>,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<Address>,
    /// The subject; other characters than ASCII are in encoded words.
    pub subject: String,
    /// The HTML part.
    pub html: String,
    /// The text part, which says everything that the HTML part says.
    pub text: String,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("recipients", &self.to.len())
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

impl Mail {
    /// The mail about a notification, from this sender.
    pub fn about(
        shown: &Notification,
        target: &MailTarget,
        from: &Address,
        unsubscribe: &Unsubscribe,
    ) -> Self {
        let rendered = render(shown, target);
        let mut headers = automatic();
        if let Some(id) = shown.thread.as_deref().and_then(|thread| references(thread, from)) {
            headers.push(("References", id.clone()));
            headers.push(("In-Reply-To", id));
        }
        if shown.kind == Kind::Digest {
            let to = target.reply_to.as_ref().unwrap_or(from);
            headers.push(("List-Unsubscribe", unsubscribe.header(to)));
        }
        Self {
            to: target.to.clone(),
            reply_to: target.reply_to.clone(),
            subject: subject(&rendered.subject),
            html: rendered.html,
            text: rendered.text,
            headers,
        }
    }
}

/// The headers because of which answering machines stay silent: RFC 3834, and Exchange's own header.
pub(crate) fn automatic() -> Vec<(&'static str, String)> {
    vec![("Auto-Submitted", "auto-generated".to_owned()), ("X-Auto-Response-Suppress", "All".to_owned())]
}

impl Unsubscribe {
    /// The header's value: a mail to `to`, and the page.
    ///
    /// Source: <https://www.rfc-editor.org/rfc/rfc2369#section-3.2>
    fn header(&self, to: &Address) -> String {
        // These may stand in an address, and have a meaning of their own in a URL.
        let escaped = |c: char| match c {
            '%' => "%25".to_owned(),
            '&' => "%26".to_owned(),
            '?' => "%3F".to_owned(),
            '#' => "%23".to_owned(),
            other => other.to_string(),
        };
        let address: String = to.as_str().chars().map(escaped).collect();
        let mail = format!("<mailto:{address}?subject=unsubscribe>");
        match &self.url {
            Some(url) => format!("<{url}>, {mail}"),
            None => mail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_can_be_unsubscribed_by_mail_and_on_a_page_if_there_is_one() {
        let to = Address::parse("bi&co@example.com").unwrap();
        let by_mail = "<mailto:bi%26co@example.com?subject=unsubscribe>";
        assert_eq!(Unsubscribe::default().header(&to), by_mail);
        let page = Unsubscribe { url: Some("https://example.com/mails".to_owned()) };
        assert_eq!(page.header(&to), format!("<https://example.com/mails>, {by_mail}"));
    }
}
