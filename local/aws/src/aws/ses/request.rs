//! Reads a request of `SendEmail`.

use super::super::{Input, Refusal};
use super::mail::Mail;
use super::refused::bad;
use super::{address, header};
use serde_json::Value;

/// `To`, `Cc` and `Bcc` together.
const MOST_RECIPIENTS: usize = 50;
const MOST_HEADERS: usize = 15;
/// The largest mail, in bytes; SES counts after its own encoding.
const LIMIT_BYTES: usize = 10 * 1024 * 1024;

/// A request that can be carried out.
pub(super) struct Send {
    /// The sender's address alone.
    pub(super) from: String,
    pub(super) configuration_set: Option<String>,
    pub(super) mail: Mail,
}

impl Send {
    pub(super) fn read(body: &Value) -> Result<Self, Refusal> {
        let known =
            ["FromEmailAddress", "Destination", "ReplyToAddresses", "Content", "ConfigurationSetName"];
        let input = of("SendEmail", body, &known)?;
        let sender = text(&input, "FromEmailAddress")?.ok_or_else(|| bad("FromEmailAddress is missing"))?;
        let from = address::of_mailbox(sender)?;
        let to = recipients(&input)?;
        let reply_to = list(&input, "ReplyToAddresses")?;
        for address in &reply_to {
            address::of_mailbox(address)?;
        }
        let configuration_set = text(&input, "ConfigurationSetName")?.map(str::to_owned);
        let mail = Mail {
            from: sender.to_owned(),
            to,
            reply_to,
            configuration_set: configuration_set.clone(),
            ..content(&input)?
        };
        Ok(Self { from, configuration_set, mail })
    }
}

fn recipients(input: &Input<'_>) -> Result<Vec<String>, Refusal> {
    let destination = input.get("Destination").ok_or_else(|| bad("Destination is missing"))?;
    let kinds = ["ToAddresses", "CcAddresses", "BccAddresses"];
    let destination = of("Destination", destination, &kinds)?;
    let mut all = Vec::new();
    for kind in kinds {
        for address in list(&destination, kind)? {
            all.push(address::of_mailbox(&address)?);
        }
    }
    match all.len() {
        0 => Err(bad("There has to be at least one recipient")),
        count if count > MOST_RECIPIENTS => Err(bad(format!("Recipient count exceeds {MOST_RECIPIENTS}."))),
        _ => Ok(all),
    }
}

/// Content in parts. Raw and templated content is not implemented.
fn content(input: &Input<'_>) -> Result<Mail, Refusal> {
    let content = input.get("Content").ok_or_else(|| bad("Content is missing"))?;
    let content = of("Content", content, &["Simple"])?;
    let simple = content.get("Simple").ok_or_else(|| bad("Content.Simple is missing"))?;
    let simple = of("Simple", simple, &["Subject", "Body", "Headers"])?;
    let subject = data(&simple, "Subject")?.ok_or_else(|| bad("Subject is missing"))?;
    header::check_subject(&subject)?;
    let body = simple.get("Body").ok_or_else(|| bad("Body is missing"))?;
    let body = of("Body", body, &["Html", "Text"])?;
    let html = data(&body, "Html")?.unwrap_or_default();
    let text = data(&body, "Text")?.unwrap_or_default();
    if html.is_empty() && text.is_empty() {
        return Err(bad("The mail has no text"));
    }
    if html.len() + text.len() > LIMIT_BYTES {
        return Err(bad("Message length is more than the limit"));
    }
    Ok(Mail { subject, html, text, headers: headers(&simple)?, ..Mail::default() })
}

fn headers(simple: &Input<'_>) -> Result<Vec<(String, String)>, Refusal> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for one in simple.list("Headers").map_err(of_request)? {
        let one = of("Headers", one, &["Name", "Value"])?;
        let name = text(&one, "Name")?.unwrap_or_default();
        let value = text(&one, "Value")?.unwrap_or_default();
        header::check(name, value)?;
        if headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
            return Err(bad(format!("The message header {name} stands twice.")));
        }
        headers.push((name.to_owned(), value.to_owned()));
    }
    if headers.len() > MOST_HEADERS {
        return Err(bad(format!("There are more than {MOST_HEADERS} message headers.")));
    }
    Ok(headers)
}

/// A text with its character set.
fn data(input: &Input<'_>, member: &str) -> Result<Option<String>, Refusal> {
    let Some(value) = input.get(member) else { return Ok(None) };
    let content = of("Content", value, &["Data", "Charset"])?;
    if text(&content, "Charset")?.is_some_and(|charset| charset != "UTF-8") {
        return Err(Refusal::missing_here(format_args!("{member}'s Charset")));
    }
    text(&content, "Data")?
        .map(str::to_owned)
        .map(Some)
        .ok_or_else(|| bad(format!("{member}.Data is missing")))
}

fn of<'a>(operation: &'static str, body: &'a Value, known: &[&str]) -> Result<Input<'a>, Refusal> {
    Input::new(operation, body, known).map_err(of_request)
}

fn text<'a>(input: &Input<'a>, member: &str) -> Result<Option<&'a str>, Refusal> {
    input.text(member).map_err(of_request)
}

fn list(input: &Input<'_>, member: &str) -> Result<Vec<String>, Refusal> {
    let listed = input.list(member).map_err(of_request)?;
    let texts = listed.iter().map(|value| value.as_str().map(str::to_owned));
    texts.collect::<Option<Vec<String>>>().ok_or_else(|| bad(format!("{member} is no list of texts")))
}

/// SES has one error for requests that are wrong.
fn of_request(refusal: Refusal) -> Refusal {
    refusal.of_kind("BadRequestException")
}
