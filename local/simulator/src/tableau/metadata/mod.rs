//! The Metadata API: GraphQL about what uses what.
//!
//! Source: <https://help.tableau.com/current/api/metadata_api/en-us/>

mod asked;
mod lineage;
mod list;
mod node;
mod query;
mod schema;
mod types;

use super::model::Feature;
use super::rest::call::{Answer, Call, malformed};
use super::rest::error::RestError;
use asked::Asked;
use query::Selection;
use serde_json::{Map, Value, json};

/// How many nodes an answer may have, as Tableau has it.
pub(crate) const NODE_LIMIT: usize = 20_000;

/// Codes of warnings: there are data beside them. The others are errors.
const WARNINGS: [&str; 4] =
    ["BACKFILL_RUNNING", "MAX_PAGE_SIZE_EXCEEDED", "NODE_LIMIT_EXCEEDED", "TIME_LIMIT_EXCEEDED"];

/// A GraphQL error in an answer with status `200`.
fn error(message: &str, code: Option<&str>) -> Value {
    let severity = |code| if WARNINGS.contains(&code) { "WARNING" } else { "ERROR" };
    let extensions =
        code.map_or(json!({}), |code| json!({ "severity": severity(code), "code": code, "properties": {} }));
    json!({ "message": message, "path": null, "extensions": extensions })
}

/// An error with the text that Tableau has for its code.
fn coded(code: &str, node_limit: usize) -> Value {
    let message = match code {
        "TIME_LIMIT_EXCEEDED" => "Reached time limit of PT5S for query execution.",
        "NODE_LIMIT_EXCEEDED" => &format!(
            "Showing partial results. The request exceeded the {node_limit} node limit. Use pagination, additional \
             filtering, or both in the query to adjust results."
        ),
        "BACKFILL_RUNNING" => "Showing partial results. The Metadata API Store is still being built.",
        "MAX_PAGE_SIZE_EXCEEDED" => "The value chosen for \"first\" exceeded the maximum page size.",
        "FEATURE_DISABLED" => "The Metadata API has not been enabled yet.",
        _ => "As planned.",
    };
    error(message, Some(code))
}

pub(crate) fn answer(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let text = call.body.text(&["query"]).ok_or_else(|| malformed("There is no query."))?;
    let limit = call.settings.metadata_nodes;
    if !call.model.has(Feature::MetadataApi) {
        return Ok(Answer::json(json!({ "data": null, "errors": [coded("FEATURE_DISABLED", limit)] })));
    }
    let variables = call.body.get(&["variables"]).cloned().unwrap_or_default();
    let workbooks = call.model.workbooks.iter().map(|workbook| workbook.luid.as_str());
    let all = workbooks.chain(call.model.datasources.iter().map(|datasource| datasource.luid.as_str()));
    let hidden = all.filter(|luid| !call.sees(luid)).map(str::to_owned).collect();
    let asked = Asked::new(call.model, hidden, limit);
    let answer = match query::parse(text, &variables, call.body.text(&["operationName"])) {
        Ok(fields) => data(&asked, call.site().as_str(), &fields),
        Err(message) => Err(message),
    };
    let mut answer = match answer {
        Ok(data) => json!({ "data": data }),
        Err(message) => json!({ "data": null, "errors": [error(&message, None)] }),
    };
    let warnings: Vec<Value> = asked.warnings().into_iter().map(|code| coded(code, limit)).collect();
    if !answer["data"].is_null() && !warnings.is_empty() {
        answer["errors"] = Value::Array(warnings);
    }
    Ok(Answer::json(answer))
}

fn data(asked: &Asked<'_>, site: &str, fields: &[Selection]) -> Result<Value, String> {
    types::check("Query", fields)?;
    let mut data = Map::new();
    for field in fields {
        data.insert(field.key().to_owned(), schema::root(asked, site, field)?);
    }
    Ok(Value::Object(data))
}

/// Adds an error with this code to an answer that keeps its data.
pub(crate) fn with_error(mut answer: Answer, code: &str) -> Answer {
    if let Some(Value::Object(members)) = answer.json_mut() {
        members.insert("errors".to_owned(), json!([coded(code, NODE_LIMIT)]));
    }
    answer
}
