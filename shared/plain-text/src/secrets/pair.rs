//! A name and its value, in whatever way the two are written: `PWD={x}`, `"token": "x"`, `<secret>x</secret>`,
//! `--password x`, `the password is x`, `name="password" value="x"`.

use super::name::{self, Name};
use super::ordinary::{is_no_secret, is_ordinary};
use super::scheme;
use super::value::{self, Form, opening_quote, word_end};
use super::{Parts, is_one_of};

/// How much white space may stand between a name and its value.
const GAP: usize = 40;
/// The longest start of an XML element, in bytes.
const TAG_LIMIT: usize = 300;
/// How far back a program's name may stand before its option, in bytes.
const COMMAND_LIMIT: usize = 200;
/// How far `is` may stand from "password for", in words, and how long each may be.
const USER_WORDS: usize = 4;
const USER_LIMIT: usize = 80;
/// The most digits that a number has which counts something.
const NUMBER_LIMIT: usize = 12;

/// Before a name: it is the name of something in a statement, and what is in quotes behind it is not its value.
const SYNTAX: &str = "unexpected unknown near column field parameter property option attribute argument missing named \
    variable setting illegal";

/// How a name and a value are tied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tie {
    /// `=`, `=>`, `"name":`, a command's option: what follows is the value.
    Strong,
    /// `: `, `is`, as in sentences, too.
    Weak,
    /// YAML's `|` and `>`: the value is on the next lines.
    Block,
    /// An XML element, whose text is the value.
    Element,
    /// Nothing but a space: only what is in quotes, or looks like no word, is a value.
    Beside,
}

/// Adds the values behind names of secrets.
pub(super) fn find(text: &str, found: &mut Parts) {
    let mut at = 0;
    let mut before = Before::default();
    while let Some((start, end)) = next_name(text, at) {
        before.forget_unless_near(&text[at..start]);
        at = end;
        let name = &text[start..end];
        let value = option(text, start, end).or_else(|| {
            let kind = name::of(name, before.words())?;
            named(text, start, end, kind, &before)
        });
        before.push(name);
        if let Some(value) = value {
            // What stands in the value has been read with it.
            at = at.max(value.end);
            found.push(value);
        }
    }
}

/// The words before a name, the nearest first, as long as only a space parts them.
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
    let end = rest.find(|c: char| !is_edge(c) && c != '-' && c != '.').unwrap_or(rest.len());
    Some((start, start + rest[..end].trim_end_matches(['-', '.']).len()))
}

/// The value of a name of a secret, without quotes.
fn named(
    text: &str,
    start: usize,
    end: usize,
    kind: Name,
    before: &Before,
) -> Option<std::ops::Range<usize>> {
    let (tie, at) = tie(text, start, end)?;
    if matches!(tie, Tie::Weak | Tie::Beside) && kind == Name::Assigned {
        return None;
    }
    if tie == Tie::Beside && (kind != Name::Sure || is_about_syntax(before)) {
        return None;
    }
    // `key="password" value="x"`: the value of `key` is the name of another.
    let is_key = text[start..end].eq_ignore_ascii_case("key");
    if tie == Tie::Element {
        let value = value::of_element(text, at);
        let shown = &text[value.clone()];
        let is_name = is_key && name::of(shown, ["", ""]).is_some();
        return (!is_name && !is_no_secret(shown)).then_some(value);
    }
    let is_quoted = opening_quote(&text[at..]).is_some();
    let word = if is_quoted { "" } else { &text[at..word_end(text, at)] };
    if !is_quoted && tie == Tie::Beside {
        let is_number =
            is_of_digits(&text[start..end]) && word.len() >= 4 && word.bytes().all(|b| b.is_ascii_digit());
        return (is_no_word(word) || is_number).then(|| at..at + word.len());
    }
    // Before the whole value is read: what is not removed is read again.
    if !is_quoted && tie == Tie::Weak && (is_ordinary(word) || is_participle(word)) {
        return None;
    }
    let form = match kind {
        Name::Header => Form::Header,
        _ if begins_with_scheme(&text[at..]) => Form::Header,
        _ if text[..at].ends_with('=') => Form::Chain,
        _ => Form::Word,
    };
    let mut value = value::of(text, at, form);
    if tie == Tie::Weak && kind == Name::Sure && !is_quoted && word.bytes().all(|b| b.is_ascii_lowercase()) {
        value.end = value.end.max(phrase_end(text, at));
    }
    if tie == Tie::Block {
        value.end = block_end(text, at);
    }
    let shown = &text[value.clone()];
    if is_key && name::of(shown, ["", ""]).is_some() {
        return None;
    }
    let counts =
        kind == Name::Vague || (kind == Name::Sure && text[start..end].to_lowercase().ends_with("tokens"));
    let is_number = shown.len() <= NUMBER_LIMIT && shown.bytes().all(|b| b.is_ascii_digit());
    let is_none = is_no_secret(shown) || (counts && is_number);
    (!is_none).then_some(value)
}

