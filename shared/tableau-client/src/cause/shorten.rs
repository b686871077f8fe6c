//! Shortens what a line of notes says about people and machines: users, hosts, addresses, URLs.
//!
//! `docs/decisions/0019-what-a-cause-shows.md` says what stays and why.

use plain_text::REMOVED;

/// What stands for the rest of a shortened name.
const REST: &str = "…";
/// Last labels that show a host also after one dot.
const SURE_ENDINGS: [&str; 5] = ["com", "net", "org", "edu", "gov"];
/// Last labels that show a host after two dots. After one dot they may be a table or a column.
const ENDINGS: [&str; 56] = [
    "io",
    "cloud",
    "local",
    "internal",
    "intern",
    "corp",
    "lan",
    "home",
    "dev",
    "app",
    "int",
    "info",
    "biz",
    "online",
    "localdomain",
    "private",
    "intranet",
    "de",
    "fr",
    "uk",
    "eu",
    "ch",
    "at",
    "nl",
    "es",
    "it",
    "jp",
    "cn",
    "kr",
    "br",
    "in",
    "au",
    "ca",
    "us",
    "se",
    "no",
    "dk",
    "fi",
    "pl",
    "be",
    "ie",
    "pt",
    "cz",
    "ru",
    "tr",
    "mx",
    "sg",
    "hk",
    "tw",
    "nz",
    "za",
    "il",
    "ae",
    "co",
    "ai",
    "me",
];
/// Words before the name of a user. Those of two words first.
const USER_WORDS: [&str; 9] =
    ["user id", "user name", "userid", "username", "user", "uid", "usr", "login", "principal"];
/// Words before the name of a host.
const HOST_WORDS: [&str; 7] = ["server", "host", "hostname", "data source", "address", "addr", "node"];
/// Words after `for user` that are not the name of a user.
const NOT_USERS: [&str; 14] =
    ["with", "who", "in", "is", "has", "and", "or", "to", "on", "name", "account", "accounts", "at", "by"];
/// Upper-case words after `user` that are not the name of a user.
const ABBREVIATIONS: [&str; 8] = ["ID", "SSL", "TLS", "MFA", "SSO", "API", "SQL", "URL"];

/// The line with users, hosts, addresses, mail addresses and queries of URLs shortened.
pub(super) fn shortened(line: &str) -> String {
    let mut short = String::with_capacity(line.len());
    let mut at = 0;
    while let Some(first) = line[at..].chars().next() {
        let rest = &line[at..];
        if let Some(used) = fixed(rest, &mut short).or_else(|| name(line, at, &mut short)) {
            at += used;
        } else {
            short.push(first);
            at += first.len_utf8();
        }
    }
    short
}

/// Handles `[removed]`, IPv6 addresses and addresses in braces. Returns how many bytes it has read.
fn fixed(rest: &str, short: &mut String) -> Option<usize> {
    if rest.starts_with(REMOVED) {
        short.push_str(REMOVED);
        return Some(REMOVED.len());
    }
    if let Some((inside, _)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'))
        && let Some(start) = first_two(inside, ',')
    {
        *short += &format!("{{{start},{REST}}}");
        return Some(inside.len() + 2);
    }
    if short.ends_with(char::is_alphanumeric) {
        return None;
    }
    let end = rest.find(|c: char| !c.is_ascii_hexdigit() && c != ':').unwrap_or(rest.len());
    let address = rest[..end].trim_end_matches(':');
    let is_address = address.matches(':').count() >= 2
        && (address.contains("::") || address.split(':').count() == 8)
        && address.contains(|c: char| c.is_ascii_digit())
        && !rest[end..].starts_with(char::is_alphanumeric);
    if !is_address {
        return None;
    }
    let groups: Vec<&str> = address.split(':').take(2).collect();
    *short += &format!("{}:{REST}", groups.join(":"));
    Some(address.len())
}

/// Handles the name that begins at `at`: of a user, a host, or anything else. Returns how many bytes it has read.
fn name(line: &str, at: usize, short: &mut String) -> Option<usize> {
    let (before, rest) = line.split_at(at);
    if before.ends_with(char::is_alphanumeric) || !rest.starts_with(char::is_alphanumeric) {
        return None;
    }
    if let Some(quoted) = quoted_user(before, rest) {
        *short += &user(quoted);
        return Some(quoted.len());
    }
    let token = token(rest);
    let after = &rest[token.len()..];
    if let Some(address) = after.strip_prefix("://") {
        let end = address.find(|c: char| c.is_whitespace() || "\"'`<>()[]{},;|".contains(c));
        let address = address[..end.unwrap_or(address.len())].trim_end_matches('.');
        *short += &format!("{token}://{}", url(address));
        return Some(token.len() + 3 + address.len());
    }
    if let Some(host) = after.strip_prefix('@').map(self::token).filter(|host| !host.is_empty()) {
        *short += &format!(
            "{}@{}",
            user(token),
            if host.contains('.') { first_label(host) } else { host.to_owned() }
        );
        return Some(token.len() + 1 + host.len());
    }
    if is_user(before, token) {
        *short += &user(token);
    } else if let Some(start) = first_two(token, '.') {
        *short += &format!("{start}.{REST}");
    } else if is_host(before, token) {
        *short += &first_label(token);
    } else {
        short.push_str(token);
    }
    Some(token.len())
}

/// The letters, digits, dots, hyphens and underscores at the beginning, without punctuation at their end.
fn token(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | '-' | '_'));
    text[..end.unwrap_or(text.len())].trim_end_matches(['.', '-'])
}

