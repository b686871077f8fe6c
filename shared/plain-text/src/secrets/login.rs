//! Finds a user and a password in one word: `scott/tiger@db`, `svc:x@host`, "logon denied for scott/tiger".

use super::ordinary::{is_no_secret, is_ordinary};
use super::parts::Parts;
use super::shape::{is_host, is_no_word, is_number, looks_like_value};
use super::words::{is_one_of, is_one_of_in_any_case};

/// Oracle programs and statements that are followed by `user/password`.
const BEFORE_LOGIN: &str = "sqlplus connect conn sqlldr exp imp expdp impdp rman userid -l -s logon .logon";
/// Words before `:` that are no user names, although an address with `@` follows.
const LABELS: &str = "mailto email e-mail mail owner from to sha256";
/// Words after which a user name, or a user name and a password, follows.
const USERS: &str = "user username userid uid account login logon usr";
const CREDENTIALS: &str = "credentials credential creds cred login logon auth";
/// Words before `as`, `for` and `with` after which a user name follows.
const SIGNS_IN: &str = "\
    login logon logged log signed sign authenticated authenticating authentication connect connected connecting connection \
    denied failed rejected refused";
/// Kerberos services that are not database users; and those that may also be database users.
const SERVICES: &str =
    "http host mssqlsvc krbtgt cifs ldap nfs termsrv restrictedkrbhost wsman imap smtp ftp dns gc kadmin";
const NAMED_SERVICES: &str = "\
    postgres oracle hive impala hdfs yarn kafka zookeeper presto trino spark mapred hbase livy knox solr sap rm nn dn jhs \
    mongodb vertica teradata";
/// The longest quoted password before `@`, in bytes.
const QUOTED_LIMIT: usize = 200;