/// How the name that ends at `end` is tied to what follows, and where that begins.
fn tie(text: &str, start: usize, end: usize) -> Option<(Tie, usize)> {
    if let Some(value) = element(text, start, end) {
        return Some((Tie::Element, value));
    }
    let rest = &text[end..];
    let closed = rest.trim_start_matches(['"', '\'', '`', ']', ')', '*', '\\', '”', '’']);
    let is_closed = closed.len() < rest.len();
    let is_quoted = rest.starts_with(['"', '\'', '\\', '`']);
    let apart = gap(closed);
    let behind = &closed[apart..];
    let at = text.len() - behind.len();
    if let Some(value) = named_beside(text, at, is_quoted) {
        return Some((Tie::Strong, value));
    }
    for (separator, tie) in [
        ("=>", Tie::Strong),
        ("==", Tie::Strong),
        (":=", Tie::Strong),
        ("=", Tie::Strong),
        ("->", Tie::Strong),
        ("→", Tie::Strong),
        ("|", Tie::Strong),
        (":", Tie::Weak),
    ] {
        let Some(value) = behind.strip_prefix(separator) else { continue };
        // A scope, a URL, a pipe within a word.
        if separator == ":" && (value.starts_with(':') || value.starts_with("//"))
            || (separator == "|" && apart == 0)
        {
            return None;
        }
        let tie = if is_quoted || !value.starts_with(char::is_whitespace) { Tie::Strong } else { tie };
        let (at, is_block) = value_start(text, text.len() - value.len())?;
        return Some((if is_block { Tie::Block } else { tie }, at));
    }
    if let Some(inner) = behind.strip_prefix(['(', '<']).filter(|_| !is_closed) {
        return Some((Tie::Beside, text.len() - inner.len()));
    }
    if is_quoted || (apart == 0 && opening_quote(behind).is_none()) || behind.starts_with('\n') {
        return None;
    }
    for verb in ["is ", "was ", "are ", "equals ", "set to ", "changed to ", "ist ", "est ", "es "] {
        if behind.get(..verb.len()).is_some_and(|word| word.eq_ignore_ascii_case(verb)) {
            return value_start(text, at + verb.len()).map(|(at, _)| (Tie::Weak, at));
        }
    }
    if let Some(value) = of_user(text, at) {
        return Some((Tie::Weak, value));
    }
    (!behind.is_empty()).then_some((Tie::Beside, at))
}

/// Where the value begins in `password for user 'svc' is x`, `password of svc: x`.
fn of_user(text: &str, at: usize) -> Option<usize> {
    let behind = text[at..].strip_prefix("for ").or_else(|| text[at..].strip_prefix("of "))?;
    let mut value = text.len() - behind.len();
    for word in behind.split_inclusive(' ').take(USER_WORDS) {
        value += word.len();
        let word = word.trim_end_matches(' ');
        if word.len() > USER_LIMIT || word.contains('\n') {
            break;
        }
        if word.ends_with([':', '=']) || matches!(word, "is" | "was" | "are") {
            return value_start(text, value).map(|(at, _)| at);
        }
    }
    None
}

/// The white space on the line that a text begins with.
fn gap(text: &str) -> usize {
    let spaces = text.char_indices().take(GAP).find(|(_, c)| !c.is_whitespace() || *c == '\n');
    spaces.map_or(0, |(at, _)| at)
}

