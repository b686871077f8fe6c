//! A test: a mail without links to the stewards whose addresses rules name.

use crate::post::{Post, of_secret};
use alerting::notification::Severity;
use email::{Letter, Paragraph};
use rules::settings::{Recipient, RequestCertification};
use rules::{Address, Rules};
use workflow::{Failure, Invocation, TestRequest, Tested};

/// Sends a test to each address, or to the one that is asked for.
///
/// # Errors
/// If the key of the links cannot be read, or no rule names an address.
pub(crate) async fn run(
    post: &Post,
    rules: &Rules,
    test: &TestRequest,
    invocation: &Invocation,
) -> Result<Vec<Tested>, Failure> {
    // Without it no mail could be sent.
    post.keys.current().await.map_err(of_secret)?;
    let stewards = stewards(&rules.settings().map_err(Failure::misconfigured)?);
    let asked: Vec<&Address> =
        stewards.iter().filter(|one| test.target.as_deref().is_none_or(|to| is_it(one, to))).collect();
    if asked.is_empty() {
        return Err(Failure::permanent(match &test.target {
            Some(_) => "no rule names this address as `steward` or `steward_if_unknown`",
            None => {
                "no rule names an address as `steward` or `steward_if_unknown`: whose an object is, only an event says"
            }
        }));
    }
    let mut tested = Vec::new();
    for steward in asked {
        let (outcome, answer) = match post.mails.post(letter(steward), invocation).await {
            Ok(()) => (
                "accepted",
                "accepted by Amazon SES, which does not say whether the mail arrives: look in the mailbox"
                    .to_owned(),
            ),
            Err(undelivered) => (undelivered.failure.kind(), undelivered.failure.reason()),
        };
        tested.push(Tested { target: steward.to_string(), outcome, answer });
    }
    Ok(tested)
}

fn is_it(steward: &Address, wanted: &str) -> bool {
    steward.as_str().eq_ignore_ascii_case(wanted)
}

/// The addresses that rules name, each once.
fn stewards(settings: &[RequestCertification]) -> Vec<Address> {
    let mut found: Vec<Address> = Vec::new();
    let named = settings.iter().flat_map(|one| [Some(&one.steward), one.steward_if_unknown.as_ref()]);
    for address in named.flatten().filter_map(Recipient::address) {
        if !found.iter().any(|other| other.is_same_as(address)) {
            found.push(address.clone());
        }
    }
    found
}

fn letter(steward: &Address) -> Letter {
    Letter {
        to: steward.clone(),
        title: "Test of tableau-webhooks: mails about certification arrive".to_owned(),
        symbol: "●",
        severity: Severity::Info,
        thread: None,
        parts: vec![Paragraph::Text(
            "This is a test. When a data source is published, a mail like this asks you whether it is certified, with two links to decide."
                .to_owned(),
        )],
    }
}
