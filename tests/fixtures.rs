//! Checks that the files in `events/` match their description.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use aws_lambda_events::sqs::SqsEvent;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{Timestamp, ToSpan};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use tableau::{Event, EventName, Incomplete, Payload};

/// The token in the fixtures.
const TOKEN: &str = "local-webhook-token-not-a-secret-0123456789";
/// A wrong token of the same length.
const WRONG_TOKEN: &str = "wrong-webhook-token-not-a-secret-0123456789";
/// The largest body that is accepted.
const BODY_LIMIT: usize = 64 * 1024;

/// The result of parsing an odd body.
enum Odd {
    /// The body does not parse, for this reason.
    Error(&'static str),
    /// The body is Tableau's test of a webhook.
    Test,
    /// The body is a payload, but lacks this field of an event.
    Incomplete(&'static str),
    /// The body is an event.
    Event,
}

const ODD: &[(&str, Odd)] = &[
    ("array.json", Odd::Error("body: expected a JSON object, found an array")),
    ("empty-body.txt", Odd::Test),
    ("empty-object.json", Odd::Test),
    ("extra-keys.json", Odd::Event),
    ("help-page-sample.json", Odd::Event),
    ("label-without-text.json", Odd::Event),
    ("luid-with-path.json", Odd::Incomplete("resource_luid")),
    ("missing-event-type.json", Odd::Incomplete("event_type")),
    ("missing-resource-luid.json", Odd::Incomplete("resource_luid")),
    ("missing-resource-name.json", Odd::Event),
    ("missing-site-luid.json", Odd::Incomplete("site_luid")),
    ("not-json.txt", Odd::Error("body: not JSON, at line 1, column 1: expected value")),
    ("not-utf8.bin", Odd::Error("body: not UTF-8 from byte 71 on")),
    ("null.json", Odd::Test),
    ("over-64-kib.json", Odd::Event),
    ("pre-release-keys.json", Odd::Incomplete("event_type")),
    ("refresh-with-old-resource.json", Odd::Event),
    ("resource-name-300-characters.json", Odd::Event),
    ("resource-name-blank.json", Odd::Event),
    ("resource-name-emoji.json", Odd::Event),
    ("resource-name-markup.json", Odd::Event),
    ("resource-name-mentions.json", Odd::Event),
    ("resource-name-newline.json", Odd::Event),
    ("resource-name-quotes.json", Odd::Event),
    ("test-event.json", Odd::Test),
    ("unknown-event-type.json", Odd::Event),
    ("unknown-resource.json", Odd::Event),
    ("unreadable-time.json", Odd::Event),
    ("wrong-type.json", Odd::Error("resource_luid: expected a string, found a number")),
];

fn events() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("events")
}

/// The files in a folder of `events/`, without those in subfolders.
fn files(folder: &str) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(events().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.is_file())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap()))
        .collect()
}

fn kebab(name: &EventName) -> String {
    let mut text = String::new();
    for letter in name.as_str().chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

fn assert_round_trips(file: &str, body: &[u8], payload: &Payload) {
    let stored = payload.canonical_json();
    assert_eq!(&Payload::parse(stored.as_bytes()).unwrap(), payload, "{file}");
    let written: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&stored).unwrap(), written, "{file}");
}

