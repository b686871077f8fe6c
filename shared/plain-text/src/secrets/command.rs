//! Finds passwords in command lines: `--password x`, `-p x`, `sqlcmd -Px`, `curl -usvc:x`, `net use … /user:svc x`.

use super::name::{self, Name};
use super::ordinary::{is_no_secret, is_ordinary};
use super::parts::Parts;
use super::shape::{is_number, looks_like_value};
use super::tie::gap;
use super::value::{self, Form, opening_quote, word_end};
use super::words::{is_one_of, is_one_of_in_any_case};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

/// How many bytes before an option are searched for the program's name, and how many bytes of arguments are read.
const COMMAND_LIMIT: usize = 200;
const ARGUMENTS_LIMIT: usize = 400;
/// How many words before an option are examined.
const COMMAND_WORDS: usize = 24;

/// Programs, and their options whose value is a password, in addition to `-p`, `-pw` and long option names. After `=`
/// are the letters whose value may follow without a space.
const PROGRAMS: [(&str, &str); 28] = [
    (
        "mysql mysqldump mysqladmin mysqlimport mysqlshow mysqlcheck mysqlbinlog mysqlsh mariadb mariadb-dump mysqld",
        "p=",
    ),
    ("sqlcmd osql bcp isql tsql bsqldb freebcp defncopy", "P="),
    ("ldapsearch ldapmodify ldapadd ldapdelete ldapwhoami ldapcompare ldapmodrdn ldap", "w="),
    ("ldappasswd", "w= s= a="),
    ("vsql", "w="),
    ("redis-cli redis-benchmark valkey-cli", "a="),
    ("7z 7za 7zr rar unrar", "p="),
    ("unzip zip zipcloak", "P="),
    ("mongo mongosh mongodump mongorestore mongoexport mongoimport", "p="),
    (REGISTRIES, "p="),
    ("sshpass", "p="),
    ("plink pscp psftp putty", "pw"),
    ("openssl", "k K pass passin passout"),
    ("snmpwalk snmpget snmpset snmpbulkwalk", "A= X= c="),
    ("ipmitool", "P="),
    ("schtasks", "RP"),
    ("dtexec dtutil", "De Decrypt DEC"),
    ("smbclient rpcclient smbmap crackmapexec", "p="),
    ("tabcmd tsm tableau", "p"),
    ("beeline hive cqlsh hdbsql psexec influx nzsql db2 snowsql exaplus", "p= pw w"),
    ("curl wget", ""),
    ("xfreerdp wfreerdp rdesktop mstsc", "p="),
    ("gpg", ""),
    ("msdeploy certutil signtool", "p"),
    ("keytool jarsigner", "storepass keypass"),
    ("rsync runas net kinit expect sudo su", ""),
    ("sqlplus rman exp imp", ""),
    ("htpasswd", ""),
];
/// Programs that take a password only with the subcommand `login`.
const REGISTRIES: &str = "docker podman helm skopeo buildah oras az nerdctl";
/// Programs for which `-p` is not a password.
const OTHER_PROGRAMS: &str = "\
    mkdir cp tar install ssh scp rsync ps nmap lsof ls mv touch git grep netstat kill pidof perl python java node bash zip make \
    iptables nc telnet ping patch pip read";
/// Windows options with a slash whose value is a password.
const SLASHED: &str = "p pw rp de dec decrypt";
/// Options with one dash that are whole words, and not a letter followed by its value.
const LONG: &str =
    "password passwd pass pw passin passout passphrase port protocol user username path plugin-dir";
/// Options whose value is a user name and a password.
const LOGINS: &str = "u U user proxy-user E cert login";

