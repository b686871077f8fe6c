//! Words that follow the name of a secret in sentences about it: "the password is wrong", "Token: it has expired".

use super::is_one_of_in_any_case;

const WORDS: &str = "\
    a about absent access account after against all already an and any are as at authentication authorization \
    bad be been before blank but by can cannot check connection contact could database denied did does due \
    either empty error expired failed failure field for format found from given has have he if in incorrect \
    incorrectly invalid is it its key length locked login longer made malformed may mismatch missing must needs \
    neither never new no none nor not now null of old older on only optional or out password permission please \
    policy refresh required revoked role see sent server session set should signature so specified than that the \
    there this to token too type unable unauthorized unknown unsupported used user username valid value was were \
    when which will with wrong you your";

/// What stands in the place of a secret where there is none, or one that is hidden already.
const NO_SECRETS: &str = "\
    yes no true false null none nil undefined empty (null) hidden redacted removed masked n/a not";

/// Whether a word is one of a sentence, and so no secret. Only letters can be.
pub(super) fn is_ordinary(word: &str) -> bool {
    let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
    let is_written_so = word.chars().skip(1).all(|c| c.is_ascii_lowercase());
    let is_upper = word.chars().all(|c| c.is_ascii_uppercase());
    if word.is_empty() || !(is_written_so || is_upper) {
        return false;
    }
    is_one_of_in_any_case(WORDS, word)
}

/// Whether a value is none: `YES`, `null`, `***`, `<hidden>`.
pub(super) fn is_no_secret(value: &str) -> bool {
    let value = value.trim_matches(|c: char| c.is_whitespace() || "()[]<>{}\"'.,;:!?".contains(c));
    let mut chars = value.chars();
    let mask = chars.next().filter(|c| matches!(c, '*' | '•' | 'x' | 'X' | '#' | '…' | '.' | '-' | '_'));
    let is_masked = mask.is_some_and(|mask| chars.all(|c| c == mask));
    value.is_empty() || is_masked || is_one_of_in_any_case(NO_SECRETS, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_sentences_are_no_secrets() {
        for word in ["invalid", "Expired.", "The", "IS", "wrong,"] {
            assert!(is_ordinary(word), "{word}");
        }
        for word in ["hunter", "hunter2", "wRong", "the1", "", "correct"] {
            assert!(!is_ordinary(word), "{word}");
        }
        for value in ["YES", "null)", "****", "", "<hidden>", "xxxx"] {
            assert!(is_no_secret(value), "{value}");
        }
        assert!(!is_no_secret("yes2") && !is_no_secret("*x*x*"));
    }
}
