//! Finds what a server stores about a password and what a client proves it with: SCRAM messages and verifiers, and
//! hashes as in `/etc/shadow` and directories.
//!
//! Source: <https://www.rfc-editor.org/rfc/rfc5802#section-7>, <https://www.postgresql.org/docs/current/catalog-pg-authid.html>

use super::parts::Parts;
use super::shape::is_number;

/// The beginnings of password hashes, up to the secret part.
const PREFIXES: [&str; 27] = [
    "{SSHA}",
    "{SHA}",
    "{SMD5}",
    "{MD5}",
    "{CRYPT}",
    "{SSHA256}",
    "{SSHA512}",
    "{PBKDF2}",
    "{ARGON2}",
    "$1$",
    "$2a$",
    "$2b$",
    "$2y$",
    "$5$",
    "$6$",
    "$7$",
    "$y$",
    "$argon2i$",
    "$argon2d$",
    "$argon2id$",
    "$apr1$",
    "$pbkdf2-sha256$",
    "$scrypt$",
    "pbkdf2_sha256$",
    "pbkdf2:sha256:",
    "bcrypt_sha256$",
    "argon2$",
];
/// The shortest proof or hash, in characters.
const SHORTEST: usize = 6;

/// Adds hashes and proofs.
pub(super) fn find(text: &str, found: &mut Parts) {
    let is_gap = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>');
    for word in text.split(is_gap).filter(|word| word.len() >= SHORTEST) {
        let at = word.as_ptr().addr() - text.as_ptr().addr();
        let end = at + word.trim_end_matches(['.', ',', ';', ')', ']']).len();
        for (name, _) in word.match_indices("SCRAM-SHA-").take(1) {
            // After the name follow the number of iterations, the salt and two keys.
            let rest = &text[at + name..end];
            let secret =
                rest.find('$').and_then(|first| rest[first..].find(':').map(|colon| first + colon + 1));
            found.extend(secret.filter(|secret| *secret < rest.len()).map(|secret| at + name + secret..end));
        }
        let hash =
            PREFIXES.iter().find_map(|prefix| word.find(prefix).map(|start| at + start + prefix.len()));
        found.extend(hash.filter(|start| start + SHORTEST <= end).map(|start| start..end));
        message(&text[at..end], at, found);
    }
}

/// Adds the client's proof or the server's signature in a message such as `c=biws,r=…,p=…`, and one that stands alone
/// in base64.
fn message(word: &str, at: usize, found: &mut Parts) {
    if !word.contains("p=") && !word.contains("v=") {
        return;
    }
    let mut start = at;
    let attributes = word.split(',').map(|part| {
        let begin = start;
        start += part.len() + 1;
        // Before the first part may stand the channel header or the name of a field.
        let name = part.find('=').map_or("", |equals| &part[..equals]);
        let skipped = name.len() - name.trim_start_matches(|c: char| !c.is_ascii_alphanumeric()).len();
        (part[skipped..].split_once('=').unwrap_or_default(), begin + skipped)
    });
    let attributes: Vec<_> = attributes.take(8).collect();
    let has = |name: &str, length: usize| {
        attributes.iter().any(|((key, value), _)| *key == name && value.len() >= length && !is_number(value))
    };
    let is_message = has("r", 8) || has("c", 4);
    for ((name, value), begin) in &attributes {
        let is_base64 = value.len() >= 24
            && value.len() % 4 == 0
            && value.ends_with('=')
            && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b));
        let is_proof = matches!(*name, "p" | "v") && ((is_message && !is_number(value)) || is_base64);
        if is_proof && !value.is_empty() {
            let value_at = begin + name.len() + 1;
            found.push(value_at..value_at + value.len());
        }
    }
}
