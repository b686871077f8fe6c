//! What a delivery record says about its event. No I/O.

use crate::attribute::{CREATED_AT, EVENT_NAME, PAYLOAD, RESOURCE, RESOURCE_NAME, Reader, SITE};
use crate::content::Content;

/// How many characters of each fact are stored; the payload is stored completely.
const LIMIT: usize = 200;

/// What a delivery record says about its event, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFacts {
    /// The event's name.
    pub name: String,
    /// The site's LUID.
    pub site: String,
    /// The resource's LUID.
    pub resource: String,
    /// The resource's name.
    pub resource_name: String,
    /// When the event happened, in Tableau's own format.
    pub created_at: String,
    /// Tableau's complete payload as canonical JSON, for a replay. The index does not contain it.
    pub payload: String,
}

impl From<&Content> for EventFacts {
    fn from(content: &Content) -> Self {
        let short = |text: &str| text.chars().take(LIMIT).collect::<String>();
        let mut facts = Self { name: short(content.name()), payload: content.to_json(), ..Self::default() };
        if let Content::Event(payload) = content {
            facts.site = short(payload.site_luid.as_deref().unwrap_or_default());
            facts.resource = short(payload.resource_luid.as_deref().unwrap_or_default());
            facts.resource_name = short(payload.resource_name.as_deref().unwrap_or_default());
            facts.created_at = short(payload.created_at.as_deref().unwrap_or_default());
        }
        facts
    }
}

impl EventFacts {
    /// The facts with the names of their attributes.
    pub(crate) fn texts(&self) -> [(&'static str, &str); 6] {
        [
            (EVENT_NAME, &self.name),
            (SITE, &self.site),
            (RESOURCE, &self.resource),
            (RESOURCE_NAME, &self.resource_name),
            (CREATED_AT, &self.created_at),
            (PAYLOAD, &self.payload),
        ]
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            name: reader.text(EVENT_NAME),
            site: reader.text(SITE),
            resource: reader.text(RESOURCE),
            resource_name: reader.text(RESOURCE_NAME),
            created_at: reader.text(CREATED_AT),
            payload: reader.text(PAYLOAD),
        }
    }
}
