//! The secret parts of a text, and the text that replaces them.

use std::ops::Range;

/// The text that replaces a secret.
pub const REMOVED: &str = "[removed]";

/// Parts of a text, as ranges of bytes.
pub(super) type Parts = Vec<Range<usize>>;

/// Replaces these parts of the text, which may overlap, by [`REMOVED`].
pub(super) fn replace(text: &str, mut secrets: Parts) -> String {
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
