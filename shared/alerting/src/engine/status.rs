//! The status of a group or digest, for people who look for the message of an event: what was sent, and what will be
//! sent when.

use super::documents::{Document, Versioned};
use super::keys;
use crate::group::{GroupHead, Member, Placement};
use crate::incident::MessageRef;
use jiff::Timestamp;
use store::records::{Key, Records};
use workflow::{BoxError, SharedMessage};

/// The status of a group or digest: what was sent, and what will be sent when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedStatus {
    /// When its timer is due, if one is set.
    pub due: Option<Timestamp>,
    /// When its message was last sent or edited. `None` before the first time.
    pub last_sent: Option<Timestamp>,
    /// The message, if it can be edited.
    pub message: Option<MessageRef>,
    /// Whether a timer has fired and its work is not finished: a worker is sending now, or the worker has failed.
    pub is_unfinished: bool,
    /// How the group announces the event that was asked about, if that event is a member's first.
    pub placement: Option<Placement>,
}

impl SharedStatus {
    /// Reads the status of the group or digest `message` of `workflow`; `None` when its documents no longer exist.
    /// `event` is the short id of the event that was asked about. Needs the permission `dynamodb:GetItem`.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn of(
        records: &dyn Records,
        workflow: &str,
        message: &SharedMessage,
        event: &str,
        now: Timestamp,
    ) -> Result<Option<Self>, BoxError> {
        let partition = match message {
            SharedMessage::Group { id, target } => keys::group(workflow, target, id),
            SharedMessage::Digest { until, target } => keys::digest(workflow, target, *until),
        };
        let head: Versioned<GroupHead> = read(records, &keys::head(&partition), now).await?;
        if head.version == 0 {
            return Ok(None);
        }
        let head = head.document;
        let member: Versioned<Member> = read(records, &keys::member(&partition, event), now).await?;
        Ok(Some(Self {
            is_unfinished: head.pending.is_none() && head.generation > head.done_generation,
            due: head.pending.map(|pending| pending.due),
            last_sent: head.last_sent.filter(|_| head.sent > 0),
            message: head.message,
            placement: (member.version > 0).then_some(member.document.placement),
        }))
    }
}

/// Reads one document per request: a request for several would need a further permission.
async fn read<D: Document>(
    records: &dyn Records,
    key: &Key,
    now: Timestamp,
) -> Result<Versioned<D>, BoxError> {
    let loaded = records.load(std::slice::from_ref(key)).await?;
    Ok(Versioned::read(key, loaded.into_iter().next().flatten().as_ref(), now))
}

/// The purpose of an alerting timer, read from its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimerSubject {
    /// The timer sends the message of a group or digest.
    Message(SharedMessage),
    /// The timer looks again at a suppressed incident of this object.
    Incident {
        /// The object's LUID.
        object: String,
    },
}

impl TimerSubject {
    /// Reads the purpose from a timer's key; `None` if another component wrote the key.
    pub fn of_key(key: &str) -> Option<Self> {
        let (_, rest) = key.split_once('#')?;
        let (workflow, end) = rest.split_once('#').filter(|(_, end)| !end.is_empty())?;
        if key.starts_with(keys::INCIDENT) {
            return Some(Self::Incident { object: end.to_owned() });
        }
        let target = keys::target(workflow, key);
        let (_, end) = end.rsplit_once('#').filter(|(_, end)| !end.is_empty() && !target.is_empty())?;
        let target = target.to_owned();
        if key.starts_with(keys::GROUP) {
            return Some(Self::Message(SharedMessage::Group { id: end.to_owned(), target }));
        }
        let until = Timestamp::from_second(end.parse().ok()?).ok()?;
        key.starts_with(keys::DIGEST).then_some(Self::Message(SharedMessage::Digest { until, target }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_is_named_by_what_it_sends_and_where() {
        for (key, expected) in [
            ("group#notify-slack#data-alerts#64c87bd200d1", "group 64c87bd200d1 in data-alerts"),
            ("group#notify-slack#a#b#digest-1795935600-1", "group digest-1795935600-1 in a#b"),
            (
                "digest#notify-slack#data-alerts#1795935600",
                "digest of the quiet hours until 2026-11-29T07:00:00Z in data-alerts",
            ),
        ] {
            let Some(TimerSubject::Message(message)) = TimerSubject::of_key(key) else { panic!("{key}") };
            assert_eq!(message.to_string(), expected);
        }
        let object = "c7a2ea20-b2f1".to_owned();
        let incident = TimerSubject::of_key("incident#notify-slack#c7a2ea20-b2f1");
        assert_eq!(incident, Some(TimerSubject::Incident { object }));
        for key in [
            "",
            "group",
            "group#w",
            "group#w#1",
            "group#w#c#",
            "digest#w#c#soon",
            "refresh#1#2",
            "incident#w#",
        ] {
            assert_eq!(TimerSubject::of_key(key), None, "{key}");
        }
    }
}
