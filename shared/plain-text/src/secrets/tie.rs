//! How a name and a value are connected, and where the value begins.

use super::shape::is_no_word;

/// How much white space may stand between a name and its value.
const GAP: usize = 40;

/// How a name and a value are connected; it decides which texts count as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tie {
    /// `=`, `=>`, `"name":` or a command's option: the following text is the value.
    Strong,
    /// `: ` or `is`, which ordinary sentences contain too.
    Weak,
    /// `|` or `>` in YAML: the value is on the next lines.
    Block,
    /// An XML element: its text is the value.
    Element,
    /// `-`, `/`, `,` or another sign that ordinary sentences contain: only a text that looks like a secret is the
    /// value.
    Loose,
    /// Only a space: only quoted text, or text that does not look like a word, is the value.
    Beside,
}

/// The length of the white space at the beginning of a text, up to the end of the line.
pub(super) fn gap(text: &str) -> usize {
    let spaces = text.char_indices().take(GAP).find(|(_, c)| !c.is_whitespace() || *c == '\n');
    spaces.map_or(0, |(at, _)| at)
}

/// The position after a separator where the value begins. If the line ends there, the value is on the next line,
/// provided that line is a single word, begins with neither an ordinary word nor an error code such as `ORA-12541`,
/// or is a YAML block. The flag says whether YAML continues the value on several lines.
pub(super) fn value_start(text: &str, at: usize) -> Option<(usize, bool)> {
    let start = at + gap(&text[at..]);
    let rest = &text[start..];
    let block = rest.strip_prefix(['|', '>']).map(|rest| rest.trim_start_matches(['-', '+']));
    let block = block.filter(|rest| rest.starts_with('\n'));
    let is_block = block.is_some();
    let Some(next) = block.unwrap_or(rest).strip_prefix('\n') else {
        return (!rest.is_empty()).then_some((start, false));
    };
    let indent = gap(next);
    let line = &next[indent..];
    let word = line.find(char::is_whitespace).unwrap_or(line.len());
    let is_one_word =
        word > 0 && line[word..].trim_start_matches([' ', '\t']).chars().next().is_none_or(|c| c == '\n');
    let is_code = line[..word].trim_end_matches(':').bytes().all(|b| !b.is_ascii_lowercase())
        && line[..word].contains('-');
    let is_value = is_one_word || (is_block && indent > 0) || (is_no_word(&line[..word]) && !is_code);
    is_value.then(|| (text.len() - line.len(), is_block))
}
