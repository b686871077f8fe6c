//! Shortens what a chat need not see, by its kind: hosts, addresses, user names, connection strings, home folders.
//! `docs/decisions/0020-what-a-cause-shows.md` says why.

/// Stands for what was left out.
const CUT: char = '…';
/// Endings of host names inside companies and at providers. Other names with dots may be tables.
const HOST_ENDINGS: [&str; 18] = [
    "com", "net", "org", "io", "local", "internal", "intranet", "lan", "corp", "cloud", "dev", "app", "ai",
    "edu", "gov", "tech", "biz", "info",
];
/// Words after which a name with dots is a host's, and words after which it is a table's or a column's.
const HOST_WORDS: [&str; 8] = ["server", "host", "hostname", "at", "to", "address", "endpoint", "gateway"];
const OBJECT_WORDS: [&str; 11] = [
    "object",
    "relation",
    "table",
    "view",
    "column",
    "field",
    "schema",
    "dataset",
    "sequence",
    "procedure",
    "function",
];
/// Hosts of vendors' documentation: people need these links.
const DOCUMENTATION: [&str; 20] = [
    "aka.ms",
    "cloud.google.com",
    "community.snowflake.com",
    "dev.mysql.com",
    "developers.google.com",
    "docs.aws.amazon.com",
    "docs.databricks.com",
    "docs.microsoft.com",
    "docs.oracle.com",
    "docs.snowflake.com",
    "go.microsoft.com",
    "help.salesforce.com",
    "help.sap.com",
    "help.tableau.com",
    "kb.databricks.com",
    "kb.tableau.com",
    "learn.microsoft.com",
    "support.google.com",
    "support.microsoft.com",
    "www.postgresql.org",
];
/// Words after which a quoted name is a user's.
const USER_WORDS: [&str; 8] =
    ["user", "username", "user name", "user id", "userid", "uid", "login", "principal"];

/// A line with private parts shortened.
pub(super) fn shorten(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let is_start = !out.ends_with(|c: char| c.is_alphanumeric() || c == CUT);
        let taken =
            if is_start { connection_string(rest, &mut out).or_else(|| url(rest, &mut out)) } else { None };
        let taken = taken.unwrap_or_else(|| {
            let length = atom(rest);
            if length == 0 {
                out.push(first);
                return first.len_utf8();
            }
            let following = &rest[length..];
            let short = short_atom(&rest[..length], &out, following);
            out.push_str(&short);
            length
        });
        rest = &rest[taken..];
    }
    out
}

/// The length of the text up to the next space or punctuation mark that separates names.
fn atom(text: &str) -> usize {
    let separates = |c: char| c.is_whitespace() || "\"'`()<>,;[]{}|=…".contains(c);
    text.find(separates).unwrap_or(text.len())
}

/// `Server=db1;Uid=svc;Port=1433` becomes `Server=db1;…`.
fn connection_string(text: &str, out: &mut String) -> Option<usize> {
    let end = text.find(|c: char| c.is_whitespace() || "\"'<>".contains(c)).unwrap_or(text.len());
    let (run, first) = (&text[..end], text[..end].split(';').next()?);
    let pairs = run.split(';').filter(|pair| pair.contains('=')).count();
    let is_pair = first.split_once('=').is_some_and(|(key, _)| key.chars().all(char::is_alphanumeric));
    if pairs < 3 || !is_pair || run.contains("://") {
        return None;
    }
    out.push_str(&shorten(first));
    out.push(';');
    out.push(CUT);
    Some(end)
}