/// The first two numbers of an IPv4 address.
fn first_two(text: &str, separator: char) -> Option<String> {
    let numbers: Vec<&str> = text.split(separator).map(str::trim).collect();
    let is_address = numbers.len() == 4 && numbers.iter().all(|number| number.parse::<u8>().is_ok());
    is_address.then(|| format!("{}{separator}{}", numbers[0], numbers[1]))
}

/// What comes between the last of `words` in the text and its end, if only spaces, quotes and the like do.
fn after_word<'a>(before: &'a str, words: &[&str]) -> Option<&'a str> {
    let head = before.trim_end_matches([' ', '"', '\'', '`', '=', ':', '(', '[', '\\']);
    let is_word = |word: &str| {
        let start = head.len().checked_sub(word.len()).filter(|start| head.is_char_boundary(*start));
        start.is_some_and(|start| {
            head[start..].eq_ignore_ascii_case(word) && !head[..start].ends_with(char::is_alphanumeric)
        })
    };
    let between = &before[head.len()..];
    (!between.is_empty() && words.iter().any(|word| is_word(word))).then_some(between)
}

fn is_user(before: &str, token: &str) -> bool {
    let Some(between) = after_word(before, &USER_WORDS) else { return false };
    if between.contains(['=', ':', '"', '`']) || (between.contains('\'') && between.starts_with(' ')) {
        return true;
    }
    if between.contains('\'') {
        return false;
    }
    let words = before.trim_end().to_ascii_lowercase();
    let is_after_for = words.ends_with("for user") || words.ends_with("for login");
    let is_upper = token.len() > 1 && token.chars().all(|c| c.is_ascii_uppercase());
    (is_after_for && !NOT_USERS.contains(&token.to_ascii_lowercase().as_str()))
        || token.contains(|c: char| c == '_' || c.is_ascii_digit())
        || (is_upper && !ABBREVIATIONS.contains(&token))
}

/// The name of a user in quotes, if it has a domain or a space.
fn quoted_user<'a>(before: &str, rest: &'a str) -> Option<&'a str> {
    let quote = before.chars().next_back().filter(|c| matches!(c, '\'' | '"'))?;
    let (name, _) = rest.split_once(quote)?;
    let has_parts = name.contains(['\\', ' ']) && name.len() <= 80;
    (has_parts && is_user(before, name)).then_some(name)
}

/// The first two characters of a user's name; the domain stays. Names that Windows gives to no user stay.
fn user(name: &str) -> String {
    if name.to_ascii_lowercase().starts_with("nt authority") {
        return name.to_owned();
    }
    let (domain, name) = name.rsplit_once('\\').map_or(("", name), |(domain, name)| (domain, name));
    let slash = if domain.is_empty() { "" } else { "\\" };
    let start: String = name.chars().take(2).collect();
    format!("{domain}{slash}{start}{REST}")
}

