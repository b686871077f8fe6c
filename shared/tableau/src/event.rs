//! An event: a payload that contains what a workflow needs.

use crate::own;
use crate::{
    DatasourceLuid, DisabledWebhook, EventId, EventName, Object, OwnEvent, Payload, PublishedPdf,
    ResourceLuid, SiteLuid, UserLuid, ViewLuid, WebhookLuid, WeeklyReport, WorkbookLuid,
};
use jiff::{SignedDuration, Timestamp};

/// Something that happened at Tableau: the checked form of a [`Payload`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The event's id, equal for all deliveries of this event.
    pub id: EventId,
    /// The event's name, which says what happened.
    pub name: EventName,
    /// The LUID of the site where it happened.
    pub site: SiteLuid,
    /// The object that the event is about.
    pub subject: Subject,
    /// The object's display name at the time of the event: untrusted text that must be escaped wherever it is shown.
    pub resource_name: Option<String>,
    /// When the event happened; `None` when the payload's time is missing or unreadable.
    pub created_at: Option<Timestamp>,
    /// The files of the derived event [`EventName::PdfPublished`]; `None` for any other event.
    pub pdf: Option<PublishedPdf>,
    /// The webhook of the derived event [`EventName::WebhookDisabled`]; `None` for any other event.
    pub webhook: Option<DisabledWebhook>,
    /// The report of the derived event [`EventName::WeeklyReport`]; `None` for any other event.
    pub report: Option<Box<WeeklyReport>>,
    /// What the event of a caller says; `None` for an event of Tableau or of the stack itself.
    pub own: Option<OwnEvent>,
}

/// The object that an event is about, with the LUID that REST calls need.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A workbook, its extract, or a label on it.
    Workbook(WorkbookLuid),
    /// A data source, its extract, or a label on it.
    Datasource(DatasourceLuid),
    /// A view.
    View(ViewLuid),
    /// A user.
    User(UserLuid),
    /// A site.
    Site(SiteLuid),
    /// A webhook. Tableau has no page for it, and it has no project, tags or certification.
    Webhook(WebhookLuid),
    /// An object of a kind that this version does not know.
    Other(ResourceLuid),
}

/// Why a payload is not an event: a required field is missing or unusable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the payload has no usable {0}")]
pub struct Incomplete(pub &'static str);

fn luid<T>(text: Option<&String>, field: &'static str) -> Result<T, Incomplete>
where
    T: std::str::FromStr,
{
    text.and_then(|t| t.parse().ok()).ok_or(Incomplete(field))
}

impl TryFrom<&Payload> for Event {
    type Error = Incomplete;

    fn try_from(payload: &Payload) -> Result<Self, Incomplete> {
        let name = payload.event_type.as_deref().filter(|n| !n.is_empty()).ok_or(Incomplete("event_type"))?;
        let name = EventName::from(name);
        let own = OwnEvent::of(&name, payload);
        Ok(Self {
            id: EventId::of(payload),
            site: match own::site(payload).filter(|_| own.is_some()) {
                Some(none) => none,
                None => luid(payload.site_luid.as_ref(), "site_luid")?,
            },
            subject: Subject::of(&name, payload)?,
            pdf: PublishedPdf::of(&name, payload),
            webhook: DisabledWebhook::of(&name, payload),
            report: WeeklyReport::of(&name, payload),
            own,
            name,
            resource_name: payload.resource_name.clone().filter(|n| !n.trim().is_empty()),
            created_at: payload.created_at.as_deref().and_then(|t| t.parse().ok()),
        })
    }
}

impl Subject {
    /// The event's name decides the kind of object. The payload's `resource` does not: refresh events have `EXTRACTS`
    /// there today, and had `WORKBOOK` or `DATASOURCE` earlier. Only for a label's event does `resource` decide.
    fn of(name: &EventName, payload: &Payload) -> Result<Self, Incomplete> {
        let text = payload.resource_luid.as_ref();
        let object = match name.object() {
            Some(Object::Label) | None => match payload.resource.as_deref() {
                Some("WORKBOOK") => Some(Object::Workbook),
                Some("DATASOURCE") => Some(Object::Datasource),
                Some("VIEW") => Some(Object::View),
                Some("USER") => Some(Object::User),
                Some("SITE") => Some(Object::Site),
                _ => None,
            },
            known => known,
        };
        Ok(match object {
            Some(Object::Workbook) => Self::Workbook(luid(text, "resource_luid")?),
            Some(Object::Datasource) => Self::Datasource(luid(text, "resource_luid")?),
            Some(Object::View) => Self::View(luid(text, "resource_luid")?),
            Some(Object::User) => Self::User(luid(text, "resource_luid")?),
            Some(Object::Site) => Self::Site(luid(text, "resource_luid")?),
            Some(Object::Webhook) => Self::Webhook(luid(text, "resource_luid")?),
            Some(Object::Label) | None => Self::Other(luid(text, "resource_luid")?),
        })
    }

    /// The object's LUID, of whatever kind.
    pub fn luid(&self) -> &str {
        match self {
            Self::Workbook(luid) => luid.as_str(),
            Self::Datasource(luid) => luid.as_str(),
            Self::View(luid) => luid.as_str(),
            Self::User(luid) => luid.as_str(),
            Self::Site(luid) => luid.as_str(),
            Self::Webhook(luid) => luid.as_str(),
            Self::Other(luid) => luid.as_str(),
        }
    }

    /// The payload's `resource` for this kind of object, from which an [`Event`] can be read again.
    pub fn resource(&self) -> &'static str {
        match self {
            Self::Workbook(_) => "WORKBOOK",
            Self::Datasource(_) => "DATASOURCE",
            Self::View(_) => "VIEW",
            Self::User(_) => "USER",
            Self::Site(_) => "SITE",
            Self::Webhook(_) => "WEBHOOK",
            Self::Other(_) => "OTHER",
        }
    }

    /// The kind of object, in words for people.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Workbook(_) => "workbook",
            Self::Datasource(_) => "data source",
            Self::View(_) => "view",
            Self::User(_) => "user",
            Self::Site(_) => "site",
            Self::Webhook(_) => "webhook",
            Self::Other(_) => "resource",
        }
    }
}

