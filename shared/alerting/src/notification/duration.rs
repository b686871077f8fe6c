//! How long something lasted, in words.

use jiff::SignedDuration;

/// A duration in words, with at most two units: `3 h 10 min`.
pub fn duration(lasted: SignedDuration) -> String {
    let minutes = lasted.as_secs().max(0) / 60;
    let units = [(minutes / 1_440, "d"), (minutes / 60 % 24, "h"), (minutes % 60, "min")];
    let words: Vec<String> = units
        .iter()
        .skip_while(|(count, _)| *count == 0)
        .take(2)
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    if words.is_empty() { "less than a minute".to_owned() } else { words.join(" ") }
}
