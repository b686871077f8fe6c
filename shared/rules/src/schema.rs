//! The JSON Schema of the rules file, for editors.

use crate::file::File;
use crate::settings::{CAUSES, FORMER_UNKNOWN, WORKFLOWS};
use crate::{FAMILIES, KnownWorkflow};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use tableau::{EventName, OwnEvent};

/// The schema, as it is published.
pub fn of_file() -> Value {
    let mut schema =
        schemars::generate::SchemaSettings::draft07().into_generator().into_root_schema_for::<File>();
    schema.insert("title".to_owned(), json!("Rules of tableau-webhooks"));
    let mut schema = schema.to_value();
    tidy(&mut schema);
    // The types have a default for every key, since a function reads newer files.
    for (definition, keys) in crate::file::required_by_definition() {
        let definition = &mut schema["definitions"][definition];
        definition["required"] = json!(keys);
        for key in keys {
            if let Some(property) = definition["properties"][key].as_object_mut() {
                property.remove("default");
            }
        }
    }
    // A file may have none of these yet: nothing but comments below the key.
    for list in ["sites", "events", "maintenance", "rules"] {
        schema["properties"][list]["type"] = json!(["array", "null"]);
    }
    schema
}

/// A key without a value is a mistake, so nothing but settings of workflows may be null; lists and conditions are not empty.
fn tidy(value: &mut Value) {
    let Value::Object(map) = value else {
        if let Value::Array(values) = value {
            values.iter_mut().for_each(tidy);
        }
        return;
    };
    if let Some(Value::Array(types)) = map.get_mut("type") {
        types.retain(|name| name != "null");
        if let [one] = types.as_slice() {
            map["type"] = one.clone();
        }
    }
    let is_null = |value: &Value| value["type"] == "null";
    if let Some(Value::Array(of)) = map.get_mut("anyOf")
        && of.iter().any(|one| one.get("$ref").is_some())
    {
        of.retain(|one| !is_null(one));
    }
    if map
        .get("default")
        .is_some_and(|default| default.is_null() || default.is_array() || default.is_object())
    {
        map.remove("default");
    }
    // The format of a number; a setting may have this name too.
    if map.get("format").is_some_and(Value::is_string) {
        map.remove("format");
        map.insert("minimum".to_owned(), json!(1));
    }
    if let Some(Value::String(text)) = map.get_mut("description") {
        *text = text.replace("\n\n", " ").replace('\n', " ");
    }
    map.values_mut().for_each(tidy);
}

/// The keys that the checker knows, by the name of their map in the schema; an empty name is the file. For tests.
pub fn keys() -> Vec<(&'static str, Vec<&'static str>)> {
    crate::file::keys_by_definition()
}

/// A value, or a list of them.
pub(crate) struct OneOrMany<T>(std::marker::PhantomData<T>);

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany_{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    }
}

/// An exact event name, a family, or the name of an event of `events`.
pub(crate) struct EventOrFamily;

impl JsonSchema for EventOrFamily {
    fn schema_name() -> Cow<'static, str> {
        "EventOrFamily".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let events = EventName::ALL.iter().map(|event| event.as_str().to_owned());
        let families = FAMILIES.iter().map(|(family, _)| (*family).to_owned());
        let names: Vec<String> = families.chain(events).collect();
        let known = json_schema!({ "type": "string", "enum": names });
        let own = json_schema!({
            "type": "string",
            "description": "An event of `events`.",
            "pattern": format!("^(?!{})[A-Z][A-Za-z0-9]{{2,49}}$", OwnEvent::RESERVED.join("|")),
        });
        json_schema!({ "anyOf": [known, own] })
    }
}

/// A whole number, or the word `never`.
pub(crate) struct CountOrNever;

impl JsonSchema for CountOrNever {
    fn schema_name() -> Cow<'static, str> {
        "CountOrNever".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 0, "maximum": 1_000_000 },
            { "type": "string", "enum": [crate::rule::NEVER] },
        ] })
    }
}

/// A class of causes.
pub(crate) struct Cause;

impl JsonSchema for Cause {
    fn schema_name() -> Cow<'static, str> {
        "Cause".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let former = json_schema!({
            "type": "string",
            "enum": [FORMER_UNKNOWN],
            "deprecated": true,
            "description": "The former name of Unknown.",
        });
        json_schema!({ "anyOf": [{ "type": "string", "enum": CAUSES }, former] })
    }
}

/// An entry of `do`: one workflow with its settings.
pub(crate) struct Action;

impl JsonSchema for Action {
    fn schema_name() -> Cow<'static, str> {
        "Action".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let properties = workflows(generator);
        json_schema!({
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": false,
            "properties": properties,
        })
    }
}

/// Settings of workflows, by name.
pub(crate) struct Defaults;

impl JsonSchema for Defaults {
    fn schema_name() -> Cow<'static, str> {
        "Defaults".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let properties = workflows(generator);
        json_schema!({ "type": "object", "additionalProperties": false, "properties": properties })
    }
}

/// The settings of each workflow. None is required: it may stand in `defaults`.
fn workflows(generator: &mut SchemaGenerator) -> Map<String, Value> {
    let of_workflow = |known: &KnownWorkflow| {
        let mut schema = known.schema(generator);
        schema.remove("required");
        schema.remove("title");
        (known.name.to_owned(), json!({ "anyOf": [schema, { "type": "null" }] }))
    };
    WORKFLOWS.iter().map(of_workflow).collect()
}
