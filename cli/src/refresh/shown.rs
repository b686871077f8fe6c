//! What is printed about a refresh. No I/O.

use crate::out::plain;
use serde_json::Value;

fn text<'v>(value: &'v Value, member: &str) -> Option<&'v str> {
    value[member].as_str().filter(|text| !text.is_empty())
}

/// The path of an object: `Finance/Europe/Orders`, with `\/` for a slash in a name.
fn path(object: &Value) -> String {
    let projects = object["project"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let names: Vec<String> =
        projects.chain(text(object, "name")).map(|name| name.replace('/', "\\/")).collect();
    plain(&names.join("/"))
}

/// A refresh in a few lines, the first of which is its end.
pub(super) fn refresh(refresh: &Value) -> Vec<String> {
    let mut lines = vec![
        plain(text(refresh, "message").unwrap_or_default()),
        format!("  status   {}", plain(text(refresh, "status").unwrap_or_default())),
        format!("  path     {}", path(refresh)),
    ];
    if let Some(began) = text(refresh, "started_at") {
        let joined = if refresh["joined"] == true { ", and this request has joined it" } else { "" };
        lines.push(format!("  began    {}{joined}", plain(began)));
    }
    if let Some(ended) = text(refresh, "ended_at") {
        lines.push(format!("  ended    {}", plain(ended)));
    }
    let cause = &refresh["cause"];
    if let Some(line) = text(cause, "line") {
        lines.push(format!("  cause    {}: {}", plain(text(cause, "class").unwrap_or("Other")), plain(line)));
    }
    if let Some(step) = text(cause, "next_step") {
        lines.push(format!("  next     {}", plain(step)));
    }
    lines.push(format!("  id       {}", plain(text(refresh, "id").unwrap_or_default())));
    lines
}

/// The status and what is waited for, in one line.
pub(super) fn progress(refresh: &Value) -> String {
    let status = plain(text(refresh, "status").unwrap_or_default());
    match text(refresh, "waits_for") {
        Some(what) => format!("{status}: waits for {}", plain(what)),
        None => format!("{status}: {}", plain(text(refresh, "message").unwrap_or_default())),
    }
}

/// The objects that may be meant, one a line.
pub(super) fn candidates(problem: &Value) -> Vec<String> {
    let all = problem["candidates"].as_array().into_iter().flatten();
    let line = |one: &Value| {
        let luid = plain(text(one, "luid").unwrap_or_default());
        format!("{luid}  {:<10}  {}", plain(text(one, "kind").unwrap_or_default()), path(one))
    };
    all.map(line).collect()
}

/// Why the service refuses.
pub(super) fn refusal(status: u16, problem: &Value) -> String {
    match text(problem, "detail").or_else(|| text(problem, "message")) {
        Some(detail) => plain(detail),
        None => format!("the service answered {status}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_has_a_backslash_before_a_slash_in_a_name() {
        assert_eq!(path(&json!({ "project": ["Ops", "Q1/Q2"], "name": "A" })), r"Ops/Q1\/Q2/A");
        assert_eq!(path(&json!({ "project": null, "name": "A" })), "A");
    }

    #[test]
    fn the_line_of_progress_says_what_is_waited_for() {
        let waits = json!({ "status": "queued", "waits_for": "a free\u{1b}[2J slot", "message": "m" });
        assert_eq!(progress(&waits), "queued: waits for a free slot");
        let runs = json!({ "status": "running", "waits_for": null, "message": "It runs." });
        assert_eq!(progress(&runs), "running: It runs.");
    }
}
