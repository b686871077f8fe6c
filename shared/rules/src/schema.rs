//! The JSON Schema of the rules file, for editors.

use crate::file::File;
use crate::settings::{CAUSES, WORKFLOWS};
use crate::{FAMILIES, KnownWorkflow};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use tableau::EventName;

/// The schema, as it is published.
pub fn of_file() -> Value {
    let mut schema =
        schemars::generate::SchemaSettings::draft07().into_generator().into_root_schema_for::<File>();
    schema.insert("title".to_owned(), json!("Rules of tableau-webhooks"));
    schema.to_value()
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
        json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}

/// An exact event name, or a family.
pub(crate) struct EventOrFamily;

impl JsonSchema for EventOrFamily {
    fn schema_name() -> Cow<'static, str> {
        "EventOrFamily".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let events = EventName::KNOWN.iter().map(|event| event.as_str().to_owned());
        let families = FAMILIES.iter().map(|(family, _)| (*family).to_owned());
        let names: Vec<String> = families.chain(events).collect();
        json_schema!({ "type": "string", "enum": names })
    }
}

/// A class of causes.
pub(crate) struct Cause;

impl JsonSchema for Cause {
    fn schema_name() -> Cow<'static, str> {
        "Cause".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": CAUSES })
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
