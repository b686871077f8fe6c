//! The links of a request: a random id and a code that only the holder of the key can make. Pure, but for randomness.
//!
//! The id is that of the request's document, which says for which data source, site and steward it is. The code binds it to one decision: a
//! link that certifies does not decline. A token that was made up is refused before anything is read.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::fmt;
use subtle::{Choice, ConstantTimeEq};

/// The path segment before the token. The whole address has to fit into 100 characters, because some mail programs cut longer ones.
pub const SEGMENT: &str = "c";
/// How long a page may stay open before its form is sent.
pub(crate) const FORM_LIFETIME: SignedDuration = SignedDuration::from_hours(1);
/// How long a person needs at least to choose. Machines that send what they find do not wait.
const SHORTEST: SignedDuration = SignedDuration::from_secs(2);
/// Bytes of an id: 96 bits.
const ID: usize = 12;
/// Bytes of a code: 128 bits.
const MAC: usize = 16;
/// Bytes of a time, in seconds.
const TIME: usize = 8;
/// The shortest key that is taken.
const SHORTEST_KEY: usize = 32;

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Purpose {
    /// The data source is certified.
    Certify,
    /// It stays as it is.
    Decline,
}

impl Purpose {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Certify, Self::Decline];

    fn byte(self) -> u8 {
        match self {
            Self::Certify => b'c',
            Self::Decline => b'd',
        }
    }
}

/// A link that is genuine: which request, and which decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) id: String,
    pub(crate) decision: Purpose,
}

/// What is to be thought of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormCheck {
    Right,
    /// It was sent faster than a person chooses.
    TooFast,
    /// It is none of ours, or too old, or its page said something else than is known now.
    Stale,
}

/// The key of all links and, while it is changed, the one before it, with which no new link is made.
///
/// As JSON: `{"current": "…", "previous": "…"}`, `previous` empty or left out when there is none.
#[derive(Clone, Deserialize)]
#[serde(try_from = "Json")]
pub struct LinkKeys {
    current: SecretString,
    previous: Option<SecretString>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Json {
    current: String,
    #[serde(default)]
    previous: String,
}

impl TryFrom<Json> for LinkKeys {
    type Error = String;

    fn try_from(json: Json) -> Result<Self, String> {
        for (name, key) in [("current", &json.current), ("previous", &json.previous)] {
            let may_be_empty = name == "previous" && key.is_empty();
            if key.len() < SHORTEST_KEY && !may_be_empty {
                return Err(format!("`{name}` has fewer than {SHORTEST_KEY} characters"));
            }
        }
        let previous = Some(json.previous).filter(|key| !key.is_empty());
        Ok(Self { current: json.current.into(), previous: previous.map(SecretString::from) })
    }
}

impl PartialEq for LinkKeys {
    fn eq(&self, other: &Self) -> bool {
        let exposed = |keys: &Self| {
            let previous = keys.previous.as_ref().map(|key| key.expose_secret().to_owned());
            (keys.current.expose_secret().to_owned(), previous)
        };
        exposed(self) == exposed(other)
    }
}

impl fmt::Debug for LinkKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKeys([redacted])")
    }
}

/// The id of a new request.
///
/// # Errors
/// If the system gives no random numbers.
pub(crate) fn new_id() -> Result<String, &'static str> {
    let mut id = [0; ID];
    SystemRandom::new().fill(&mut id).map_err(|_| "the system gives no random numbers")?;
    Ok(URL_SAFE_NO_PAD.encode(id))
}

impl LinkKeys {
    /// The token of a link: one path segment of 38 letters, digits, `-` and `_`, the last of which is a letter or a digit.
    pub(crate) fn token(&self, id: &str, decision: Purpose) -> String {
        let Some(id) = bytes::<ID>(id) else { return String::new() };
        let code = link_code(&self.current, &id, decision);
        URL_SAFE_NO_PAD.encode([id.as_slice(), &code].concat())
    }

