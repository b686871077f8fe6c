//! What an answer of Amazon SES means. It has few codes and says most in its text, of which only known parts are repeated.
//!
//! Sources: <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>,
//! <https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html>

use crate::error::Refusal;
use rules::Address;

/// What was sent, to compare an answer with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent<'a> {
    pub(crate) from: &'a Address,
    pub(crate) to: &'a [Address],
    pub(crate) configuration_set: Option<&'a str>,
}

/// Why Amazon SES refused. Codes are compared as texts: it has two names for some.
pub(crate) fn refusal(status: u16, code: &str, message: &str, sent: Sent<'_>) -> Refusal {
    let says = |part: &str| message.to_ascii_lowercase().contains(part);
    match code {
        "TooManyRequestsException" | "ThrottlingException" | "Throttling" if says("daily") => {
            Refusal::DailyQuota
        }
        "TooManyRequestsException" | "ThrottlingException" | "Throttling" => Refusal::Rate,
        "SendingPausedException"
        | "ConfigurationSetSendingPausedException"
        | "AccountSendingPausedException" => Refusal::Paused,
        "AccountSuspendedException" => Refusal::Suspended,
        "MailFromDomainNotVerifiedException" => Refusal::Sender { from: sent.from.clone() },
        "AccessDeniedException" | "AccessDenied" => Refusal::Permission { resource: resource(message) },
        "NotFoundException" | "ConfigurationSetDoesNotExist" | "ConfigurationSetDoesNotExistException"
            if says("configuration") =>
        {
            Refusal::ConfigurationSet { name: sent.configuration_set.map(str::to_owned) }
        }
        "MessageRejected" | "BadRequestException" if says("not verified") => not_verified(message, sent),
        "BadRequestException" | "MessageRejected" | "InvalidParameterValue"
            if says("address") || says("domain") =>
        {
            Refusal::Address { recipients: named(message, sent.to) }
        }
        _ if status >= 500 || status == 408 => Refusal::Unavailable,
        _ if status == 429 => Refusal::Rate,
        "" => Refusal::Foreign,
        _ => Refusal::Content,
    }
}

/// Who is not verified: the sender, or in the sandbox recipients. Other texts than ours decide this wrongly: it is compared with what was
/// sent.
fn not_verified(message: &str, sent: Sent<'_>) -> Refusal {
    if names(message, sent.from) {
        return Refusal::Sender { from: sent.from.clone() };
    }
    match named(message, sent.to) {
        recipients if recipients.is_empty() => Refusal::NotVerified,
        recipients => Refusal::Sandbox { recipients },
    }
}

/// Those of `addresses` that the text names.
fn named(message: &str, addresses: &[Address]) -> Vec<Address> {
    addresses.iter().filter(|address| names(message, address)).cloned().collect()
}

fn names(message: &str, address: &Address) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-@".contains(c);
    let mut words = message.split(|c: char| !is_part(c));
    words.any(|word| word.trim_end_matches('.').eq_ignore_ascii_case(address.as_str()))
}

