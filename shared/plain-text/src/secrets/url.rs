//! What URLs of any scheme carry beside a host and a path: a user, parameters, a query, a fragment, and the path of a
//! webhook.

use super::judge;
use super::parts::Parts;
use std::ops::Range;

/// From this length on, a piece of a path without words in it is a token.
const PATH_TOKEN: usize = 16;
/// The longest name of a parameter that is looked for.
const NAME_LIMIT: usize = 64;
/// Hosts and paths of which the path is the secret: webhooks, Tableau's trusted tickets.
const SECRET_PATHS: [&str; 3] = ["hook", "trusted/", "bot"];

/// Adds users, queries, fragments, matrix parameters and tokens in paths of URLs, and queries without a URL.
pub(super) fn find(text: &str, found: &mut Parts) {
    let mut at = 0;
    while let Some(start) = text[at..].find("://").map(|found| at + found + 3) {
        let end = url_end(text, start);
        in_url(text, start..end, found);
        at = end.max(start);
    }
    queries(text, found);
    chains(text, found);
}

fn in_url(text: &str, url: Range<usize>, found: &mut Parts) {
    let rest = &text[url.clone()];
    let parameters = rest.find(['?', '#', ';']).unwrap_or(rest.len());
    let path = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    let host = match user_end(rest, path) {
        Some((from, to)) => {
            found.push(url.start + from..url.start + to);
            to
        }
        None => 0,
    };
    // In a user's password there may be a `?`: the query is what follows the host.
    let parameters = rest[host..].find(['?', '#', ';']).map_or(parameters.max(host), |at| host + at);
    if parameters < rest.len() {
        found.push(url.start + parameters + 1..url.end);
    }
    let address = &rest[host..parameters.max(host)];
    let path = address.find('/').map_or(address.len(), |at| at + 1);
    if is_secret_path(&address[..path.min(address.len())], &address[path.min(address.len())..]) {
        found.push(url.start + host + path..url.start + host + address.len());
        return;
    }
    let mut piece = host + path;
    for part in address[path.min(address.len())..].split('/') {
        if part.len() >= PATH_TOKEN && judge::is_random(part) {
            found.push(url.start + piece..url.start + piece + part.len());
        }
        piece += part.len() + 1;
    }
}

fn is_secret_path(host: &str, path: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let path = path.to_ascii_lowercase();
    let is_bot = path.split('/').any(|part| part.starts_with("bot") && part.contains(':'));
    host.contains(SECRET_PATHS[0])
        || path.contains(SECRET_PATHS[0])
        || path.starts_with(SECRET_PATHS[1])
        || is_bot
}

/// The user in a URL, from where to where. A password may have a `/` or `?` in it that should have been escaped.
fn user_end(url: &str, path: usize) -> Option<(usize, usize)> {
    if let Some(at) = url[..path].rfind('@') {
        // Behind a password with `@` and `/`, the host follows the last `@`.
        let last = url.rfind('@').filter(|_| url[..at].contains(':'));
        return Some((0, last.unwrap_or(at)));
    }
    let at = url.rfind('@').filter(|at| *at > path)?;
    let Some((name, password)) = url[..path].split_once(':') else {
        // A host has a dot; a token that is the user need not.
        return (!url[..path].contains('.')).then_some((0, at));
    };
    let is_port = (1..=5).contains(&password.len()) && password.bytes().all(|b| b.is_ascii_digit());
    // A host, its port, and an `@` in the path; or a user, and a password of digits.
    Some((if is_port { name.len() + 1 } else { 0 }, at))
}

/// Where a URL ends: with white space, `<`, `>`, or a quote that begins no value of its own. Punctuation at its end does not
/// belong to it.
fn url_end(text: &str, start: usize) -> usize {
    let mut at = start;
    let mut quoted: Option<char> = None;
    for c in text[start..].chars() {
        let behind = text[at + c.len_utf8()..].chars().next();
        match c {
            '"' | '\'' | '`' if quoted == Some(c) => quoted = None,
            '"' | '\'' | '`'
                if text[start..at].ends_with('=') && behind.is_some_and(|c| !c.is_whitespace()) =>
            {
                quoted = Some(c);
            }
            '"' | '\'' | '`' | '”' | '’' | '»' if behind.is_none_or(|c| !c.is_alphanumeric()) => break,
            '<' | '>' => break,
            c if c.is_whitespace() => break,
            _ => {}
        }
        at += c.len_utf8();
    }
    start + text[start..at].trim_end_matches(['.', ',', ':', ';', '!', ')', ']', '}', '\\', '"', '\'']).len()
}

/// `?X-Amz-Signature=…`: what follows a question mark and a name is a query, with or without a URL before it.
fn queries(text: &str, found: &mut Parts) {
    let mut at = 0;
    while let Some(start) = text[at..].find('?').map(|mark| at + mark + 1) {
        at = start;
        if parameter(text, start).is_some() {
            at = url_end(text, start).max(start);
            found.push(start..at);
        }
    }
}

/// `a=1&b=2`, the body of a form: each value.
fn chains(text: &str, found: &mut Parts) {
    let mut at = 0;
    while let Some(mark) = text[at..].find('&').map(|mark| at + mark) {
        let from = at;
        at = mark + 1;
        if parameter(text, at).is_none() {
            continue;
        }
        // The pair before the first `&`, then each behind one.
        let pair = text[from..mark].rsplit(|c: char| c.is_whitespace() || "\"'<>`(,;".contains(c)).next();
        let name = mark - pair.unwrap_or_default().len();
        found.extend(parameter(text, name).filter(|value| *value < mark).map(|value| value..mark));
        while let Some(value) = parameter(text, at) {
            at = value_end(text, value);
            found.push(value..at);
            at += usize::from(text[at..].starts_with('&'));
        }
    }
}

/// Where the value of a parameter begins whose name begins at `start`.
fn parameter(text: &str, start: usize) -> Option<usize> {
    let is_name = |b: &u8| b.is_ascii_alphanumeric() || b"_-.$[]".contains(b);
    let name = text[start..].bytes().take(NAME_LIMIT).take_while(is_name).count();
    (name > 0 && text[start + name..].starts_with('=')).then_some(start + name + 1)
}

fn value_end(text: &str, start: usize) -> usize {
    let end = text[start..].find(|c: char| c.is_whitespace() || "&\"'<>`,".contains(c));
    let value = &text[start..end.map_or(text.len(), |end| start + end)];
    start + value.trim_end_matches(['.', ';', ')', '}', ']', ':', '!']).len()
}