/// An address without user, query and fragment, and with its host shortened.
fn url(text: &str, out: &mut String) -> Option<usize> {
    let end = text.find(|c: char| c.is_whitespace() || "\"'<>…".contains(c)).unwrap_or(text.len());
    let (scheme, rest) = text[..end].split_once("://")?;
    let is_scheme =
        !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.:".contains(c));
    if !is_scheme {
        return None;
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#', ';', ')', ']']).unwrap_or(rest.len()));
    // What ends the sentence is not a part of the host.
    let whole = authority.len();
    let authority = if path.is_empty() { authority.trim_end_matches(['.', ',', ':']) } else { authority };
    let tail = &rest[authority.len()..whole];
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    let path_end = path.find(['?', '#', ';']).unwrap_or(path.len());
    out.push_str(scheme);
    out.push_str("://");
    let hosts: Vec<String> = hosts.split(',').map(host_of_url).collect();
    out.push_str(&hosts.join(","));
    out.push_str(&path[..path_end]);
    if path_end < path.len() {
        out.push(path[path_end..].chars().next().unwrap_or('?'));
        out.push(CUT);
    }
    out.push_str(tail);
    Some(end)
}

/// A host of an address. One that does not look like a host's name is cut all the same, if it has several parts.
fn host_of_url(host: &str) -> String {
    if DOCUMENTATION.contains(&host) {
        return host.to_owned();
    }
    let cut = || {
        let (name, port) = with_port(host);
        name.split_once('.').map(|(first, _)| format!("{first}.{CUT}{port}"))
    };
    short_host(host).or_else(cut).unwrap_or_else(|| host.to_owned())
}

fn short_atom(atom: &str, before: &str, following: &str) -> String {
    let core = atom.trim_end_matches(['.', ':', '!', '?', '-']);
    let (core, tail) = (core, &atom[core.len()..]);
    let is_user = is_user(before, following) || is_user_without_quotes(before, core);
    if is_user && !core.is_empty() {
        return format!("{}{tail}", first_two(core));
    }
    if let Some((user, host)) = core.split_once('@')
        && !user.is_empty()
        && !user.contains([':', '/'])
        && host.contains('.')
    {
        let host = short_ipv4(host).unwrap_or_else(|| host.to_owned());
        return format!("{}@{host}{tail}", first_two(user));
    }
    let short = short_ipv4(core).or_else(|| short_ipv6(core));
    let has_port = !with_port(core).1.is_empty();
    let short = short.or_else(|| if is_object(before) && !has_port { None } else { short_host(core) });
    let short =
        short.or_else(|| short_share(core)).or_else(|| short_home(core)).or_else(|| short_parts(core));
    short.map_or_else(|| atom.to_owned(), |short| format!("{short}{tail}"))
}

/// Whether the name between these texts is a user's: `user 'x'`, `Uid=x`, `'x'@'host'`.
fn is_user(before: &str, following: &str) -> bool {
    if following.starts_with("'@") && before.ends_with('\'') {
        return true;
    }
    let head = before.trim_end();
    let is_marked = head.ends_with(['\'', '"', '`', '=']) || head.ends_with(':');
    let word = head.trim_end_matches(|c: char| c.is_whitespace() || "'\"`=:".contains(c)).to_lowercase();
    is_marked
        && USER_WORDS.iter().any(|user| {
            word.strip_suffix(user)
                .is_some_and(|before| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        })
}

/// Whether the name after this text is a user's although it has no quotes: only a name that is no plain word, since
/// "the user table" is a sentence.
fn is_user_without_quotes(before: &str, name: &str) -> bool {
    let head = before.trim_end().to_lowercase();
    let is_word = name.chars().all(|c| c.is_lowercase() || c == '-');
    let word = head.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    // A word with one capital letter begins a sentence or is a name in German.
    let is_title = name.chars().skip(1).all(|c| c.is_lowercase() || !c.is_alphanumeric());
    before.ends_with(' ') && !is_word && !is_title && (word == "user" || word == "login")
}

/// Hosts and addresses that are joined: `db.example.com/203.0.113.7:5432`, `10.0.0.5:41234->52.1.2.3:443`.
fn short_parts(atom: &str) -> Option<String> {
    let (first, rest) = atom.split_once('/')?;
    // `jdbc:oracle:thin:@//host:1521/orcl` has the host behind two slashes.
    let short = match rest.strip_prefix('/') {
        Some(rest) => {
            let (host, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            format!("{first}//{}{rest}", short_part(host))
        }
        None => format!("{}/{}", short_part(first), short_part(rest)),
    };
    Some(short).filter(|short| short != atom)
}

fn short_part(part: &str) -> String {
    let address = short_ipv4(part).or_else(|| short_ipv6(part));
    address.or_else(|| short_host(part)).unwrap_or_else(|| part.to_owned())
}

/// Whether the name after this text is a table's or a column's: the nearest word that says what it is counts.
fn is_object(before: &str) -> bool {
    let words = before.rsplit(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut kinds = words.take(3).filter_map(|word| {
        let word = word.to_lowercase();
        let is_object = OBJECT_WORDS.contains(&word.as_str());
        (is_object || HOST_WORDS.contains(&word.as_str())).then_some(is_object)
    });
    kinds.next().unwrap_or(false)
}

fn first_two(name: &str) -> String {
    if name.chars().count() <= 2 {
        return name.to_owned();
    }
    name.chars().take(2).chain([CUT]).collect()
}

fn with_port(text: &str) -> (&str, &str) {
    match text.rfind(':') {
        Some(colon) if text[colon + 1..].bytes().all(|byte| byte.is_ascii_digit()) => text.split_at(colon),
        _ => (text, ""),
    }
}

/// `203.0.113.7:5432` becomes `203.0.…:5432`.
fn short_ipv4(text: &str) -> Option<String> {
    let (address, port) = with_port(text);
    address.parse::<std::net::Ipv4Addr>().ok()?;
    let mut parts = address.split('.');
    Some(format!("{}.{}.{CUT}{port}", parts.next()?, parts.next()?))
}

fn short_ipv6(text: &str) -> Option<String> {
    text.parse::<std::net::Ipv6Addr>().ok()?;
    Some(format!("{}:{CUT}", text.split(':').next()?))
}

/// `db.example.com:5432` becomes `db.…:5432`. `None` if the text is no host name of three parts or more.
fn short_host(text: &str) -> Option<String> {
    if let Some(short) = short_ipv4(text) {
        return Some(short);
    }
    let (host, port) = with_port(text);
    let labels: Vec<&str> = host.split('.').collect();
    let (first, last) = (labels.first()?, labels.last()?.to_lowercase());
    let is_name =
        |label: &&str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let is_host = labels.len() >= 3 && labels.iter().all(is_name);
    // A column `id` is more frequent than a host in Indonesia.
    let is_country = last.len() == 2 && last != "id" && last.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_ending = is_country || HOST_ENDINGS.contains(&last.as_str());
    (is_host && is_ending).then(|| format!("{first}.{CUT}{port}"))
}

/// `\\files.example.com\sales\a.xlsx` becomes `\\files.…\sales\a.xlsx`.
fn short_share(path: &str) -> Option<String> {
    let rest = path.strip_prefix("\\\\")?;
    let (host, rest) = rest.split_at(rest.find('\\').unwrap_or(rest.len()));
    Some(format!("\\\\{}{rest}", short_host(host)?))
}

/// `C:\Users\jane\sales.xlsx` becomes `C:\Users\…\sales.xlsx`.
fn short_home(path: &str) -> Option<String> {
    ["\\Users\\", "/Users/", "/home/"].iter().find_map(|folder| {
        let (before, rest) = path.split_once(folder)?;
        let end = rest.find(['\\', '/']).unwrap_or(rest.len());
        (end > 0).then(|| format!("{before}{folder}{CUT}{}", &rest[end..]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_parts_are_shortened_by_kind() {
        for (line, short) in [
            ("Login failed. Server=db1;Uid=svc;PWD=[removed];Port=1433", "Login failed. Server=db1;…"),
            ("Login failed for user 'svc_bi'.", "Login failed for user 'sv…'."),
            (
                "FATAL: password authentication failed for user \"svc_bi\"",
                "FATAL: password authentication failed for user \"sv…\"",
            ),
            (
                "Access denied for user 'svc'@'203.0.113.7' (using password: YES)",
                "Access denied for user 'sv…'@'203.0.…' (using password: YES)",
            ),
            ("ana.lee@example.com is locked", "an…@example.com is locked"),
            (
                "server at \"db.example.com\" (203.0.113.9), port 5432",
                "server at \"db.…\" (203.0.…), port 5432",
            ),
            ("connect db.example.com:5432: refused", "connect db.…:5432: refused"),
            (
                "Unable to load URL: http://connector.example.com:80/c.html?key=1",
                "Unable to load URL: http://connector.…:80/c.html?…",
            ),
            (
                "see https://cloud.google.com/bigquery/troubleshooting-errors",
                "see https://cloud.google.com/bigquery/troubleshooting-errors",
            ),
            ("https://ana:x@files.example.com/a", "https://files.…/a"),
            ("not found: C:\\Users\\ana\\sales.xlsx", "not found: C:\\Users\\…\\sales.xlsx"),
            ("connect to 2001:db8::1 failed", "connect to 2001:… failed"),
            ("could not connect to server db.example.de", "could not connect to server db.…"),
            ("table not read from host db.sales.info", "table not read from host db.…"),
            ("Access denied for user SVC_BI", "Access denied for user SV…"),
            ("Login failed for user CORP\\svc_bi.", "Login failed for user CO…."),
            ("cannot open \\\\files.example.com\\sales\\a.xlsx", "cannot open \\\\files.…\\sales\\a.xlsx"),
            ("folder /home/ana", "folder /home/…"),
            (
                "jdbc:sqlserver://db.corp.example.com:1433;databaseName=Sales;user=svc_bi",
                "jdbc:sqlserver://db.…:1433;…",
            ),
            (
                "[acme.example.com/10.1.2.3] failed: Connection refused",
                "[acme.…/10.1.…] failed: Connection refused",
            ),
            ("connect to db.example.com/203.0.113.7:5432", "connect to db.…/203.0.…:5432"),
            ("jdbc:oracle:thin:@//db.corp.example.com:1521/ORCL", "jdbc:oracle:thin:@//db.…:1521/ORCL"),
            ("https://db.example.com:8443: refused", "https://db.…:8443: refused"),
            ("(https://db.example.com), https://db.example.com.", "(https://db.…), https://db.…."),
            (
                "mongodb://u:p@h1.example.com:27017,h2.example.com:27017/db",
                "mongodb://h1.…:27017,h2.…:27017/db",
            ),
            ("dial 10.0.0.5:41234->52.1.2.3:443", "dial 10.0.…:41234->52.1.…:443"),
            ("not allowed: 10.20.30.40/32", "not allowed: 10.20.…/32"),
            ("database db.corp.example.com:5432 is unreachable", "database db.…:5432 is unreachable"),
            ("User SVC_BI is locked", "User SV… is locked"),
            ("see https://docs.example.com/a", "see https://docs.…/a"),
        ] {
            assert_eq!(shorten(line), short);
        }
    }

    #[test]
    fn what_people_act_on_stays() {
        for line in [
            "Invalid object name 'dbo.orders'.",
            "relation \"finance.public.orders\" does not exist",
            "FATAL: role \"svc_bi\" is not permitted to log in",
            "Warehouse 'COMPUTE_WH' cannot be resumed",
            "The user table is missing; user_login too",
            "unsupported version 1.2.3",
            "Invalid object name 'shop.sales.info'.",
            "relation \"shop.sales.dev\" does not exist",
            "Unknown column 'o.customer.id'",
            "not allowed for user table",
            "see https://docs.snowflake.com/en/errors",
            "日本… ‘x’",
        ] {
            assert_eq!(shorten(line), line);
        }
    }
}
