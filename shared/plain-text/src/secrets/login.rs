//! A user and a password in one word: `scott/tiger@db`, `svc:x@host`; and passwords in SQL.

use super::value::{self, Form};
use super::{Parts, is_one_of_in_any_case};

/// Programs and statements of Oracle that `user/password` follows.
const BEFORE_LOGIN: &str = "sqlplus connect conn sqlldr exp imp expdp impdp rman userid -l -s logon .logon";
/// What is no user before `:`, though an address with `@` follows.
const LABELS: &str = "mailto email e-mail mail owner from to sha256";
/// How far `BY` may stand from `IDENTIFIED`, in bytes.
const STATEMENT_LIMIT: usize = 120;
/// The longest password in quotes before `@`, in bytes.
const QUOTED_LIMIT: usize = 200;

/// Adds passwords of logins.
pub(super) fn find(text: &str, found: &mut Parts) {
    let mut previous = "";
    let is_gap = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`');
    for word in text.split(is_gap).filter(|word| !word.is_empty()) {
        let at = word.as_ptr().addr() - text.as_ptr().addr();
        let bare = word.trim_end_matches([',', ';', ')', '.', ':']);
        let part = with_host(bare).or_else(|| without_host(bare, previous));
        found.extend(part.map(|(from, to)| at + from..at + to));
        previous = word;
    }
    quoted(text, found);
    identified(text, found);
}

/// The password in `user/password@host` and `user:password@host`.
fn with_host(word: &str) -> Option<(usize, usize)> {
    let (head, host) = word.rsplit_once('@')?;
    if word.contains("://")
        || !host.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '/' | '[' | '('))
    {
        return None;
    }
    // An object of a program, as `Connection@1b2c3d4`.
    let is_address = (5..=8).contains(&host.len()) && host.bytes().all(|b| b.is_ascii_hexdigit());
    if (is_address && host.bytes().any(|b| b.is_ascii_digit())) || host.starts_with("sha256:") {
        return None;
    }
    // The driver's part of `jdbc:oracle:thin:scott/tiger@db`.
    let driver = match head.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("jdbc:")) {
        true => head[..head.find('/').unwrap_or(head.len())].rfind(':').map_or(0, |at| at + 1),
        false => 0,
    };
    let separator = driver + head[driver..].find([':', '/'])?;
    let user = head[driver..separator].rsplit(['=', '(', ',', ';', '{', '[']).next()?;
    let is_label = head[separator..].starts_with(':') && is_one_of_in_any_case(LABELS, user);
    // "24/7@work": a password of Oracle has a letter.
    let is_number =
        head[separator..].starts_with('/') && head[separator + 1..].bytes().all(|b| b.is_ascii_digit());
    (is_user(user) && !is_label && !is_number).then_some((separator + 1, head.len()))
}

fn is_user(user: &str) -> bool {
    let is_char =
        |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '#' | '-' | '.' | '\\' | '[' | ']');
    !user.is_empty()
        && user.starts_with(|c: char| c.is_alphanumeric() || c == '_')
        && user.chars().all(is_char)
}

/// The password in `sqlplus user/password`.
fn without_host(word: &str, previous: &str) -> Option<(usize, usize)> {
    let is_command = |word: &str| is_one_of_in_any_case(BEFORE_LOGIN, word);
    let assigned = word.split_once('=').filter(|(command, _)| is_command(command)).map(|(_, login)| login);
    let login = assigned.or_else(|| is_command(previous).then_some(word))?;
    let (user, password) = login.split_once(['/', ','])?;
    let is_password = !password.is_empty() && !password.bytes().all(|b| b.is_ascii_digit());
    (is_user(user) && is_password).then_some((word.len() - password.len(), word.len()))
}

/// The password in `user/"pass word"@host`.
fn quoted(text: &str, found: &mut Parts) {
    for (end, _) in text.match_indices("\"@") {
        let mut from = end.saturating_sub(QUOTED_LIMIT);
        while !text.is_char_boundary(from) {
            from += 1;
        }
        let head = &text[from..end];
        let start = head.rfind("/\"").into_iter().chain(head.rfind(":\"")).max();
        found.extend(
            start.map(|start| from + start + 2..end).filter(|part| !text[part.clone()].contains('\n')),
        );
    }
}

/// The password in `IDENTIFIED BY x`, `IDENTIFIED WITH plugin AS 'x'`.
fn identified(text: &str, found: &mut Parts) {
    for (at, _) in text.char_indices().filter(|(_, c)| matches!(c, 'i' | 'I')) {
        let is_statement = text.get(at..at + 11).is_some_and(|word| word.eq_ignore_ascii_case("identified "));
        if !is_statement {
            continue;
        }
        let statement = &text[at..];
        let mut begin = 11;
        for word in statement[begin..].split_inclusive(char::is_whitespace) {
            begin += word.len();
            let word = word.trim_end();
            if begin > STATEMENT_LIMIT {
                break;
            }
            if ["by", "as"].iter().any(|by| word.eq_ignore_ascii_case(by)) {
                let gap = statement[begin..].len() - statement[begin..].trim_start().len();
                let values = statement[begin + gap..]
                    .get(..7)
                    .is_some_and(|word| word.eq_ignore_ascii_case("values "));
                let start = at + begin + gap + if values { 7 } else { 0 };
                found.push(value::of(text, start, Form::Word));
                break;
            }
        }
    }
}