fn is_host(before: &str, token: &str) -> bool {
    let Some((labels, ending)) = token.rsplit_once('.') else { return false };
    if !ending.contains(char::is_alphabetic) || token.contains("..") {
        return false;
    }
    let ending = ending.to_ascii_lowercase();
    SURE_ENDINGS.contains(&ending.as_str())
        || (labels.contains('.') && ENDINGS.contains(&ending.as_str()))
        || after_word(before, &HOST_WORDS).is_some()
}

fn first_label(host: &str) -> String {
    if let Some(start) = first_two(host, '.') {
        return format!("{start}.{REST}");
    }
    host.split_once('.').map_or_else(|| host.to_owned(), |(first, _)| format!("{first}.{REST}"))
}

/// A URL after its scheme: the first label of the host, the port and the path.
fn url(address: &str) -> String {
    let (place, query) = address.find(['?', '#']).map_or((address, ""), |at| address.split_at(at));
    let (host, path) = place.find('/').map_or((place, ""), |at| place.split_at(at));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let (host, port) = host.find(':').map_or((host, ""), |at| host.split_at(at));
    let rest = if query.is_empty() { String::new() } else { format!("?{REST}") };
    format!("{}{port}{path}{rest}", first_label(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_machines_are_shortened_and_names_of_data_stay() {
        for (line, short) in [
            ("Login failed for user 'svc_bi'.", "Login failed for user 'sv…'."),
            (
                "Access denied for user 'svc'@'203.0.113.7' (using password: YES)",
                "Access denied for user 'sv…'@'203.0.…' (using password: YES)",
            ),
            ("Login failed for user 'CORP\\svc bi'.", "Login failed for user 'CORP\\sv…'."),
            (
                "Login failed for user 'NT AUTHORITY\\ANONYMOUS LOGON'.",
                "Login failed for user 'NT AUTHORITY\\ANONYMOUS LOGON'.",
            ),
            (
                "Server=db1.corp;Uid=svc;PWD=[removed];Port=1433",
                "Server=db1.…;Uid=sv…;PWD=[removed];Port=1433",
            ),
            ("User Id=svc;Data Source=sql.corp.example.com,1433", "User Id=sv…;Data Source=sql.…,1433"),
            ("password authentication failed for user svc", "password authentication failed for user sv…"),
            ("User SVC_BI may not read ORDERS", "User SV… may not read ORDERS"),
            ("cancelled on user's request", "cancelled on user's request"),
            (
                "Incorrect username or password was specified.",
                "Incorrect username or password was specified.",
            ),
            (
                "The saved credentials for 'ana@example.com' are wrong",
                "The saved credentials for 'an…@example.…' are wrong",
            ),
            ("host db.example.com (203.0.113.9), port 5432", "host db.… (203.0.…), port 5432"),
            ("allow_list: {203,0,113,7}", "allow_list: {203,0,…}"),
            ("to 2001:db8:0:1::7 and ::1 failed at 10:20:30", "to 2001:db8:… and ::… failed at 10:20:30"),
            ("DB::Exception: std::bad_alloc", "DB::Exception: std::bad_alloc"),
            ("See https://u:p@docs.example.com:8/a/b?key=1#x.", "See https://docs.…:8/a/b?…."),
            ("jdbc:oracle:thin:@db.example.com:1521/dw", "jdbc:oracle:thin:@db.…:1521/dw"),
            ("adb-1.11.azuredatabricks.net: needs a token", "adb-1.…: needs a token"),
            ("Invalid object name 'dbo.orders'.", "Invalid object name 'dbo.orders'."),
            (
                "Table dw.sales.orders, role ANALYST, warehouse WH_1",
                "Table dw.sales.orders, role ANALYST, warehouse WH_1",
            ),
            ("role \"svc_bi\" is not permitted to log in", "role \"svc_bi\" is not permitted to log in"),
            (
                "java.io.IOException: mysqld-8.0.32 orders.csv",
                "java.io.IOException: mysqld-8.0.32 orders.csv",
            ),
            ("é Ünïcode [removed]", "é Ünïcode [removed]"),
        ] {
            assert_eq!(shortened(line), short);
        }
    }
}