/// Adds the passwords in logins.
pub(super) fn find(text: &str, found: &mut Parts) {
    let mut before = [""; 4];
    let is_gap = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`');
    for word in text.split(is_gap).filter(|word| !word.is_empty()) {
        let at = word.as_ptr().addr() - text.as_ptr().addr();
        let bare = word.trim_end_matches([',', ';', ')', '.', ':']);
        let part = with_host(bare)
            .or_else(|| without_host(bare, before[0]))
            .or_else(|| named(bare, before))
            .or_else(|| apart(bare, before));
        found.extend(part.map(|(from, to)| at + from..at + to));
        before = [word, before[0], before[1], before[2]];
    }
    quoted(text, found);
}

/// The password in `user/password@host` and `user:password@host`.
fn with_host(word: &str) -> Option<(usize, usize)> {
    let (head, host) = word.rsplit_once('@')?;
    if word.contains("://")
        || !host.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '/' | '[' | '('))
    {
        return None;
    }
    // A Java object such as `Connection@1b2c3d4` is not a login.
    let is_address = (5..=8).contains(&host.len()) && host.bytes().all(|b| b.is_ascii_hexdigit());
    if (is_address && host.bytes().any(|b| b.is_ascii_digit())) || host.starts_with("sha256:") {
        return None;
    }
    // The driver part of `jdbc:oracle:thin:scott/tiger@db` is not the user.
    let driver = match head.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("jdbc:")) {
        true => head[..head.find('/').unwrap_or(head.len())].rfind(':').map_or(0, |at| at + 1),
        false => 0,
    };
    let separator = driver + head[driver..].find([':', '/'])?;
    let user = head[driver..separator].rsplit(['=', '(', ',', ';', '{', '[']).next()?;
    let is_label = head[separator..].starts_with(':') && is_one_of_in_any_case(LABELS, user);
    // `24/7@work` is not a login: an Oracle password contains a letter.
    let is_division =
        head[separator..].starts_with('/') && head[separator + 1..].bytes().all(|b| b.is_ascii_digit());
    let password = &head[separator + 1..];
    let is_path = password.starts_with('/') || user.starts_with("git@");
    let is_version = host.strip_prefix('v').unwrap_or(host).split('.').count() <= 3
        && host.strip_prefix('v').unwrap_or(host).split('.').all(is_number);
    // `ana@example.com/ben@example.com` is two addresses and not a login.
    let are_addresses = user.contains('@') && is_host(host) && !is_no_word(password);
    let is_other = is_path || is_version || are_addresses || is_principal(user, password, host);
    (is_login_name(user) && !is_label && !is_division && !is_other).then_some((separator + 1, head.len()))
}

/// Whether the text is a Kerberos principal such as `HTTP/host.example.com@CORP.EXAMPLE.COM`.
///
/// Source: <https://web.mit.edu/kerberos/krb5-latest/doc/basic/princ_names.html>
fn is_principal(service: &str, instance: &str, realm: &str) -> bool {
    let is_realm =
        realm.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-'));
    let is_whole =
        is_host(instance) || matches!(instance, "_HOST" | "admin" | "changepw") || instance == realm;
    let is_label = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b':');
    if is_one_of_in_any_case(SERVICES, service) {
        return is_whole || instance.bytes().all(is_label);
    }
    let is_named = is_one_of_in_any_case(NAMED_SERVICES, service);
    is_whole && is_realm && (is_named || realm.contains('.'))
}

/// Whether the text can be a user name: `svc`, `corp\svc`, `svc@corp.example.com`.
fn is_login_name(user: &str) -> bool {
    match user.split_once('@') {
        None => is_user(user),
        Some((user, domain)) => is_user(user) && is_user(domain),
    }
}

/// The password in "user svc / x" and "log in as svc / x".
fn apart(word: &str, before: [&str; 4]) -> Option<(usize, usize)> {
    let [separator, user, introduction, _] = before;
    if !matches!(separator, "/" | ":") && !user.starts_with(['c', 'C']) {
        return None;
    }
    let introduction = introduction.trim_matches(|c: char| c.is_ascii_punctuation()).to_ascii_lowercase();
    let is_introduced =
        [USERS, CREDENTIALS, "as for with using"].iter().any(|words| is_one_of(words, &introduction));
    let is_login = matches!(separator, "/" | ":") && is_login_name(user) && is_introduced;
    // In "Credentials svc x" the user stands in the place of the separator.
    let is_beside =
        is_user(separator) && !is_ordinary(separator) && user.to_ascii_lowercase().starts_with("cred");
    ((is_login || is_beside) && looks_like_value(word)).then_some((0, word.len()))
}

/// The password in `user=svc@corp/x`, "login svc:x" and "logon denied for scott/x": after a word that announces a
/// user.
fn named(word: &str, before: [&str; 4]) -> Option<(usize, usize)> {
    if !word.contains([':', '/']) {
        return None;
    }
    let bare = |word: &'_ str| word.trim_matches(|c: char| c.is_ascii_punctuation()).to_ascii_lowercase();
    let assigned = word
        .split_once('=')
        .filter(|(name, _)| is_one_of(USERS, &bare(name)) || is_one_of(CREDENTIALS, &bare(name)));
    let previous = bare(before[0]);
    let is_behind = |words: &str| before[1..].iter().any(|word| is_one_of(words, &bare(word)));
    let is_sure = is_one_of(CREDENTIALS, &previous);
    let word_length = word.len();
    // Example: "logon denied (scott/x)".
    let in_brackets =
        word.strip_prefix('(').filter(|_| is_one_of("denied failed refused rejected", &previous));
    let word = in_brackets.unwrap_or(word);
    let follows = is_sure
        || in_brackets.is_some()
        || (is_one_of("denied failed refused rejected", &previous)
            && is_behind("login logon")
            && word.contains('/'))
        || is_one_of(USERS, &previous)
        || (is_one_of("for as with using by", &previous) && (is_behind(SIGNS_IN) || is_behind(CREDENTIALS)));
    let login = match assigned {
        Some((_, login)) => login,
        None if follows => word,
        None => return None,
    };
    let (user, password) = login.split_once([':', '/'])?;
    let is_password = !is_ordinary(password) && !is_no_secret(password) && !is_number(password);
    // After a user name, `:` may introduce a statement about the user, and `/` a name.
    let is_value = is_sure && assigned.is_none() && !login.contains('/');
    let is_shown = password.starts_with(['/', '\\'])
        || is_host(password)
        || (!is_value && !is_no_word(password) && assigned.is_none());
    (is_login_name(user) && is_password && !is_shown).then_some((word_length - password.len(), word_length))
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

/// Adds the password in `user/"pass word"@host`.
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
