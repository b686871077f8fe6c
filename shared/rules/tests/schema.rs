//! The JSON Schema of the rules file: published as it is, with the checker's own keys, and of one mind with it.
#![cfg(feature = "schema")]
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use rules::settings::CAUSES;
use rules::{Rules, schema};
use serde_json::{Map, Value};
use std::path::Path;
use tableau::OwnEvent;

/// The first difference from the schema. Knows the keywords that the schema has, and no other.
fn difference(root: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    let Value::Object(keywords) = schema else {
        return (schema == &Value::Bool(false)).then(|| at.to_owned());
    };
    keywords.iter().find_map(|(keyword, expected)| {
        let of_map = value.as_object();
        let of_list = value.as_array();
        let wrong = |is_wrong: bool| is_wrong.then(|| format!("{at}: {keyword} {expected}"));
        match keyword.as_str() {
            "$schema" | "definitions" | "description" | "title" | "default" | "deprecated" => None,
            "$ref" => {
                let name = expected.as_str().unwrap().strip_prefix("#/definitions/").unwrap();
                difference(root, &root["definitions"][name], value, at)
            }
            "type" => {
                let is = |name: &Value| match name.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "integer" => value.is_i64() || value.is_u64(),
                    "null" => value.is_null(),
                    other => panic!("{other}"),
                };
                wrong(!expected.as_array().map_or_else(|| is(expected), |names| names.iter().any(is)))
            }
            "pattern" => {
                // No crate that this test uses reads a pattern with `(?!`. What it says has a function of its own.
                let reserved = OwnEvent::RESERVED.join("|");
                assert_eq!(*expected, format!("^(?!{reserved})[A-Z][A-Za-z0-9]{{2,49}}$"));
                wrong(!value.as_str().is_none_or(OwnEvent::may_be_called))
            }
            "enum" => wrong(!expected.as_array().unwrap().contains(value)),
            "allOf" => expected.as_array().unwrap().iter().find_map(|one| difference(root, one, value, at)),
            "anyOf" => wrong(
                expected.as_array().unwrap().iter().all(|one| difference(root, one, value, at).is_some()),
            ),
            "items" => of_list?.iter().find_map(|item| difference(root, expected, item, &format!("{at}[]"))),
            "minItems" => wrong((of_list?.len() as u64) < expected.as_u64().unwrap()),
            "minimum" => wrong(value.as_f64()? < expected.as_f64().unwrap()),
            "minProperties" => wrong((of_map?.len() as u64) < expected.as_u64().unwrap()),
            "maxProperties" => wrong(of_map?.len() as u64 > expected.as_u64().unwrap()),
            "required" => {
                let map = of_map?;
                wrong(!expected.as_array().unwrap().iter().all(|key| map.contains_key(key.as_str().unwrap())))
            }
            "properties" => of_map?
                .iter()
                .find_map(|(key, value)| difference(root, expected.get(key)?, value, &format!("{at}.{key}"))),
            "additionalProperties" => {
                assert_eq!(expected, &Value::Bool(false));
                let known =
                    keywords.get("properties").and_then(Value::as_object).cloned().unwrap_or_else(Map::new);
                let unknown = of_map?.keys().find(|key| !known.contains_key(*key));
                unknown.map(|key| format!("{at}: unknown {key}"))
            }
            other => panic!("this test does not know the keyword {other}"),
        }
    })
}

fn judged(text: &str) -> Option<String> {
    let value: Value = serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let schema = schema::of_file();
    difference(&schema, &schema, &value, "")
}

// Issue 15, 4. `UPDATE=1 cargo test -p rules --features schema --test schema` writes it anew.
#[test]
fn the_published_schema_is_the_one_of_the_types() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules.schema.json");
    let schema = format!("{}\n", serde_json::to_string_pretty(&schema::of_file()).unwrap());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &schema).unwrap();
    }
    assert!(
        std::fs::read_to_string(&file).unwrap() == schema,
        "write docs/rules.schema.json anew with UPDATE=1"
    );
}

// Issue 15, 4
#[test]
fn the_schema_and_the_checker_have_the_same_keys_everywhere() {
    let schema = schema::of_file();
    let sorted = |mut keys: Vec<String>| {
        keys.sort();
        keys
    };
    for (definition, keys) in schema::keys() {
        let map = if definition.is_empty() { &schema } else { &schema["definitions"][definition] };
        let of_schema = map["properties"].as_object().unwrap().keys().cloned().collect();
        let of_checker = keys.into_iter().map(ToOwned::to_owned).collect();
        assert_eq!(sorted(of_schema), sorted(of_checker), "{definition}");
        assert_eq!(map["additionalProperties"], false, "{definition}");
    }
}

const WHOLE: &str = "
sites:
  - { luid: 8b2a95d8-52b9-40a4-8712-cd6da771bd1b, name: Marketing, timezone: Europe/Berlin }
