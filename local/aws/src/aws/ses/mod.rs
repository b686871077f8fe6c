//! Amazon SES, API version 2: `SendEmail` with content in parts ("simple").
//!
//! Stricter than SES where its documentation is: a subject of 7 bits, encoded words that can be decoded alone.
//!
//! Sources: <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>,
//! <https://docs.aws.amazon.com/ses/latest/dg/quotas.html>

mod address;
mod header;
mod mail;
mod refused;
mod request;
mod service;

pub use mail::Mail;
pub(super) use service::Ses;
pub use service::SesAccount;

use super::{Refusal, State};
use http::Method;
use serde_json::Value;

/// The operation's name in call counts and faults.
pub(super) const SEND: &str = "SES.SendEmail";

/// Whether a request is a call of `SendEmail`.
pub(super) fn is_send(method: &Method, path: &str) -> bool {
    method == Method::POST && path == "/v2/email/outbound-emails"
}

impl State {
    /// Carries out `SendEmail`.
    pub(super) fn send_email(&mut self, body: &Value) -> Result<Value, Refusal> {
        self.ses.send(body)
    }
}
