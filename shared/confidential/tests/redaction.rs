//! Secrets of a request that an answer repeats are removed, in whatever encoding.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use confidential::{REDACTED, Secrets};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use std::borrow::Cow;
use std::time::{Duration, Instant};

fn secrets(texts: &[&str]) -> Secrets {
    Secrets::new(texts.iter().map(|text| (*text).into()))
}

fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

fn json_of_others(text: &str) -> String {
    json(text).replace('/', "\\/").replace('+', "\\u002b").replace('=', "\\u003D")
}

fn all_escaped(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect()
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

fn numbered(text: &str) -> String {
    text.chars().map(|char| format!("&#x{:x};", u32::from(char))).collect()
}

fn percent(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Form encoding, and its variant with lower-case digits.
fn form(text: &str) -> String {
    let in_lower_case = |byte: u8| match byte {
        b' ' => "+".to_owned(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02x}"),
    };
    text.bytes().map(in_lower_case).collect()
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn in_lines(text: &str) -> String {
    let encoded = BASE64_STANDARD.encode(text);
    let lines: Vec<&str> =
        encoded.as_bytes().chunks(20).map(|line| std::str::from_utf8(line).unwrap()).collect();
    lines.join("\r\n")
}

type Encode = fn(&str) -> String;

/// Encodings that keep letters and digits, or that decode to the original text.
const ENCODINGS: [(&str, Encode); 15] = [
    ("plain", |text| text.to_owned()),
    ("JSON", json),
    ("JSON with \\/", json_of_others),
    ("JSON, all of it escaped", all_escaped),
    ("Debug", |text| format!("{text:?}")),
    ("XML", xml),
    ("XML in numbers", numbered),
    ("percent", percent),
    ("form", form),
    ("base64", |text| BASE64_STANDARD.encode(text)),
    ("base64 without its end", |text| BASE64_STANDARD_NO_PAD.encode(text)),
    ("base64 for URLs", |text| BASE64_URL_SAFE.encode(text)),
    ("basic", |text| BASE64_URL_SAFE_NO_PAD.encode(format!("user:{text}"))),
    ("base64 in lines", in_lines),
    ("hex", hex),
];

const LONG: [&str; 6] = [
    "xoxb-1234567890-abcdefghijkl",
    "T024BE7LD/B024BE7LD/q1w2E3r4T5y6U7i8O9p0",
    "qlE1g9MMh9vbrjjg==:rZTHhPpP2tUW1kfn4tjg8W/+",
    "HvZM|5fI6=:_-|a946&<>\"'\\%41",
    "correct horse + battery ä 💡 staple",
    "abcdefghijklmnopqrstuvwxyz",
];

#[test]
fn a_secret_is_gone_in_every_encoding_and_in_one_encoding_within_another() {
    for secret in LONG {
        let secrets = secrets(&[secret]);
        for (outer, encode) in ENCODINGS {
            for (inner, encode_first) in ENCODINGS {
                for (before, behind) in
                    [("", ""), ("a/", "x"), ("bc", " z"), ("X-Auth: d", "\n"), ("\"", "\"")]
                {
                    let secret =
                        if before == "bc" { secret.to_ascii_uppercase() } else { (*secret).to_owned() };
                    let repeated = encode(&encode_first(&format!("{before}{secret}{behind}")));
                    let shown = secrets.redact_text(&repeated);
                    let left = shown.replace(REDACTED, "\u{0}");
                    assert!(shown.contains(REDACTED), "{secret}: {inner} in {outer}: {shown}");
                    // The quick check of a long answer gives the same result, unless the secret is changed before
                    // base64.
                    let is_base64 = |name: &str| name.contains("base64") || matches!(name, "basic" | "hex");
                    let is_changed = before == "bc" || !matches!(inner, "plain" | "JSON");
                    let is_missed = (is_base64(outer) && is_changed) || (is_base64(inner) && before == "bc");
                    if !is_missed {
                        let answer = secrets.redact_answer(repeated.clone().into_bytes());
                        let is_seen = String::from_utf8_lossy(&answer).contains(REDACTED);
                        assert!(is_seen, "{secret}: {inner} in {outer}: {repeated}");
                    }
                    // Everything that is left of the secret is shorter than a piece.
                    assert!(
                        matches!(secrets.redact_text(&left), Cow::Borrowed(_)),
                        "{secret}: {inner} in {outer}: {shown}"
                    );
                }
            }
        }
    }
}

#[test]
fn half_a_secret_is_gone_too() {
    let secrets = secrets(&["abcdefghijklmnopqrstuvwxyz"]);
    for (text, shown) in [
        ("abcdefghijklm…", "[redacted]…"),
        ("is …stuvwxyz", "is …[redacted]"),
        ("ABCDEFGH and jklmnopq", "[redacted] and [redacted]"),
        ("abcdefg", "abcdefg"),
        ("abcdefgh ijklmnopqrstuvwxyz", "[redacted] [redacted]"),
        ("", ""),
    ] {
        assert_eq!(secrets.redact_text(text), shown, "{text}");
    }
}

#[test]
fn a_short_secret_is_gone_where_it_is_no_part_of_a_word() {
    for (secret, text, shown) in [
        ("secret", "xsecretx and SECRET", "x[redacted]x and [redacted]"),
        (
            "s",
            "Login failed for s, 's' and s%s",
            "Login failed for [redacted], '[redacted]' and [redacted]%[redacted]",
        ),
        (
            "ab1",
            "ab1 xab1 ab12 {\"p\":\"ab1\"} %61b1",
            "[redacted] xab1 ab12 {\"p\":\"[redacted]\"} [redacted]",
        ),
        ("a!", "xa! a!x a!", "xa! [redacted]x [redacted]"),
        ("", "anything", "anything"),
    ] {
        assert_eq!(secrets(&[secret]).redact_text(text), shown, "{secret}");
    }
    let basic = format!("Basic {}", BASE64_STANDARD.encode("ana:ab1"));
    assert!(secrets(&["ab1"]).redact_text(&basic).contains(REDACTED));
}

#[test]
fn what_is_around_a_secret_stays() {
    let secrets = secrets(&["xoxb-1234567890", "pat-secret-0123456789"]);
    let text = "line 1: ünï xoxb-1234567890 ünï\nline 2: ä%C3%A4pat%2Dsecret%2D0123456789 💡";
    let expected = "line 1: ünï [redacted] ünï\nline 2: ä%C3%A4[redacted] 💡";
    assert_eq!(secrets.redact_text(text), expected);
    let clean = "Job 8b2a95d8-52b9-40a4-8712-cd6da771bd1b: \\u0041 &amp; 100% SGVsbG8gd29ybGQ= 💡";
    assert!(matches!(secrets.redact_text(clean), Cow::Borrowed(_)));
    assert!(matches!(Secrets::default().redact_text(clean), Cow::Borrowed(_)));
}

#[test]
fn an_answer_stays_json_and_keeps_its_keys() {
    let secrets = secrets(&["workbook!", "12345678", "news/items"]);
    for (body, expected) in [
        (
            r#"{"workbook!":{"name":"workbook!","n":12345678.0,"m":12345678}}"#,
            r#"{"workbook!":{"m":"[redacted]","n":"[redacted].0","name":"[redacted]"}}"#,
        ),
        (r#"{"a":"x\news\/items"}"#, r#"{"a":"x\n[redacted]"}"#),
        (r#"{"a":"\\news\/items"}"#, r#"{"a":"[redacted]"}"#),
        (r#"["workbook!", true, null]"#, r#"["[redacted]",true,null]"#),
        ("workbook! <b>", "[redacted] <b>"),
        (r#"{"a":"workbook!"#, r#"{"a":"[redacted]"#),
    ] {
        let answer = secrets.redact_answer(body.as_bytes().to_vec());
        let answer = String::from_utf8(answer).unwrap();
        let expected = expected.to_owned();
        match serde_json::from_str::<serde_json::Value>(&expected) {
            Ok(json) => {
                assert_eq!(serde_json::from_str::<serde_json::Value>(&answer).unwrap(), json, "{body}")
            }
            Err(_) => assert_eq!(answer, expected),
        }
    }
    let clean = br#"{ "a" : "b" }"#.to_vec();
    assert_eq!(secrets.redact_answer(clean.clone()), clean);
}

#[test]
fn in_an_answer_a_name_may_share_a_word_with_a_password_and_a_refusal_loses_the_word() {
    let secrets = secrets(&["marketing-and-sales-2026"]);
    let body = |text: &str| serde_json::json!({ "name": text }).to_string().into_bytes();
    let kept = body("Marketing and sales, marketing-and");
    assert_eq!(secrets.redact_answer(kept.clone()), kept);
    assert_eq!(secrets.redact_refusal(kept), body("[redacted] and sales, [redacted]"));
    for text in ["marketing-and-sales-2026", "MARKETING-AND-SALES", "marketing%2Dand%2Dsales%2D2026"] {
        assert_ne!(secrets.redact_answer(body(text)), body(text), "{text}");
    }
}

#[test]
fn of_an_address_the_path_behind_its_first_words_is_secret_and_so_are_the_values_of_its_query() {
    for (url, secret, open) in [
        (
            "https://hooks.slack.com/services/T0AB/B0CD/q1w2E3r4",
            "T0AB/B0CD/q1w2E3r4",
            "services hooks.slack.com",
        ),
        ("https://chat.example.com/hooks/abcdefghijk", "abcdefghijk", "hooks"),
        ("https://chat.example.com/hooks/abcdefghijklmnopqrstuvwxyz/", "abcdefghijklmnopqrstuvwxyz", "hooks"),
        ("https://chat.example.com/hooks/abcdefghijklmnop/general", "abcdefghijklmnop", "hooks"),
        ("https://chat.example.com/hooks/abcdefghijklmnop?channel=x", "abcdefghijklmnop", "hooks"),
        ("https://a.example/webhooks/notify-slack/tttttttttttt", "tttttttttttt", "webhooks notify-slack"),
        (
            "https://a.example/webhook?token=tttttttttttt&x=%C3%BCber%20lang",
            "tttttttttttt,über lang",
            "webhook token",
        ),
        ("https://a.example/webhook/tttttttttttt", "tttttttttttt", "webhook"),
        ("https://a.example/tttttttttttt", "tttttttttttt", "a.example"),
        ("https://a.example/webhook/A0/#ffffffffff", "ffffffffff", "webhook"),
    ] {
        let secrets = Secrets::of_url(&url.parse().unwrap());
        for secret in secret.split(',') {
            assert!(secrets.redact_text(secret).contains(REDACTED), "{url}: {secret}");
        }
        assert_eq!(secrets.redact_text(open), open, "{url}");
    }
}

#[test]
fn debug_shows_nothing() {
    assert_eq!(format!("{:?}", secrets(&["hunter2"])), "Secrets([redacted])");
}

#[test]
fn the_time_grows_with_the_text_and_not_with_its_square() {
    let secrets = secrets(&["xoxb-1234567890-abcdefghijkl", "s"]);
    for part in ["A", "\\u0041", "%2541", "&amp;#x41;", "\\\\", "%", "QUFB\r\n", "xoxb-123", "a "] {
        let time = |bytes: usize| {
            let text = part.repeat(bytes / part.len());
            let started = Instant::now();
            let _ = secrets.redact_text(&text);
            started.elapsed()
        };
        // Measured several times, since other programs run too. Quadratic work would take 64 times as long.
        let mut shortest = (Duration::MAX, Duration::MAX);
        let is_fair = (0..8).any(|_| {
            shortest = (shortest.0.min(time(1 << 15)), shortest.1.min(time(1 << 18)));
            shortest.1 < shortest.0 * 32
        });
        assert!(is_fair, "{part:?}: {shortest:?} for 32 KiB and for 256 KiB");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_around_it_and_however_it_is_encoded_no_piece_of_a_secret_is_left(
        secret in "[ -~]{8,60}",
        before in ".{0,20}",
        behind in ".{0,20}",
        encodings in prop::collection::vec(0..ENCODINGS.len(), 0..3),
        repeats in 1..4_usize,
        in_upper_case: bool,
    ) {
        let secrets = secrets(&[&secret]);
        let mut text = format!("{before}{secret}{behind}").repeat(repeats);
        if in_upper_case {
            text = text.to_ascii_uppercase();
        }
        for at in encodings {
            text = ENCODINGS[at].1(&text);
        }
        let shown = secrets.redact_text(&text);
        prop_assert!(shown.contains(REDACTED), "{shown}");
        let left = shown.replace(REDACTED, "\u{0}");
        prop_assert!(matches!(secrets.redact_text(&left), Cow::Borrowed(_)), "{shown}");
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), secret in ".{0,20}") {
        let secrets = secrets(&[&secret]);
        let _ = secrets.redact(&bytes);
        let _ = secrets.redact_answer(bytes);
    }
}
