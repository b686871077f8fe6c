//! Searches output for a secret, in every encoding in which it could appear.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// This many consecutive characters of a secret are a leak.
const PIECE: usize = 12;

/// The encodings of a secret to search for; all in lower case except base64.
pub(crate) struct Needles {
    any_case: Vec<String>,
    exact: Vec<String>,
}

impl Needles {
    pub(crate) fn of(secret: &str) -> Self {
        let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
        let json = serde_json::Value::from(secret).to_string();
        let json = json[1..json.len() - 1].to_owned();
        let units = secret.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        let xml = secret.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
        let mut any_case = vec![
            percent.replace("%20", "+"),
            percent.replace('%', "%25"),
            percent,
            json.replace('/', "\\/"),
            json.replace('\\', "\\\\"),
            json,
            units,
            xml,
            secret.bytes().map(|byte| format!("{byte:02x}")).collect(),
        ];
        let characters: Vec<char> = secret.chars().collect();
        any_case.extend(characters.windows(PIECE.min(characters.len())).map(String::from_iter));
        any_case.iter_mut().for_each(|needle| *needle = needle.to_lowercase());
        // The base64 characters that depend on the secret alone, at each of its three possible offsets.
        let mut exact = Vec::new();
        for before in 0..3 {
            let bytes = [&vec![0; before], secret.as_bytes()].concat();
            let whole = bytes.len() / 3 * 4;
            let first = [0, 4, 4][before];
            for text in [BASE64_STANDARD_NO_PAD.encode(&bytes), BASE64_URL_SAFE_NO_PAD.encode(&bytes)] {
                exact.extend(text.get(first..whole).filter(|text| text.len() >= PIECE).map(str::to_owned));
            }
        }
        Self { any_case, exact }
    }

    /// The encoding in which the text contains the secret.
    pub(crate) fn find(&self, text: &str) -> Option<&str> {
        let lower = text.to_lowercase();
        let any = self.any_case.iter().find(|needle| lower.contains(needle.as_str()));
        any.or_else(|| self.exact.iter().find(|needle| text.contains(needle.as_str()))).map(String::as_str)
    }
}

/// Panics when one of the secrets is in the text.
pub(crate) fn assert_none(what: &str, text: &str, secrets: &[String]) {
    for secret in secrets {
        if let Some(form) = Needles::of(secret).find(text) {
            let lines = text.lines().filter(|line| line.to_lowercase().contains(&form.to_lowercase()));
            let lines: Vec<String> = lines.take(3).map(|line| line.chars().take(1_500).collect()).collect();
            panic!("{what} has `{secret}` as `{form}`:\n{}", lines.join("\n"));
        }
    }
}

// The search itself finds planted secrets.
#[test]
fn a_planted_secret_is_found_in_each_form() {
    let secret = "qlE1g9/MMh+rj==:\"rZ\" & wörd<4>";
    let needles = Needles::of(secret);
    let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let json = serde_json::Value::from(secret).to_string();
    let basic = BASE64_STANDARD_NO_PAD.encode(format!("user:{secret}"));
    for planted in [
        secret.to_owned(),
        secret.to_uppercase(),
        json.clone(),
        json.replace('/', "\\/"),
        serde_json::Value::from(json).to_string(),
        percent.clone(),
        percent.to_lowercase(),
        percent.replace("%20", "+"),
        secret.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;"),
        basic,
        BASE64_STANDARD_NO_PAD.encode(format!("a{secret}")),
        BASE64_URL_SAFE_NO_PAD.encode(format!("ab{secret}c")),
        secret.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect(),
        secret.chars().take(PIECE).collect(),
        secret.chars().skip(5).take(PIECE + 1).collect(),
    ] {
        assert!(needles.find(&format!("before{planted}\nbehind")).is_some(), "{planted}");
    }
    for clean in ["", "qlE1g9/MMh+", "[redacted]", "reason: Tableau refused with 401 (401001, x)"] {
        assert_eq!(needles.find(clean), None, "{clean}");
    }
    let found =
        std::panic::catch_unwind(|| assert_none("a log", &format!("a {secret}"), &[secret.to_owned()]));
    assert!(found.is_err());
}
