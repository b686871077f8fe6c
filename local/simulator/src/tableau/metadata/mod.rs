//! The Metadata API: GraphQL about what uses what.
//!
//! Source: <https://help.tableau.com/current/api/metadata_api/en-us/>

mod lineage;
mod list;
mod node;
mod query;
mod schema;
mod types;

use super::model::Model;
use super::rest::call::{Answer, Call, malformed};
use super::rest::error::RestError;
use query::Selection;
use serde_json::{Map, Value, json};

/// A GraphQL error in an answer with status `200`.
fn error(message: &str, code: Option<&str>) -> Value {
    let extensions =
        code.map_or(json!({}), |code| json!({ "severity": "ERROR", "code": code, "properties": {} }));
    json!({ "message": message, "path": null, "extensions": extensions })
}

pub(crate) fn answer(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let text = call.body.text(&["query"]).ok_or_else(|| malformed("There is no query."))?;
    let variables = call.body.get(&["variables"]).cloned().unwrap_or_default();
    let answer = match query::parse(text, &variables, call.body.text(&["operationName"])) {
        Ok(fields) => data(call.model, call.site().as_str(), &fields),
        Err(message) => Err(message),
    };
    Ok(Answer::json(match answer {
        Ok(data) => json!({ "data": data }),
        Err(message) => json!({ "data": null, "errors": [error(&message, None)] }),
    }))
}

fn data(model: &Model, site: &str, fields: &[Selection]) -> Result<Value, String> {
    types::check("Query", fields)?;
    let mut data = Map::new();
    for field in fields {
        data.insert(field.key().to_owned(), schema::root(model, site, field)?);
    }
    Ok(Value::Object(data))
}

/// Adds an error with this code to an answer that keeps its data.
pub(crate) fn with_error(mut answer: Answer, code: &str) -> Answer {
    let message = match code {
        "TIME_LIMIT_EXCEEDED" => "Reached time limit of PT5S for query execution.",
        "NODE_LIMIT_EXCEEDED" => "Showing partial results. The request exceeded the 20000 node limit.",
        "BACKFILL_RUNNING" => "Showing partial results. The Metadata API Store is still being built.",
        _ => "As planned.",
    };
    if let Some(Value::Object(members)) = answer.json_mut() {
        members.insert("errors".to_owned(), json!([error(message, Some(code))]));
    }
    answer
}