/// The password in the option whose name is `text[start..end]`.
pub(super) fn option(text: &str, start: usize, end: usize) -> Option<Range<usize>> {
    let head = &text[..start];
    let program = head.trim_end_matches('-');
    let is_slash = head.ends_with([' ', '\t']) || !head.ends_with('/');
    let is_dashed = program.len() < head.len() && !program.ends_with(char::is_alphanumeric);
    if !is_dashed {
        return if is_slash { None } else { slashed(text, start, end) };
    }
    let name = &text[start..end];
    // Examples: `--user=svc:x`, `-u svc:x`.
    let tied = end + in_list(&text[end..]).unwrap_or_else(|| gap(&text[end..]));
    let behind = match text[tied..].strip_prefix('=') {
        Some(_) if head.ends_with("--") || is_one_of(LOGINS, &text[start..end]) => tied + 1,
        _ => tied,
    };
    let is_apart = behind > end;
    let is_login =
        is_one_of(LOGINS, name) || (name.len() < 5 && name.ends_with(['u', 'U']) && !head.ends_with("--"));
    if is_apart
        && is_login
        && let Some(password) = login(text, behind)
    {
        return Some(password);
    }
    let known = options_of(head);
    let is_known = |letter: &str| {
        known.is_some_and(|(_, options)| options.split(' ').any(|one| one.trim_end_matches('=') == letter))
    };
    let is_secret = || {
        name.ends_with("bearer")
            || matches!(name::of(name, ["", ""]), Some(Name::Sure | Name::Header | Name::Vague | Name::Key))
    };
    let is_short = matches!(name, "p" | "P" | "pw" | "W") && !is_of_other_program(head, known);
    let is_value = |value: &Range<usize>, is_known: bool| {
        let shown = &text[value.clone()];
        let is_digits = is_number(shown);
        let is_address = is_address(shown) && !is_digits;
        let is_port = !is_known && (is_address || shown.starts_with(['/', '.', '~']));
        // `-p 8080` may be a port, unless the program is known to take a password after `-p`.
        let is_port_number = name.len() <= 2 && shown.len() <= 5 && is_digits && !is_known;
        let is_word = is_no_secret(shown) || (is_ordinary(shown) && !is_digits);
        !is_port && !is_port_number && !is_word
    };
    let takes = |options: &str, letter: char| {
        options.split(' ').any(|one| one.strip_suffix('=').is_some_and(|one| one.starts_with(letter)))
    };
    // Examples: `-psecret` for a program that allows this, `-password x` for a program with this option.
    let first = name.chars().next()?;
    let is_single = !head.ends_with("--");
    let is_long = is_one_of_in_any_case(LONG, name);
    let is_run_on =
        name.len() > 2 && !is_long && is_single && known.is_some_and(|(_, options)| takes(options, first));
    if tied > end
        && !is_run_on
        && (is_short || is_known(name) || is_secret())
        && !text[tied..].starts_with(['=', ':', '-'])
    {
        let value = value::near(text, tied, Form::Word);
        return is_value(&value, is_known(name)).then_some(value);
    }
    // Examples: `-pX`, `-P"X"`, `-usvc:X`.
    let letter = Some(first).filter(|_| is_single)?;
    let at = start + letter.len_utf8();
    let is_attached = at < text.len()
        && (name.len() > 1 || (!is_apart && !text[end..].starts_with(['=', ':', ',', '.', ')'])));
    if !is_attached {
        return None;
    }
    if matches!(letter, 'u' | 'U')
        && name.len() > 1
        && let Some((program, _)) = known
    {
        return login(text, at).filter(|_| program.starts_with("curl"));
    }
    let (_, options) = known?;
    if !takes(options, letter) || is_long {
        return None;
    }
    let value = value::near(text, at, Form::Word);
    (!value.is_empty() && !is_port_of(&text[value.clone()], letter)).then_some(value)
}

/// The start of the next argument in a list such as `["curl", "-u", "svc:x"]`.
fn in_list(behind: &str) -> Option<usize> {
    let quote = opening_quote(behind)?;
    let rest = behind[quote.len()..].trim_start_matches([',', ' ']);
    let apart = behind.len() - rest.len();
    (rest.starts_with(quote) && apart > quote.len() && apart < quote.len() + 4).then_some(apart)
}

/// Whether the value is a port, as in `-P3306`.
fn is_port_of(shown: &str, letter: char) -> bool {
    letter == 'P' && shown.len() <= 5 && is_number(shown)
}

