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
mod parts;
mod pem;
mod ppk;
mod random;
mod scheme;
mod separator;
mod shape;
mod spoken;
mod statement;
mod tie;
mod url;
mod value;
mod verifier;
mod view;
mod words;

pub use parts::REMOVED;

use crate::visible;
use parts::{Parts, replace};
use view::View;

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
