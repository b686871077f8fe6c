//! Decides whether a name is the name of a secret: `PWD`, `clientSecret`, `x-functions-key`, `Set-Cookie`.
//!
//! A name is judged by the words it contains, however these are joined.

use super::fold::latin;
use super::words::is_one_of;

/// How certain it is that a secret follows a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// A header whose value has several words: `Authorization`, `Cookie`.
    Header,
    /// A name that only a secret can have.
    Sure,
    /// A name that database objects may have too: a number after it is not a secret.
    Vague,
    /// A key, perhaps of a table or map: only a value that does not look like a business code is a secret.
    Key,
    /// A one-time code for a sign-in.
    Code,
    /// `sid`: a session id, or an Oracle database, or a Windows user.
    Sid,
    /// An ordinary word: a secret follows only after `=`.
    Assigned,
}

/// A longer "name" is text without spaces and not a name.
const NAME_LIMIT: usize = 80;

/// Words that make a name the name of a secret, wherever in the name they stand.
const ANYWHERE: &str = "\
    password passwd passphrase passcode passwort kennwort motdepasse parola contrasena contraseña senha hasło heslo lösenord adgangskode salasana şifre wachtwoord \
    пароль パスワード 暗証番号 密码 密碼 비밀번호 pwd secret token credential authorization toekn pswd psswd paswd";

/// Words after a word of [`ANYWHERE`] that make the name one about a secret, and not of the secret itself (such as a
/// password's length).
const ABOUT: &str = "\
    type name id ids identifier error errors exception expired expiry expires expiration expiresin lifetime ttl \
    age length size count limit policy rule file path dir url uri endpoint issuer audience scope scopes status \
    state method mode version algorithm provider manager store service label field column table hint invalid \
    missing required protected based authentication verification validation check attempts retries refresh less \
    ary arial ize izer ized ization failed";

/// Words that name a secret when they are the whole name or its end.
const SURE_WORDS: &str = "\
    pass passe pw psw pin otp totp sig signature psk jwt creds cred hmac csrf xsrf mnemonic apikey passkey passw pasw pword pwrd aspxauth";
/// Words that are also recognised with a typing error: `pasword`, `passowrd`, `passwird`.
const MISTYPED: [&str; 7] =
    ["password", "passwort", "passphrase", "passcode", "secret", "credential", "credentials"];
const HEADER_WORDS: &str = "auth cookie cookies";
const ASSIGNED_WORDS: &str =
    "sas pat private bearer assertion ticket clave session sess samlresponse samlrequest";
/// Words after the name of a secret that do not change its meaning.
const FILLERS: &str = "\
    value text plain plaintext string header b64 base64 enc encoded new old current prod dev test primary \
    secondary hash pem";
/// Words before "key" that make it a secret key.
const KEYS: &str = "\
    api access secret account private shared master encryption decryption signing storage subscription auth \
    authentication host function functions service license licence consumer client aws app application admin \
    security session ssh hmac webhook deploy symmetric";
/// Words before "key" that make it a key of a table or map.
const OTHER_KEYS: &str = "\
    primary foreign unique duplicate sort dist distribution partition cluster clustering surrogate natural \
    composite candidate index join lookup registry cache missing unknown for no such of business row object map \
    group order shard existing column conflicting constraint duplicated public date";
/// Words before "code" that make it a one-time code.
const CODES: &str = "\
    login signin authentication authenticator confirmation fa 2fa tfa twofactor factor onetime one-time otc access activation recovery backup \
    your sms enter temporary sign-in log-in two-factor use single-use";
/// Words before "sid" that make it the SID of a database or of a Windows user.
const OTHER_SIDS: &str = "oracle user db database group account object owner service primary instance";
/// Ordinary words that end in "pass".
const OTHER_PASS: &str = "bypass compass encompass surpass trespass overpass";

/// The kind of a name; `None` if the name is not that of a secret. `before` are the preceding words of the sentence
/// in lower case, nearest first: `key` names a secret after `access`, but not after `primary`.
pub(super) fn of(name: &str, before: [&str; 2]) -> Option<Name> {
    if name.len() > NAME_LIMIT {
        return None;
    }
    of_letters(name, before).or_else(|| match name.is_ascii() && before.iter().all(|word| word.is_ascii()) {
        true => None,
        false => of_letters(&latin(name), [&latin(before[0]), &latin(before[1])]),
    })
}

fn of_letters(name: &str, before: [&str; 2]) -> Option<Name> {
    // In `spring.datasource.password`, or after a Java class name, the last part counts.
    let dotted = name.rsplit('.').find(|part| !is_one_of(FILLERS, &part.to_lowercase())).unwrap_or(name);
    let lower = dotted.to_lowercase();
    let compact: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    if let Some(rest) = behind_the_last(&compact) {
        return rest.map(|()| if compact.contains("authorization") { Name::Header } else { Name::Sure });
    }
    let parted = split(&lower);
    let camel = camel_parted(dotted).to_lowercase();
    of_words(&parted, before).or_else(|| of_words(&split(&camel), before))
}