/// The last part of the ARN in a refusal of IAM.
fn resource(message: &str) -> Option<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || ":/@._+-".contains(c);
    let mut words = message.split(|c: char| !is_part(c));
    let arn = words.find(|word| word.starts_with("arn:") && word.contains(":ses:"))?;
    let resource = arn.rsplit(':').next()?.trim_end_matches('.');
    let is_known = ["identity/", "configuration-set/"].iter().any(|kind| resource.starts_with(kind));
    (is_known && resource.len() <= 300).then(|| resource.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    fn of(status: u16, code: &str, message: &str, set: Option<&str>) -> Refusal {
        let to = [address("Steward@example.com"), address("ana@example.org")];
        let from = address("alerts@example.com");
        refusal(status, code, message, Sent { from: &from, to: &to, configuration_set: set })
    }

    // D138
    #[test]
    fn who_is_not_verified_is_told_by_comparing_with_what_was_sent() {
        let text = |who: &str| {
            format!(
                "Email address is not verified. The following identities failed the check in region EU-CENTRAL-1: {who}"
            )
        };
        let of = |who: &str| of(400, "MessageRejected", &text(who), None);
        assert_eq!(of("alerts@example.com"), Refusal::Sender { from: address("alerts@example.com") });
        assert_eq!(of("BI <ALERTS@example.com>"), Refusal::Sender { from: address("alerts@example.com") });
        let recipients = vec![address("ana@example.org")];
        assert_eq!(of("ana@example.org"), Refusal::Sandbox { recipients });
        let recipients = vec![address("Steward@example.com"), address("ana@example.org")];
        assert_eq!(of("ana@example.org, steward@example.com"), Refusal::Sandbox { recipients });
        // Both fail: without a sender nothing can be sent, so this is said first.
        assert_eq!(
            of("ana@example.org, alerts@example.com"),
            Refusal::Sender { from: address("alerts@example.com") }
        );
        assert_eq!(of("bo@example.net"), Refusal::NotVerified);
        assert_eq!(of("notana@example.org"), Refusal::NotVerified);
    }

    // D033
    #[test]
    fn a_missing_configuration_set_is_named() {
        let text = "Configuration set <alerts> does not exist.";
        let named = Refusal::ConfigurationSet { name: Some("alerts".to_owned()) };
        for code in ["NotFoundException", "ConfigurationSetDoesNotExist"] {
            assert_eq!(of(404, code, text, Some("alerts")), named);
            assert_eq!(of(404, code, text, None), Refusal::ConfigurationSet { name: None });
        }
    }

    // D069
    #[test]
    fn a_missing_permission_is_shown_as_identity_or_configuration_set() {
        let text = |resource: &str| {
            format!(
                "User 'arn:aws:sts::123456789012:assumed-role/tw/tw' is not authorized to perform 'ses:SendEmail' on resource \
                 'arn:aws:ses:eu-central-1:123456789012:{resource}'"
            )
        };
        for resource in ["configuration-set/alerts", "identity/example.com", "identity/ana@example.org"] {
            let refused = of(403, "AccessDeniedException", &text(resource), None);
            assert_eq!(refused, Refusal::Permission { resource: Some(resource.to_owned()) });
        }
        assert_eq!(of(403, "AccessDeniedException", "no", None), Refusal::Permission { resource: None });
    }

    #[test]
    fn throttles_quotas_and_the_state_of_the_account_are_told_apart() {
        for (status, code, text, expected) in [
            (429, "TooManyRequestsException", "Maximum sending rate exceeded.", Refusal::Rate),
            (400, "ThrottlingException", "Maximum sending rate exceeded.", Refusal::Rate),
            (400, "ThrottlingException", "Daily message quota exceeded.", Refusal::DailyQuota),
            (429, "TooManyRequestsException", "Daily message quota exceeded.", Refusal::DailyQuota),
            (429, "", "", Refusal::Rate),
            (400, "SendingPausedException", "paused", Refusal::Paused),
            (400, "AccountSuspendedException", "suspended", Refusal::Suspended),
            (500, "InternalFailure", "", Refusal::Unavailable),
            (503, "", "", Refusal::Unavailable),
            (403, "", "", Refusal::Foreign),
            (302, "", "", Refusal::Foreign),
            (400, "MessageRejected", "Illegal content", Refusal::Content),
            (400, "LimitExceededException", "", Refusal::Content),
            (400, "BadRequestException", "Subject is too long", Refusal::Content),
        ] {
            assert_eq!(of(status, code, text, None), expected, "{code} {text}");
        }
    }

    // D020
    #[test]
    fn an_address_that_cannot_be_used_is_found_among_those_that_were_sent() {
        let text = "Illegal address: ana@example.org";
        let recipients = vec![address("ana@example.org")];
        assert_eq!(of(400, "BadRequestException", text, None), Refusal::Address { recipients });
        let unclear = of(400, "BadRequestException", "Local address contains control or whitespace", None);
        assert_eq!(unclear, Refusal::Address { recipients: Vec::new() });
    }
}
