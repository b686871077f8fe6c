//! Word lists, each a text with words separated by spaces.

/// Whether the word list contains a word.
pub(super) fn is_one_of(words: &str, word: &str) -> bool {
    words.split(' ').any(|one| one == word)
}

/// Whether the word list contains a word, ignoring upper and lower case.
pub(super) fn is_one_of_in_any_case(words: &str, word: &str) -> bool {
    words.split(' ').any(|one| one.eq_ignore_ascii_case(word))
}
