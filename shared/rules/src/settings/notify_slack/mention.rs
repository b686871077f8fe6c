//! Whom a Slack message can mention, and what is wrong with any other text.

use crate::secret::is_slack_token;
use plain_text::{is_blank, is_invisible};

/// The owner of the content.
pub(super) const OWNER: &str = "owner";
/// Words that need no id.
const WORDS: [&str; 3] = [OWNER, "here", "channel"];
/// Where ids are.
const WHERE: &str = "in Slack, open the profile and choose Copy member ID; the id of a user group is in the address of its page";
/// The longest id that is taken.
const LONGEST: usize = 32;

/// What is wrong with a text that is neither a word nor an id. No problem repeats it, since it may be a secret in the wrong place.
///
/// Source: <https://docs.slack.dev/messaging/formatting-message-text#mentioning-users>
pub(super) fn problem_of(text: &str) -> Option<String> {
    if WORDS.contains(&text) || is_id(text, "UWS") {
        return None;
    }
    let inner = text.trim_matches(|c: char| c.is_whitespace() || "<>@!".contains(c));
    let inner = inner.trim_start_matches("subteam^");
    let inner = inner.split('|').next().unwrap_or_default();
    let lower = inner.to_lowercase();
    let word = WORDS.into_iter().find(|word| *word == lower);
    let is_unusable = |c: char| c.is_control() || is_invisible(c) || (c.is_whitespace() && c != ' ');
    let problem = match word {
        _ if is_blank(text) => {
            "it is empty: write owner, here, channel, or the id of a user or user group".to_owned()
        }
        _ if text.contains("://") => "a URL mentions no one: write owner, here, channel, or an id".to_owned(),
        _ if is_slack_token(inner) => {
            "a token mentions no one: put it into `bot_token` of the Slack secret, and revoke it if others could read it here"
                .to_owned()
        }
        _ if text.chars().any(is_unusable) => {
            "it has an invisible character, or another space than the usual one: type it anew".to_owned()
        }
        Some(word) if text.contains('<') => format!("write {word}, without `<!` and `>`"),
        Some(word) if text.contains('@') => format!("write {word}, without `@`"),
        Some(word) if inner == text => format!("write {word}, in small letters"),
        Some(word) => format!("write {word}, without a space"),
        None if lower == "everyone" => {
            "write channel: `everyone` is for a workspace's general channel only, and calls people who are not in this one"
                .to_owned()
        }
        None if is_full_name(inner) => format!(
            "this is the name of one person: write owner, or her or his id, such as U0123456789: {WHERE}"
        ),
        None if inner.split([',', ';', ' ']).filter(|part| !part.is_empty()).count() > 1 => {
            "write one: several people are a user group in Slack, whose id begins with S".to_owned()
        }
        None if is_id(inner, "UWS") => "write the id alone, such as U0123456789".to_owned(),
        None if is_id(inner, "CGD") => {
            "this is the id of a channel: write channel to mention everyone in it, or the id of a user or user group".to_owned()
        }
        None if text.starts_with('#') => {
            "this is a channel: write channel to mention everyone in it, or the id of a user or user group".to_owned()
        }
        None if is_id(&inner.to_uppercase(), "UWS") && inner.chars().any(|c| c.is_ascii_digit()) => {
            format!("an id has capital letters: write {}", inner.to_uppercase())
        }
        None => format!("write the id of the user or user group, such as U0123456789, in place of a name or an address: {WHERE}"),
    };
    Some(problem)
}

/// Whether a text is words that begin with a capital letter, as the first name and the family name of a person do.
fn is_full_name(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_name = |word: &&str| {
        let fits = word.chars().all(|c| c.is_alphabetic() || "-'’.".contains(c));
        fits && word.starts_with(char::is_uppercase) && !is_id(word, "UWSCGD")
    };
    words.len() > 1 && words.iter().all(is_name)
}

/// Whether a text has the form of Slack's ids, with one of these letters first.
pub(super) fn is_id(text: &str, first: &str) -> bool {
    let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    text.starts_with(|c| first.contains(c)) && (3..=LONGEST).contains(&text.len()) && text.chars().all(fits)
}
