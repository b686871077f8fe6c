//! What can be the name of a service, and what is wrong with any other text.

use super::severity::PageSeverity;
use plain_text::{is_blank, is_invisible};

/// The longest name of a service, in characters. It is a key of the PagerDuty secret.
const LONGEST: usize = 80;
/// How long an integration key of PagerDuty is.
const ROUTING_KEY: usize = 32;
/// How long a key of PagerDuty's REST API is.
const REST_KEY: usize = 20;

/// What is wrong with a text that can be no key of `routing_keys`. No problem repeats it, since it may be a secret in the wrong
/// place.
pub(super) fn problem_of(service: &str) -> Option<String> {
    let is_odd_space = |c: char| c.is_whitespace() && c != ' ';
    let is_unusable = |c: char| c.is_control() || is_invisible(c) || is_odd_space(c);
    if is_blank(service) {
        return problem(
            "it is empty: write a key of `routing_keys` in the PagerDuty secret, such as finance",
        );
    }
    if service.contains("://") {
        return problem("a URL is no service: write a key of `routing_keys` in the PagerDuty secret");
    }
    if is_secret(service) {
        return problem(
            "this looks like a key of PagerDuty: put it into `routing_keys` of the PagerDuty secret, and write its name there here. Make a \
             new key if others could read it here",
        );
    }
    if service.chars().any(is_unusable) {
        return problem(
            "it has a line break, an invisible character or another space than the usual one: type the name anew",
        );
    }
    if service.trim() != service {
        return problem("it has a space at its beginning or end: remove it");
    }
    if let Some(c) = service.chars().find(|c| "#,;<>|".contains(*c)) {
        let text = format!(
            "no key has `{c}` in it: write the key of one service, and an entry of `do` for each other one"
        );
        return Some(text);
    }
    if let Some(severity) = PageSeverity::ALL.iter().find(|severity| ends_with(service, severity.as_str())) {
        let word = severity.as_str();
        return Some(format!("it ends with `({word})`: write that as `severity: {word}`"));
    }
    if service.chars().count() > LONGEST {
        return Some(format!("it is longer than {LONGEST} characters"));
    }
    None
}

fn problem(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn ends_with(service: &str, word: &str) -> bool {
    service.strip_suffix(')').and_then(|rest| rest.strip_suffix(word)).is_some_and(|rest| rest.ends_with('('))
}

/// Whether a text has the form of a key: 32 letters and digits, or 20 with a digit and no word that a person would type.
fn is_secret(text: &str) -> bool {
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    let has_upper = text.bytes().any(|byte| byte.is_ascii_uppercase());
    let is_of = |extra: &str| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || extra.as_bytes().contains(&byte))
    };
    (text.len() == ROUTING_KEY && has_digit && is_of(""))
        || (text.len() == REST_KEY && has_digit && has_upper && is_of("+-_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_any_key_of_the_secret() {
        let longest = "a".repeat(80);
        for service in [
            "finance",
            "Finance & Tax",
            "R&D (EU)",
            "データ",
            "finance/eu",
            "data-platform-emea-1",
            longest.as_str(),
        ] {
            assert_eq!(problem_of(service), None, "{service}");
        }
    }

    // D042
    #[test]
    fn a_text_that_can_be_no_key_is_refused_without_repeating_it() {
        let long = "a".repeat(81);
        for (service, expected) in [
            ("", "it is empty"),
            (" \u{200b}", "it is empty"),
            ("https://events.pagerduty.com/hunter2", "a URL is no service"),
            ("hunter2hunter2hunter2hunter2abcd", "this looks like a key of PagerDuty"),
            ("e+23hunter2Esqk9Q6_-", "this looks like a key of PagerDuty"),
            ("hunter2\nb", "it has a line break"),
            ("hun\u{200b}ter2", "it has a line break, an invisible character"),
            (" hunter2", "it has a space at its beginning or end"),
            ("hunter2, sales", "no key has `,` in it"),
            ("hunter2 (critical)", "it ends with `(critical)`: write that as `severity: critical`"),
            (long.as_str(), "it is longer than 80 characters"),
        ] {
            let problem = problem_of(service).unwrap_or_default();
            assert!(problem.starts_with(expected), "{service:?}: {problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }
}