/// For a name that contains a word of [`ANYWHERE`]: whether it names the secret itself. The outer `None` means that
/// it contains no such word.
fn behind_the_last(compact: &str) -> Option<Option<()>> {
    let places = ANYWHERE.split(' ').filter_map(|word| last_place(compact, word).map(|at| at + word.len()));
    let rest = &compact[places.max()?..];
    let is_about = ABOUT.split(' ').any(|about| rest.ends_with(about));
    Some((!is_about).then_some(()))
}

/// Does the same as `rfind`, whose preparation costs too much for a short name.
fn last_place(name: &str, word: &str) -> Option<usize> {
    name.as_bytes().windows(word.len()).rposition(|part| part == word.as_bytes())
}

fn split(lower: &str) -> Vec<&str> {
    let parts = lower.split(|c: char| !c.is_alphanumeric());
    let parts = parts.map(|part| part.trim_matches(|c: char| c.is_ascii_digit()));
    parts.filter(|part| !part.is_empty()).collect()
}

/// Separates the words of a camel-case name: `AWSSecretKey` becomes `AWS_Secret_Key`.
fn camel_parted(name: &str) -> String {
    let mut parted = String::with_capacity(name.len() + 8);
    let mut before: Option<char> = None;
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        let begins = c.is_uppercase()
            && before.is_some_and(|b| {
                b.is_lowercase()
                    || b.is_ascii_digit()
                    || (b.is_uppercase() && chars.peek().is_some_and(|next| next.is_lowercase()))
            });
        if begins {
            parted.push('_');
        }
        parted.push(c);
        before = Some(c);
    }
    parted
}

fn of_words(words: &[&str], before: [&str; 2]) -> Option<Name> {
    if let [filler] = words
        && matches!(*filler, "hash" | "value" | "text" | "string")
    {
        return of(before[0], [before[1], ""]);
    }
    let fillers = words.iter().rev().take_while(|word| is_one_of(FILLERS, word)).count();
    let words = &words[..words.len() - fillers];
    let (last, earlier) = words.split_last()?;
    let previous = earlier.last().copied().unwrap_or(before[0]);
    let two_before =
        if earlier.len() > 1 { earlier[earlier.len() - 2] } else { before[usize::from(earlier.is_empty())] };
    match *last {
        "key" | "keys" if is_one_of(OTHER_KEYS, previous) => None,
        "key" | "keys" if is_one_of(KEYS, previous) => Some(Name::Sure),
        "key" | "keys" => Some(Name::Key),
        "id" if matches!(previous, "session" | "sess") => Some(Name::Vague),
        "sid" if is_one_of(OTHER_SIDS, previous) => None,
        "sid" => Some(Name::Sid),
        "word" if previous == "pass" => Some(Name::Sure),
        "id" if previous == "key" && matches!(two_before, "access" | "aws") => Some(Name::Sure),
        "verifier" if previous == "code" => Some(Name::Sure),
        "code"
            if matches!(
                previous,
                "auth" | "security" | "verification" | "mfa" | "otp" | "totp" | "pass" | "pin"
            ) =>
        {
            Some(Name::Sure)
        }
        "code" if is_one_of(CODES, previous) || is_said_code(previous, two_before) => Some(Name::Code),
        "number" if previous == "pin" => Some(Name::Sure),
        "tan" => Some(Name::Code),
        "phrase" if matches!(previous, "pass" | "seed" | "recovery") => Some(Name::Sure),
        word if word.ends_with("sessionid")
            || word.ends_with("sessid")
            || word.starts_with("aspsessionid")
            || word.starts_with("jsessionid") =>
        {
            Some(Name::Sure)
        }
        // A "signature" is a secret of Slack and Stripe, or that of a function: only the word before can tell them
        // apart.
        "signature" if matches!(previous, "function" | "method" | "type") => None,
        "assertion" if previous == "client" => Some(Name::Sure),
        word if is_one_of(HEADER_WORDS, word) => Some(Name::Header),
        word if is_one_of(SURE_WORDS, word) => Some(Name::Sure),
        word if word.ends_with("pass") && !is_one_of(OTHER_PASS, word) => Some(Name::Sure),
        word if word.ends_with("pw") || word.ends_with("psw") => Some(Name::Sure),
        "passport" => None,
        word if MISTYPED.iter().any(|meant| is_one_slip_from(word, meant)) => Some(Name::Sure),
        word if is_one_of(ASSIGNED_WORDS, word) => Some(Name::Assigned),
        word => {
            let opens = word.strip_suffix("key")?;
            KEYS.split(' ').any(|key| opens.ends_with(key)).then_some(Name::Sure)
        }
    }
}

