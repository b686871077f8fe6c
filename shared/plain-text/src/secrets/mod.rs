//! Finds secrets in text written by others, one kind of secret per module.
//!
//! Each kind is a function that reads the text once and adds the parts to remove to a common list. The parts may
//! overlap, so the kinds need not know each other.

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

/// The [`visible`] text with `[removed]` in place of every part that is, or looks like, a secret: passwords and keys
/// after a name for them, users and queries in URLs, and tokens and keys by their form. After the name of a secret,
/// everything is removed that is not recognised as an ordinary word.
///
/// Reads the whole text, since a secret may continue on the next line. Time and memory are proportional to its
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
