//! Invariants of parsing, for any payload and any bytes.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tableau::{Event, EventId, EventName, Payload};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has no NaN", |f| f.is_finite()).prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::hash_map(".*", inner, 0..8)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

fn any_field() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        3 => ".*".prop_map(Some),
        1 => Just(None),
        1 => prop::sample::select(EventName::KNOWN.to_vec()).prop_map(|n| Some(n.as_str().to_owned())),
        1 => "[0-9a-f]{8}-[0-9a-f]{4}".prop_map(Some),
    ]
}

const FIELDS: [&str; 7] =
    ["resource", "event_type", "resource_name", "site_luid", "resource_luid", "created_at", "text"];

/// An object with the expected keys, each a string or absent, and any other keys.
fn any_object() -> impl Strategy<Value = Map<String, Value>> {
    let fields = prop::collection::vec(any_field(), FIELDS.len());
    (fields, prop::collection::hash_map("x.*", any_json(), 0..6)).prop_map(|(fields, extra)| {
        let named = FIELDS.into_iter().zip(fields).filter_map(|(k, v)| v.map(|v| (k.to_owned(), json!(v))));
        named.chain(extra).collect()
    })
}

proptest! {
    #[test]
    fn any_object_with_the_right_keys_round_trips(object in any_object()) {
        let text = serde_json::to_string(&object).unwrap();
        let payload = Payload::parse(text.as_bytes()).unwrap();
        let stored = payload.canonical_json();
        prop_assert_eq!(serde_json::from_str::<Value>(&stored).unwrap(), Value::Object(object));
        let again = Payload::parse(stored.as_bytes()).unwrap();
        prop_assert_eq!(&again, &payload);
        prop_assert_eq!(EventId::of(&again), EventId::of(&payload));
    }

    #[test]
    fn spacing_does_not_change_the_event(object in any_object()) {
        let compact = Payload::parse(serde_json::to_string(&object).unwrap().as_bytes()).unwrap();
        let pretty = Payload::parse(serde_json::to_string_pretty(&object).unwrap().as_bytes()).unwrap();
        prop_assert_eq!(EventId::of(&compact), EventId::of(&pretty));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        if let Ok(payload) = Payload::parse(&bytes) {
            let _ = Event::try_from(&payload);
        }
    }

    #[test]
    fn no_json_panics(value in any_json()) {
        if let Ok(payload) = Payload::parse(value.to_string().as_bytes()) {
            let _ = Event::try_from(&payload);
        }
    }
}

#[test]
fn nesting_without_end_is_refused_not_followed() {
    let bomb = "[".repeat(100_000);
    assert!(Payload::parse(bomb.as_bytes()).is_err());
    let bomb = format!("{{\"a\":{}}}", "[".repeat(100_000));
    assert!(Payload::parse(bomb.as_bytes()).is_err());
}
