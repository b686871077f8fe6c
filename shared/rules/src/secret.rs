//! What must not be repeated: tokens and URLs, which a file may have in the wrong place. No I/O.

/// Stands for what is not shown.
pub(crate) const HIDDEN: &str = "…";

/// How Slack's tokens begin.
///
/// Source: <https://docs.slack.dev/authentication/tokens>
const SLACK: [&str; 7] = ["xoxa-", "xoxb-", "xoxe-", "xoxe.", "xoxp-", "xoxs-", "xapp-"];

/// How other tokens begin: of AWS, of code hosts, and JSON Web Tokens.
const OTHERS: [&str; 7] = ["AKIA", "ASIA", "ghp_", "gho_", "github_pat_", "glpat-", "eyJ"];

/// Whether a text begins like one of Slack's tokens.
pub(crate) fn is_slack_token(text: &str) -> bool {
    SLACK.iter().any(|start| text.starts_with(start))
}

/// The text, with `…` for each token and each URL in it.
pub(crate) fn masked(text: &str) -> String {
    let is_end = |c: char| c.is_whitespace() || "\"'`,[]{}()<>#".contains(c);
    let mut shown = String::with_capacity(text.len());
    for part in text.split_inclusive(is_end) {
        let word = part.trim_end_matches(is_end);
        if is_secret(word) {
            shown.push_str(HIDDEN);
            shown.push_str(&part[word.len()..]);
        } else {
            shown.push_str(part);
        }
    }
    shown
}

fn is_secret(word: &str) -> bool {
    // A setting may be glued to its key: `channel:xoxb-…`.
    let value = word.rsplit([':', '=']).next().unwrap_or_default();
    let is_token = |text: &str| {
        // Other signs than those that end a word: `@xoxb-…`, `“xoxb-…`.
        let text = text.trim_start_matches(|c: char| !c.is_alphanumeric());
        SLACK.iter().chain(&OTHERS).any(|start| text.len() > start.len() + 3 && text.starts_with(start))
    };
    // Tableau's tokens are two texts with `==:` between them.
    word.contains("://") || word.contains("==:") || is_token(word) || is_token(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_urls_are_hidden_and_other_words_are_not() {
        for (text, expected) in [
            ("channel: xoxb-1-hunter2 # x", "channel: … # x"),
            ("write \"xoxp-1-hunter2\" or #xapp-1-hunter2", "write \"…\" or #…"),
            ("[https://hooks.slack.com/services/T0/B0/hunter2, b]", "[…, b]"),
            ("url:https://ana:hunter2@example.com", "…"),
            ("qlE1g9MMh9vbrjjg==:rZTHhPpP2tUW1kfn4tjg8", "…"),
            ("channel:xoxb-1-hunter2", "…"),
            ("`xylophone`, data-alerts: \"a\"", "`xylophone`, data-alerts: \"a\""),
            ("größe/財務 'xox'", "größe/財務 'xox'"),
        ] {
            assert_eq!(masked(text), expected);
        }
    }
}