    /// The link that a token is of; `None` for any other text. The time that this takes says nothing about a right code.
    ///
    /// Signs that mail programs take for a part of an address at its end do no harm: no token ends with one.
    pub(crate) fn open(&self, token: &str) -> Option<Link> {
        let token = token.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '>', '"', '\'']);
        let token = bytes::<{ ID + MAC }>(token)?;
        let (id, code) = token.split_at(ID);
        let mut found = None;
        for key in self.all() {
            for decision in Purpose::ALL {
                let is_it: Choice = link_code(key, id, decision).ct_eq(code);
                if bool::from(is_it) {
                    found = Some(Link { id: URL_SAFE_NO_PAD.encode(id), decision });
                }
            }
        }
        found
    }

    /// The seal of a request, over what its links can do.
    pub(crate) fn seal(&self, bound: &str) -> String {
        URL_SAFE_NO_PAD.encode(tag(&self.current, &[b"seal\0", bound.as_bytes()]))
    }

    /// Whether this is the seal of a request: so the function has written it, and no one has changed what its links can do.
    pub(crate) fn has_sealed(&self, bound: &str, seal: &str) -> bool {
        let Some(seal) = bytes::<MAC>(seal) else { return false };
        let mut is_it = Choice::from(0);
        for key in self.all() {
            is_it |= tag(key, &[b"seal\0", bound.as_bytes()]).ct_eq(seal.as_slice());
        }
        is_it.into()
    }

    /// What the form of a page carries, which shows when it was asked for and what the page said: so each form has been on a page of ours.
    pub(crate) fn form(&self, link: &Link, shown: &str, now: Timestamp) -> String {
        let time = now.as_second().to_be_bytes();
        let code = form_code(&self.current, link, shown, &time);
        URL_SAFE_NO_PAD.encode([time.as_slice(), &code].concat())
    }

    /// Whether the page with this form was asked for within the last hour, for this link, and said what is known now.
    pub(crate) fn check_form(&self, link: &Link, shown: &str, form: &str, now: Timestamp) -> FormCheck {
        let Some(form) = bytes::<{ TIME + MAC }>(form) else { return FormCheck::Stale };
        let (time, code) = form.split_at(TIME);
        let mut is_ours = Choice::from(0);
        for key in self.all() {
            is_ours |= form_code(key, link, shown, time).ct_eq(code);
        }
        let seconds = time.try_into().map(i64::from_be_bytes);
        let asked_at = seconds.ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        // Instances of a function differ by seconds.
        let skew = SignedDuration::from_mins(1);
        match asked_at.map(|at| now.duration_since(at)) {
            Some(age) if bool::from(is_ours) && age >= -skew && age <= FORM_LIFETIME => {
                match age < SHORTEST {
                    true => FormCheck::TooFast,
                    false => FormCheck::Right,
                }
            }
            _ => FormCheck::Stale,
        }
    }

    /// The code of six digits for one decision, asked for at this time. Only the holder of the key can make it.
    pub(crate) fn mailed_code(&self, id: &str, decision: Purpose, at: Timestamp) -> String {
        six_digits(&self.current, id, decision, at)
    }

    /// Whether this is that code.
    pub(crate) fn accepts_code(&self, id: &str, decision: Purpose, at: Timestamp, code: &str) -> bool {
        let mut is_it = Choice::from(0);
        for key in self.all() {
            is_it |= six_digits(key, id, decision, at).as_bytes().ct_eq(code.as_bytes());
        }
        is_it.into()
    }

    fn all(&self) -> impl Iterator<Item = &SecretString> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

fn six_digits(key: &SecretString, id: &str, decision: Purpose, at: Timestamp) -> String {
    let time = at.as_nanosecond().to_be_bytes();
    let number =
        u128::from_be_bytes(tag(key, &[b"mailed\0", &[decision.byte()], id.as_bytes(), b"\0", &time]));
    format!("{:06}", number % 1_000_000)
}

fn link_code(key: &SecretString, id: &[u8], decision: Purpose) -> [u8; MAC] {
    tag(key, &[b"link\0", &[decision.byte()], id])
}

fn form_code(key: &SecretString, link: &Link, shown: &str, time: &[u8]) -> [u8; MAC] {
    tag(key, &[b"form\0", &[link.decision.byte()], link.id.as_bytes(), b"\0", time, shown.as_bytes()])
}

/// HMAC-SHA256, cut to 128 bits. The first part says what it is for, so that no code of one kind is one of another.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc2104#section-5>
fn tag(key: &SecretString, parts: &[&[u8]]) -> [u8; MAC] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret().as_bytes());
    let mut context = hmac::Context::with_key(&key);
    for part in parts {
        context.update(part);
    }
    let mut cut = [0; MAC];
    for (to, from) in cut.iter_mut().zip(context.sign().as_ref()) {
        *to = *from;
    }
    cut
}

