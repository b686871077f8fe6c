//! Amazon SES: takes a mail in parts and makes the MIME message itself.

use crate::answer::{Sent, refusal};
use crate::error::Error;
use crate::headers::mailbox;
use crate::mail::Mail;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::config::timeout::TimeoutConfig;
use aws_sdk_sesv2::config::{Builder, StalledStreamProtectionConfig};
use aws_sdk_sesv2::error::{BuildError, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{
    Body, Content, Destination, EmailContent, Message, MessageHeader, SuppressedDestination,
    SuppressionListReason,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_types::SdkConfig;
use rules::Address;
use std::error::Error as StdError;
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;
use workflow::chain;

/// How long Amazon SES may take.
const TIMEOUT: Duration = Duration::from_secs(10);
const UTF_8: &str = "UTF-8";

/// Who sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The sender's address.
    pub from: Address,
    /// The name beside it; empty for none.
    pub name: String,
    /// The configuration set, if not the default one of the identity.
    pub configuration_set: Option<String>,
}

/// Amazon SES in the function's region.
pub struct Ses {
    aws: SdkConfig,
    client: OnceLock<Client>,
    sender: Sender,
}

impl fmt::Debug for Ses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ses").field("sender", &self.sender).finish_non_exhaustive()
    }
}

impl Ses {
    /// Sends for `sender`. The client is made at first use.
    pub fn new(aws: SdkConfig, sender: Sender) -> Self {
        Self { aws, client: OnceLock::new(), sender }
    }

    /// The sender's address.
    pub(crate) fn from(&self) -> &Address {
        &self.sender.from
    }

    /// Sends a mail, once: Amazon SES does not recognise a mail that comes twice, so nothing is repeated here. Returns its id, which
    /// says that it was taken, and not that it arrived.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) async fn send(&self, mail: &Mail) -> Result<String, Error> {
        let send = self
            .client()
            .send_email()
            .from_email_address(mailbox(&self.sender.name, &self.sender.from))
            .destination(destination(mail))
            .set_reply_to_addresses(mail.reply_to.as_ref().map(|to| vec![to.to_string()]))
            .set_configuration_set_name(self.sender.configuration_set.clone())
            .content(content(mail).map_err(|error| self.unreachable(&error))?);
        match send.send().await {
            Ok(sent) => Ok(sent.message_id.unwrap_or_default()),
            Err(error) => Err(self.error(&error, mail)),
        }
    }

    /// Why an address is on the account's suppression list, to which Amazon SES sends nothing; `None` if it is not there.
    ///
    /// # Errors
    /// Why the list could not be looked up.
    pub(crate) async fn suppressed(&self, address: &Address) -> Result<Option<&'static str>, String> {
        let found =
            self.client().get_suppressed_destination().email_address(address.to_string()).send().await;
        match found {
            Ok(found) => {
                let reason = found.suppressed_destination().map(SuppressedDestination::reason);
                Ok(Some(match reason {
                    Some(SuppressionListReason::Bounce) => "a bounce",
                    Some(SuppressionListReason::Complaint) => "a complaint",
                    _ => "a reason that SES does not say",
                }))
            }
            Err(SdkError::ServiceError(answer)) if answer.err().is_not_found_exception() => Ok(None),
            Err(error) => Err(aws_http::reason("ses:GetSuppressedDestination", &error)),
        }
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| {
            let timeouts = TimeoutConfig::builder()
                .operation_attempt_timeout(TIMEOUT)
                .operation_timeout(TIMEOUT)
                .build();
            let config = Builder::from(&self.aws)
                .retry_config(RetryConfig::disabled())
                .timeout_config(timeouts)
                .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
                .build();
            Client::from_conf(config)
        })
    }

    fn region(&self) -> String {
        self.aws.region().map_or_else(|| "this region".to_owned(), ToString::to_string)
    }

    fn unreachable(&self, error: &(dyn StdError + 'static)) -> Error {
        Error::Unreachable { region: self.region(), reason: chain(error) }
    }

    fn error(&self, error: &SdkError<SendEmailError, HttpResponse>, mail: &Mail) -> Error {
        let region = self.region();
        let Some(said) = aws_http::said(error) else {
            let reason = aws_http::reason("ses:SendEmail", error);
            return match error {
                SdkError::ConstructionFailure(_) => Error::Unreachable { region, reason },
                SdkError::DispatchFailure(failure)
                    if failure.is_user() || did_not_connect(failure.as_connector_error()) =>
                {
                    Error::Unreachable { region, reason }
                }
                _ => Error::Unclear { region, reason },
            };
        };
        let sent = Sent {
            from: &self.sender.from,
            to: &mail.to,
            configuration_set: self.sender.configuration_set.as_deref(),
        };
        let refusal = refusal(said.status, said.code, said.text, sent);
        let code = if said.code.is_empty() { "no code" } else { aws_http::code(said.code) };
        Error::Refused { status: said.status, code: code.to_owned(), region, refusal }
    }
}

/// Whether no connection came about, so that nothing was sent.
fn did_not_connect(error: Option<&ConnectorError>) -> bool {
    let mut cause = error.map(|error| error as &(dyn StdError + 'static));
    while let Some(error) = cause {
        if error.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_connect) {
            return true;
        }
        cause = error.source();
    }
    false
}

fn destination(mail: &Mail) -> Destination {
    let to = mail.to.iter().map(Address::to_string).collect();
    Destination::builder().set_to_addresses(Some(to)).build()
}

fn content(mail: &Mail) -> Result<EmailContent, BuildError> {
    let text = |data: &str| Content::builder().data(data).charset(UTF_8).build();
    let header = |(name, value): &(&'static str, String)| {
        MessageHeader::builder().name(*name).value(value.clone()).build()
    };
    let headers: Result<Vec<MessageHeader>, BuildError> = mail.headers.iter().map(header).collect();
    let body = Body::builder().html(text(&mail.html)?).text(text(&mail.text)?).build();
    let message =
        Message::builder().subject(text(&mail.subject)?).body(body).set_headers(Some(headers?)).build();
    Ok(EmailContent::builder().simple(message).build())
}
