//! Events that a workflow sends itself.

use crate::publish::{EventBus, EventPublisher};
use deliveries::Content;
use std::fmt;
use tableau::Payload;
use workflow::{Failure, chain};

/// Sends events of this stack's own over the event bus, where they go the way of Tableau's events: to every workflow that can use them.
#[derive(Clone)]
pub struct DerivedEvents {
    bus: Option<EventBus>,
}

impl fmt::Debug for DerivedEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DerivedEvents").field("has_bus", &self.bus.is_some()).finish()
    }
}

impl DerivedEvents {
    /// Sends to this bus. Without one (inline mode) events go nowhere.
    pub(crate) fn new(bus: Option<EventBus>) -> Self {
        Self { bus }
    }

    /// Sends an event. Returns whether there is a bus, once that has stored the event.
    ///
    /// # Errors
    /// [`Failure::Transient`] when the bus did not confirm the event. It may be there all the same: equal payloads are one event.
    pub async fn send(&self, payload: Payload) -> Result<bool, Failure> {
        let Some(bus) = &self.bus else { return Ok(false) };
        bus.publish(&Content::Event(payload)).await.map_err(|error| Failure::transient(chain(&error)))?;
        Ok(true)
    }
}