/// The password in Windows options such as `/p:x`, `/RP x`, `/De x`.
fn slashed(text: &str, start: usize, end: usize) -> Option<Range<usize>> {
    let name = &text[start..end];
    if !is_one_of_in_any_case(SLASHED, name) {
        return None;
    }
    let (_, options) = options_of(&text[..start])?;
    let is_known = options.split(' ').any(|one| one.trim_end_matches('=').eq_ignore_ascii_case(name));
    let apart = gap(&text[end..]);
    let at = match text[end..].strip_prefix(':') {
        Some(_) => end + 1,
        None if apart > 0 => end + apart,
        None => return None,
    };
    (is_known && at < text.len()).then(|| value::near(text, at, Form::Word)).filter(|value| !value.is_empty())
}

/// The password in `svc:x`, `'svc:x'` or `svc%x` at `at`.
fn login(text: &str, at: usize) -> Option<Range<usize>> {
    let login = value::near(text, at, Form::Word);
    let shown = &text[login.clone()];
    let separator = shown.find([':', '%']).filter(|at| *at > 0 && !shown.contains("://"))?;
    let password = &shown[separator + 1..];
    // Not logins: `C:\cert.pem`, `host:8080`.
    let user = &shown[..separator];
    let is_host = user.contains('.') || user.eq_ignore_ascii_case("localhost");
    let is_none = password.is_empty()
        || password.starts_with('\\')
        || (is_host && password.len() <= 5 && is_number(password));
    (!is_none).then(|| login.start + separator + 1..login.end)
}

/// Whether a word is an address: `127.0.0.1:8080:80`, `8080:80/tcp`.
fn is_address(word: &str) -> bool {
    let is_part = |b: u8| b.is_ascii_digit() || b":./-".contains(&b);
    word.trim_end_matches("/tcp").trim_end_matches("/udp").bytes().all(is_part)
}

/// The part of the line before an option that belongs to the same command.
fn segment(head: &str) -> &str {
    let line = &head[head.ceil_char_boundary(head.len().saturating_sub(COMMAND_LIMIT))..];
    line.rsplit(['\n', '|', ';', '&', '`']).next().unwrap_or_default()
}

/// The words of a command that may name a program: `/usr/bin/mysql`, `"C:\bin\sqlcmd.exe"`.
fn programs(segment: &str) -> impl Iterator<Item = &str> {
    let is_gap = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '(' | '[' | '$' | ':' | ',');
    let words =
        segment.rsplit(is_gap).filter(|word| word.len() > 1 && !word.starts_with('-')).take(COMMAND_WORDS);
    let names = words.map(|word| {
        let word = word.rsplit(['/', '\\']).next().unwrap_or(word);
        word.strip_suffix(".exe").or_else(|| word.strip_suffix(".EXE")).unwrap_or(word)
    });
    names.filter(|name| name.len() > 1 && name.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

/// The entry of [`PROGRAMS`] for a program. Uses a lookup and not a comparison with each entry: hostile text can
/// contain thousands of words.
fn program(word: &str) -> Option<(&'static str, &'static str)> {
    static LINES: LazyLock<HashMap<&str, (&str, &str)>> = LazyLock::new(|| {
        let names = PROGRAMS.iter().flat_map(|line| line.0.split(' ').map(move |name| (name, *line)));
        names.collect()
    });
    const LONGEST: usize = 16;
    if word.len() > LONGEST {
        return None;
    }
    LINES.get(word).or_else(|| LINES.get(word.to_ascii_lowercase().as_str())).copied()
}

/// The nearest known program before an option, with its options.
fn options_of(head: &str) -> Option<(&'static str, &'static str)> {
    let command = segment(head);
    let known = programs(command).find_map(program);
    known.filter(|(names, _)| *names != REGISTRIES || command.contains("login"))
}

fn is_of_other_program(head: &str, known: Option<(&str, &str)>) -> bool {
    let is_other = |word| is_one_of(OTHER_PROGRAMS, word) || is_one_of(REGISTRIES, word);
    known.is_none() && programs(segment(head)).any(is_other)
}

/// Commands that take a password without an option: the words they begin with, and the position of the password after
/// these.
const POSITIONS: [(&str, usize); 6] = [
    ("net user ", 2),
    ("isql ", 3),
    ("smbclient ", 2),
    ("htpasswd -b ", 3),
    ("htpasswd -nb ", 2),
    ("vncpasswd ", 1),
];

/// Adds passwords that stand in a command without an option.
pub(super) fn find(text: &str, found: &mut Parts) {
    for (at, _) in
        text.char_indices().filter(|(_, c)| matches!(c, 'n' | 'N' | 'i' | 's' | 'h' | 'v' | 'e' | '<'))
    {
        let begins =
            |word: &str| text.get(at..at + word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word));
        if text[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '<')) {
            continue;
        }
        if begins("net use ") {
            share(text, at + 8, found);
        } else if begins("echo ") {
            piped(text, at + 5, found);
        } else if begins("<<<") && options_of(&text[..at]).is_some() {
            let at = at + 3 + gap(&text[at + 3..]);
            found.push(value::near(text, at, Form::Word));
        }
        for (command, place) in POSITIONS.iter().filter(|(command, _)| begins(command)) {
            let word = arguments(text, at + command.len())
                .filter(|word| !text[word.clone()].starts_with('-'))
                .nth(place - 1);
            found.extend(word.filter(|word| looks_like_value(&text[word.clone()])));
        }
    }
}

