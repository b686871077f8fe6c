//! The history of requests: who asked for what, and what was answered.

use crate::RefreshExtract;
use crate::problem::Code;
use api_keys::Key;
use refreshes::Asked;
use serde_json::Value;
use workflow::{ApiAnswer, ApiRequest, Invocation};

/// The longest name of what a caller asks for that is kept.
const LONGEST: usize = 255;

impl RefreshExtract {
    /// Writes what a caller asked for and what was answered. Looks are left out, and so are those over the key's rate: they are counted, and
    /// must not make a write each. The request itself does not depend on it.
    pub(crate) async fn note(
        &self,
        key: &Key,
        request: &ApiRequest,
        answer: &ApiAnswer,
        code: &'static str,
        invocation: &Invocation,
    ) {
        let what = match request.method.as_str() {
            "POST" => "refresh",
            "DELETE" => "cancel",
            _ => return,
        };
        if code == Code::RateLimited.of().0 {
            return;
        }
        let now = invocation.time();
        let mut asked = Asked {
            at: now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            caller: key.caller.clone(),
            key: key.id.clone(),
            what: what.to_owned(),
            status: answer.status,
            code: code.to_owned(),
            refresh: request.id.clone().unwrap_or_default().chars().take(64).collect(),
            ..Asked::default()
        };
        // The object as Tableau has it, or, if the request is refused, as the caller named it.
        let said = if code.is_empty() { Some(answer.body.as_bytes()) } else { request.body.as_deref() };
        if let Some(Value::Object(said)) = said.and_then(|said| serde_json::from_slice(said).ok()) {
            let text = |name: &str| -> String {
                said.get(name).and_then(Value::as_str).unwrap_or_default().chars().take(LONGEST).collect()
            };
            asked.kind = text("kind");
            asked.luid = text("luid");
            asked.name = if said.contains_key("name") { text("name") } else { text("url") };
            asked.project = match said.get("project") {
                Some(Value::Array(names)) => {
                    let names = names.iter().filter_map(Value::as_str).map(|name| name.replace('/', "\\/"));
                    names.collect::<Vec<_>>().join("/").chars().take(LONGEST).collect()
                }
                _ => text("project"),
            };
            if code.is_empty() {
                asked.refresh = text("id");
            }
        }
        if let Err(error) = self.engine.board.note(&asked, &invocation.request_id, now).await {
            tracing::warn!(reason = %error, key.id = key.id, "a line of the history was not written");
        }
    }
}
