//! Amazon SES, API version 2: `SendEmail` with content in parts ("simple"), and `GetSuppressedDestination`.
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

/// The operation's name in call counts and faults.
pub(super) const GET_SUPPRESSED: &str = "SES.GetSuppressedDestination";

/// The address of a call of `GetSuppressedDestination`, as it is in the path.
pub(super) fn suppressed<'a>(method: &Method, path: &'a str) -> Option<&'a str> {
    path.strip_prefix("/v2/email/suppression/addresses/").filter(|_| method == Method::GET)
}

impl State {
    /// Carries out `GetSuppressedDestination`.
    pub(super) fn suppressed_destination(&self, address: &str) -> Result<Value, Refusal> {
        let address = percent_encoding::percent_decode_str(address).decode_utf8_lossy();
        self.ses.suppressed(&address)
    }

    /// Carries out `SendEmail`.
    pub(super) fn send_email(&mut self, body: &Value) -> Result<Value, Refusal> {
        self.ses.send(body)
    }
}
