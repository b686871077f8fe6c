//! The body of a webhook delivery, as Tableau writes it.

use super::model::Model;
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use serde::Serialize;
use tableau::{EventName, Object, SiteLuid};

/// The JSON body of a delivery. The keys are in the order of a captured delivery.
#[derive(Serialize)]
struct Body<'a> {
    resource: &'a str,
    event_type: &'a str,
    resource_name: &'a str,
    site_luid: &'a str,
    resource_luid: &'a str,
    created_at: String,
    text: String,
}

/// The object that an event is about.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) site: SiteLuid,
    pub(crate) resource: &'static str,
    pub(crate) luid: String,
    pub(crate) name: String,
}

impl About {
    /// The object with this LUID for an event of this name; `None` when there is no such object of the kind that the
    /// event is about.
    pub(crate) fn find(model: &Model, event: &EventName, luid: &str) -> Option<Self> {
        let refresh = event.as_str().contains("Refresh");
        let workbook = || model.workbook(luid).map(|w| ("WORKBOOK", &w.site, &w.name));
        let datasource = || model.datasource(luid).map(|d| ("DATASOURCE", &d.site, &d.name));
        let user = || model.user(luid).map(|u| ("USER", &u.site, &u.name));
        let view = || model.view(luid).map(|v| ("VIEW", &v.site, &v.name));
        let site = || model.site(luid).map(|s| ("SITE", &s.luid, &s.name));
        let webhook = || model.webhook(luid).map(|w| ("WEBHOOK", &w.site, &w.name));
        let (resource, site, name) = match event.object() {
            Some(Object::Workbook) => workbook(),
            Some(Object::Datasource) => datasource(),
            Some(Object::Label) => workbook().or_else(datasource),
            Some(Object::View) => view(),
            Some(Object::User) => user(),
            Some(Object::Site) => site(),
            Some(Object::Webhook) => webhook(),
            None => workbook().or_else(datasource).or_else(view).or_else(user).or_else(site),
        }?;
        let resource = if refresh { "EXTRACTS" } else { resource };
        Some(Self { site: site.clone(), resource, luid: luid.to_owned(), name: name.clone() })
    }

    /// The kind of object that an event is about, in words.
    pub(crate) fn kind(event: &EventName) -> &'static str {
        match event.object() {
            Some(Object::Workbook) => "workbook",
            Some(Object::Datasource) => "data source",
            Some(Object::Label) => "workbook or data source",
            Some(Object::View) => "view",
            Some(Object::User) => "user",
            Some(Object::Site) => "site",
            Some(Object::Webhook) => "webhook",
            None => "subject of this event",
        }
    }

    /// The LUID of the first suitable object on the default site.
    pub(crate) fn first_luid(model: &Model, event: &EventName) -> Option<String> {
        Self::luids(model, event).into_iter().next()
    }

    /// The LUIDs of the suitable objects on the default site; for users, the newest first.
    pub(crate) fn luids(model: &Model, event: &EventName) -> Vec<String> {
        let site = model.default_site();
        let Some(object) = event.object() else { return Vec::new() };
        match object {
            Object::Workbook => {
                model.workbooks.iter().filter(|w| w.site == site).map(|w| w.luid.to_string()).collect()
            }
            Object::Datasource | Object::Label => {
                model.datasources.iter().filter(|d| d.site == site).map(|d| d.luid.to_string()).collect()
            }
            Object::View => {
                model.views.iter().filter(|v| v.site == site).map(|v| v.luid.to_string()).collect()
            }
            Object::User => {
                model.users.iter().rev().filter(|u| u.site == site).map(|u| u.luid.to_string()).collect()
            }
            Object::Site => vec![site.to_string()],
            Object::Webhook => {
                model.webhooks.iter().filter(|w| w.site == site).map(|w| w.luid.clone()).collect()
            }
        }
    }

    /// The body of a delivery of this event, which happened at `at`.
    pub(crate) fn body(&self, event: &EventName, at: Timestamp) -> String {
        let name = &self.name;
        let luid = &self.luid;
        let site = self.site.as_str();
        let text = format!(
            "Event {event} for resource {name}: {luid} on site {site} posted at {}",
            at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ")
        );
        let body = Body {
            resource: self.resource,
            event_type: event.as_str(),
            resource_name: name,
            site_luid: site,
            resource_luid: luid,
            created_at: seconds(up(at)),
            text,
        };
        // Strings can always be serialised as JSON.
        serde_json::to_string(&body).unwrap_or_default()
    }
}

/// RFC 3339 in UTC with whole seconds.
pub(crate) fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `created_at` is up to a second later than the time in `text`.
fn up(time: Timestamp) -> Timestamp {
    time.round(TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Ceil)).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_as_captured() {
        let about = About {
            site: "f8dbec1d-2217-42b0-868a-229a2ff090bb".parse().unwrap(),
            resource: "WORKBOOK",
            luid: "0c7ba112-7b5c-4fd3-a8b3-05521f019a17".to_owned(),
            name: "trigger2".to_owned(),
        };

        let body = about.body(&EventName::WorkbookCreated, "2023-10-09T17:44:56.941Z".parse().unwrap());

        let expected = concat!(
            r#"{"resource":"WORKBOOK","event_type":"WorkbookCreated","resource_name":"trigger2","#,
            r#""site_luid":"f8dbec1d-2217-42b0-868a-229a2ff090bb","#,
            r#""resource_luid":"0c7ba112-7b5c-4fd3-a8b3-05521f019a17","created_at":"2023-10-09T17:44:57Z","#,
            r#""text":"Event WorkbookCreated for resource trigger2: 0c7ba112-7b5c-4fd3-a8b3-05521f019a17 on site "#,
            r#"f8dbec1d-2217-42b0-868a-229a2ff090bb posted at 2023-10-09T17:44:56.941Z"}"#
        );
        assert_eq!(body, expected);
    }
}