/// The bytes of a text in base64url, if it is the one text of exactly so many.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let decoded = URL_SAFE_NO_PAD.decode(text).ok()?;
    decoded.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(current: &str, previous: &str) -> LinkKeys {
        let json = serde_json::json!({ "current": current.repeat(40), "previous": previous.repeat(40) });
        serde_json::from_value(json).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_764_000_000 + second).unwrap()
    }

    #[test]
    fn the_route_of_the_pages_is_the_one_that_the_stack_makes() {
        let definition = include_str!("../workflow.yaml");
        assert!(definition.lines().any(|line| line == format!("pages: {SEGMENT}")), "{definition}");
    }

    // M10, M12
    #[test]
    fn a_link_fits_into_a_hundred_characters_and_its_token_is_one_segment_that_nothing_escapes_or_cuts() {
        let keys = keys("k", "");
        for decision in Purpose::ALL.repeat(200) {
            let token = keys.token(&new_id().unwrap(), decision);
            let url =
                format!("https://abcdefghij.execute-api.ap-southeast-2.amazonaws.com/{SEGMENT}/{token}");
            assert!(url.len() <= 100, "{}", url.len());
            assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{token}");
            assert!(token.ends_with(|c: char| c.is_ascii_alphanumeric()), "{token}");
        }
    }

    #[test]
    fn a_token_opens_its_own_request_for_its_own_decision_and_no_other() {
        let keys = keys("k", "");
        let [one, two] = [(); 2].map(|()| new_id().unwrap());
        assert_ne!(one, two);
        for decision in Purpose::ALL {
            let token = keys.token(&one, decision);
            for shown in [token.clone(), format!("{token}."), format!("{token}>"), format!("{token}\">).")] {
                assert_eq!(keys.open(&shown), Some(Link { id: one.clone(), decision }), "{shown}");
            }
            let other = keys.token(&two, decision);
            let mixed = format!("{}{}", &token[..16], &other[16..]);
            for forged in [
                mixed.as_str(),
                &token[..37],
                &token[1..],
                &format!("{token}A"),
                &format!("{token}="),
                &format!("{}B", &token[..37]),
                &token.to_ascii_lowercase(),
                "",
                &"A".repeat(38),
            ] {
                assert!(keys.open(forged).is_none(), "{forged}");
            }
        }
        let foreign = super::tests::keys("x", "").token(&one, Purpose::Certify);
        assert!(keys.open(&foreign).is_none());
    }

    #[test]
    fn links_of_the_previous_key_stay_valid_until_it_is_taken_out() {
        let id = new_id().unwrap();
        let old = keys("a", "").token(&id, Purpose::Certify);
        assert!(keys("b", "a").open(&old).is_some());
        assert_ne!(keys("b", "a").token(&id, Purpose::Certify), old);
        assert!(keys("b", "").open(&old).is_none());
    }

    // M04
    #[test]
    fn a_form_is_taken_for_an_hour_and_for_its_own_link_and_what_it_showed_alone() {
        use FormCheck::{Right, Stale, TooFast};
        let keys = keys("k", "");
        let link = |decision| Link { id: "AAAAAAAAAAAAAAAA".to_owned(), decision };
        let certify = link(Purpose::Certify);
        let form = keys.form(&certify, "Sales", at(0));
        for (second, expected) in [
            (0, TooFast),
            (1, TooFast),
            (2, Right),
            (3_600, Right),
            (3_601, Stale),
            (-60, TooFast),
            (-61, Stale),
        ] {
            assert_eq!(keys.check_form(&certify, "Sales", &form, at(second)), expected, "{second}");
        }
        assert_eq!(keys.check_form(&certify, "Ledger", &form, at(2)), Stale);
        assert_eq!(keys.check_form(&link(Purpose::Decline), "Sales", &form, at(2)), Stale);
        let other = Link { id: "BAAAAAAAAAAAAAAA".to_owned(), decision: Purpose::Certify };
        assert_eq!(keys.check_form(&other, "Sales", &form, at(2)), Stale);
        for forged in ["", "x", &form[1..], &keys.token(&other.id, Purpose::Certify)] {
            assert_eq!(keys.check_form(&certify, "Sales", forged, at(2)), Stale, "{forged}");
        }
        let later = super::tests::keys("n", "k");
        assert_eq!(later.check_form(&certify, "Sales", &form, at(2)), Right);
    }

    #[test]
    fn a_mailed_code_has_six_digits_and_is_of_its_request_and_decision() {
        let keys = keys("k", "");
        for second in 0..100 {
            let code = keys.mailed_code("r-1", Purpose::Certify, at(second));
            assert!(code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()), "{code}");
            assert!(keys.accepts_code("r-1", Purpose::Certify, at(second), &code));
            assert!(!keys.accepts_code("r-1", Purpose::Certify, at(second), ""));
            assert!(!keys.accepts_code("r-1", Purpose::Certify, at(second), &format!("{code}0")));
            assert!(super::tests::keys("n", "k").accepts_code("r-1", Purpose::Certify, at(second), &code));
        }
        let codes: std::collections::BTreeSet<String> = [("r-1", 0), ("r-2", 0), ("r-1", 1)]
            .iter()
            .flat_map(|(id, second)| Purpose::ALL.map(|decision| keys.mailed_code(id, decision, at(*second))))
            .collect();
        assert_eq!(codes.len(), 6);
    }

    #[test]
    fn a_seal_is_of_one_request_and_of_the_keys_that_are_valid() {
        let seal = keys("a", "").seal("one");
        assert!(keys("b", "a").has_sealed("one", &seal));
        assert!(!keys("a", "").has_sealed("two", &seal));
        assert!(!keys("b", "").has_sealed("one", &seal));
        assert!(!keys("a", "").has_sealed("one", ""));
    }

    #[test]
    fn a_key_is_long_and_is_not_shown() {
        let read = |json: &str| serde_json::from_str::<LinkKeys>(json).map_err(|error| error.to_string());
        let problem = read(r#"{"current":"hunter2"}"#).unwrap_err();
        assert!(problem.contains("`current` has fewer than 32") && !problem.contains("hunter2"), "{problem}");
        assert!(read(r#"{"current":"","previous":""}"#).is_err());
        assert_eq!(format!("{:?}", keys("k", "p")), "LinkKeys([redacted])");
        assert_ne!(keys("k", "p"), keys("k", ""));
    }
}
