//! The state of the Slack simulator, and its faults.

use super::message::{SlackMessage, SlackRefusal};
use super::people::People;
use super::workspace::{Channel, Workspace};
use crate::fault::FaultPlan;
use crate::recorder::log::Log;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// How a call to the Slack simulator fails.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlackFault {
    /// Answers `429` with `Retry-After`.
    RateLimited {
        /// The `Retry-After` value in seconds.
        retry_after: u64,
    },
    /// Answers `500` with `rollup_error`.
    ServerError,
    /// The webhook or token was revoked: answers `404` and `no_service`, or `token_revoked`.
    Revoked,
    /// The channel was archived: answers `410` and `channel_is_archived`, or `is_archived`.
    Archived,
    /// Refuses every message that has blocks with this error, such as `invalid_blocks`. Messages without blocks are
    /// accepted.
    Blocks(&'static str),
    /// Answers this status with the HTML page of a proxy.
    Html(u16),
    /// Answers this status with an empty body.
    Empty(u16),
    /// Never answers.
    Hang,
    /// Resets the connection before the first byte of the answer. The call is not carried out.
    Reset,
    /// Carries out the call, then resets the connection before the first byte of the answer.
    AnswerLost,
}

/// Says which channels there are beside those of the workspace.
type ChannelNames = Box<dyn Fn() -> Vec<String> + Send + Sync>;

/// Where channels come from that are not there yet.
#[derive(Default)]
pub(super) struct NewChannels(pub(super) OnceLock<ChannelNames>);

impl fmt::Debug for NewChannels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewChannels")
    }
}

/// The state shared by all handlers of a running workspace.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) messages: Log<SlackMessage>,
    pub(super) refusals: Log<SlackRefusal>,
    pub(super) calls: AtomicUsize,
    faults: Mutex<FaultPlan<SlackFault>>,
    workspace: Mutex<Workspace>,
    people: Mutex<People>,
    pub(super) new_channels: NewChannels,
    /// The deleted messages, by channel and `ts`.
    deleted: Mutex<BTreeSet<(String, String)>>,
}

impl Shared {
    pub(super) fn faults(&self) -> MutexGuard<'_, FaultPlan<SlackFault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn deleted(&self) -> MutexGuard<'_, BTreeSet<(String, String)>> {
        self.deleted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn people(&self) -> MutexGuard<'_, People> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The channel of this id or name; a new one, if someone has made it by now.
    pub(super) fn channel(&self, id_or_name: &str) -> Option<Channel> {
        if let Some(channel) = self.workspace().channel(id_or_name) {
            return Some(channel.clone());
        }
        let name = id_or_name.trim_start_matches('#');
        let names = self.new_channels.0.get()?();
        names.iter().any(|known| known == name).then(|| self.workspace().add_channel(name, true))
    }

    pub(super) fn workspace(&self) -> MutexGuard<'_, Workspace> {
        self.workspace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
