//! Renders whom a message calls: the only markup in a message that calls anyone.

use super::parts::named;
use crate::slack::mrkdwn::escape;

/// The longest name of an owner who was not found.
const NAME_LIMIT: usize = 80;

/// Whom a message calls, as Slack knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Called {
    /// Mentions, as markup.
    pub(crate) tokens: Vec<String>,
    /// Owners that cannot be mentioned, by name, and why: untrusted names, fixed words.
    pub(crate) not_found: Vec<(String, &'static str)>,
    /// How many owners more the message is about.
    pub(crate) more_owners: usize,
}

impl Called {
    /// Adds a mention, once: `here`, `channel`, or the id of a user or user group. Anything else is left out: a token is markup,
    /// and must not contain a text from outside.
    pub(crate) fn mention(&mut self, named: &str) {
        let is_id = |first: char| {
            let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
            named.starts_with(first) && (3..=32).contains(&named.len()) && named.chars().all(fits)
        };
        let token = match named {
            "here" | "channel" => format!("<!{named}>"),
            id if is_id('U') || is_id('W') => format!("<@{id}>"),
            id if is_id('S') => format!("<!subteam^{id}>"),
            _ => return,
        };
        if !self.tokens.contains(&token) {
            self.tokens.push(token);
        }
    }

    /// The paragraph of a message: the mentions, and the owners that are named in their place.
    pub(super) fn paragraph(&self) -> Option<String> {
        let not_found = self.not_found.iter().map(|(name, why)| match name.trim().is_empty() {
            true => format!("owner: {why}"),
            false => format!("owner {}: {why}", escape(&named(name, NAME_LIMIT))),
        });
        let more = match self.more_owners {
            0 => None,
            1 => Some("and 1 more owner".to_owned()),
            more => Some(format!("and {more} more owners")),
        };
        let tokens = (!self.tokens.is_empty()).then(|| self.tokens.join(" "));
        let parts: Vec<String> = tokens.into_iter().chain(not_found).chain(more).collect();
        (!parts.is_empty()).then(|| parts.join(" · "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // 15, item 1
    #[test]
    fn a_mention_has_slacks_form_and_stands_once() {
        let mut called = Called::default();
        for named in ["U0123456789", "here", "S0615G0KT", "U0123456789", "channel", "W012A3CDE"] {
            called.mention(named);
        }
        let expected = "<@U0123456789> <!here> <!subteam^S0615G0KT> <!channel> <@W012A3CDE>";
        assert_eq!(called.paragraph().as_deref(), Some(expected));
    }

    // 15, item 1
    #[test]
    fn an_owner_who_is_not_found_is_named_and_calls_no_one() {
        let mut called = Called { more_owners: 2, ..Called::default() };
        called.not_found.push(("<!channel> *Ana*\n<@U0123456789>".to_owned(), "not found in Slack"));
        called.not_found.push((" ".to_owned(), "not known"));
        let paragraph = called.paragraph().unwrap();
        assert!(!paragraph.contains('<') && !paragraph.contains('\n'), "{paragraph}");
        assert!(paragraph.starts_with("owner &lt;!channel&gt;"), "{paragraph}");
        assert!(
            paragraph.ends_with(": not found in Slack · owner: not known · and 2 more owners"),
            "{paragraph}"
        );
        assert_eq!(Called::default().paragraph(), None);
    }

    proptest! {
        // 15, item 1
        #[test]
        fn no_text_becomes_a_mention_but_a_word_or_an_id(text in ".*") {
            let mut called = Called::default();
            called.mention(&text);
            called.not_found.push((text.clone(), "not found in Slack"));
            let paragraph = called.paragraph().unwrap();
            let is_own = text.chars().all(|c| c.is_ascii_alphanumeric());
            prop_assert!(is_own || !paragraph.contains('<'), "{}", paragraph);
        }
    }
}
