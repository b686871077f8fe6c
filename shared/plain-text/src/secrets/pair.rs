//! Finds a secret's name with its value, in all usual notations: `PWD={x}`, `"token": "x"`, `<secret>x</secret>`,
//! `--password x`, `the password is x`, `name="password" value="x"`.

use super::name::{self, Name};
use super::ordinary::{is_no_secret, is_ordinary};
use super::parts::Parts;
use super::shape::{is_code, is_no_word, is_number, is_participle, looks_like_value};
use super::tie::Tie;
use super::value::{self, Form, opening_quote, word_end};
use super::words::{is_one_of, is_one_of_in_any_case};
use super::{about, command, fold, scheme, separator};
use std::ops::Range;

/// A longer value, in bytes, is always removed without asking whether it is a secret.
const VALUE_LIMIT: usize = 200;
/// The most digits of a number that can be a count.
const NUMBER_LIMIT: usize = 12;

/// Words that announce a name in a syntax error: the quoted text after them is a name and not a secret's value.
const SYNTAX: &str = "unexpected unknown near column field parameter property option attribute argument missing named \
    variable setting illegal";

/// Adds the values after names of secrets.
pub(super) fn find(text: &str, found: &mut Parts) {
    let mut at = 0;
    let mut before = Before::default();
    while let Some((start, end)) = next_name(text, at) {
        before.forget_unless_near(&text[at..start]);
        at = end;
        let name = &text[start..end];
        let value = command::option(text, start, end).or_else(|| {
            let kind = name::of(name, before.words())?;
            dashed(text, start..end).or_else(|| named(text, start, end, kind, &before))
        });
        before.push(name);
        if let Some(value) = value {
            // Names inside the value were read as part of it, so the search continues after the value.
            at = at.max(value.end);
            found.push(value);
        }
    }
}

/// The words before a name, nearest first, as far as they are separated by spaces only.
#[derive(Default)]
struct Before {
    nearest: String,
    second: String,
}

impl Before {
    fn words(&self) -> [&str; 2] {
        [&self.nearest, &self.second]
    }

    fn forget_unless_near(&mut self, between: &str) {
        if !matches!(between, " " | "-" | "'" | " '" | " \"") {
            self.nearest.clear();
            self.second.clear();
        }
    }

    fn push(&mut self, name: &str) {
        std::mem::swap(&mut self.nearest, &mut self.second);
        self.nearest.clear();
        self.nearest.extend(name.chars().take(32).flat_map(char::to_lowercase));
    }
}

/// The next run of letters, digits, `_`, `-` and `.` that begins and ends with a letter, digit or `_`.
fn next_name(text: &str, from: usize) -> Option<(usize, usize)> {
    let is_edge = |c: char| c.is_alphanumeric() || c == '_';
    let start = from + text[from..].find(is_edge)?;
    let rest = &text[start..];
    let is_inner = |c: char| is_edge(c) || c == '-' || c == '.' || fold::is_mark(c);
    let end = rest.find(|c: char| !is_inner(c)).unwrap_or(rest.len());
    Some((start, start + rest[..end].trim_end_matches(['-', '.']).len()))
}

/// The value after the name of a secret, without its quotes.
fn named(text: &str, start: usize, end: usize, kind: Name, before: &Before) -> Option<Range<usize>> {
    let (tie, at) = separator::tie(text, start, end)?;
    let name = &text[start..end];
    if about::is_arn(text, start) {
        return None;
    }
    match tie {
        Tie::Element => return element(text, name, at),
        Tie::Loose if kind == Name::Code || is_of_digits(name, before) => return loose_number(text, end, at),
        Tie::Loose => return loose(text, start..end, at).filter(|_| kind == Name::Sure),
        Tie::Weak | Tie::Beside if kind == Name::Assigned => return None,
        Tie::Beside if !matches!(kind, Name::Sure | Name::Code) || is_about_syntax(before) => return None,
        _ => {}
    }
    let is_quoted = opening_quote(&text[at..]).is_some();
    let window = text.floor_char_boundary(at + VALUE_LIMIT);
    let word = if is_quoted { "" } else { &text[at..word_end(&text[..window], at)] };
    if !is_quoted && tie == Tie::Beside {
        // Example: `sshpass -px`.
        if word.starts_with('-') && name.eq_ignore_ascii_case("sshpass") {
            return None;
        }
        let is_digits = is_of_digits(name, before) && word.len() >= 4 && is_number(word);
        let value = (is_no_word(word) || is_digits).then(|| at..at + word.len())?;
        return (is_value(text, name, kind, &value)
            && !about::is_name_of_secret(text, name, before.words(), &value))
        .then(|| at..word_end(text, at));
    }
    // Decided before the value is read to its end: text that is not removed is read again for other names.
    if !is_quoted && tie == Tie::Weak && (is_ordinary(word) || is_participle(word)) {
        return None;
    }
    let form = match kind {
        Name::Header => Form::Header,
        _ if begins_with_scheme(&text[at..]) => Form::Header,
        _ if text[..at].ends_with('=') => Form::Chain,
        _ => Form::Word,
    };
    // Decided by the first part of the value. The value is read to its end only if it is removed.
    let beginning = value::near(text, at, form);
    if !is_value(text, name, kind, &beginning) {
        return None;
    }
    let mut value = value::of(text, at, form);
    if tie == Tie::Weak && kind == Name::Sure && !is_quoted && word.bytes().all(|b| b.is_ascii_lowercase()) {
        value.end = value.end.max(phrase_end(text, at));
    }
    if tie == Tie::Block {
        value.end = block_end(text, at);
    }
    if matches!(tie, Tie::Weak | Tie::Strong) && !is_quoted {
        value.end = value.end.max(second_end(text, start..end, &value));
    }
    let is_shown = !is_value(text, name, kind, &value)
        || (matches!(tie, Tie::Weak | Tie::Beside)
            && about::is_name_of_secret(text, name, before.words(), &value))
        || (tie == Tie::Weak && about::is_length(text, &value));
    (!is_shown).then_some(value)
}

