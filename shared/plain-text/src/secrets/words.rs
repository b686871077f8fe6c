//! Lists of words.

/// Whether a list of words, parted by spaces, has a word.
pub(super) fn is_one_of(words: &str, word: &str) -> bool {
    words.split(' ').any(|one| one == word)
}

/// The same in whatever case the word is.
pub(super) fn is_one_of_in_any_case(words: &str, word: &str) -> bool {
    words.split(' ').any(|one| one.eq_ignore_ascii_case(word))
}
