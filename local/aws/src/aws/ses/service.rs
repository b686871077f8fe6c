//! The account, its identities, and the mails that were taken.

use super::super::Refusal;
use super::super::names::{REGION, arn};
use super::mail::Mail;
use super::refused::refused;
use super::request::Send;
use http::StatusCode;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// The state of the account at Amazon SES. The default is that of an account in production that has verified nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SesAccount {
    /// In the sandbox, mail goes to verified identities only.
    pub is_in_sandbox: bool,
    /// Whether sending is paused.
    pub is_paused: bool,
    /// Whether the account may not send any more.
    pub is_suspended: bool,
    /// The rate of recipients a second, if there is one.
    pub recipients_a_second: Option<u32>,
    /// How many recipients a day, if there is a quota.
    pub daily_quota: Option<usize>,
    /// What the caller has no permission for, such as `configuration-set/alerts`.
    pub denied: Option<String>,
}

/// Amazon SES.
#[derive(Debug, Default)]
pub(in crate::aws) struct Ses {
    account: SesAccount,
    identities: BTreeSet<String>,
    configuration_sets: BTreeSet<String>,
    suppressed: BTreeSet<String>,
    mails: Vec<Mail>,
    /// How many recipients have been sent to.
    recipients: usize,
    /// Until when the rate is used up.
    used_until: Option<Instant>,
}

impl Ses {
    pub(in crate::aws) fn set_account(&mut self, account: SesAccount) {
        self.account = account;
    }

    pub(in crate::aws) fn verify(&mut self, identity: &str) {
        self.identities.insert(identity.to_ascii_lowercase());
    }

    pub(in crate::aws) fn create_configuration_set(&mut self, name: &str) {
        self.configuration_sets.insert(name.to_owned());
    }

    pub(in crate::aws) fn suppress(&mut self, address: &str) {
        self.suppressed.insert(address.to_ascii_lowercase());
    }

    pub(in crate::aws) fn suppressed(&self, address: &str) -> Result<Value, Refusal> {
        let address = address.to_ascii_lowercase();
        if !self.suppressed.contains(&address) {
            let message = format!("Email address {address} does not exist on your suppression list.");
            return Err(refused(StatusCode::NOT_FOUND, "NotFoundException", message));
        }
        let destination =
            json!({ "EmailAddress": address, "Reason": "BOUNCE", "LastUpdateTime": 1_764_000_000 });
        Ok(json!({ "SuppressedDestination": destination }))
    }

    pub(in crate::aws) fn mails_since(&self, count: usize) -> Vec<Mail> {
        self.mails.get(count..).unwrap_or_default().to_vec()
    }

    /// Whether an address or one of its domains is verified.
    fn is_verified(&self, address: &str) -> bool {
        let address = address.to_ascii_lowercase();
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        let domains = domain.match_indices('.').map(|(at, _)| &domain[at + 1..]);
        self.identities.contains(&address)
            || std::iter::once(domain).chain(domains).any(|domain| self.identities.contains(domain))
    }

    fn check_account(&self) -> Result<(), Refusal> {
        let account = &self.account;
        if let Some(resource) = &account.denied {
            let message = format!(
                "User 'arn:aws:sts::000000000000:assumed-role/local/local' is not authorized to perform 'ses:SendEmail' on resource '{}'",
                arn("ses", resource)
            );
            return Err(refused(StatusCode::FORBIDDEN, "AccessDeniedException", message));
        }
        if account.is_suspended {
            let message = "The account's ability to send email has been permanently restricted.";
            return Err(refused(StatusCode::BAD_REQUEST, "AccountSuspendedException", message));
        }
        if account.is_paused {
            let message = "Sending is paused for this account.";
            return Err(refused(StatusCode::BAD_REQUEST, "SendingPausedException", message));
        }
        Ok(())
    }

    /// Who must be verified: the sender and, in the sandbox, every recipient.
    fn check_identities(&self, send: &Send) -> Result<(), Refusal> {
        let to = send.mail.to.iter().filter(|_| self.account.is_in_sandbox);
        let unverified: Vec<&str> = std::iter::once(&send.from)
            .chain(to)
            .map(String::as_str)
            .filter(|address| !self.is_verified(address))
            .collect();
        if unverified.is_empty() {
            return Ok(());
        }
        let message = format!(
            "Email address is not verified. The following identities failed the check in region {}: {}",
            REGION.to_ascii_uppercase(),
            unverified.join(", ")
        );
        Err(refused(StatusCode::BAD_REQUEST, "MessageRejected", message))
    }

    /// Counts the recipients, and not the mails.
    fn check_quotas(&mut self, recipients: usize) -> Result<(), Refusal> {
        let too_many = |what: &str| refused(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", what);
        if self.account.daily_quota.is_some_and(|quota| self.recipients + recipients > quota) {
            return Err(too_many("Daily message quota exceeded."));
        }
        let now = Instant::now();
        if let Some(rate) = self.account.recipients_a_second {
            if self.used_until.is_some_and(|until| until > now) {
                return Err(too_many("Maximum sending rate exceeded."));
            }
            let used = f64::from(u32::try_from(recipients).unwrap_or(u32::MAX)) / f64::from(rate.max(1));
            self.used_until = Some(now + Duration::from_secs_f64(used));
        }
        self.recipients += recipients;
        Ok(())
    }

    pub(in crate::aws) fn send(&mut self, body: &Value) -> Result<Value, Refusal> {
        let Send { from, configuration_set, mut mail } = Send::read(body)?;
        self.check_account()?;
        if let Some(set) = configuration_set.as_ref().filter(|set| !self.configuration_sets.contains(*set)) {
            let message = format!("Configuration set <{set}> does not exist.");
            return Err(refused(StatusCode::NOT_FOUND, "NotFoundException", message));
        }
        let send = Send { from, configuration_set, mail: mail.clone() };
        self.check_identities(&send)?;
        self.check_quotas(mail.to.len())?;
        let id = format!("{}-000000", uuid::Uuid::new_v4());
        let (suppressed, delivered) =
            mail.to.iter().cloned().partition(|to| self.suppressed.contains(&to.to_ascii_lowercase()));
        (mail.delivered_to, mail.suppressed) = (delivered, suppressed);
        // SES gives every mail an id of its own. What it answers lacks the domain.
        mail.message_id = format!("<{id}@email.amazonses.com>");
        self.mails.push(mail);
        Ok(json!({ "MessageId": id }))
    }
}
