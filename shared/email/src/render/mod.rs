//! Renders a notification as a mail: first the parts that it has, then these as HTML and as text. Pure.

mod html;
mod parts;
mod text;

pub(crate) use parts::{Part, Parts};

use crate::headers::line;
use crate::target::MailTarget;
use alerting::notification::Notification;
use parts::parts;

/// The content of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The subject, on one line, not encoded.
    pub subject: String,
    /// A whole page of HTML, without pictures, scripts and anything that is loaded.
    pub html: String,
    /// The same as text, with everything that the HTML part may have left out.
    pub text: String,
}

/// Renders a notification for those who get it.
pub fn render(shown: &Notification, target: &MailTarget) -> Rendered {
    rendered(&parts(shown, target))
}

/// Renders parts.
pub(crate) fn rendered(parts: &Parts) -> Rendered {
    Rendered { subject: line(&parts.title), html: html::page(parts), text: text::text(parts) }
}
