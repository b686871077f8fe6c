//! Times and amounts in sentences. No I/O.

use jiff::Timestamp;

/// A time as sentences have it: `2026-11-30 14:05 UTC`.
pub fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// `1 refresh`, `3 refreshes`.
pub(crate) fn refreshes(count: usize) -> String {
    if count == 1 { "1 refresh".to_owned() } else { format!("{count} refreshes") }
}
