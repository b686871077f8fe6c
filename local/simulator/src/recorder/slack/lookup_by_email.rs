//! `users.lookupByEmail`.
//!
//! Source: <https://docs.slack.dev/reference/methods/users.lookupByEmail>

use super::blocks::Invalid;
use super::people::Person;
use super::state::Shared;
use http::{HeaderMap, Method, header};
use serde_json::{Value, json};

/// The scope that the lookup needs.
pub(super) const SCOPE: &str = "users:read.email";
/// The scopes of the app without it.
pub(super) const OTHER_SCOPES: &str = "chat:write";
pub(super) const METHOD: &str = "users.lookupByEmail";

fn invalid(error: &'static str, detail: impl Into<String>) -> Invalid {
    Invalid { error, detail: detail.into() }
}

/// Handles `users.lookupByEmail`: a `GET` with a query, or a `POST` with a form or JSON. The caller has checked the token.
pub(super) fn look_up(
    state: &Shared,
    method: &Method,
    query: Option<&str>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Value, Invalid> {
    let email = argument(method, query, headers, body)?;
    let mut people = state.people();
    people.lookups.push(email.clone());
    if !people.is_allowed {
        return Err(invalid("missing_scope", SCOPE));
    }
    if email.trim().is_empty() {
        return Err(invalid("invalid_arguments", "no `email`"));
    }
    let found = people.find(email.trim()).ok_or_else(|| invalid("users_not_found", "no such address"))?;
    Ok(json!({ "ok": true, "user": user(found) }))
}

fn argument(
    method: &Method,
    query: Option<&str>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<String, Invalid> {
    let of_form = |form: &[u8]| {
        let found = url::form_urlencoded::parse(form).find(|(name, _)| name == "email");
        found.map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    if *method == Method::GET {
        return Ok(of_form(query.unwrap_or_default().as_bytes()));
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim() {
        "application/x-www-form-urlencoded" => Ok(of_form(body)),
        "application/json" => {
            let raw = serde_json::from_slice::<Value>(body).ok().filter(Value::is_object);
            let raw = raw.ok_or_else(|| invalid("invalid_json", "not a JSON object"))?;
            Ok(raw["email"].as_str().unwrap_or_default().to_owned())
        }
        _ => Err(invalid("invalid_post_type", format!("content type `{kind}`"))),
    }
}

/// A user as Slack's page of the method shows one, without pictures. A deactivated one has little.
fn user(person: &Person) -> Value {
    let name = person.email.split('@').next().unwrap_or_default();
    let profile = json!({
        "real_name": person.name,
        "real_name_normalized": person.name,
        "display_name": name,
        "display_name_normalized": name,
        "email": person.email,
        "status_text": "",
        "status_emoji": "",
        "team": "T0SIMULATED",
    });
    let mut user = json!({
        "id": person.id,
        "team_id": "T0SIMULATED",
        "name": name,
        "deleted": person.is_deactivated,
        "profile": profile,
        "is_bot": false,
        "is_app_user": false,
        "updated": 1_767_225_600,
    });
    if !person.is_deactivated {
        user["real_name"] = json!(person.name);
        user["color"] = json!("9f69e7");
        user["tz"] = json!("Europe/Berlin");
        user["tz_label"] = json!("Central European Time");
        user["tz_offset"] = json!(3_600);
        user["is_email_confirmed"] = json!(true);
        for role in ["is_admin", "is_owner", "is_primary_owner", "is_restricted", "is_ultra_restricted"] {
            user[role] = json!(false);
        }
    }
    user
}
