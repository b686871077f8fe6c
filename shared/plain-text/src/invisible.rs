//! Finds and removes characters that a reader cannot see.

use std::borrow::Cow;

/// The longest terminal control sequence that is removed as a whole.
const SEQUENCE_LIMIT: usize = 32;

/// Whether a character is invisible: zero-width spaces and joiners, marks that change the direction of writing,
/// fillers, variation selectors, tags, a byte order mark. Control characters and white space do not count.
///
/// These are Unicode's `Default_Ignorable_Code_Point` and the marks of interlinear annotations.
///
/// Source: <https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt>
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Whether a reader sees nothing of a text: it consists of white space, control characters and
/// [invisible](is_invisible) characters.
pub fn is_blank(text: &str) -> bool {
    without_invisible(text).trim().is_empty()
}

/// Removes [invisible](is_invisible) characters, control characters and terminal control sequences. Line breaks are
/// kept, each as `\n`.
///
/// Joiners and variation selectors are kept after a character that needs them: in emoji, and in scripts such as
/// Persian.
pub fn visible(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c == '\n' || c == '\t' || (c >= ' ' && c != '\u{7f}' && c.is_ascii());
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let text = if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) };
    Cow::Owned(without_invisible(&text))
}

/// The visible text on one line, without white space around it: with a line break, a name could add lines of its own
/// to a message.
pub fn one_line(text: &str) -> String {
    let text = visible(text);
    let line = text.trim();
    line.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect()
}

fn without_invisible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => out.push('\n'),
            // The braille pattern without dots looks like a space.
            '\u{2800}' => out.push(' '),
            '\u{1b}' if rest.as_str().starts_with('[') => skip_sequence(&mut rest, 1),
            '\u{9b}' => skip_sequence(&mut rest, 0),
            c if c.is_control() && c != '\t' => {}
            c if is_invisible(c) => {
                if joins(c) && out.chars().next_back().is_some_and(takes_joiners) {
                    out.push(c);
                }
            }
            c => out.push(c),
        }
    }
    out
}

/// Skips a terminal control sequence such as `ESC [ 31 m`: parameters, then a final letter.
///
/// Source: <https://ecma-international.org/publications-and-standards/standards/ecma-48/>
fn skip_sequence(rest: &mut std::str::Chars<'_>, intro: usize) {
    let is_parameter = |c: char| matches!(c, ' '..='?');
    let text = rest.as_str();
    let parameters = text.chars().skip(intro).take(SEQUENCE_LIMIT).take_while(|c| is_parameter(*c)).count();
    let end = text.chars().nth(intro + parameters);
    if end.is_some_and(|c| matches!(c, '@'..='~')) {
        // The skipped characters are all ASCII, so the index is a character boundary.
        *rest = text[intro + parameters + 1..].chars();
    }
}

/// Whether a character is a zero-width joiner or non-joiner, or a variation selector.
fn joins(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}')
}

/// Whether a joiner may follow this character: not after Latin letters and white space, but in emoji and scripts such
/// as Persian.
fn takes_joiners(before: char) -> bool {
    before > '\u{24f}' && !before.is_whitespace() && (!is_invisible(before) || before == '\u{fe0f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVISIBLE: &str = "\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{17b4}\u{180e}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\
        \u{202a}\u{202e}\u{2060}\u{2066}\u{2069}\u{206f}\u{3164}\u{fe00}\u{fe0f}\u{feff}\u{ffa0}\u{fff9}\u{e0001}\
        \u{e0041}\u{e01ef}";

    #[test]
    fn a_name_of_invisible_characters_only_is_blank() {
        for c in INVISIBLE.chars() {
            assert!(is_invisible(c), "{c:?}");
            assert!(is_blank(&format!(" {c}{c}\t")), "{c:?}");
            assert_eq!(one_line(&format!("Sa{c}les")), "Sales", "{c:?}");
        }
        assert!(is_blank(INVISIBLE) && is_blank("") && is_blank(" \n\u{a0}\u{3000}\u{2800}\0\u{1b}[0m"));
        assert!(!is_blank("\u{200b}x"));
    }

    #[test]
    fn names_in_every_script_and_emoji_stay_as_they_are() {
        for name in [
            "Größe 💡 数字",
            "👩\u{200d}💻 ✏\u{fe0f} 🏳\u{fe0f}\u{200d}🌈",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "العربية",
            "a - b_c.d",
        ] {
            assert_eq!(one_line(name), name);
            assert_eq!(visible(name), name);
        }
    }

    #[test]
    fn lines_stay_in_a_text_and_are_one_in_a_name() {
        let text = "one\r\ntwo\u{2028}three\u{85}four\u{1b}[31m\u{9b}1mfive\u{0}\u{7}";
        assert_eq!(visible(text), "one\ntwo\nthree\nfourfive");
        assert_eq!(one_line(text), "one two three fourfive");
        assert_eq!(
            one_line(" Finance\n*Next step*\u{2028}call\u{202e}me\u{61c} "),
            "Finance *Next step* callme"
        );
    }
}
