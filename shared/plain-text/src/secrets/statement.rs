//! Finds passwords in statements and calls that identify them by position: `IDENTIFIED BY x`, `OPENROWSET('p', 's';
//! 'u'; 'x', …)`, `getConnection(url, "u", "x")`, `CONNECT TO db USER u USING x`.

use super::parts::Parts;
use super::tie::gap;
use super::value::{self, Form, opening_quote};
use std::ops::Range;

/// How many bytes may stand between `IDENTIFIED` and `BY`.
const STATEMENT_LIMIT: usize = 120;
/// The longest argument before a password, in bytes.
const ARGUMENT_LIMIT: usize = 400;

/// Function calls, with the positions (from 1) of the arguments that are passwords.
const CALLS: [(&str, &[usize]); 18] = [
    ("openrowset", &[4]),
    ("opendatasource", &[4]),
    ("sp_addlogin", &[2]),
    ("sp_password", &[1, 2]),
    ("sp_addlinkedsrvlogin", &[5]),
    ("sp_addapprole", &[2]),
    ("sp_setapprole", &[2]),
    ("getconnection", &[3]),
    ("networkcredential", &[2]),
    ("usernamepasswordcredentials", &[2]),
    ("passwordauthentication", &[2]),
    ("httpbasicauth", &[2]),
    ("basicauth", &[2]),
    ("setbasicauth", &[2]),
    ("convertto-securestring", &[1]),
    ("setlogin", &[2]),
    ("dblink_connect", &[3]),
    ("login", &[2]),
];

/// Adds the passwords in statements and calls.
pub(super) fn find(text: &str, found: &mut Parts) {
    let mut at = 0;
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    while let Some(start) = text[at..].find(is_part).map(|start| at + start) {
        let end = text[start..].find(|c| !is_part(c)).map_or(text.len(), |end| start + end);
        let word = &text[start..end];
        at = end;
        if word.eq_ignore_ascii_case("identified") {
            found.extend(identified(text, start));
        } else if word.eq_ignore_ascii_case("using") {
            found.extend(using(text, start, end));
        } else if let Some((_, places)) = CALLS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)) {
            arguments(text, end, places, found);
        }
    }
}

/// The password in `IDENTIFIED BY x` and `IDENTIFIED WITH plugin AS 'x'`.
fn identified(text: &str, at: usize) -> Option<Range<usize>> {
    let statement = &text[at..];
    let mut begin = "identified".len();
    begin += statement[begin..].starts_with(' ').then_some(1)?;
    for word in statement[begin..].split_inclusive(char::is_whitespace) {
        begin += word.len();
        let word = word.trim_end();
        if begin > STATEMENT_LIMIT {
            break;
        }
        if ["by", "as"].iter().any(|by| word.eq_ignore_ascii_case(by)) {
            let gap = statement[begin..].len() - statement[begin..].trim_start().len();
            let values =
                statement[begin + gap..].get(..7).is_some_and(|word| word.eq_ignore_ascii_case("values "));
            let start = at + begin + gap + if values { 7 } else { 0 };
            return Some(value::near(text, start, Form::Word));
        }
    }
    None
}

/// The password in `CONNECT TO db USER svc USING x` and `USER svc USING x` of Db2.
fn using(text: &str, start: usize, end: usize) -> Option<Range<usize>> {
    let head = &text[text.ceil_char_boundary(start.saturating_sub(STATEMENT_LIMIT))..start];
    let mut words = head.split_whitespace().rev();
    words.next()?;
    let is_user = words.next().is_some_and(|word| word.eq_ignore_ascii_case("user"));
    let is_connect =
        words.any(|word| word.eq_ignore_ascii_case("connect") || word.eq_ignore_ascii_case("attach"));
    let at = end + gap(&text[end..]);
    (is_user && is_connect && at > end && at < text.len()).then(|| value::near(text, at, Form::Word))
}

/// Adds the arguments of a call that are passwords, by position. `,` and `;` separate arguments. Options in
/// PowerShell are not counted.
fn arguments(text: &str, at: usize, places: &[usize], found: &mut Parts) {
    let mut at = at + gap(&text[at..]);
    at += usize::from(text[at..].starts_with('('));
    let last = places.iter().copied().max().unwrap_or_default();
    for place in 1..=last {
        let mut start = at + gap(&text[at..]);
        let limit = text.floor_char_boundary(start + ARGUMENT_LIMIT);
        if text[start..].starts_with('-') {
            start = text[start..limit].find(' ').map_or(limit, |end| start + end + 1);
        }
        let rest = &text[start..limit];
        // Examples: `N'x'`, `@passwd = 'x'`.
        let quoted = match rest.starts_with('@') {
            true => rest.find('=').map_or(start, |equals| start + equals + 1 + gap(&rest[equals + 1..])),
            false => start,
        };
        let skipped = usize::from(
            text[quoted..].starts_with(['N', 'n']) && opening_quote(&text[quoted + 1..]).is_some(),
        );
        let value = match opening_quote(&text[quoted + skipped..]) {
            Some(_) => value::near(text, quoted, Form::Word),
            None => start..start + rest.find([',', ';', ')', '\n']).unwrap_or(rest.len()),
        };
        let is_quoted = opening_quote(&text[quoted + skipped..]).is_some();
        let behind = text[value.end..].trim_start_matches(['"', '\'', '\\', ' ']);
        if is_quoted && places.contains(&place) {
            found.push(value);
        }
        match behind.strip_prefix([',', ';']) {
            Some(next) => at = text.len() - next.len(),
            None => return,
        }
    }
}
