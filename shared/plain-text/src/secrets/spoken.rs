//! Finds secrets in sentences: "the password for svc has been reset to x", "new password will be x", "password used:
//! x".

use super::tie::{Tie, gap, value_start};
use super::value::opening_quote;
use super::words::is_one_of_in_any_case;

/// How many words may stand between the name and the value.
const WORDS: usize = 12;
const WORD_LIMIT: usize = 80;
/// How many bytes after the name are read.
const TEXT_LIMIT: usize = 600;
/// How many of these words may say whose secret it is, or where.
const OWNER_WORDS: usize = 6;

/// Words after which the present value follows ("is", in several languages).
const IS: &str = "been is was are were be equals equal ist war lautet est es é è era jest är er";
/// Words after which, together with one of [`CHANGED`], the new or the old value follows.
const BECAME: &str = "to as from into auf zu en à";
/// Words that say that a secret got another value.
const CHANGED: &str = "\
    set reset changed updated rotated configured replaced stored saved entered typed chosen wurde worden geändert changé \
    réinitialisé cambiada cambiado";
/// Words that say what else was done with a secret: its value follows only after a word of [`IS`].
const DONE: &str = "\
    used given provided sent supplied specified assigned generated issued tried received expected shown printed";
/// Words that may stand before and between the words above.
const AROUND: &str = "\
    has have had being will would should must shall can could may might i we you he she they it user that which \
    wird ha sido été a ahora nun jetzt now currently still temporarily temporary just also always actually simply only \
    probably therefore again already last recently successfully your the new initial default";
/// Adverbs, which say when or how and are not the value.
const ADVERBS: &str = "\
    now currently still temporarily just also always actually simply only probably therefore again jetzt nun ahora \
    already last recently";
/// Words that begin a phrase saying whose secret it is, or where.
const OF: &str = "for of to on in at für von de del du pour para di";

/// How the name is connected with its value in a sentence. The name ends before `at`, where the next word begins.
pub(super) fn tie(text: &str, at: usize) -> Option<(Tie, usize)> {
    let mut end = at;
    let mut value = None;
    let mut owner_words = 0;
    let mut is_done = false;
    let mut is_changed = false;
    let near = &text[at..text.floor_char_boundary(at + TEXT_LIMIT)];
    for (count, part) in near.split_inclusive(' ').take(WORDS).enumerate() {
        let start = end;
        end += part.len();
        let word = part.trim_end_matches(' ');
        if word.len() > WORD_LIMIT || word.contains('\n') {
            // The text after the separator is the value itself, up to the end of its line.
            return value.filter(|value| *value == start).map(|start| (Tie::Weak, start));
        }
        if word.is_empty() {
            if value == Some(start) {
                value = Some(end);
            }
            continue;
        }
        let bare = word.trim_end_matches([':', '=']);
        let is_known =
            is_verb(bare) || is_around(bare) || (is_changed && is_one_of_in_any_case(BECAME, bare));
        if bare.len() < word.len() && (owner_words > 0 || bare.is_empty() || is_known) {
            let (start, _) = value_start(text, end - usize::from(part.len() > word.len()))?;
            return Some((Tie::Weak, start));
        }
        if is_one_of_in_any_case(IS, word) {
            owner_words = 0;
            value = Some(end);
        } else if is_verb(word) {
            owner_words = 0;
            is_done = true;
            is_changed = is_one_of_in_any_case(CHANGED, word);
            value = None;
        } else if is_changed && is_one_of_in_any_case(BECAME, word) {
            value = Some(end);
        } else if value == Some(start) && !is_adverb(word) {
            return Some((Tie::Weak, start + gap(&text[start..])));
        } else if is_done && word.starts_with('(') {
            return Some((Tie::Beside, start + 1));
        } else if owner_words > 0 && word.eq_ignore_ascii_case("to") && opening_quote(&text[end..]).is_some()
        {
            return Some((Tie::Weak, end));
        } else if is_around(word) {
            value = value.map(|_| end);
            owner_words += usize::from(owner_words > 0);
        } else if count == 0 && is_one_of_in_any_case(OF, word) {
            owner_words = 1;
        } else if (1..OWNER_WORDS).contains(&owner_words) {
            owner_words += 1;
            // Example: `'svc'='x'`.
            if let Some(equals) = word.find('=') {
                return Some((Tie::Weak, start + equals + 1));
            }
        } else {
            return None;
        }
    }
    value.filter(|value| *value < text.len()).map(|value| (Tie::Weak, value))
}

fn is_verb(word: &str) -> bool {
    [IS, CHANGED, DONE].iter().any(|words| is_one_of_in_any_case(words, word))
}

fn is_around(word: &str) -> bool {
    is_one_of_in_any_case(AROUND, word) || is_adverb(word)
}

/// Whether a word is an adverb: "still", "previously".
fn is_adverb(word: &str) -> bool {
    let is_formed = word.len() > 4 && word.ends_with("ly") && word.bytes().all(|b| b.is_ascii_lowercase());
    is_formed || is_one_of_in_any_case(ADVERBS, word)
}
