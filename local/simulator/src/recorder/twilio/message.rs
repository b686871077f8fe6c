//! The records of requests: what was sent, and what was refused.

/// A text that the account has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TwilioMessage {
    /// Its id: `SM` and 32 hexadecimal digits.
    pub sid: String,
    /// The number of the recipient.
    pub to: String,
    /// The number or name of the sender; `None` if a messaging service chooses it.
    pub from: Option<String>,
    /// The messaging service.
    pub service: Option<String>,
    /// The text.
    pub body: String,
    /// Into how many segments a network cuts it.
    pub segments: usize,
    /// Whether the caller received the answer.
    pub answered: bool,
}

/// A request that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TwilioRefusal {
    /// HTTP status.
    pub status: u16,
    /// Twilio's code.
    pub code: u32,
}

/// A request as it came, for a check by others, with the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TwilioRequest {
    /// HTTP method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The header `Content-Type`.
    pub content_type: String,
    /// The body as it came.
    pub body: String,
    /// The status of the answer.
    pub status: u16,
    /// The body of the answer.
    pub answer: String,
}