/// The text of an XML element, unless that text is itself the name of a secret.
fn element(text: &str, name: &str, at: usize) -> Option<Range<usize>> {
    let value = value::of_element(text, at);
    let shown = &text[value.clone()];
    (!is_key_of(name, shown) && !is_no_secret(shown)).then_some(value)
}

/// Whether the value is the name of a secret, as in `key="password" value="x"`.
fn is_key_of(name: &str, shown: &str) -> bool {
    name.eq_ignore_ascii_case("key") && name::of(shown, ["", ""]).is_some()
}

/// Whether the text after the name of a secret is a secret: not a count, not a business code, not a state.
fn is_value(text: &str, name: &str, kind: Name, value: &Range<usize>) -> bool {
    let shown = &text[value.clone()];
    // Text that is not removed is read again, so it must not be long.
    if shown.len() > VALUE_LIMIT {
        return !is_key_of(name, &shown[..shown.floor_char_boundary(VALUE_LIMIT)]);
    }
    let counts = kind == Name::Vague
        || kind == Name::Assigned
        || (kind == Name::Sure && name.to_lowercase().ends_with("tokens"));
    let is_count =
        (counts && shown.len() <= NUMBER_LIMIT && is_number(shown)) || about::is_count(text, name, value);
    let is_of_kind = match kind {
        Name::Key => about::opens(name, shown),
        Name::Code => about::is_code(shown) && !is_code_of_error(shown),
        Name::Sid => about::is_session(text, name, value),
        Name::Assigned => !about::is_ticket(shown),
        _ => true,
    };
    let is_arn = shown.starts_with("arn:") && !shown.contains(char::is_whitespace);
    is_of_kind && !is_arn && !is_count && !is_no_secret(shown) && !is_key_of(name, shown)
}

/// Whether the value is an error code: `ORA-01555`, `0x80070005`, `28000`, `390100`. A one-time code has six to eight
/// digits, or letters too.
fn is_code_of_error(shown: &str) -> bool {
    const KNOWN: [&str; 2] = ["390", "250"];
    let is_of_snowflake = shown.len() == 6 && KNOWN.iter().any(|known| shown.starts_with(known));
    let is_short = shown.len() == 5 && is_number(shown);
    is_code(shown) && !is_number(shown) || is_short || (is_number(shown) && is_of_snowflake)
}

/// The value after `-`, `/`, `,` or another sign that ordinary sentences contain too, if it looks like a secret.
fn loose(text: &str, name: Range<usize>, at: usize) -> Option<Range<usize>> {
    let limit = text.floor_char_boundary(at + VALUE_LIMIT);
    let end = word_end(&text[..limit], at);
    let separator = text[name.end..at].trim();
    let head = text[..name.start].trim_end_matches(' ');
    let behind = &text[end..];
    let is_list = match separator {
        // A list of names, or a sentence that continues after the word.
        "," | ";" => head.ends_with(',') || behind.starts_with(',') || goes_on(behind),
        // A file path and no secret.
        "/" => head.ends_with(['/', '\\']) || text[name].to_lowercase().starts_with("secret"),
        _ => false,
    };
    (!is_list && looks_like_value(&text[at..end])).then_some(at..end)
}

/// A one-time code after a dash.
fn loose_number(text: &str, end: usize, at: usize) -> Option<Range<usize>> {
    let value = at..word_end(&text[..text.floor_char_boundary(at + VALUE_LIMIT)], at);
    let shown = &text[value.clone()];
    let is_dash = matches!(text[end..at].trim(), "-" | "–" | "—" | ">" | "--");
    ((is_dash && about::is_code(shown) && !is_code_of_error(shown) && !goes_on(&text[value.end..]))
        || looks_like_value(shown))
    .then_some(value)
}

fn goes_on(behind: &str) -> bool {
    behind.strip_prefix(' ').is_some_and(|next| next.starts_with(char::is_alphanumeric))
}

