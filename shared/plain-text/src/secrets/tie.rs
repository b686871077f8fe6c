//! How a name and a value are tied, and where the value begins.

use super::shape::is_no_word;

/// How much white space may stand between a name and its value.
const GAP: usize = 40;

/// How a name and a value are tied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tie {
    /// `=`, `=>`, `"name":`, a command's option: what follows is the value.
    Strong,
    /// `: `, `is`, as in sentences, too.
    Weak,
    /// YAML's `|` and `>`: the value is on the next lines.
    Block,
    /// An XML element, whose text is the value.
    Element,
    /// `-`, `/`, `,` or another sign that sentences have, too: only what looks like no word, number or code is a value.
    Loose,
    /// Nothing but a space: only what is in quotes, or looks like no word, is a value.
    Beside,
}

/// The white space on the line that a text begins with.
pub(super) fn gap(text: &str) -> usize {
    let spaces = text.char_indices().take(GAP).find(|(_, c)| !c.is_whitespace() || *c == '\n');
    spaces.map_or(0, |(at, _)| at)
}

/// Where the value behind a separator begins: on the next line when nothing stands behind it, and that is one word, begins
/// with one that is none of a sentence nor a code such as `ORA-12541`, or is a block of YAML. With whether YAML says that it goes on for several lines.
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
