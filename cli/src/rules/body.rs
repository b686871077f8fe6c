//! The bodies that `forward-event` would send, as `rules explain --body` shows them. No I/O.

use super::explained::About;
use crate::out::plain;
use forwarding::of_sample;
use rules::body::Data;
use rules::settings::ForwardEvent;
use rules::{Fact, Planned};
use serde_json::Value;
use tableau::Payload;

/// The body for an action, or why there is none; `None` for an action of another workflow.
pub(super) fn of(about: &About<'_>, planned: &Planned, payload: &Payload) -> Option<Result<Value, String>> {
    if planned.workflow != "forward-event" {
        return None;
    }
    let settings = serde_json::from_value::<ForwardEvent>(planned.settings.clone()).ok()?;
    let site = about.rules.site(&about.event.site);
    let data = of_sample(about.event, site, |data| known(about, data));
    let body = forwarding::body(&settings, &planned.rule, payload, Some(&data));
    Some(body.map_err(|failure| failure.reason()).map(|body| serde_json::from_str(&body).unwrap_or_default()))
}

/// What is known of the event's object, in place of the sample.
fn known(about: &About<'_>, data: &mut Data) {
    for fact in about.facts.shown() {
        let value = match fact.value {
            Fact::Known(text) => Some(text).filter(|text| !text.is_empty()),
            Fact::Absent => None,
            Fact::Missing(_) | Fact::NotAsked => continue,
        };
        let listed = || value.iter().flat_map(|text| text.split(", ")).map(str::to_owned).collect::<Vec<_>>();
        match fact.name {
            "project" => {
                let name = value.as_deref().and_then(|path| path.rsplit('/').next());
                data.project.name = name.map(str::to_owned);
            }
            "tags" => data.object.tags = listed(),
            "certified" => data.object.certified = value.map(|text| text == "true"),
            "owner" => {
                let names = listed();
                data.owner.email = names.iter().find(|name| name.contains('@')).cloned();
                data.owner.name = names.last().cloned();
                data.owner.login = names.first().cloned();
            }
            "cause" => {
                data.cause.class.clone_from(&value);
                data.cause.title = value;
            }
            "deleted_by" => data.deleted.by = value,
            _ => {}
        }
    }
}

/// The lines for a person.
pub(super) fn shown(body: &Result<Value, String>) -> Vec<String> {
    match body {
        Ok(body) => {
            let text = serde_json::to_string_pretty(body).unwrap_or_default();
            let lines = text.lines().map(|line| plain(&format!("      {line}")));
            std::iter::once("    body:".to_owned()).chain(lines).collect()
        }
        Err(problem) => vec![plain(&format!("    no body: {problem}"))],
    }
}