#[test]
fn every_event_name_has_a_body_and_every_body_an_event_name() {
    let expected: BTreeSet<String> =
        EventName::KNOWN.iter().map(|name| format!("{}.json", kebab(name))).collect();
    assert_eq!(files("tableau").into_keys().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn derived_events_have_bodies_as_functions_make_them() {
    let names: BTreeSet<String> =
        EventName::DERIVED.iter().map(|name| format!("{}.json", kebab(name))).collect();
    assert_eq!(files("derived").into_keys().collect::<BTreeSet<_>>(), names);
    let body = &files("derived")["pdf-published.json"];
    let payload = Payload::parse(body).unwrap();
    let refresh = Payload::parse(&files("tableau")["workbook-refresh-succeeded.json"]).unwrap();
    let refresh = Event::try_from(&refresh).unwrap();
    let pdf = Event::try_from(&payload).unwrap().pdf.unwrap();
    let made = refresh.pdf_published(&pdf, refresh.created_at.unwrap());
    assert_eq!(format!("{}\n", made.canonical_json()), String::from_utf8(body.clone()).unwrap());
    let body = &files("derived")["webhook-disabled.json"];
    let event = Event::try_from(&Payload::parse(body).unwrap()).unwrap();
    let made = event.webhook.unwrap().payload(&event.site);
    assert_eq!(format!("{}\n", made.canonical_json()), String::from_utf8(body.clone()).unwrap());
    let body = &files("derived")["weekly-report.json"];
    let event = Event::try_from(&Payload::parse(body).unwrap()).unwrap();
    let (name, ended_at) = (event.resource_name.unwrap(), event.created_at.unwrap());
    let made = event.report.unwrap().payload(&event.site, &name, ended_at);
    assert_eq!(format!("{}\n", made.canonical_json()), String::from_utf8(body.clone()).unwrap());
}

#[test]
fn an_event_of_a_caller_has_the_body_that_receive_event_makes() {
    let body = &files("own")["pipeline-finished.json"];
    let payload = Payload::parse(body).unwrap();
    let event = Event::try_from(&payload).unwrap();
    let own = event.own.unwrap();
    let made = own.payload(event.name.as_str(), "nightly load", "2026-11-30T06:12:40Z".to_owned(), None);
    assert_eq!(format!("{}\n", made.canonical_json()), String::from_utf8(body.clone()).unwrap());
    let page = fs::read_to_string(events().parent().unwrap().join("docs/events.md")).unwrap();
    let shown = page.split_once("\n## Events of your own\n").unwrap().1.split_once("```json\n").unwrap().1;
    assert_eq!(Payload::parse(shown.split_once("\n```").unwrap().0.as_bytes()).unwrap(), payload);
}

#[test]
fn bodies_have_the_shape_of_real_deliveries() {
    for (file, body) in files("tableau") {
        let payload = Payload::parse(&body).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_round_trips(&file, &body, &payload);
        let event = Event::try_from(&payload).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(format!("{}.json", kebab(&event.name)), file);

        let resource = payload.resource.unwrap();
        let name = event.resource_name.unwrap();
        let site = event.site;
        let luid = event.subject.luid();
        let created_at = payload.created_at.unwrap();
        let text = payload.text.unwrap();
        let event_type = &event.name;
        let keys = [
            format!(r#"{{"resource":"{resource}","event_type":"{event_type}","resource_name":"{name}","#),
            format!(
                r#""site_luid":"{site}","resource_luid":"{luid}","created_at":"{created_at}","text":"{text}"}}"#
            ),
        ];
        assert_eq!(String::from_utf8(body).unwrap(), keys.concat(), "{file}: keys, their order, spaces");

        let sentence = format!("Event {event_type} for resource {name}: {luid} on site {site} posted at ");
        let posted = text.strip_prefix(&sentence).unwrap_or_else(|| panic!("{file}: {text}"));
        assert_eq!((created_at.len(), posted.len()), (20, 24), "{file}: whole seconds, and milliseconds");
        let created = event.created_at.unwrap();
        let posted = posted.parse::<Timestamp>().unwrap();
        assert!(posted <= created && created <= posted + 1.second(), "{file}: {posted}, {created}");
    }
}

#[test]
fn an_odd_body_has_the_result_that_is_listed_for_it() {
    let files = files("tableau/odd");
    assert_eq!(
        files.keys().map(String::as_str).collect::<Vec<_>>(),
        ODD.iter().map(|o| o.0).collect::<Vec<_>>()
    );
    for ((file, body), (_, expected)) in files.iter().zip(ODD) {
        let parsed = Payload::parse(body);
        if let Odd::Error(text) = expected {
            assert_eq!(parsed.unwrap_err().to_string(), *text, "{file}");
            continue;
        }
        let payload = parsed.unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(payload.is_test(), matches!(expected, Odd::Test), "{file}");
        match expected {
            Odd::Incomplete(field) => assert_eq!(Event::try_from(&payload), Err(Incomplete(field)), "{file}"),
            Odd::Event => {
                assert!(Event::try_from(&payload).is_ok(), "{file}");
                assert_round_trips(file, body, &payload);
            }
            Odd::Error(_) | Odd::Test => {}
        }
    }
}

#[test]
fn only_the_body_over_the_limit_is_over_the_limit() {
    for (file, body) in files("tableau").into_iter().chain(files("tableau/odd")) {
        assert_eq!(body.len() > BODY_LIMIT, file == "over-64-kib.json", "{file}: {} bytes", body.len());
    }
}

#[test]
fn http_events_carry_bodies_of_deliveries() {
    let bodies: BTreeSet<Vec<u8>> = files("tableau").into_values().collect();
    for (file, event) in files("http") {
        let event: ApiGatewayV2httpRequest =
            serde_json::from_slice(&event).unwrap_or_else(|error| panic!("{file}: {error}"));
        let body = event.body.as_ref().map(|body| {
            if event.is_base64_encoded { STANDARD.decode(body).unwrap() } else { body.clone().into_bytes() }
        });
        match &body {
            None => {
                assert!(["webhook-get.json", "webhook-test.json"].contains(&file.as_str()), "{file}: no body")
            }
            Some(body) => assert!(bodies.contains(body), "{file}: its body is not in events/tableau"),
        }
        assert_eq!(event.is_base64_encoded, file == "webhook-base64.json", "{file}");
        assert_eq!(event.request_context.account_id.as_deref(), Some("123456789012"), "{file}");
        let method = event.request_context.http.method.as_str();
        assert_eq!(method, if file == "webhook-get.json" { "GET" } else { "POST" }, "{file}");
    }
}

#[test]
fn http_events_carry_the_token_as_the_file_name_says() {
    assert_eq!((TOKEN.len(), WRONG_TOKEN.len()), (43, 43));
    for (file, event) in files("http") {
        let event: ApiGatewayV2httpRequest = serde_json::from_slice(&event).unwrap();
        let stem = file.trim_end_matches(".json");
        let (path, in_path) = match stem.split_once("-path-token") {
            Some((path, _)) => (path, true),
            None => (stem, false),
        };
        let path = match path {
            "forward-event"
            | "notify-slack"
            | "notify-teams"
            | "page-on-call"
            | "refresh-extract"
            | "request-certification"
            | "send-email"
            | "send-sms"
            | "publish-pdf"
            | "set-quality-warning"
            | "track-servicenow-incident"
            | "update-broadcast" => {
                format!("/webhooks/{path}")
            }
            _ => "/webhook".to_owned(),
        };
        let token = match stem {
            "webhook-without-token" => None,
            "webhook-wrong-token" => Some(WRONG_TOKEN),
            _ => Some(TOKEN),
        };
        let (raw_path, query) = match token {
            Some(token) if in_path => (format!("{path}/{token}"), String::new()),
            Some(token) => (path.clone(), format!("token={token}")),
            None => (path.clone(), String::new()),
        };
        assert_eq!(event.raw_path.as_deref(), Some(raw_path.as_str()), "{file}");
        assert_eq!(event.raw_query_string.unwrap_or_default(), query, "{file}");
        assert_eq!(event.query_string_parameters.first("token"), token.filter(|_| !in_path), "{file}");
        let parameter = event.path_parameters.get("token").map(String::as_str);
        assert_eq!(parameter, token.filter(|_| in_path), "{file}");
        let route = if in_path { format!("ANY {path}/{{token}}") } else { format!("ANY {path}") };
        assert_eq!(event.route_key, Some(route), "{file}");
    }
}

#[test]
fn sqs_events_carry_bodies_of_deliveries() {
    let mut bodies: BTreeSet<Vec<u8>> = files("tableau").into_values().collect();
    bodies.insert(files("tableau/odd").remove("not-json.txt").unwrap());
    for (file, event) in files("sqs") {
        let event: SqsEvent =
            serde_json::from_slice(&event).unwrap_or_else(|error| panic!("{file}: {error}"));
        for record in &event.records {
            let body = record.body.as_ref().unwrap();
            assert!(bodies.contains(body.as_bytes()), "{file}: its body is not in events/tableau");
            assert!(record.message_id.is_some() && record.receipt_handle.is_some(), "{file}");
            assert!(record.event_source_arn.as_ref().unwrap().contains(":123456789012:"), "{file}");
        }
        let ids: BTreeSet<_> = event.records.iter().map(|record| &record.message_id).collect();
        assert_eq!(ids.len(), event.records.len(), "{file}: two messages have one id");
    }
}

#[test]
fn the_page_names_every_file_and_no_other() {
    let folders = ["derived", "http", "own", "sqs", "tableau", "tableau/odd"];
    let files: BTreeSet<String> = folders
        .iter()
        .flat_map(|folder| files(folder).into_keys().map(move |file| format!("{folder}/{file}")))
        .collect();
    let page = fs::read_to_string(events().join("README.md")).unwrap();
    let rows: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(rows.iter().map(|&row| row.to_owned()).collect::<BTreeSet<_>>(), files);
    assert_eq!(rows.len(), files.len(), "a file is named twice");
}
