//! Whom a Teams message can mention, and what is wrong with any other text.

use plain_text::{is_blank, is_invisible};

/// The owner of the content.
pub(super) const OWNER: &str = "owner";
/// The longest address. Source: <https://www.rfc-editor.org/errata/eid1690>
const LONGEST: usize = 254;
/// Words for everyone in a channel, in Teams and in Slack.
const EVERYONE: [&str; 5] = ["channel", "here", "everyone", "team", "all"];

/// What is wrong with a text that is neither `owner` nor an address. No problem repeats it, since it may be a secret in the wrong
/// place.
pub(super) fn problem_of(text: &str) -> Option<String> {
    if text == OWNER || is_address(text) {
        return None;
    }
    let inner = text.trim_start_matches("<at>").trim_end_matches("</at>");
    let inner = inner.trim_matches(|c: char| c.is_whitespace() || "<>@".contains(c));
    let lower = inner.to_lowercase();
    let is_unusable = |c: char| c.is_control() || is_invisible(c) || (c.is_whitespace() && c != ' ');
    let problem = if is_blank(text) {
        "it is empty: write owner, or a person's address, such as dana@example.com"
    } else if text.contains("://") {
        "a URL mentions no one: write owner, or a person's address, such as dana@example.com"
    } else if text.chars().any(is_unusable) {
        "it has an invisible character, or another space than the usual one: type it anew"
    } else if lower == OWNER && text.contains('@') {
        "write owner, without `@`"
    } else if lower == OWNER {
        "write owner, in small letters and without a space"
    } else if EVERYONE.contains(&lower.as_str()) {
        "a message from a flow cannot mention a channel or a team: write owner, or a person's address, such as dana@example.com"
    } else if is_address(inner) {
        "write the address alone, such as dana@example.com"
    } else if text.matches('@').count() > 1 {
        "write one address: a message mentions one person that a rule names"
    } else {
        "write the name that the person signs in with at Microsoft 365, which has the form of an address, such as dana@example.com"
    };
    Some(problem.to_owned())
}

/// Whether a text has the form of an address that a mention can contain.
fn is_address(text: &str) -> bool {
    let is_odd =
        |c: char| c.is_whitespace() || c.is_control() || is_invisible(c) || "<>()[],;:\\\"/".contains(c);
    let Some((name, host)) = text.split_once('@') else { return false };
    let is_host = !host.trim_matches('.').is_empty() && !host.contains('@');
    !name.is_empty() && is_host && text.len() <= LONGEST && !text.contains(is_odd)
}