/// The value in `pwd-hunter2`. A hyphen can also be part of a name.
fn dashed(text: &str, name: Range<usize>) -> Option<Range<usize>> {
    const NAMES: &str = "password passwd pwd passphrase passcode passwort kennwort pass-word";
    const OTHERS: [&str; 12] =
        ["sha", "md5", "base", "oauth", "aes", "pbkdf", "argon", "bcrypt", "rsa", "scram", "saml", "x5"];
    let (word, _) =
        text[name.clone()].split_once('-').filter(|(word, _)| is_one_of_in_any_case(NAMES, word))?;
    let at = name.start + word.len() + 1;
    let end = word_end(&text[..text.floor_char_boundary(at + VALUE_LIMIT)], at);
    let value = text[at..end].to_lowercase();
    let is_other = OTHERS.iter().any(|other| value.starts_with(other));
    let is_name = text[name.end..].trim_start_matches(['"', '\'', ' ']).starts_with(['=', ':', '>']);
    (!is_other && !is_name && !value.contains('-') && looks_like_value(&text[at..end])).then_some(at..end)
}

/// The end of the second of two values: a password after its user, as in "credentials: svc / x" and "user/password:
/// svc, x"; or a new value, as in "password changed from x to y".
fn second_end(text: &str, name: Range<usize>, value: &Range<usize>) -> usize {
    let word = text[name.clone()].to_lowercase();
    let head = text[..name.start].trim_end_matches(' ');
    let head = &head[head.ceil_char_boundary(head.len().saturating_sub(12))..];
    let is_both = word.contains("cred")
        || [
            "user/",
            "username/",
            "name/",
            "login/",
            "user and",
            "username and",
            "name and",
            "login and",
            "user &",
        ]
        .iter()
        .any(|both| head.to_ascii_lowercase().ends_with(both));
    let is_change = text[name.end..value.start].ends_with("from ");
    let behind = &text[value.end..];
    let separators: &[&str] = match (is_both, is_change) {
        (true, _) => &[" / ", ", ", " : ", " - ", " | ", " and ", " & ", "; ", " "],
        (false, true) => &[" to "],
        (false, false) if word.ends_with("words") => &[" and ", ", ", " / ", " & "],
        (false, false) => &[],
    };
    let Some(separator) = separators.iter().find(|separator| behind.starts_with(**separator)) else {
        return value.end;
    };
    let at = value.end + separator.len();
    let near = &text[..text.floor_char_boundary(at + VALUE_LIMIT)];
    let end = match opening_quote(&near[at..]) {
        Some(_) => value::of(near, at, Form::Word).end,
        None => word_end(near, at),
    };
    let second = &text[at..end];
    let is_sure = matches!(*separator, " / " | " : " | " to ") && !is_ordinary(second);
    if is_sure || looks_like_value(second) { end } else { value.end }
}

fn begins_with_scheme(text: &str) -> bool {
    let end = text.bytes().take(scheme::NAME_LIMIT).position(|b| b.is_ascii_whitespace());
    end.is_some_and(|end| scheme::is_scheme(&text[..end]))
}

/// Whether the name is part of a syntax error: "Unexpected token 'FROM'", "unknown column 'password'".
fn is_about_syntax(before: &Before) -> bool {
    before.words().iter().any(|word| !word.is_empty() && is_one_of(SYNTAX, word))
}

/// Whether the name announces a number: `PIN 4829`, `OTP code 482913`, "one-time password 482913".
fn is_of_digits(name: &str, before: &Before) -> bool {
    let name = name.to_ascii_lowercase();
    ["pin", "otp", "passcode", "code", "number"].iter().any(|digits| name.ends_with(digits))
        || matches!(
            before.nearest.as_str(),
            "time" | "one-time" | "onetime" | "temporary" | "mfa" | "2fa" | "totp"
        )
}

/// The end of a passphrase of several lower-case words: the end of its sentence.
fn phrase_end(text: &str, at: usize) -> usize {
    let mut end = at;
    for word in text[at..].split_inclusive([' ', '\n', '.', ',', ';', '"', '\'']) {
        let letters = word.trim_end_matches([' ', '\n', '.', ',', ';', '"', '\'']);
        if letters.is_empty() || !letters.bytes().all(|b| b.is_ascii_lowercase()) {
            break;
        }
        end = end.max(at) + letters.len();
        if !word.ends_with(' ') {
            return end;
        }
        end += 1;
    }
    at + text[at..end].trim_end().len()
}

/// The end of a YAML block: the last line that is indented at least as far as the first, which begins at `start`.
fn block_end(text: &str, start: usize) -> usize {
    let indent = text[..start].len() - text[..start].trim_end_matches([' ', '\t']).len();
    let mut end = start;
    for line in text[start..].split_inclusive('\n') {
        let is_inside =
            end == start || line.len() - line.trim_start_matches([' ', '\t']).len() >= indent.max(1);
        if !is_inside && !line.trim().is_empty() {
            break;
        }
        end += line.len();
    }
    start + text[start..end].trim_end().len()
}
