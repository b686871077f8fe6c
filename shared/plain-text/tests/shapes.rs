//! Secrets are removed in every notation, and other text is kept.

use plain_text::{REMOVED, without_secrets};
use proptest::prelude::*;
use proptest::sample::select;

/// This many characters of a secret are a leak.
const PIECE: usize = 6;

/// Names of secrets, as words.
const NAMES: [&[&str]; 38] = [
    &["password"],
    &["db", "password"],
    &["user", "passwd"],
    &["pwd"],
    &["pass"],
    &["passphrase"],
    &["passcode"],
    &["mfa", "passcode"],
    &["otp"],
    &["pin"],
    &["secret"],
    &["client", "secret"],
    &["secret", "access", "key"],
    &["aws", "secret", "key"],
    &["token"],
    &["access", "token"],
    &["refresh", "token"],
    &["x", "amz", "security", "token"],
    &["x", "amz", "signature"],
    &["x", "amz", "credential"],
    &["signature"],
    &["sig"],
    &["api", "key"],
    &["x", "functions", "key"],
    &["subscription", "key"],
    &["account", "key"],
    &["shared", "access", "key"],
    &["shared", "access", "signature"],
    &["private", "key"],
    &["master", "key"],
    &["credential"],
    &["credentials"],
    &["client", "assertion"],
    &["auth"],
    &["authorization"],
    &["session", "cookie"],
    &["jsessionid"],
    &["keystore", "password", "value"],
];

/// Notations in which `K` is the name and `S` the secret.
const PAIRS: [&str; 48] = [
    "K for user 'svc' is S",
    "K of svc: S",
    "K=<S>",
    "K was S.",
    "K=S",
    "K = S",
    "K=S;Port=1433",
    "Server=db;K=S;Port=1433",
    "K={S}",
    "K={a;S};Port=1433",
    "K={a}}S};Port=1433",
    "K=\"S\"",
    "K='S'",
    "K=\"a\\\"S\"",
    "K='it''S'",
    "K=\"two S\"; x",
    "a=1&K=S&b=2",
    "K: S",
    "K:S",
    "K : \"S\"",
    "K => S",
    "K => 'S',",
    ":K => \"S\"",
    "K := S",
    "K -> S",
    "{\"K\":\"S\"}",
    "{\"K\" : \"a S\", \"x\": 1}",
    "{'K': 'S', 'x': 1}",
    "{K=S, user=svc}",
    "{\"a\":{\"K\":[\"S\",\"S\"]}}",
    "[('K', 'S'), ('x', 1)]",
    "<K>S</K>",
    "<n:K type=\"t\">two S</n:K>",
    "<K><![CDATA[S]]></K>",
    "<add key=\"K\" value=\"S\"/>",
    "<property name=\"K\">S</property>",
    "<name>K</name>\n  <value>S</value>",
    "<key>K</key><string>S</string>",
    "{\"name\":\"K\",\"value\":\"S\"}",
    "- name: K\n  value: S",
    "K: |\n  S\n  S\nnext: 1",
    "K:\nS",
    "K =\n  S",
    "--K S",
    "--K=S",
    "| K | S |",
    "connection[K]=S",
    "the K is S",
];

