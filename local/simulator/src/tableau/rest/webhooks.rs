//! Webhook management.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_notifications.htm>

use super::call::{Answer, Call, Then, malformed};
use super::element::Element;
use super::error::RestError;
use super::page;
use crate::tableau::model::{Model, WebhookRecord};
use crate::tableau::version::RestVersion;
use serde_json::Value;
use tableau::{Action, EventName, Object};
use url::Url;

/// The REST version that introduced `isEnabled` and `statusChangeReason`.
const STATUS_SINCE: RestVersion = RestVersion { major: 3, minor: 8 };
/// The REST version that introduced the attribute `event`.
const EVENT_SINCE: RestVersion = RestVersion { major: 3, minor: 9 };
const SOURCE: &[&str] = &["webhook", "webhook-source"];
const METHOD: &[&str] = &["webhook", "webhook-destination", "webhook-destination-http", "method"];
const URL: &[&str] = &["webhook", "webhook-destination", "webhook-destination-http", "url"];

fn element(webhook: &WebhookRecord, model: &Model, version: RestVersion) -> Element {
    let mut element =
        Element::new("webhook").with("id", webhook.luid.as_str()).with("name", webhook.name.as_str());
    if version >= EVENT_SINCE {
        element = element.with("event", webhook.event.as_str());
    }
    if version >= STATUS_SINCE {
        element = element
            .with("isEnabled", webhook.enabled)
            .with("statusChangeReason", webhook.status_change_reason.as_str());
    }
    let http =
        Element::new("webhook-destination-http").with("method", "POST").with("url", webhook.url.as_str());
    let owner = webhook.owner.as_ref().and_then(|o| model.user(o.as_str()));
    let owner =
        owner.map(|u| Element::new("owner").with("id", u.luid.as_str()).with("name", u.name.as_str()));
    element
        .child(Element::new("webhook-source").child(Element::new(source_name(&webhook.event))))
        .child(Element::new("webhook-destination").child(http))
        .child_some(owner)
}

/// The event's name as an element of `webhook-source`.
fn source_name(event: &EventName) -> String {
    let object = match event.object() {
        // The names of the two admin events do not contain `source`.
        Some(Object::User) if event.action() == Some(Action::Promoted) => {
            return "webhook-event-user-promoted-admin".to_owned();
        }
        Some(Object::User) if event.action() == Some(Action::Demoted) => {
            return "webhook-event-user-demoted-admin".to_owned();
        }
        Some(Object::Workbook) => "workbook",
        Some(Object::Datasource) => "datasource",
        Some(Object::Label) => "label",
        Some(Object::View) => "view",
        Some(Object::User) => "user",
        Some(Object::Site) => "site",
        // No event of Tableau is about a webhook.
        Some(Object::Webhook) | None => "unknown",
    };
    let action = match event.action() {
        Some(Action::Created) => "created",
        Some(Action::Updated) => "updated",
        Some(Action::Deleted) => "deleted",
        Some(Action::RefreshStarted) => "refresh-started",
        Some(Action::RefreshSucceeded) => "refresh-succeeded",
        Some(Action::RefreshFailed) => "refresh-failed",
        _ => "unknown",
    };
    format!("webhook-source-event-{object}-{action}")
}

/// The event that a body names, as an attribute or an element; both must agree. `Ok(None)` when it names none.
fn event(call: &Call<'_>) -> Result<Option<EventName>, RestError> {
    let wrong = || malformed("Payload is either malformed or incomplete: no such event.");
    let by_name = match call.body.text(&["webhook", "event"]) {
        Some(name) => Some(EventName::from(name))
            .filter(|name| EventName::KNOWN.contains(name))
            .map(Some)
            .ok_or_else(wrong)?,
        None => None,
    };
    let by_source = match call.body.get(SOURCE).and_then(Value::as_object).and_then(|o| o.keys().next()) {
        Some(source) => {
            let found = EventName::KNOWN.into_iter().find(|e| source_name(e) == *source);
            Some(found.ok_or_else(wrong)?)
        }
        None => None,
    };
    match (by_name, by_source) {
        (Some(name), Some(source)) if name != source => Err(wrong()),
        (name, source) => Ok(name.or(source)),
    }
}

/// Tableau requires `https`; plain `http` is accepted here for destinations on this machine.
fn destination(call: &Call<'_>) -> Result<Option<String>, RestError> {
    let Some(text) = call.body.text(URL) else {
        return Ok(None);
    };
    let invalid = || RestError::new("400118", "The destination must be a valid https URL.");
    if call.body.text(METHOD).is_some_and(|method| method != "POST") {
        return Err(malformed("Payload is either malformed or incomplete: the method is POST."));
    }
    let url = Url::parse(text).map_err(|_| invalid())?;
    let local = url.host_str().is_some_and(is_this_machine);
    let fits = url.scheme() == "https" || (url.scheme() == "http" && local);
    if fits { Ok(Some(text.to_owned())) } else { Err(invalid()) }
}

/// Names below `localhost` are this machine too.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc6761#section-6.3>
fn is_this_machine(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "localhost" | "[::1]") || host.ends_with(".localhost")
}

fn allowed(call: &Call<'_>) -> Result<(), RestError> {
    let off = || RestError::new("403109", "Webhooks are disabled.");
    if call.model.webhooks_enabled { Ok(()) } else { Err(off()) }
}

