//! What an answer of Twilio means. The code of its body decides, and not the status: a `429` can mean *soon again* and *not today*. Its
//! words are never read: they repeat numbers, and change.
//!
//! Source: <https://www.twilio.com/docs/api/errors>

use super::error::{Refusal, TextError};
use crate::http::Answer;
use serde::Deserialize;

/// A text that Twilio has taken. It is not delivered yet.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Taken {
    /// Its id.
    pub(super) sid: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) error_code: Option<u32>,
}

/// The body of a refusal.
#[derive(Deserialize)]
struct Refused {
    code: u32,
}

/// The text that an answer says was taken, or its state.
///
/// # Errors
/// What the answer says otherwise. `to` are the last digits of the recipient.
pub(super) fn read(answer: &Answer, to: &str) -> Result<Taken, TextError> {
    if !(200..300).contains(&answer.status) {
        return Err(refused(answer, to));
    }
    let taken: Option<Taken> = serde_json::from_str(&answer.body).ok();
    taken.filter(|taken| is_id(&taken.sid)).ok_or_else(|| foreign(answer))
}

/// Whether a text is the id of a message.
fn is_id(sid: &str) -> bool {
    let digits = sid.strip_prefix("SM").or_else(|| sid.strip_prefix("MM"));
    digits.is_some_and(|digits| digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The error of an answer that is no success.
fn refused(answer: &Answer, to: &str) -> TextError {
    let code = serde_json::from_str::<Refused>(&answer.body).ok().map(|body| body.code);
    let Some(code) = code else {
        // Twilio answers with JSON. At these statuses nothing else can be meant, also if a proxy has changed the body.
        return match answer.status {
            401 => of_code(20_003, answer, to),
            429 => of_code(20_429, answer, to),
            _ => foreign(answer),
        };
    };
    of_code(code, answer, to)
}

fn of_code(code: u32, answer: &Answer, to: &str) -> TextError {
    let (refusal, advice) = meaning(code, answer.status);
    TextError::Refused {
        to: to.to_owned(),
        status: answer.status,
        code,
        refusal,
        advice,
        retry_after: answer.retry_after,
    }
}

/// A text that Twilio took and failed at once, as its code says.
pub(super) fn failed(code: u32, status: u16, to: &str) -> TextError {
    let (refusal, advice) = match code {
        30_001 => (Refusal::Queue, "the queue of the sender is full; it is tried again later"),
        code => (meaning(code, status).0, undelivered(code)),
    };
    TextError::Refused { to: to.to_owned(), status, code, refusal, advice, retry_after: None }
}

fn foreign(answer: &Answer) -> TextError {
    TextError::Foreign { status: answer.status, content: answer.kind(), retry_after: answer.retry_after }
}

/// What a code means, and what a person has to do.
fn meaning(code: u32, status: u16) -> (Refusal, &'static str) {
    match code {
        20_003 | 20_403 => (
            Refusal::Credential,
            "the credential is refused: put `account_sid` with a valid `auth_token`, or with `api_key` and `api_key_secret` of the same \
             account, into the Twilio secret",
        ),
        20_005 | 10_001 | 90_010 => (
            Refusal::Credential,
            "the account is not active: look at its state and balance in the console of Twilio",
        ),
        20_008 => (
            Refusal::Credential,
            "these are test credentials, which send nothing: put the live ones into the Twilio secret",
        ),
        20_404 => (
            Refusal::Credential,
            "Twilio knows no such account: put the `account_sid` to which the key belongs into the Twilio secret",
        ),
        20_429 | 14_107 | 30_022 | 63_017 | 63_018 => (Refusal::Rate, "too many requests at the same time"),
        21_611 => (Refusal::Queue, "the queue of the sender is full; it is tried again later"),
        63_038 | 30_023 => (
            Refusal::AccountLimit,
            "the account has sent all that it may send today: it is tried again for three days; ask Twilio for a higher limit, or \
             upgrade a trial account",
        ),
        21_211 | 21_214 | 21_217 | 21_614 | 21_635 => {
            (Refusal::Final, "no text can be sent to this number: correct it in the rule")
        }
        21_610 => (
            Refusal::Final,
            "the recipient has answered STOP: remove the number from the rules, or ask the person to text START to the sender",
        ),
        21_608 => (
            Refusal::Final,
            "a trial account sends to verified numbers only: verify this number in the console of Twilio, or upgrade the account",
        ),
        21_408 => (
            Refusal::Final,
            "texts to the country of this number are not allowed: allow the country in Messaging > Settings > Geo permissions",
        ),
        21_612 => {
            (Refusal::Final, "the sender cannot reach this number: choose another sender for its country")
        }
        21_606 | 21_659 | 21_212 | 21_603 | 21_660 | 21_661 | 21_267 => (
            Refusal::Final,
            "the sender cannot be used: put a number that the account owns, and that can send texts, into `from` of the Twilio secret",
        ),
        21_701 | 21_703 | 21_704 => (
            Refusal::Final,
            "the messaging service does not exist or has no sender: correct `messaging_service_sid` in the Twilio secret",
        ),
        21_617 | 21_658 | 21_602 => {
            (Refusal::Final, "Twilio does not take the text: it is empty or too long")
        }
        _ if status >= 500 || status == 408 => (Refusal::Unavailable, "Twilio has an internal problem"),
        _ if status == 429 => (Refusal::Rate, "too many requests"),
        _ if status == 401 || status == 403 => (
            Refusal::Credential,
            "the account may not do this: look the code up at twilio.com/docs/api/errors, and fix the account or the Twilio secret",
        ),
        _ => (Refusal::Final, "look the code up at twilio.com/docs/api/errors"),
    }
}

/// Why a text that was taken was not delivered, for people.
pub(super) fn undelivered(code: u32) -> &'static str {
    match code {
        21_611 | 30_001 => "the queue of the sender was full",
        63_038 | 30_023 => {
            "the account had sent all that it may send that day: ask Twilio for a higher limit"
        }
        30_002 => "the account was suspended",
        30_003 => "the phone is off, or cannot be reached",
        30_004 => "the recipient or the network blocks texts of this sender",
        30_005 => "the number is not in use",
        30_006 => "the number is a landline, or its network takes no texts of this sender",
        30_007 => "the network took the text for unwanted: register the sender",
        30_032 => "the toll-free number of the sender is not verified: verify it in the console of Twilio",
        30_034 => {
            "the sender is a US number that is not registered for A2P 10DLC: register it in the console of Twilio"
        }
        _ => meaning(code, 400).1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use confidential::Secrets;
    use secrecy::SecretString;
    use std::time::Duration;
    use workflow::Failure;

    fn answer(status: u16, body: &str) -> Answer {
        let secrets = Secrets::new([SecretString::from("hunter2hunter2")]);
        Answer { secrets, status, retry_after: None, is_html: body.starts_with('<'), body: body.to_owned() }
    }

    fn body(status: u16, code: u32) -> String {
        let message = "The number +4915112345678 is hunter2hunter2";
        let more_info = format!("https://www.twilio.com/docs/errors/{code}");
        serde_json::json!({ "code": code, "message": message, "more_info": more_info, "status": status })
            .to_string()
    }

    fn of(status: u16, code: u32) -> TextError {
        read(&answer(status, &body(status, code)), "…78").unwrap_err()
    }

    fn refusal(error: &TextError) -> Refusal {
        let TextError::Refused { refusal, .. } = error else { panic!("{error}") };
        *refusal
    }

    // D050, D073, D074, D142
    #[test]
    fn the_code_decides_and_not_the_status() {
        for (status, code, expected, advice) in [
            (401, 20_003, Refusal::Credential, "the credential is refused"),
            (403, 20_003, Refusal::Credential, "the credential is refused"),
            (404, 20_404, Refusal::Credential, "Twilio knows no such account"),
            (401, 20_005, Refusal::Credential, "the account is not active"),
            (429, 20_429, Refusal::Rate, "too many requests at the same time"),
            (429, 63_038, Refusal::AccountLimit, "the account has sent all"),
            (400, 63_038, Refusal::AccountLimit, "the account has sent all"),
            (429, 21_611, Refusal::Queue, "the queue of the sender is full"),
            (400, 21_611, Refusal::Queue, "the queue of the sender is full"),
            (400, 21_211, Refusal::Final, "no text can be sent to this number"),
            (429, 21_211, Refusal::Final, "no text can be sent to this number"),
            (400, 21_610, Refusal::Final, "the recipient has answered STOP"),
            (400, 21_608, Refusal::Final, "a trial account sends"),
            (400, 21_408, Refusal::Final, "texts to the country"),
            (400, 21_606, Refusal::Final, "the sender cannot be used"),
            (400, 21_659, Refusal::Final, "the sender cannot be used"),
            (400, 21_612, Refusal::Final, "the sender cannot reach"),
            (400, 21_701, Refusal::Final, "the messaging service"),
            (400, 21_617, Refusal::Final, "Twilio does not take the text"),
            (400, 99_999, Refusal::Final, "look the code up"),
            (409, 99_999, Refusal::Final, "look the code up"),
            (403, 99_999, Refusal::Credential, "the account may not do this"),
            (429, 99_999, Refusal::Rate, "too many requests"),
            (500, 20_500, Refusal::Unavailable, "Twilio has an internal problem"),
            (503, 20_503, Refusal::Unavailable, "Twilio has an internal problem"),
        ] {
            let error = of(status, code);
            assert_eq!(refusal(&error), expected, "{status} {code}");
            let text = error.to_string();
            let start = format!("Twilio refused the text to …78 with {status} ({code}): {advice}");
            assert!(text.starts_with(&start), "{text}");
            assert!(!text.contains("hunter2") && !text.contains("+49"), "{text}");
        }
    }

    // D050, D142
    #[test]
    fn a_400_is_final_a_daily_limit_waits_for_a_person_and_the_rest_comes_again() {
        for (status, code, kind) in [
            (400, 21_606, "permanent"),
            (400, 12_345, "permanent"),
            (400, 21_610, "permanent"),
            (429, 63_038, "misconfigured"),
            (401, 20_003, "misconfigured"),
            (429, 20_429, "transient"),
            (429, 21_611, "transient"),
            (500, 20_500, "transient"),
        ] {
            assert_eq!(Failure::from(of(status, code)).kind(), kind, "{status} {code}");
        }
        let Failure::Transient { retry_after, .. } = Failure::from(of(429, 21_611)) else { panic!() };
        assert_eq!(retry_after, Some(Duration::from_secs(300)));
        let asked = Answer { retry_after: Some(Duration::from_secs(7)), ..answer(429, &body(429, 20_429)) };
        let Failure::Transient { retry_after, .. } = read(&asked, "…78").unwrap_err().into() else {
            panic!()
        };
        assert_eq!(retry_after, Some(Duration::from_secs(7)));
    }

    // D074
    #[test]
    fn a_refusal_without_words_or_with_others_is_read_all_the_same() {
        for body in [
            r#"{"code":21608,"status":400}"#,
            r#"{"code":21608,"message":null,"status":400}"#,
            r#"{"code":21608,"message":"The number  is unverified.","status":400,"new":{}}"#,
        ] {
            let error = read(&answer(400, body), "…78").unwrap_err();
            assert_eq!(refusal(&error), Refusal::Final, "{body}");
            assert!(error.to_string().contains("trial account"), "{error}");
        }
    }

    #[test]
    fn an_answer_that_is_not_twilios_is_tried_again_and_only_an_unclear_one_may_hide_a_text() {
        for (status, body, may_hide) in [
            (200, "<html>", false),
            (200, "{}", false),
            // Twilio has taken the text, whatever it says of it.
            (201, r#"{"sid":"x","status":"queued"}"#, true),
            (302, "", false),
            (400, "<html>", false),
            (404, "not here", false),
            (502, "<html>", true),
            (503, "", true),
        ] {
            let error = read(&answer(status, body), "…78").unwrap_err();
            assert!(matches!(error, TextError::Foreign { .. }), "{status} {body}: {error}");
            assert_eq!(error.may_have_arrived(), may_hide, "{status} {body}");
            assert_eq!(Failure::from(error).kind(), "transient");
        }
        assert!(of(500, 20_500).may_have_arrived());
        assert!(!of(429, 20_429).may_have_arrived() && !of(400, 21_211).may_have_arrived());
        assert_eq!(refusal(&read(&answer(401, ""), "…78").unwrap_err()), Refusal::Credential);
        assert_eq!(refusal(&read(&answer(429, "<html>"), "…78").unwrap_err()), Refusal::Rate);
    }

    // D005
    #[test]
    fn a_text_that_was_taken_has_an_id_and_a_state() {
        let sid = format!("SM{}", "ab".repeat(16));
        let text = format!(r#"{{"sid":"{sid}","status":"undelivered","error_code":30034,"to":"+491511"}}"#);
        let taken = read(&answer(200, &text), "…78").unwrap();
        assert_eq!((taken.sid, taken.status.as_str(), taken.error_code), (sid, "undelivered", Some(30_034)));
        assert!(undelivered(30_034).contains("not registered for A2P 10DLC"));
        assert!(undelivered(21_610).contains("STOP"), "it can also come later");
    }
}
