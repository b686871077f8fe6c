//! Replaces letters that look like Latin ones: `pаssword` with a Cyrillic `а`, `𝐩𝐚𝐬𝐬𝐰𝐨𝐫𝐝`, `ⓟⓦⓓ`, `pássword`.
//!
//! Only names are converted in this way. Values are not changed.

use std::borrow::Cow;

/// Latin letters, each with the characters that look like it: the Cyrillic, Greek and Armenian letters that Unicode
/// lists as confusable, small capitals, letters with accents, and letterlike symbols that are missing in the
/// mathematical alphabets.
///
/// Source: <https://www.unicode.org/Public/security/latest/confusables.txt>
const LOOK_ALIKES: [(char, &str); 26] = [
    ('a', "аАαΑɑᴀàáâãäåāăąÀÁÂÃÄÅ"),
    ('b', "вВЬьβΒʙℬ"),
    ('c', "сСϲᴄçćčÇ℃ℂℭ"),
    ('d', "ԁժᴅďđⅾⅆ"),
    ('e', "еЕεΕҽᴇèéêëēėęěёЁÈÉÊËℯℰ"),
    ('f', "ғꜰϝℱ"),
    ('g', "ɡցɢğġℊ"),
    ('h', "һհНнΗʜℎℋℌℍ"),
    ('i', "іІιΙıɪìíîïīїℹℐℑⅈÌÍÎÏ"),
    ('j', "јЈϳᴊⅉ"),
    ('k', "кКκΚᴋķK"),
    ('l', "ӏՏⅼʟłļľℓℒ"),
    ('m', "мМΜᴍⅿℳ"),
    ('n', "ոΝпɴñńňŋÑℕ"),
    ('o', "оОοΟσօᴏòóôõöøōőÒÓÔÕÖØℴ"),
    ('p', "рРρΡᴘℙ"),
    ('q', "ԛգǫℚ"),
    ('r', "гᴦʀŕřℛℜℝ"),
    ('s', "ѕЅꜱśšşșß"),
    ('t', "тТτΤᴛťţț"),
    ('u', "υսцᴜùúûüūůűÙÚÛÜ"),
    ('v', "ѵνᴠⅴ"),
    ('w', "ԝѡωաᴡŵшШ"),
    ('x', "хХχΧⅹ"),
    ('y', "уУγΥүʏýÿÝ"),
    ('z', "ᴢΖźżžℤℨ"),
];
/// The first code points of Unicode blocks that contain a complete alphabet from A to Z.
const ALPHABETS: [u32; 9] = [0x24b6, 0x24d0, 0x249c, 0xff21, 0xff41, 0x1f110, 0x1f130, 0x1f150, 0x1f170];
/// The mathematical alphabets: one after the other, each with capital and small letters.
const MATHEMATICAL: std::ops::Range<u32> = 0x1d400..0x1d6a4;

/// Converts a name to Latin letters. Combining marks (accents) are removed.
pub(super) fn latin(name: &str) -> Cow<'_, str> {
    match name.is_ascii() {
        true => Cow::Borrowed(name),
        false => name.chars().filter(|c| !is_mark(*c)).map(letter).collect::<String>().into(),
    }
}

/// Whether the character is a combining mark, which belongs to the letter before it.
pub(super) fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}')
}

fn letter(c: char) -> char {
    if c.is_ascii() {
        return c;
    }
    let code = u32::from(c);
    let place = match ALPHABETS.iter().find(|first| (**first..**first + 26).contains(&code)) {
        Some(first) => Some(code - first),
        None => MATHEMATICAL.contains(&code).then(|| (code - MATHEMATICAL.start) % 26),
    };
    let latin = place.and_then(|place| char::from_u32(u32::from(b'a') + place));
    let alike = || LOOK_ALIKES.iter().find(|(_, others)| others.contains(c)).map(|(latin, _)| *latin);
    latin.or_else(alike).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_latin_letter_is_read_as_one() {
        for name in [
            "pаsswоrd",
            "ｐａｓｓｗｏｒｄ",
            "𝐩𝐚𝐬𝐬𝐰𝐨𝐫𝐝",
            "𝙥𝙖𝙨𝙨𝙬𝙤𝙧𝙙",
            "ⓟⓐⓢⓢⓦⓞⓡⓓ",
            "ᴘᴀꜱꜱᴡᴏʀᴅ",
            "pa\u{301}ssword",
            "🅿🅰🆂🆂🆆🅾🆁🅳",
            "ρassѡord",
        ] {
            assert_eq!(latin(name), "password", "{name}");
        }
        assert_eq!(latin("数字"), "数字");
    }
}