/// Refuses attributes that the call's REST version does not have.
fn known(call: &Call<'_>) -> Result<(), RestError> {
    let attributes =
        [("event", EVENT_SINCE), ("isEnabled", STATUS_SINCE), ("statusChangeReason", STATUS_SINCE)];
    let early = attributes
        .iter()
        .find(|(name, since)| call.version < *since && call.body.get(&["webhook", name]).is_some());
    match early {
        Some((name, since)) => Err(malformed(&format!("'{name}' is not known before version {since}."))),
        None => Ok(()),
    }
}

/// The index of the webhook in the path.
fn find(call: &Call<'_>, code: &'static str) -> Result<usize, RestError> {
    let id = call.id();
    let site = call.site();
    let found = call.model.webhooks.iter().position(|w| w.luid == id && w.site == site);
    found.ok_or_else(|| RestError::not_found(code, "Webhook", id))
}

/// The reason stored when a webhook is disabled. Enabling it removes the reason.
fn reason(call: &Call<'_>) -> Result<Option<String>, RestError> {
    let reason = call.body.text(&["webhook", "statusChangeReason"]).filter(|reason| !reason.is_empty());
    if reason.is_some() && call.body.flag(&["webhook", "isEnabled"]) != Some(false) {
        return Err(RestError::new("400127", "A reason goes only with isEnabled=false."));
    }
    Ok(reason.map(str::to_owned))
}

pub(crate) fn list(call: &mut Call<'_>) -> Result<Answer, RestError> {
    allowed(call)?;
    let model = &*call.model;
    let site = call.site();
    let webhooks = model.webhooks.iter().filter(|w| w.site == site).map(|w| element(w, model, call.version));
    page::answer_whole(call, "webhooks", webhooks.collect())
}

pub(crate) fn get(call: &mut Call<'_>) -> Result<Answer, RestError> {
    allowed(call)?;
    let webhook = &call.model.webhooks[find(call, "404034")?];
    Ok(Answer::ok(Element::root().child(element(webhook, call.model, call.version))))
}

pub(crate) fn create(call: &mut Call<'_>) -> Result<Answer, RestError> {
    allowed(call)?;
    known(call)?;
    let incomplete = || malformed("Payload is either malformed or incomplete.");
    let name =
        call.body.text(&["webhook", "name"]).filter(|n| !n.is_empty()).ok_or_else(incomplete)?.to_owned();
    let event = event(call)?.ok_or_else(incomplete)?;
    let url = destination(call)?.ok_or_else(incomplete)?;
    let enabled = call.body.flag(&["webhook", "isEnabled"]).unwrap_or(true);
    let status_change_reason = reason(call)?.unwrap_or_default();
    let webhook = WebhookRecord {
        luid: uuid::Uuid::new_v4().to_string(),
        site: call.site(),
        owner: call.session.as_ref().map(|s| s.user.clone()),
        name,
        event,
        url,
        enabled,
        status_change_reason,
    };
    let location = format!("/api/{}/sites/{}/webhooks/{}", call.version, webhook.site, webhook.luid);
    let answer = Answer::ok(Element::root().child(element(&webhook, call.model, call.version))).status(201);
    call.model.webhooks.push(webhook);
    Ok(Answer { location: Some(location), ..answer })
}

pub(crate) fn update(call: &mut Call<'_>) -> Result<Answer, RestError> {
    allowed(call)?;
    let at = find(call, "404034")?;
    known(call)?;
    let event = event(call)?;
    let url = destination(call)?;
    let name = call.body.text(&["webhook", "name"]).map(str::to_owned);
    let enabled = call.body.flag(&["webhook", "isEnabled"]);
    let reason = reason(call)?;
    let webhook = &mut call.model.webhooks[at];
    webhook.name = name.unwrap_or_else(|| webhook.name.clone());
    webhook.event = event.unwrap_or_else(|| webhook.event.clone());
    webhook.url = url.unwrap_or_else(|| webhook.url.clone());
    match enabled {
        Some(true) => webhook.status_change_reason.clear(),
        Some(false) => {
            webhook.status_change_reason = reason.unwrap_or_else(|| "Webhook disabled by user".to_owned());
        }
        None => {}
    }
    webhook.enabled = enabled.unwrap_or(webhook.enabled);
    let webhook = &call.model.webhooks[at];
    Ok(Answer::ok(Element::root().child(element(webhook, call.model, call.version))))
}

pub(crate) fn delete(call: &mut Call<'_>) -> Result<Answer, RestError> {
    allowed(call)?;
    let at = find(call, "404034")?;
    call.model.webhooks.remove(at);
    Ok(Answer::no_content())
}

/// Tests a webhook. The result comes later: [`test_result`].
pub(crate) fn test(call: &mut Call<'_>) -> Result<Answer, RestError> {
    allowed(call)?;
    let webhook = &call.model.webhooks[find(call, "400113")?];
    let then = Then::Test { webhook: webhook.luid.clone(), url: webhook.url.clone() };
    Ok(Answer::ok(Element::root()).then(then))
}

/// The result of a webhook test. An unreachable destination shows as 404, as was reported once.
pub(crate) fn test_result(webhook: &str, answer: Result<(u16, String), String>) -> Element {
    let (status, body) = answer.unwrap_or_else(|reason| (404, reason));
    let result = Element::new("webhookTestResult").with("id", webhook).with("status", status);
    Element::root().child(result.child(Element::new("body").text(body)))
}
