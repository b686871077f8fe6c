//! Finds the secret parts of a URL of any scheme: user, parameters, query, fragment, and the path of a webhook.

use super::judge;
use super::parts::Parts;
use std::ops::Range;

/// The shortest path segment without words in it that counts as a token.
const PATH_TOKEN: usize = 16;
/// The longest parameter name that is recognised.
const NAME_LIMIT: usize = 64;
/// Parts of hosts and paths for which the path is the secret: webhooks, Tableau's trusted tickets.
const SECRET_PATHS: [&str; 3] = ["hook", "trusted/", "bot"];

/// Adds users, queries, fragments, matrix parameters and tokens in the paths of URLs, and queries without a URL.
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
    // A user's password may contain `?`, so the query is searched after the host.
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

/// The range of the user part in a URL. A password may contain an unescaped `/` or `?`.
fn user_end(url: &str, path: usize) -> Option<(usize, usize)> {
    if let Some(at) = url[..path].rfind('@') {
        // If the password contains `@` and `/`, the host follows the last `@`.
        let last = url.rfind('@').filter(|_| url[..at].contains(':'));
        return Some((0, last.unwrap_or(at)));
    }
    let at = url.rfind('@').filter(|at| *at > path)?;
    let Some((name, password)) = url[..path].split_once(':') else {
        // A host contains a dot, so a text without a dot before the `@` is a user, for example a token.
        return (!url[..path].contains('.')).then_some((0, at));
    };
    let is_port = (1..=5).contains(&password.len()) && password.bytes().all(|b| b.is_ascii_digit());
    // Two readings are possible: a host with a port and an `@` in the path; or a user with a password of digits.
    Some((if is_port { name.len() + 1 } else { 0 }, at))
}

/// The end of a URL: at white space, `<`, `>`, or a quote that does not begin a value. Punctuation at the end is not
/// part of the URL.
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

/// Adds queries such as `?X-Amz-Signature=…`: a question mark and a name, with or without a URL before them.
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

/// Adds each value of a form body such as `a=1&b=2`.
fn chains(text: &str, found: &mut Parts) {
    let mut at = 0;
    while let Some(mark) = text[at..].find('&').map(|mark| at + mark) {
        let from = at;
        at = mark + 1;
        if parameter(text, at).is_none() {
            continue;
        }
        // First the pair before the first `&`, then the pair after each `&`.
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

/// The start of the value of the parameter whose name begins at `start`.
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
