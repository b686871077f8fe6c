use super::*;
use reqwest::header::{HeaderName, HeaderValue};
use secrecy::SecretString;

fn read(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    let headers = headers.iter().map(|(name, value)| {
        (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
    });
    let secrets = Secrets::new([SecretString::from("hunter2hunter2".to_owned())]);
    let now = "2015-10-21T07:27:00Z".parse().unwrap();
    super::read(status, &headers.collect(), body.as_bytes(), &secrets, now)
}

fn later(seconds: Option<u64>, is_down: bool) -> Meaning {
    Meaning::Later { retry_after: seconds.map(Duration::from_secs), is_down }
}

#[test]
fn each_status_has_its_meaning() {
    for status in [200, 201, 202, 204, 299] {
        assert_eq!(read(status, &[], "anything").meaning, Meaning::Delivered, "{status}");
    }
    for status in [301, 302, 307, 308, 400, 402, 404, 405, 409, 413, 415, 422] {
        assert_eq!(read(status, &[], "").meaning, Meaning::Refused, "{status}");
    }
    for status in [401, 403, 407] {
        assert_eq!(read(status, &[], "").meaning, Meaning::Credential, "{status}");
    }
    for status in [408, 425, 500, 502, 503, 504, 599] {
        assert_eq!(read(status, &[], "").meaning, later(None, true), "{status}");
    }
    assert_eq!(read(429, &[], "").meaning, later(None, false));
    assert_eq!(read(410, &[], "").meaning, Meaning::Stopped);
}

#[test]
fn a_wait_is_taken_from_the_answer_in_seconds_or_as_a_date() {
    for (text, seconds) in [
        ("30", Some(30)),
        ("Wed, 21 Oct 2015 07:28:00 GMT", Some(60)),
        ("Wed, 21 Oct 2015 07:26:00 GMT", Some(0)),
        ("soon", None),
        ("999999999", Some(60 * 60)),
    ] {
        assert_eq!(read(429, &[("retry-after", text)], "").meaning, later(seconds, false), "{text}");
        assert_eq!(read(503, &[("retry-after", text)], "").meaning, later(seconds, true), "{text}");
    }
}

// D096
#[test]
fn a_target_can_end_an_event_or_all_events() {
    assert_eq!(read(400, &[("webhook-delivery", "disable")], "").meaning, Meaning::Stopped);
    assert_eq!(read(500, &[("Webhook-Delivery", "Disable")], "").meaning, Meaning::Stopped);
    assert_eq!(read(204, &[("webhook-delivery", "disable")], "").meaning, Meaning::DeliveredLast);
    for header in [
        ("webhook-delivery", "abort-message"),
        ("abort-message", "true"),
        ("webhook-delivery", "x, abort-message"),
    ] {
        assert_eq!(read(500, &[header], "").meaning, Meaning::Refused, "{header:?}");
        assert_eq!(read(429, &[header], "").meaning, Meaning::Refused, "{header:?}");
        assert_eq!(read(200, &[header], "").meaning, Meaning::Delivered, "{header:?}");
    }
    assert_eq!(read(500, &[("webhook-delivery", "enabled")], "").meaning, later(None, true));
}

// D047
#[test]
fn an_answer_without_a_sign_in_is_about_the_credential_and_nothing_else() {
    let not_signed_in = [("x-seraph-loginreason", "AUTHENTICATED_FAILED")];
    for status in [200, 400, 401, 404] {
        assert_eq!(read(status, &not_signed_in, "[]").meaning, Meaning::Credential, "{status}");
    }
    assert_eq!(
        read(201, &not_signed_in, r#"{"key":"BI-1"}"#).meaning,
        Meaning::Delivered,
        "there is a ticket, and no second one"
    );
    assert_eq!(read(201, &[("x-seraph-loginreason", "OK")], "").meaning, Meaning::Delivered);
    assert_eq!(
        read(403, &[("x-seraph-loginreason", "AUTHENTICATION_DENIED")], "").meaning,
        Meaning::Credential
    );
}

// D097
#[test]
fn a_redirect_fails_and_its_host_is_said_and_nothing_else_of_it() {
    let redirect =
        read(302, &[("location", "https://login.example.com/hunter2hunter2?next=hunter2hunter2")], "<html>");
    assert!(
        redirect.said.starts_with("a redirect to login.example.com, which is not followed"),
        "{}",
        redirect.said
    );
    assert!(!redirect.said.contains("hunter2"));
    assert!(read(301, &[("location", "/x")], "").said.starts_with("a redirect to another path"));
    assert!(read(301, &[], "").said.starts_with("a redirect, which"));
}

#[test]
fn a_refusal_is_repeated_in_one_short_line_without_secrets() {
    let answer = read(400, &[], "{\"errors\":\n{\"summary\":\"hunter2hunter2 is missing\"}}");
    assert!(answer.said.contains("[redacted] is missing"), "{}", answer.said);
    assert!(!answer.said.contains('\n'));
    assert_eq!(read(400, &[], &"x".repeat(5_000)).said.chars().count(), 200);
    assert!(read(404, &[], "<!DOCTYPE html><p>hunter2").said.starts_with("HTML; a proxy"));
}

// D060
#[test]
fn the_key_of_a_ticket_is_read_and_nothing_that_is_no_key() {
    assert_eq!(made(br#"{"id":"10001","key":"BI-12","self":"https://x"}"#).as_deref(), Some("BI-12"));
    assert_eq!(made(br#"{"id":8}"#).as_deref(), Some("8"));
    for body in ["", "[]", r#"{"key":"a b"}"#, r#"{"key":""}"#, r#"{"other":1}"#] {
        assert_eq!(made(body.as_bytes()), None, "{body}");
    }
}
