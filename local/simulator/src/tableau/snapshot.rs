//! The JSON of `GET /simulator`: the simulator's content and what happened.

use super::admin_api::switches;
use super::delivery::{Attempt, Delivery, DeliveryState};
use super::model::{Job, Model, Session};
use super::state::State;
use super::{WebhookRecord, notes};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::fmt::Display;
use std::sync::atomic::Ordering;
use tableau::EventName;

pub(super) fn inside(state: &State) -> Value {
    let model = state.model();
    let site = model.default_site();
    let users = model.users.iter().filter(|user| user.site == site);
    let signed_in = |session| session_row(&model, session);
    json!({
        "sign_in": sign_in(&model, state.settings.clock.now(), state.settings.shows_token),
        "sites": model.sites.iter().map(|s| named(&s.luid, &s.name)).collect::<Value>(),
        "users": users.map(|u| named(&u.luid, &u.name)).collect::<Value>(),
        "workbooks": model.workbooks.iter().map(|w| named(&w.luid, &w.name)).collect::<Value>(),
        "datasources": model.datasources.iter().map(|d| named(&d.luid, &d.name)).collect::<Value>(),
        "flows": model.flows.iter().map(|f| named(&f.luid, &f.name)).collect::<Value>(),
        "views": model.views.iter().map(|v| named(&v.luid, &v.name)).collect::<Value>(),
        "jobs": model.jobs.len(),
        "newest_jobs": model.jobs.iter().rev().take(10).map(job_row).collect::<Value>(),
        "sessions": model.sessions.len(),
        "open_sessions": model.sessions.iter().map(signed_in).collect::<Value>(),
        "sign_ins": model.pats.iter().map(|p| (p.name.clone(), json!(p.sign_ins))).collect::<Map<_, _>>(),
        "calls": state.calls().iter().map(|(r, c)| (r.clone(), json!(c.all))).collect::<Map<_, _>>(),
        "webhooks": model.webhooks.iter().map(webhook_row).collect::<Value>(),
        "deliveries": state.deliveries().iter().map(delivery_row).collect::<Value>(),
        "duplicates": state.duplicates.load(Ordering::SeqCst),
        "switches": switches(&model).map(|(name, on)| (name.to_owned(), json!(on))).into_iter().collect::<Map<_, _>>(),
        "notes": notes::ALL.map(|(name, _)| name),
        "events": EventName::KNOWN,
    })
}

fn named(luid: &impl Display, name: &str) -> Value {
    json!({ "luid": luid.to_string(), "name": name })
}

/// A working token and its site; `null` when all tokens are revoked or expired. The secret is shown only when it is
/// the public sample secret; a secret generated at start is `null`.
fn sign_in(model: &Model, now: Timestamp, shows_secret: bool) -> Value {
    let site = model.sites.first().map(|site| &site.content_url);
    model.pats.iter().find(|pat| !pat.revoked && now < pat.expires_at()).map_or(
        Value::Null,
        |pat| json!({ "token_name": pat.name, "token_secret": shows_secret.then_some(&pat.secret), "content_url": site }),
    )
}

fn job_row(job: &Job) -> Value {
    json!({ "title": job.title, "status": job.status(), "created_at": job.created_at, "notes": job.notes })
}

/// The webhook's URL without the token, which would let others in.
fn session_row(model: &Model, session: &Session) -> Value {
    json!({
        "user": model.user(session.user.as_str()).map(|user| &user.name),
        "site": model.site(session.site.as_str()).map(|site| &site.content_url),
        "token_name": session.pat,
        "last_used_at": session.last_used_at,
    })
}

fn webhook_row(webhook: &WebhookRecord) -> Value {
    json!({
        "luid": webhook.luid, "name": webhook.name, "event": webhook.event, "enabled": webhook.enabled,
        "status_change_reason": webhook.status_change_reason,
    })
}

fn delivery_row(delivery: &Delivery) -> Value {
    let ended = |attempt: &Attempt| match &attempt.status {
        Ok(status) => json!(status),
        Err(reason) => json!(reason),
    };
    json!({
        "webhook": delivery.webhook, "event": delivery.event, "copy": delivery.copy,
        "state": state_name(delivery.state),
        "attempts": delivery.attempts.iter().map(ended).collect::<Value>(),
    })
}

fn state_name(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Pending => "pending",
        DeliveryState::Delivered => "delivered",
        DeliveryState::Failed => "failed",
        DeliveryState::Dropped => "dropped",
    }
}
