//! Matillion: runs of jobs (Matillion ETL) and of pipelines (Data Productivity Cloud), whose tokens last half an hour.

use super::{Answer, bearer, json};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

/// The client of the Data Productivity Cloud.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) token: String,
}

/// Starts a job. The path names it: group, project, version and job, each one part of the path.
pub(super) fn run_job(
    credential: &(String, String),
    path: &str,
    query: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Answer {
    let (user, password) = credential;
    let expected = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    if headers.get("authorization").and_then(|value| value.to_str().ok()) != Some(expected.as_str()) {
        return (401, "Unauthorized".to_owned());
    }
    let parts: Vec<String> = path
        .split('/')
        .skip(3)
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let [
        "group",
        "name",
        group,
        "project",
        "name",
        project,
        "version",
        "name",
        version,
        "job",
        "name",
        job,
        "run",
    ] = parts[..]
    else {
        return (404, json!({ "success": false, "msg": "No such resource" }).to_string());
    };
    if [group, project, version, job].iter().any(|name| name.is_empty())
        || !query.contains("environmentName=")
    {
        return (404, json!({ "success": false, "msg": "Missing environmentName" }).to_string());
    }
    match json(headers, body) {
        Some(body) if are_texts(&body["scalarVariables"]) => (
            200,
            json!({ "success": true, "msg": format!("Successfully queued job {job}"), "id": 8 }).to_string(),
        ),
        _ => (400, json!({ "success": false, "msg": "Cannot read scalarVariables" }).to_string()),
    }
}

/// Gives a token.
pub(super) fn token(client: &Client, headers: &HeaderMap, body: &[u8]) -> Answer {
    let kind = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let form: Vec<(String, String)> = url::form_urlencoded::parse(body).into_owned().collect();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let is_right = kind.starts_with("application/x-www-form-urlencoded")
        && field("grant_type") == Some("client_credentials")
        && field("client_id") == Some(&client.id)
        && field("client_secret") == Some(&client.secret);
    if !is_right {
        return (401, json!({ "error": "access_denied", "error_description": "Unauthorized" }).to_string());
    }
    (200, json!({ "access_token": client.token, "expires_in": 1800, "token_type": "Bearer" }).to_string())
}

/// Starts a pipeline.
pub(super) fn run_pipeline(client: &Client, headers: &HeaderMap, body: &[u8]) -> Answer {
    if bearer(headers) != Some(client.token.as_str()) {
        return (401, json!({ "title": "Unauthorized" }).to_string());
    }
    let has = |body: &Value, name: &str| body[name].as_str().is_some_and(|text| !text.is_empty());
    match json(headers, body) {
        Some(body)
            if has(&body, "pipelineName")
                && has(&body, "environmentName")
                && are_texts(&body["scalarVariables"]) =>
        {
            (201, json!({ "pipelineExecutionId": "9c2f8a52-0000-4000-8000-000000000001" }).to_string())
        }
        _ => (
            400,
            json!({ "title": "Bad Request", "detail": "pipelineName and environmentName are required" })
                .to_string(),
        ),
    }
}

fn are_texts(variables: &Value) -> bool {
    variables.as_object().is_some_and(|variables| variables.values().all(Value::is_string))
}
