//! Finds the name that a misspelt text was probably meant to be. No I/O.

/// The name that `text` is most likely a misspelling of; `None` when more than a third of its letters would be wrong.
///
/// Upper case and the characters between words are ignored: `tokenName` and `TOKEN-NAME` are both close to
/// `token_name`.
pub fn nearest<'n>(text: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let letters = letters(text);
    let near = names.into_iter().filter_map(|name| {
        let wanted = self::letters(name);
        let most = wanted.chars().count() / 3;
        // A quick check first: a text that is much longer than the name cannot be a misspelling of it.
        let differ = letters.chars().count().abs_diff(wanted.chars().count());
        let distance = (differ <= most).then(|| strsim::osa_distance(&letters, &wanted))?;
        (distance <= most).then_some((distance, name))
    });
    near.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_is_near_and_another_word_is_not() {
        let names = ["token_name", "token_secret", "bot_token", "SLACK_BOT_TOKEN"];
        for (text, expected) in [
            ("token_nam", Some("token_name")),
            ("tkoen_name", Some("token_name")),
            ("tokenName", Some("token_name")),
            ("TOKEN-SECRET", Some("token_secret")),
            ("bottoken ", Some("bot_token")),
            ("slack_bot_tokn", Some("SLACK_BOT_TOKEN")),
            ("xoxb-1234-abcd", None),
            ("password", None),
            ("", None),
        ] {
            assert_eq!(nearest(text, names), expected, "{text}");
        }
        assert_eq!(nearest(&"token_name".repeat(10_000), names), None);
    }
}