/// Where the value behind a separator begins: on the next line when nothing stands behind it, and that is one word, begins
/// with one that is none of a sentence nor a code such as `ORA-12541`, or is a block of YAML. With whether YAML says that it goes on for several lines.
fn value_start(text: &str, at: usize) -> Option<(usize, bool)> {
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

/// Where the text of an XML element begins whose name or attribute is the name: `<password>`, `<entry key="password">`,
/// `<key>password</key><string>`.
fn element(text: &str, start: usize, end: usize) -> Option<usize> {
    let rest = &text.as_bytes()[end..(end + TAG_LIMIT).min(text.len())];
    let is_tag = text[..start].ends_with('<') || (text[..start].ends_with(':') && tag_before(text, start));
    let is_attribute = matches!(rest, [b'"' | b'\'', b'>', ..]);
    if is_tag || is_attribute {
        let close = rest.iter().position(|b| matches!(b, b'>' | b'<')).filter(|at| rest[*at] == b'>')?;
        let has_text = close == 0 || rest[close - 1] != b'/';
        return has_text.then_some(end + close + 1).filter(|at| has_content(text, *at));
    }
    let closed = rest.strip_prefix(b"</")?;
    let close = end + 2 + closed.iter().position(|b| *b == b'>')? + 1;
    let next = close + (text[close..].len() - text[close..].trim_start().len());
    let tag = text.get(next..)?.strip_prefix('<').filter(|tag| !tag.starts_with('/'))?;
    let open = tag.bytes().take(TAG_LIMIT).position(|b| b == b'>')?;
    Some(next + 1 + open + 1).filter(|at| has_content(text, *at))
}

/// Whether the name at `start` is `b` of `<a:b`.
fn tag_before(text: &str, start: usize) -> bool {
    let head =
        text[..start - 1].trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    head.len() + 48 > start && head.ends_with('<')
}

fn has_content(text: &str, at: usize) -> bool {
    let content = text[at..].trim_start();
    !content.is_empty() && (!content.starts_with('<') || content.starts_with("<![CDATA["))
}

/// The value in `name="password" value="x"`, `{"name": "password", "value": "x"}` and `('password', 'x')`, when the name ends
/// before `at`.
fn named_beside(text: &str, at: usize, is_quoted: bool) -> Option<usize> {
    let rest = &text[at..];
    let behind = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    let next = behind.trim_start_matches(['"', '\'', '\\', '-']);
    let length = next.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(next.len());
    if name::is_value(&next[..length]) {
        let separator = next[length..].trim_start_matches(['"', '\'', '\\', ' ']);
        let value = separator.strip_prefix(['=', ':'])?.trim_start();
        return Some(text.len() - value.len());
    }
    let is_pair = is_quoted && rest.starts_with(',') && opening_quote(behind).is_some();
    let head = text[..at].trim_end_matches(['"', '\'', '\\', ' ']);
    let opened = head.trim_end_matches(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    let opened = opened.trim_end_matches(['"', '\'', '\\']);
    (is_pair && opened.ends_with(['(', '['])).then(|| text.len() - behind.len())
}

/// The value of a command's option: `--password x`, `-p x`, `-pX` of MySQL, `-u name:x`.
fn option(text: &str, start: usize, end: usize) -> Option<std::ops::Range<usize>> {
    let head = &text[..start];
    let program = head.trim_end_matches('-');
    let is_option = program.len() < head.len() && !program.ends_with(char::is_alphanumeric);
    if !is_option {
        return None;
    }
    let name = &text[start..end];
    let behind = end + gap(&text[end..]);
    let is_apart = behind > end;
    let is_short = matches!(name, "p" | "P" | "pw" | "W");
    if is_apart && matches!(name, "u" | "U" | "user") {
        let login = &text[behind..word_end(text, behind)];
        let colon = login.find(':').filter(|_| !login.contains("://"))?;
        return Some(behind + colon + 1..behind + login.len());
    }
    let is_secret = || matches!(name::of(name, ["", ""]), Some(Name::Sure | Name::Header | Name::Vague));
    if is_apart && (is_short || is_secret()) && !text[behind..].starts_with(['=', ':', '-']) {
        let value = value::of(text, behind, Form::Word);
        let shown = &text[value.clone()];
        let is_port = is_short && shown.len() <= 5 && shown.bytes().all(|b| b.is_ascii_digit());
        return (!is_port && !is_no_secret(shown) && !is_ordinary(shown)).then_some(value);
    }
    let is_attached = name.starts_with('p')
        && (name.len() > 1 || !is_apart)
        && !head.ends_with("--")
        && is_run_of_mysql(head);
    is_attached.then(|| start + 1..word_end(text, start))
}

fn is_run_of_mysql(head: &str) -> bool {
    let from = head.char_indices().rev().take(COMMAND_LIMIT).last().map_or(0, |(at, _)| at);
    let line = head[from..].rsplit('\n').next().unwrap_or_default();
    ["mysql", "mariadb", "sshpass"].iter().any(|program| line.contains(program))
}

fn begins_with_scheme(text: &str) -> bool {
    let end = text.bytes().take(scheme::NAME_LIMIT).position(|b| b.is_ascii_whitespace());
    end.is_some_and(|end| scheme::is_scheme(&text[..end]))
}

/// "Unexpected token 'FROM'", "unknown column 'password'".
fn is_about_syntax(before: &Before) -> bool {
    before.words().iter().any(|word| !word.is_empty() && is_one_of(SYNTAX, word))
}

/// Whether a name is one of a number: `PIN 4829`, `OTP code 482913`.
fn is_of_digits(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["pin", "otp", "passcode", "code"].iter().any(|digits| name.ends_with(digits))
}

/// Whether a word has letters and digits, or signs: no word of a sentence has.
fn is_no_word(word: &str) -> bool {
    let has = |is: fn(char) -> bool| word.chars().any(is);
    let is_version = word.chars().all(|c| c.is_ascii_digit() || c == '.');
    let mixed = has(|c| c.is_ascii_digit()) && has(char::is_alphabetic);
    let signs = has(|c| "!@#$%^&*+=~".contains(c));
    word.len() >= 4 && !is_version && (mixed || signs)
}

/// "is locked", "is used", "is expiring": lower case, with the ending of a participle.
fn is_participle(word: &str) -> bool {
    let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
    let ends = ["ed", "ing", "able", "ible"].iter().any(|end| word.ends_with(end));
    ends && word.len() > 4 && word.bytes().all(|b| b.is_ascii_lowercase())
}

/// A passphrase of several words in lower case goes on up to the end of its sentence.
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

/// The end of the lines that are indented as far as the first, which begins at `start`.
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
