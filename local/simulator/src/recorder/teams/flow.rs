//! The flows, by the path of their triggers.

use crate::recorder::slack::DEFAULT_CHANNEL;
use serde_json::Value;

/// Path and query of the flow that every simulator starts with, which posts to `data-alerts`. It is only valid on loopback.
pub const SAMPLE_FLOW: &str = "/powerautomate/automations/direct/workflows/simulated/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=simulated-not-a-secret";

/// A flow.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub(super) channel: String,
    /// The path of the trigger.
    pub(super) path: String,
    /// The signature in the URL. An old one is refused.
    pub(super) sig: String,
    pub(super) state: FlowState,
    /// The schema of a flow that takes plain fields; `None` for one that posts cards.
    pub(super) schema: Option<Value>,
}

/// Whether a flow runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FlowState {
    On,
    TurnedOff,
    Deleted,
}

impl Flow {
    pub(super) fn new(channel: &str, schema: Option<Value>) -> Self {
        let id = uuid::Uuid::new_v4().simple();
        let path =
            format!("/powerautomate/automations/direct/cu/04/workflows/{id}/triggers/manual/paths/invoke");
        Self { channel: channel.to_owned(), path, sig: signature(), state: FlowState::On, schema }
    }

    /// The flow at [`SAMPLE_FLOW`].
    pub(super) fn sample() -> Self {
        let (path, query) = SAMPLE_FLOW.split_once('?').unwrap_or((SAMPLE_FLOW, ""));
        let sig = query.rsplit("sig=").next().unwrap_or_default().to_owned();
        Self { path: path.to_owned(), sig, ..Self::new(DEFAULT_CHANNEL.1, None) }
    }

    /// The URL without its host.
    pub(super) fn path_and_query(&self) -> String {
        format!("{}?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={}", self.path, self.sig)
    }
}

/// A signature of the usual length: 43 letters and digits.
pub(super) fn signature() -> String {
    let random = || uuid::Uuid::new_v4().simple().to_string();
    format!("{}{}", random(), random()).chars().take(43).collect()
}
