//! The characters of a text, and into how many segments a network cuts it. No I/O.
//!
//! A text with characters of GSM 03.38 alone has 160 of them in one segment, and 153 in each of several; one of the extension table
//! counts two. With any other character the whole text is UCS-2: 70 units in one segment, and 67 in each of several.
//!
//! Source: <https://www.twilio.com/docs/glossary/what-is-gsm-7-character-encoding>

use icu_normalizer::ComposingNormalizerBorrowed;
use plain_text::is_invisible;

/// The basic table of GSM 03.38, without the escape to the extension table.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿\
                     abcdefghijklmnopqrstuvwxyzäöñüà";
/// The extension table: each counts two.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// How many units a text has: septets, or code units of UCS-2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// GSM 03.38.
    Gsm,
    /// UCS-2, in fact UTF-16: a character outside of the basic plane counts two.
    Ucs2,
}

impl Encoding {
    /// The encoding that a network takes for this text.
    pub fn of(text: &str) -> Self {
        if text.chars().all(|c| septets(c).is_some()) { Self::Gsm } else { Self::Ucs2 }
    }

    /// How much one segment holds, alone and as one of several.
    fn room(self) -> (usize, usize) {
        match self {
            Self::Gsm => (160, 153),
            Self::Ucs2 => (70, 67),
        }
    }

    fn units(self, c: char) -> usize {
        match self {
            Self::Gsm => septets(c).unwrap_or(1),
            Self::Ucs2 => c.len_utf16(),
        }
    }
}

/// How many septets a character has; `None` if GSM 03.38 does not have it.
fn septets(c: char) -> Option<usize> {
    match c {
        _ if c.is_ascii_alphanumeric() || BASIC.contains(c) => Some(1),
        _ if EXTENSION.contains(c) => Some(2),
        _ => None,
    }
}

/// Into how many segments a network cuts this text. A character is in one segment whole.
pub fn segments(text: &str) -> usize {
    let encoding = Encoding::of(text);
    let (alone, of_several) = encoding.room();
    if text.chars().map(|c| encoding.units(c)).sum::<usize>() <= alone {
        return 1;
    }
    let mut segments = 1;
    let mut taken = 0;
    for units in text.chars().map(|c| encoding.units(c)) {
        if taken + units > of_several {
            segments += 1;
            taken = 0;
        }
        taken += units;
    }
    segments
}

/// The text as it is counted and sent: composed (NFC), with LF alone at the end of lines, with look-alikes of GSM 03.38 in the place of
/// signs that it does not have, and without pictures and invisible characters.
///
/// Letters stay as they are: a name in another script needs UCS-2, but it stays that name.
pub fn plain(text: &str) -> String {
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize(text);
    let lines = composed.replace("\r\n", "\n").replace(['\r', '\u{85}', '\u{2028}', '\u{2029}'], "\n");
    let mut out = String::with_capacity(lines.len());
    for c in lines.chars() {
        match c {
            '\n' => out.push(c),
            _ if septets(c).is_some() && !c.is_control() => out.push(c),
            _ => match look_alike(c) {
                Some(same) => out.push_str(same),
                None if c.is_whitespace() => out.push(' '),
                None if c.is_control() || is_invisible(c) || is_picture(c) => {}
                None => out.push(c),
            },
        }
    }
    out
}

/// What GSM 03.38 has in the place of a sign.
fn look_alike(c: char) -> Option<&'static str> {
    Some(match c {
        '“' | '”' | '„' | '‟' | '«' | '»' | '″' | '〝' | '〞' | '＂' | 'ˮ' => "\"",
        '‘' | '’' | '‚' | '‛' | '‹' | '›' | '′' | '`' | '´' | 'ʹ' | 'ʻ' | 'ʼ' | 'ˈ' | '＇' => {
            "'"
        }
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '⁃' | '−' | '﹘' | '﹣' | '－' => "-",
        '…' => "...",
        '‥' => "..",
        '•' | '·' | '∙' | '‣' | '●' | '▪' | '■' => "-",
        '⁄' | '∕' | '÷' => "/",
        '×' | '✕' | '✖' => "x",
        '→' | '⇒' | '➔' | '➜' => "->",
        '←' | '⇐' => "<-",
        '≤' => "<=",
        '≥' => ">=",
        '≠' => "!=",
        '≈' => "~",
        '™' => "TM",
        '©' => "(c)",
        '®' => "(R)",
        '№' => "No.",
        '½' => "1/2",
        '¼' => "1/4",
        '¾' => "3/4",
        '¦' | '｜' => "|",
        '，' => ",",
        '：' => ":",
        '；' => ";",
        '！' => "!",
        '？' => "?",
        '（' => "(",
        '）' => ")",
        'ﬁ' => "fi",
        'ﬂ' => "fl",
        _ => return None,
    })
}

