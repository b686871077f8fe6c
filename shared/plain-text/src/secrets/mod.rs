//! Secrets in text of others, found by kind.
//!
//! Each kind is a function that reads the text once and adds what has to go to a list. What several kinds find is
//! removed once, so that a kind need not know the others.

mod about;
mod code;
mod command;
mod fold;
mod judge;
mod login;
mod name;
mod ordinary;
mod pair;
mod pem;
mod ppk;
mod random;
mod scheme;
mod shape;
mod spoken;
mod statement;
mod tie;
mod url;
mod value;
mod verifier;
mod view;

use crate::visible;
use std::ops::Range;
use view::View;

/// What stands in place of a secret.
pub const REMOVED: &str = "[removed]";

/// Parts of a text, in bytes.
type Parts = Vec<Range<usize>>;

/// Whether a list of words, parted by spaces, has a word.
fn is_one_of(words: &str, word: &str) -> bool {
    words.split(' ').any(|one| one == word)
}

/// The same in whatever case the word is.
fn is_one_of_in_any_case(words: &str, word: &str) -> bool {
    words.split(' ').any(|one| one.eq_ignore_ascii_case(word))
}

const KINDS: [fn(&str, &mut Parts); 11] = [
    pem::find,
    ppk::find,
    url::find,
    pair::find,
    command::find,
    login::find,
    statement::find,
    scheme::find,
    code::find,
    verifier::find,
    random::find,
];

/// The text, as [`visible`] shows it, with `[removed]` in place of every part that is, or looks like, a secret: passwords
/// and keys by the name before them, users and queries of URLs, tokens and keys by their shape. What is not recognised
/// as ordinary after the name of a secret is removed.
///
/// Reads the whole text: a secret may begin on one line and go on on the next. Work and memory are proportional to its
/// length.
pub fn without_secrets(text: &str) -> String {
    let text = visible(text);
    let mut secrets = Parts::new();
    let mut found = Parts::new();
    let mut view = Some(View::of(&text));
    while let Some(current) = view {
        for find in KINDS {
            find(current.text(), &mut found);
        }
        secrets.extend(found.drain(..).map(|part| current.original(part)));
        view = current.decoded();
    }
    replace(&text, secrets)
}

fn replace(text: &str, mut secrets: Parts) -> String {
    secrets.retain(|part| !part.is_empty());
    secrets.sort_unstable_by_key(|part| part.start);
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for part in secrets {
        if part.start > end || out.is_empty() {
            out.push_str(&text[end.min(part.start)..part.start]);
            out.push_str(REMOVED);
        }
        end = end.max(part.end);
    }
    out.push_str(&text[end..]);
    out
}