defaults:
  notify-slack: { channel: data-alerts }
events:
  - { name: PipelineFinished, description: A pipeline has ended. }
maintenance:
  - { name: m, where: { project: Finance/** }, days: [Sun, 2026-12-24], from: 06:00, to: 12:00, timezone: UTC }
rules:
  - name: a
    on: [RefreshFailed, SiteUpdated]
    where:
      site: Marketing
      project: [Finance/**, HR]
      name: \"Sales*\"
      tags: { any: critical, all: [a, b], none: [c] }
      owner: ana
      owner_group: [Finance Team]
      certified: true
      cause: [Credentials]
      failures_in_a_row: 3
      time: { days: [Mon-Fri], from: 08:00, to: 18:00, timezone: UTC }
    unless: [{ name: x }, { certified: false }]
    critical: false
    mute_until: 2026-12-24T18:00:00+01:00
    quiet: { days: weekends, from: 19:00, to: 08:00 }
    message: { title: \"{{ name }} has failed\", text: \"{{ cause }}\" }
    do:
      - notify-slack:
      - notify-slack: { channel: oncall }
  - { name: b, on: [Any], unless: { name: z }, otherwise: true, do: [{ update-broadcast: { tabs: true } }, { notify-slack: }] }
";

// Issue 15, 4
#[test]
fn a_valid_file_is_valid_for_the_schema_too() {
    let own =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules.yaml")).unwrap();
    for text in [WHOLE, "rules:\n", "sites:\nrules: []\n", own.as_str()] {
        Rules::check_text(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(judged(text), None, "{text}");
    }
}

// Issue 16, 4
#[test]
fn the_schema_has_every_class_of_causes_and_the_one_that_is_deprecated() {
    for class in CAUSES.into_iter().chain(["Other"]) {
        let text = WHOLE.replace("cause: [Credentials]", &format!("cause: {class}"));
        assert_eq!(judged(&text), None, "{class}");
        Rules::check_text(&text).unwrap_or_else(|error| panic!("{class}: {error}"));
    }
    let known = &schema::of_file()["definitions"]["Cause"]["anyOf"];
    assert_eq!(known[0]["enum"].as_array().unwrap().len(), CAUSES.len());
    assert_eq!((&known[1]["enum"][0], &known[1]["deprecated"]), (&Value::from("Other"), &Value::from(true)));
}

// Issue 15, 4
#[test]
fn the_schema_refuses_what_is_not_known_and_what_has_another_shape() {
    for (right, wrong) in [
        ("rules:\n  - name: a", "ruls:\n  - name: a"),
        ("    critical: false", "    criticl: false"),
        ("    critical: false", "    critical: \"false\""),
        ("    critical: false", "    critical:"),
        ("RefreshFailed, SiteUpdated", "RefreshFaild, SiteUpdated"),
        ("[RefreshFailed, SiteUpdated]", "RefreshFailed"),
        ("cause: [Credentials]", "cause: [Timeout]"),
        ("owner: ana", "ownr: ana"),
        ("owner: ana", "owner: 5"),
        ("owner: ana", "owner: []"),
        ("tags: { any: critical,", "tags: { or: critical,"),
        ("failures_in_a_row: 3", "failures_in_a_row: 0"),
        ("failures_in_a_row: 3", "failures_in_a_row: three"),
        ("days: weekends, from: 19:00", "days: weekends, start: 19:00"),
        ("- notify-slack: { channel: oncall }", "- notify-slak: { channel: oncall }"),
        ("- notify-slack: { channel: oncall }", "- notify-slack: { chanel: oncall }"),
        ("- notify-slack: { channel: oncall }", "- { notify-slack: , update-broadcast: }"),
        ("message: { title:", "message: { subject:"),
        ("maintenance:\n  - { name: m,", "maintenance:\n  - {"),
        (
            "  - { luid: 8b2a95d8-52b9-40a4-8712-cd6da771bd1b,",
            "  - { id: 8b2a95d8-52b9-40a4-8712-cd6da771bd1b,",
        ),
        ("  - { luid: 8b2a95d8-52b9-40a4-8712-cd6da771bd1b, name: Marketing,", "  - { name: Marketing,"),
        ("  - name: a\n    on: [RefreshFailed, SiteUpdated]\n", "  - name: a\n"),
        ("    do:\n      - notify-slack:\n      - notify-slack: { channel: oncall }\n", ""),
        ("timezone: Europe/Berlin }", "timezon: Europe/Berlin }"),
    ] {
        let text = WHOLE.replace(right, wrong);
        assert_ne!(text, WHOLE, "{right}");
        assert!(judged(&text).is_some(), "the schema takes {wrong}");
        assert!(Rules::check_text(&text).is_err(), "the checker takes {wrong}");
    }
}