/// Notations without a name, or whose name is fixed.
const OTHERS: [&str; 60] = [
    "the secret (S) is wrong",
    "token <S>",
    "password S was refused",
    "a=1&anything=S&b=2",
    "anything=S&b=2",
    ".LOGON tdprod/svc,S",
    "https://api.example/bot1:S/send",
    "https://svc:S@db.example.com",
    "s3://AKIAX:S@bucket/path",
    "https://discord.com/api/webhooks/1/S",
    "x?X-Amz-Date=1&X-Amz-Anything=S",
    "X-Amz-Date=1&X-Amz-Anything=S",
    "CREDENTIALS=(AWS_KEY_ID='S' AWS_SECRET_KEY='S')",
    "Bearer S",
    "https://svc:S@db.example.com/path",
    "https://S@db.example.com/path",
    "postgresql://svc:S@db:5432/sales",
    "mongodb+srv://svc:a/S@db.example.com/sales",
    "amqp://svc:a@S@mq.example.com",
    "https://x.example/report?a=1&anything=S",
    "https://x.example/report?S",
    "https://x.example/report#S",
    "https://x.example/report;anything=S",
    "jdbc:sqlserver://db:1433;databaseName=x;anything=S",
    "abfss://c@a.dfs.core.windows.net/p?se=1&sv=S",
    "<https://x.example/report?anything=S>",
    "(https://x.example/report?anything=S).",
    "\"https://x.example/report?anything=S\",",
    "{\"url\":\"https://x.example/report?anything=S\",\"error\":\"timeout\"}",
    "GET /report?anything=S HTTP/1.1",
    "https://x.example/report?anything=\"S\"",
    "https://hooks.slack.com/services/T024BE7LD/B024BE7LD/S",
    "https://x.webhook.office.com/webhookb2/1/IncomingWebhook/S",
    "https://tableau.example/trusted/S/views/a",
    "Authorization: Basic S",
    "Authorization: Bearer S",
    "Authorization: S",
    "authorization: Anything S",
    "Authorization: Snowflake Token=\"S\"",
    "Authorization: Digest username=\"svc\", realm=\"a b\", response=\"S\"",
    "Authorization: AWS4-HMAC-SHA256 Credential=S/20260101, SignedHeaders=host, Signature=S",
    "-H 'Authorization: Bearer S' -v",
    "Proxy-Authorization: Negotiate S",
    "Cookie: a=S; b=S",
    "Set-Cookie: anything=S; Path=/; HttpOnly",
    "sent bearer S to the server",
    "scott/S@db",
    "connect scott/S",
    "sqlplus -s scott/S@//db.example.com:1521/sales",
    "jdbc:oracle:thin:scott/S@db:1521:x",
    "scott/\"two S\"@db",
    "svc:S@tcp(db:3306)/sales",
    "CREATE USER svc IDENTIFIED BY \"S\"",
    "alter user svc identified with x by 'S'",
    "ALTER ROLE svc WITH PASSWORD 'S'",
    "SECRET_ACCESS_KEY 'S' REGION 'x'",
    "curl -u svc:S",
    "mysql -usvc -pS -h db",
    "sqlcmd -U svc -P S",
    "-----BEGIN PRIVATE KEY-----\nMIIE\nS\n-----END PRIVATE KEY-----",
];

/// A notation, or its beginning.
const CUT_OFF: [&str; 6] = [
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIE\nS",
    "-----BEGIN PRIVATE KEY-----\\nMIIE\\nS",
    "K=\"two S",
    "{\"K\":\"S",
    "<K>S",
    "https://svc:a@db.example.com/p?x=S",
];

const PROSE: [&str; 8] = [
    "Unable to connect to the server \"db.example.com\".",
    "[Microsoft][ODBC Driver 17 for SQL Server]Login failed for user 'svc'.",
    "ORA-12541: TNS:no listener",
    "com.tableausoftware.nativeapi.exceptions.DataSourceException: the file is there",
    "Query 01b2c3d4-0000-1234-0000-0001deadbeef of FACT_SALES_DAILY_AGGREGATE_2026 has failed",
    "Größe der Tabelle: 数字 💡",
    "The query time resource limit (7200 seconds) was exceeded.",
    "",
];

/// The characters of a password, key or token; with a digit, so that it is no word.
fn secret() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z]{3,9}[0-9]{1,3}[A-Za-z]{2,9}",
        "[A-Za-z0-9]{3,7}[0-9][A-Za-z][!$^*~_.+-][A-Za-z0-9]{4,9}",
        "[a-f0-9]{15}[0-9][a-f0-9]{16}",
        "[A-Za-z0-9+/]{20}[0-9]x[A-Za-z0-9+/]{20}==",
        "hunter[0-9]{1,2}x",
    ]
}

fn capital(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}

/// A name of several words, joined in one of the usual ways.
fn name() -> impl Strategy<Value = String> {
    let styles: [fn(&[&str]) -> String; 7] = [
        |words| words.join("_"),
        |words| words.join("-"),
        |words| words.join("_").to_uppercase(),
        |words| words.iter().map(|word| capital(word)).collect::<Vec<_>>().join("-"),
        |words| words.iter().map(|word| capital(word)).collect(),
        |words| words[0].to_owned() + &words[1..].iter().map(|word| capital(word)).collect::<String>(),
        |words| format!("spring.datasource.{}", words.join("-")),
    ];
    (select(NAMES.as_slice()), select(styles.to_vec())).prop_map(|(words, style)| style(words))
}

/// A text encoded as within a URL, JSON or XML.
fn wrappings() -> impl Strategy<Value = fn(&str) -> String> {
    let wrappings: [fn(&str) -> String; 6] = [
        str::to_owned,
        str::to_owned,
        |text| text.bytes().map(percent).collect(),
        |text| format!("{text:?}"),
        |text| text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;"),
        |text| {
            let once = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            once.replace('\\', "\\\\").replace('"', "\\\"")
        },
    ];
    select(wrappings.to_vec())
}

fn percent(byte: u8) -> String {
    match byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    }
}

