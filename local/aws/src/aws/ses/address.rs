//! Addresses as SES takes them.

use super::super::Refusal;
use super::header;
use super::refused::bad;

/// The longest address. Source: <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>
const LIMIT: usize = 320;

/// The address of a mailbox: `name <address>`, or the address alone.
pub(super) fn of_mailbox(text: &str) -> Result<String, Refusal> {
    header::check_seven_bits("address", text)?;
    let address = match text.strip_suffix('>') {
        Some(rest) => {
            let (name, address) = rest.rsplit_once('<').ok_or_else(|| bad("Missing '<' in an address"))?;
            header::check_words(name.trim())?;
            let is_quoted = name.trim().starts_with('"') && name.trim().ends_with('"');
            if !is_quoted && name.contains([',', ';', '(', ')', '@']) {
                return Err(bad("Illegal character in a display name"));
            }
            address
        }
        None => text,
    };
    check(address)?;
    Ok(address.to_owned())
}

fn check(address: &str) -> Result<(), Refusal> {
    let (local, domain) = address.rsplit_once('@').ok_or_else(|| bad("Missing final '@domain'"))?;
    if address.len() > LIMIT {
        return Err(bad("Address is too long"));
    }
    if local.is_empty() || local.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(bad(format!("Local address contains control or whitespace: {address}")));
    }
    if local.contains(['<', '>', '(', ')', '[', ']', ',', ';', ':', '"', '\\', '@']) {
        return Err(bad(format!("Illegal address: {address}")));
    }
    let is_label = |label: &str| {
        !label.is_empty()
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if !domain.contains('.') || !domain.split('.').all(is_label) {
        return Err(bad(format!("Domain contains illegal character: {address}")));
    }
    Ok(())
}