/// The words of a command, starting at `at`.
fn arguments(text: &str, at: usize) -> impl Iterator<Item = Range<usize>> + '_ {
    let rest = &text[at..text.floor_char_boundary(at + ARGUMENTS_LIMIT)];
    let end = rest.find(['\n', '|', '&', ';']).unwrap_or(rest.len());
    let words = rest[..end].split(char::is_whitespace).filter(|word| !word.is_empty());
    words.map(move |word| {
        let start = word.as_ptr().addr() - text.as_ptr().addr();
        let bare = word.trim_start_matches(['"', '\'']);
        let start = start + word.len() - bare.len();
        start..start + bare.trim_end_matches(['"', '\'', '.', ',']).len()
    })
}

/// Adds the password in `net use Z: \\server\share x /user:svc`: the argument that is not a drive, a share, an option
/// or `*`.
fn share(text: &str, at: usize, found: &mut Parts) {
    let has = |is: fn(&str) -> bool| arguments(text, at).any(|word| is(&text[word]));
    let is_user = |word: &str| {
        ["/user:", "/u:"]
            .iter()
            .any(|user| word.get(..user.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(user)))
    };
    if !has(is_user) {
        return;
    }
    let mut is_behind = false;
    for word in arguments(text, at) {
        let shown = &text[word.clone()];
        is_behind |= shown.starts_with(['\\', '/']);
        let is_other = shown.starts_with(['\\', '/', '-', '*']) || shown.ends_with(':') || shown.is_empty();
        if is_other || !is_behind {
            continue;
        }
        if !is_ordinary(shown) {
            found.push(word);
        }
        return;
    }
}

/// Adds the password in `echo x | kinit svc` and `echo x | sudo -S`.
fn piped(text: &str, at: usize, found: &mut Parts) {
    const READERS: &str =
        "kinit sudo su passwd chpasswd docker podman helm gpg openssl cryptsetup smbpasswd ssh-add az";
    let value = match opening_quote(&text[at..]) {
        Some(_) => value::near(text, at, Form::Word),
        None => at..word_end(text, at),
    };
    let behind = text[value.end..].trim_start_matches(['"', '\'', ' ']);
    let reader = behind.strip_prefix('|').map(|behind| behind.trim_start_matches(' '));
    let reader = reader.and_then(|reader| reader.split(char::is_whitespace).next());
    if reader.is_some_and(|reader| is_one_of(READERS, reader)) {
        found.push(value);
    }
}