/// By how much Tableau's clock may be ahead of this machine's.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// The greatest age of an event: one sent again from an archive may be up to ten years old.
const OLDEST: SignedDuration = SignedDuration::from_hours(10 * 366 * 24);

impl Event {
    /// When the event happened, if that time is possible at `now`: with a time in the future, later events would
    /// count as older.
    pub fn credible_time(&self, now: Timestamp) -> Option<Timestamp> {
        self.created_at.filter(|at| (-OLDEST..=AHEAD).contains(&at.duration_since(now)))
    }

    /// Whether the event has a link or words of its own, which no message about many events would show.
    pub fn stands_alone(&self) -> bool {
        self.name == EventName::PdfPublished || self.own.is_some()
    }

    /// The payload of the derived event [`EventName::PdfPublished`], after the refresh that this event is about. The same files after the same
    /// refresh give the same payload, and so the same event.
    pub fn pdf_published(&self, pdf: &PublishedPdf, refreshed: Timestamp) -> Payload {
        let name = self.resource_name.as_deref().unwrap_or_default();
        let mut payload = Payload {
            resource: Some(self.subject.resource().to_owned()),
            event_type: Some(EventName::PdfPublished.as_str().to_owned()),
            resource_name: self.resource_name.clone(),
            site_luid: Some(self.site.as_str().to_owned()),
            resource_luid: Some(self.subject.luid().to_owned()),
            created_at: Some(refreshed.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            text: Some(format!("A PDF of the workbook {name} was published")),
            ..Payload::default()
        };
        pdf.put_into(&mut payload);
        payload
    }

    /// The workbook, if the event is about one.
    pub fn workbook(&self) -> Option<&WorkbookLuid> {
        match &self.subject {
            Subject::Workbook(luid) => Some(luid),
            _ => None,
        }
    }

    /// The data source, if the event is about one.
    pub fn datasource(&self) -> Option<&DatasourceLuid> {
        match &self.subject {
            Subject::Datasource(luid) => Some(luid),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(event_type: &str, resource: &str) -> Event {
        let payload = Payload {
            event_type: Some(event_type.to_owned()),
            resource: Some(resource.to_owned()),
            site_luid: Some("s-1".to_owned()),
            resource_luid: Some("r-1".to_owned()),
            ..Payload::default()
        };
        Event::try_from(&payload).unwrap()
    }

    #[test]
    fn the_name_of_a_refresh_event_says_what_was_refreshed() {
        for resource in ["EXTRACTS", "DATASOURCE", "anything"] {
            assert_eq!(event("DatasourceRefreshFailed", resource).subject.kind(), "data source");
            assert_eq!(event("WorkbookRefreshFailed", resource).subject.kind(), "workbook");
        }
    }

    #[test]
    fn a_label_event_is_about_what_carries_the_label() {
        assert_eq!(event("LabelCreated", "WORKBOOK").subject.kind(), "workbook");
        assert_eq!(event("LabelCreated", "DATASOURCE").subject.kind(), "data source");
        assert_eq!(event("LabelCreated", "DATABASE").subject.kind(), "resource");
    }

    #[test]
    fn a_payload_without_what_a_workflow_needs_says_what_is_missing() {
        let full = Payload {
            event_type: Some("WorkbookUpdated".to_owned()),
            site_luid: Some("s-1".to_owned()),
            resource_luid: Some("r-1".to_owned()),
            ..Payload::default()
        };
        assert!(Event::try_from(&full).is_ok());
        let without_name = Payload { event_type: None, ..full.clone() };
        assert_eq!(Event::try_from(&without_name), Err(Incomplete("event_type")));
        let bad_site = Payload { site_luid: Some("../x".to_owned()), ..full.clone() };
        assert_eq!(Event::try_from(&bad_site), Err(Incomplete("site_luid")));
        let no_luid = Payload { resource_luid: None, ..full };
        assert_eq!(Event::try_from(&no_luid), Err(Incomplete("resource_luid")));
    }

    #[test]
    fn a_time_that_cannot_be_read_is_no_time() {
        let payload = Payload {
            event_type: Some("SiteUpdated".to_owned()),
            site_luid: Some("s".to_owned()),
            resource_luid: Some("s".to_owned()),
            created_at: Some("yesterday".to_owned()),
            ..Payload::default()
        };
        assert_eq!(Event::try_from(&payload).unwrap().created_at, None);
    }
}