/// Whether this is a picture, or a part of one.
fn is_picture(c: char) -> bool {
    matches!(
        u32::from(c),
        0x2300..=0x23FF | 0x2600..=0x27BF | 0x2B00..=0x2BFF | 0x20E3 | 0xFE00..=0xFE0F | 0x1_F000..=0x1_FAFF | 0xE_0000..=0xE_007F
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_tables_have_the_characters_of_gsm_0338() {
        assert_eq!(BASIC.chars().count(), 127, "128 without the escape");
        assert_eq!(EXTENSION.chars().count(), 10);
        assert_eq!(
            (septets('€'), septets('['), septets('Ω'), septets('ç')),
            (Some(2), Some(2), Some(1), None)
        );
    }

    // D083
    #[test]
    fn look_alikes_are_replaced_before_the_text_is_counted() {
        for (text, expected) in [
            ("“Sales” – EU", "\"Sales\" - EU"),
            ("Ana’s „Q3“ …", "Ana's \"Q3\" ..."),
            ("a\u{a0}b\u{2009}c\u{202f}d\te", "a b c d e"),
            ("zero\u{200b}width\u{feff}", "zerowidth"),
            ("`code` ´x´", "'code' 'x'"),
            ("A → B • C × D ½", "A -> B - C x D 1/2"),
            ("🔴 Sales 🚀🏳️‍🌈 1️⃣ ✅", " Sales  1 "),
            ("売上 – Q1", "売上 - Q1"),
            ("Çınar ç €", "Çınar ç €"),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
        assert_eq!(Encoding::of(&plain("“Sales” – EU")), Encoding::Gsm);
        let quoted = format!("“{}” – EU", "a".repeat(152));
        assert_eq!((segments(&quoted), segments(&plain(&quoted))), (3, 1));
    }

    // D084
    #[test]
    fn lines_end_with_lf_alone_and_marks_are_composed_before_the_text_is_counted() {
        let text = format!("{}\r\n{}", "a".repeat(80), "a".repeat(79));
        assert_eq!(plain(&text), format!("{}\n{}", "a".repeat(80), "a".repeat(79)));
        assert_eq!((segments(&text), segments(&plain(&text))), (2, 1));
        let accents = "e\u{301}".repeat(70);
        assert_eq!(plain(&accents), "é".repeat(70));
        assert_eq!((segments(&accents), segments(&plain(&accents))), (3, 1));
        assert_eq!(plain("a\rb\u{2028}c"), "a\nb\nc");
    }

    #[test]
    fn segments_are_counted_as_networks_cut_them() {
        for (text, expected) in [
            (String::new(), 1),
            ("a".repeat(160), 1),
            ("a".repeat(161), 2),
            ("a".repeat(306), 2),
            ("a".repeat(307), 3),
            // Each counts two, and none is cut: 76 in a segment of 153.
            ("€".repeat(80), 1),
            ("€".repeat(81), 2),
            ("€".repeat(152), 2),
            ("€".repeat(153), 3),
            // One sign that is not of the table changes the whole text.
            ("ж".repeat(70), 1),
            (format!("{}ж", "a".repeat(70)), 2),
            ("ж".repeat(134), 2),
            ("ж".repeat(135), 3),
            // A pair of surrogates is not cut: 33 in a segment of 67.
            ("𝐒".repeat(35), 1),
            ("𝐒".repeat(66), 2),
            ("𝐒".repeat(67), 3),
        ] {
            assert_eq!(segments(&text), expected, "{} of {:?}", text.chars().count(), text.chars().next());
        }
    }

    proptest! {
        #[test]
        fn a_plain_text_stays_as_it_is_and_has_no_picture_and_no_other_line_end(text in ".*") {
            let once = plain(&text);
            prop_assert!(!once.contains('\r') && !once.chars().any(|c| is_picture(c) || (c.is_control() && c != '\n')), "{:?}", once);
            prop_assert_eq!(plain(&once), once);
        }
    }
}