/// The first piece of a secret that a text shows.
fn shown<'a>(text: &str, secret: &'a str) -> Option<&'a str> {
    let text = text.to_lowercase();
    let pieces = (0..=secret.len() - PIECE).map(|at| &secret[at..at + PIECE]);
    // A hexadecimal piece can also be part of an id around it by chance.
    let is_by_chance = |piece: &str| PROSE.iter().any(|prose| prose.to_lowercase().contains(piece));
    pieces.into_iter().find(|piece| {
        let piece = piece.to_lowercase();
        text.contains(&piece) && !is_by_chance(&piece)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_secret_behind_any_name_in_any_notation_and_wrapping_never_shows(
        name in name(), secret in secret(), notation in select(PAIRS.as_slice()), wrap in wrappings(),
        before in select(PROSE.as_slice()), after in select(PROSE.as_slice()), between in select(vec![" ", "\n", "\n\n"]),
    ) {
        let inner = wrap(&in_place(notation, &name, &secret));
        let note = format!("{before}{between}{inner}{between}{after}");
        let line = without_secrets(&note);
        prop_assert_eq!(shown(&line, &secret), None, "{}\n→\n{}", note, line);
        prop_assert!(line.contains(REMOVED));
    }

    #[test]
    fn a_secret_in_any_other_shape_and_wrapping_never_shows(
        secret in secret(), notation in select(OTHERS.as_slice()), wrap in wrappings(),
        before in select(PROSE.as_slice()), after in select(PROSE.as_slice()), between in select(vec![" ", "\n", "\n\n"]),
    ) {
        let inner = wrap(&in_place(notation, "", &secret));
        let note = format!("{before}{between}{inner}{between}{after}");
        let line = without_secrets(&note);
        prop_assert_eq!(shown(&line, &secret), None, "{}\n→\n{}", note, line);
    }

    #[test]
    fn a_secret_that_is_cut_off_never_shows(
        name in name(), secret in secret(), notation in select(CUT_OFF.as_slice()), kept in 0_usize..8,
        before in select(PROSE.as_slice()),
    ) {
        let whole = format!("{before}\n{}", in_place(notation, &name, &secret));
        let note = &whole[..whole.len() - kept.min(secret.len() - PIECE)];
        let line = without_secrets(note);
        prop_assert_eq!(shown(&line, &secret), None, "{}\n→\n{}", note, line);
    }

    #[test]
    fn invisible_characters_hide_neither_a_name_nor_a_secret(
        name in name(), secret in secret(), notation in select(PAIRS.as_slice()), every in 1_usize..6,
        c in select("\u{200b}\u{200d}\u{2060}\u{feff}\u{61c}\u{202e}\u{3164}\u{115f}\u{ffa0}\u{fe0f}\u{e0041}\u{ad}\0".chars().collect::<Vec<_>>()),
    ) {
        let note = in_place(notation, &name, &secret);
        let hidden: String = note.chars().enumerate().flat_map(|(at, shown)| {
            [Some(shown), Some(c).filter(|_| at % every == 0)].into_iter().flatten()
        }).collect();
        prop_assert_eq!(without_secrets(&hidden), without_secrets(&note));
    }

    #[test]
    fn the_case_of_a_name_does_not_matter(
        words in select(NAMES.as_slice()), secret in secret(), upper in prop::collection::vec(any::<bool>(), 48),
        notation in select(PAIRS.as_slice()),
    ) {
        let cased = |(c, upper): (char, &bool)| if *upper { c.to_ascii_uppercase() } else { c };
        let name: String = words.join("_").chars().zip(&upper).map(cased).collect();
        let note = in_place(notation, &name, &secret);
        let line = without_secrets(&note);
        prop_assert_eq!(shown(&line, &secret), None, "{}\n→\n{}", note, line);
    }

    #[test]
    fn no_text_is_too_odd(text in "(?s).*", odd in "(?s)[a-zKP:=;{}'\"@/ \\\\pwdsecrt<>%25&?#.,|\\-\n«„（é]*") {
        without_secrets(&text);
        let line = without_secrets(&odd);
        without_secrets(&line);
    }

    #[test]
    fn text_without_secrets_stays_as_it_is(parts in prop::collection::vec(select(PROSE.as_slice()), 1..6)) {
        let text = parts.join("\n");
        prop_assert_eq!(without_secrets(&text), text);
    }
}

fn in_place(notation: &str, name: &str, secret: &str) -> String {
    // Only `S` and `K` on their own: notations contain words with these letters.
    let mut out = String::new();
    let chars: Vec<char> = notation.chars().collect();
    for (at, c) in chars.iter().enumerate() {
        let is_letter =
            |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| c.is_ascii_alphabetic());
        let is_alone =
            !is_letter(at.checked_sub(1).filter(|_| !notation.contains("-pS"))) && !is_letter(Some(at + 1));
        match c {
            'S' if is_alone => out.push_str(secret),
            'K' if is_alone => out.push_str(name),
            c => out.push(*c),
        }
    }
    out
}