/// Whether a word has exactly one typing error: a letter is missing, added, replaced, or swapped with its neighbour.
fn is_one_slip_from(word: &str, meant: &str) -> bool {
    if word.len().abs_diff(meant.len()) > 1 || !word.is_ascii() {
        return false;
    }
    let word = word.as_bytes();
    let meant = meant.as_bytes();
    let same = word.iter().zip(meant).take_while(|(a, b)| a == b).count();
    let word = &word[same..];
    let meant = &meant[same..];
    match (word, meant) {
        ([_, word @ ..], [_, meant @ ..]) if word == meant => true,
        ([a, b, word @ ..], [c, d, meant @ ..]) if (a, b) == (d, c) && word == meant => true,
        ([_, word @ ..], meant) if word == meant => true,
        (word, [_, meant @ ..]) => word == meant,
        _ => false,
    }
}

/// Whether the words before "code" make it a one-time code: "one time code", "enter the code".
fn is_said_code(previous: &str, two_before: &str) -> bool {
    (previous == "time" && two_before == "one")
        || (previous == "the" && matches!(two_before, "enter" | "use"))
}

/// Whether a name announces the value of another name: `{"name": "password", "value": "x"}`.
pub(super) fn is_value(name: &str) -> bool {
    ["value", "val", "string", "content"].iter().any(|value| name.eq_ignore_ascii_case(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_judged_by_its_words() {
        for name in [
            "Password",
            "PWD",
            "pAsSwOrD",
            "PGPASSWORD",
            "MYSQL_ROOT_PASSWORD",
            "password1",
            "dbPasswordNew",
            "db_pass",
            "userpass",
            "passcode",
            "client_secret",
            "clientSecret",
            "SecretKey",
            "AWSSecretKey",
            "aws_secret_access_key",
            "AWSAccessKeyId",
            "x-api-key",
            "ApiKey",
            "APIKEY",
            "x-functions-key",
            "Ocp-Apim-Subscription-Key",
            "AccountKey",
            "SharedAccessKey",
            "SharedAccessSignature",
            "X-Amz-Signature",
            "X-Amz-Credential",
            "X-Amz-Security-Token",
            "sIg",
            "oauth2Token",
            "refresh_token",
            "tokenValue",
            "spring.datasource.password",
            "javax.net.ssl.keyStorePassword",
            "private_key",
            "privateKeyPem",
            "passphrase",
            "client_assertion",
            "JSESSIONID",
            "otp",
            "Kennwort",
            "contraseña",
            "パスワード",
            "pаssword",
            "𝐩𝐚𝐬𝐬𝐰𝐨𝐫𝐝",
            "pswd",
            "passwrd",
            "passowrd",
            "pasword",
            "passkey",
            "bindpw",
            "ASP.NET_SessionId",
        ] {
            assert_eq!(of(name, ["", ""]), Some(Name::Sure), "{name}");
        }
        for name in ["Authorization", "Proxy-Authorization", "X-Tableau-Auth", "Set-Cookie", "cookie"] {
            assert_eq!(of(name, ["", ""]), Some(Name::Header), "{name}");
        }
        assert_eq!(of("key", ["access", "secret"]), Some(Name::Sure));
        assert_eq!(of("phrase", ["pass", "the"]), Some(Name::Sure));
        assert_eq!(of("customer_key", ["", ""]), Some(Name::Key));
        assert_eq!(of("code", ["one-time", "your"]), Some(Name::Code));
        assert_eq!(of("connect.sid", ["", ""]), Some(Name::Sid));
        assert_eq!(of("ORACLE_SID", ["", ""]), None);
        assert_eq!(of("session", ["", ""]), Some(Name::Assigned));
    }

    #[test]
    fn a_name_about_a_secret_or_of_another_thing_is_none() {
        for name in [
            "token_type",
            "tokenName",
            "secret_id",
            "password_policy",
            "PasswordAuthentication",
            "InvalidCredentialsException",
            "TokenExpiredException",
            "io.jsonwebtoken.ExpiredJwtException",
            "tokenizer",
            "secretary",
            "SecretsManager",
            "passed",
            "compass",
            "bypass",
            "authenticator",
            "author",
            "KeyError",
            "primary_key",
            "sortKey",
            "keyspace",
            "monkey",
            "Server",
            "database",
            "uid",
            "client_id",
            "code",
            "sign",
            "pinned",
            "compassion",
            "signal",
            "passport",
            "passed",
            "user_sid",
        ] {
            assert_eq!(of(name, ["", ""]), None, "{name}");
        }
        assert_eq!(of("key", ["primary", "the"]), None);
    }
}
