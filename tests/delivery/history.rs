//! The history of a run: for each event its actions at the destination, the writes about them to the table, and the
//! groups and digests that it was added to. `announcements.rs` decides whether a history is allowed.

use crate::accesses::Access;
use crate::announcements::{Act, Ended, EventHistory, Invocation, Invocations, Placement, Says, Word};
use crate::roles::Requested;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Mutex;

/// The key for messages that end an incident: the table knows only that they were sent.
pub(crate) const ENDS: &str = "ends";

#[derive(Debug, Default)]
struct Facts {
    clock: u64,
    /// Histories by short event id, or by message id.
    histories: HashMap<String, EventHistory>,
    invocations: Invocations,
    counts: BTreeMap<&'static str, u64>,
    /// The messages that the table knows.
    known: HashSet<String>,
    /// Each function's requests to DynamoDB.
    requested: Requested,
}

impl Facts {
    fn of_event(&mut self, of: &str) -> &mut EventHistory {
        self.histories.entry(of.to_owned()).or_default()
    }
}

/// Everything that happened, in order.
#[derive(Debug, Default)]
pub(crate) struct History(Mutex<Facts>);

impl History {
    fn with<T>(&self, change: impl FnOnce(&mut Facts) -> T) -> T {
        let mut facts = self.0.lock().unwrap();
        facts.clock += 1;
        change(&mut facts)
    }

    pub(crate) fn count(&self, what: &'static str) {
        self.with(|facts| *facts.counts.entry(what).or_default() += 1);
    }

    pub(crate) fn counted(&self, what: &'static str) -> u64 {
        self.with(|facts| facts.counts.get(what).copied().unwrap_or_default())
    }

    pub(crate) fn act(&self, event: &str, by: Invocation, answered: bool) {
        self.with(|facts| {
            let act = Act { at: facts.clock, by, answered };
            facts.of_event(event).acts.push(act);
        });
    }

    pub(crate) fn word(&self, event: &str, says: Says, by: Invocation, stored: bool) {
        self.with(|facts| {
            let word = Word { at: facts.clock, by, stored, says };
            facts.of_event(event).words.push(word);
        });
    }

    /// Records that an event was added to a group or digest.
    pub(crate) fn placed(&self, event: &str, partition: &str, by: Invocation, answered: bool) {
        self.with(|facts| {
            let placement = Placement { at: facts.clock, by, partition: partition.to_owned(), answered };
            facts.of_event(event).placements.push(placement);
        });
    }

    /// Records that a timer started an invocation.
    pub(crate) fn started_by_timer(&self, invocation: Invocation) {
        self.with(|facts| facts.invocations.of_timers.insert(invocation));
    }

    pub(crate) fn ended(&self, invocation: Invocation, how: Ended) {
        self.with(|facts| facts.invocations.ended.insert(invocation, how));
    }

    /// The history of an event.
    pub(crate) fn of_event(&self, event: &str) -> EventHistory {
        self.with(|facts| facts.histories.get(event).cloned().unwrap_or_default())
    }

    /// All events with an action at the destination.
    pub(crate) fn acted(&self) -> Vec<String> {
        self.with(|facts| {
            let acted = facts.histories.iter().filter(|(_, history)| !history.acts.is_empty());
            acted.map(|(event, _)| event.clone()).collect()
        })
    }

    /// Why an event was announced again: one reason for each announcement after the first. `partitions` has the groups
    /// and digests that announced it.
    ///
    /// # Errors
    /// A violation: see [`EventHistory::reasons`].
    pub(crate) fn reasons(
        &self,
        event: &str,
        partitions: &BTreeSet<String>,
    ) -> Result<Vec<&'static str>, String> {
        let events_history = self.of_event(event);
        self.with(|facts| events_history.reasons(partitions, &facts.invocations))
            .map_err(|wrong| format!("{event}: {wrong}"))
    }

    /// Records that the table knows a message.
    pub(crate) fn know(&self, message: &str) {
        self.with(|facts| facts.known.insert(message.to_owned()));
    }

    pub(crate) fn is_known(&self, message: &str) -> bool {
        self.with(|facts| facts.known.contains(message))
    }

    /// Records that AWS refused a write of an invocation about a message, group or digest, about [`ENDS`] or about
    /// timers.
    pub(crate) fn not_taken(&self, what: &str, by: Invocation) {
        self.with(|facts| facts.invocations.not_taken.insert((what.to_owned(), by)));
    }

    /// Why a message may have been sent again. `word` is the write that would have recorded it.
    pub(crate) fn reason_of(&self, message: &str, word: &str) -> Option<&'static str> {
        let act = self.of_event(message).acts.pop()?;
        self.with(|facts| {
            let not_taken = facts.invocations.not_taken.contains(&(word.to_owned(), act.by));
            let reason = facts.invocations.reason(act.by, act.answered, "destination's answer lost");
            reason.or(not_taken.then_some("word not taken by the store"))
        })
    }

    /// Records a function's request to DynamoDB.
    pub(crate) fn asked_for(&self, function: &str, accesses: Vec<Access>) {
        self.with(|facts| facts.requested.entry(function.to_owned()).or_default().extend(accesses));
    }

    pub(crate) fn requested(&self) -> Requested {
        self.with(|facts| facts.requested.clone())
    }

    /// How many actions were made by invocations that were killed.
    pub(crate) fn killed_after_act(&self) -> usize {
        self.with(|facts| {
            // With a bot token each action is recorded twice: under its event, and under its message, whose id
            // contains a point.
            let by_message = facts.histories.iter().filter(|(key, _)| key.contains('.'));
            let acts = by_message.flat_map(|(_, history)| &history.acts);
            acts.filter(|act| facts.invocations.ended.get(&act.by) == Some(&Ended::Killed)).count()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::announcements::TIMERS;

    const FIRST: Invocation = (1, 1);
    const NEXT: Invocation = (2, 1);
    const GROUP: &str = "group#notify-slack#data-news#0123456789ab";
    const OTHER: &str = "group#notify-slack#data-news#ba9876543210";
    const DIGEST: &str = "digest#notify-slack#data-news#1767225600";

    /// A way to announce an event, with the group or digest that announced it.
    type Way = (fn(&History, Invocation), Option<&'static str>);

    fn alone(history: &History, by: Invocation) {
        history.act("e", by, true);
    }

    fn in_group(history: &History, by: Invocation) {
        history.placed("e", GROUP, by, true);
    }

    fn in_other_group(history: &History, by: Invocation) {
        history.placed("e", OTHER, by, true);
    }

    fn in_digest(history: &History, by: Invocation) {
        history.placed("e", DIGEST, by, true);
    }

    const WAYS: [Way; 4] =
        [(alone, None), (in_group, Some(GROUP)), (in_other_group, Some(OTHER)), (in_digest, Some(DIGEST))];

    /// The history of an event that was announced in two ways, with other steps in between.
    fn judged(first: Way, between: &dyn Fn(&History), next: Way) -> Result<Vec<&'static str>, String> {
        let history = History::default();
        first.0(&history, FIRST);
        between(&history);
        next.0(&history, NEXT);
        history.word("e", Says::Done, NEXT, true);
        let partitions = [first.1, next.1].into_iter().flatten().map(str::to_owned).collect();
        history.reasons("e", &partitions)
    }

    fn pairs() -> impl Iterator<Item = (Way, Way)> {
        let all = WAYS.into_iter().flat_map(|first| WAYS.map(|next| (first, next)));
        // Two announcements in the same group count once.
        all.filter(|(first, next)| first.1.is_none() || first.1 != next.1)
    }

    // Every doubled message has a reason, also for an event that two messages announce.
    #[test]
    fn an_event_that_is_announced_alone_in_a_group_or_in_a_digest_again_needs_a_reason() {
        assert_eq!(pairs().count(), 13);
        for (first, next) in pairs() {
            let nothing = judged(first, &|_| (), next).unwrap_err();
            assert!(nothing.contains("no reason"), "{nothing}");
            for (how, reason) in
                [(Ended::Killed, "worker killed"), (Ended::OutOfTime, "function out of time")]
            {
                assert_eq!(judged(first, &|history| history.ended(FIRST, how), next), Ok(vec![reason]));
            }
            let of_another = judged(first, &|history| history.ended((3, 1), Ended::Killed), next);
            assert!(of_another.unwrap_err().contains("no reason"));
            for says in [Says::Announced, Says::Done] {
                let lost = judged(first, &|history| history.word("e", says, FIRST, false), next);
                assert_eq!(lost, Ok(vec!["word not taken by the store"]));
            }
        }
    }

    #[test]
    fn an_event_is_not_announced_again_after_a_word_of_the_first_time_whatever_the_reason() {
        for (first, next) in pairs() {
            for says in [Says::Announced, Says::Done] {
                let stored = |history: &History| {
                    history.word("e", says, FIRST, false);
                    history.word("e", says, FIRST, true);
                    history.ended(FIRST, Ended::Killed);
                };
                let wrong = judged(first, &stored, next).unwrap_err();
                assert!(wrong.contains("announced again after"), "{wrong}");
            }
        }
    }

    #[test]
    fn a_lost_answer_is_a_reason() {
        let partitions = |of: &[&str]| of.iter().map(|partition| (*partition).to_owned()).collect();
        let history = History::default();
        history.act("e", FIRST, false);
        history.placed("e", GROUP, NEXT, true);
        assert_eq!(history.reasons("e", &partitions(&[GROUP])), Ok(vec!["destination's answer lost"]));
        let history = History::default();
        history.placed("e", GROUP, FIRST, false);
        history.placed("e", OTHER, NEXT, true);
        assert_eq!(history.reasons("e", &partitions(&[GROUP, OTHER])), Ok(vec!["table's answer lost"]));
        for what in [TIMERS, GROUP] {
            let history = History::default();
            history.placed("e", GROUP, FIRST, true);
            history.not_taken(what, FIRST);
            history.placed("e", OTHER, NEXT, true);
            let reasons = history.reasons("e", &partitions(&[GROUP, OTHER]));
            assert_eq!(reasons, Ok(vec!["word not taken by the store"]), "{what}");
        }
    }

    /// A small group announces each member alone. Then the member was added before, and its event is completed.
    #[test]
    fn a_member_that_a_timer_announces_alone_and_its_group_again_needs_a_reason_of_the_timer() {
        let judged = |after: &dyn Fn(&History)| {
            let history = History::default();
            history.placed("e", GROUP, FIRST, true);
            history.word("e", Says::Done, FIRST, true);
            history.started_by_timer(NEXT);
            history.act("e", NEXT, true);
            after(&history);
            history.reasons("e", &BTreeSet::from([GROUP.to_owned()]))
        };
        assert!(judged(&|_| ()).unwrap_err().contains("no reason"));
        assert!(judged(&|history| history.ended(FIRST, Ended::Killed)).unwrap_err().contains("no reason"));
        assert_eq!(judged(&|history| history.ended(NEXT, Ended::Killed)), Ok(vec!["worker killed"]));
        let not_written = |history: &History| history.word("e", Says::Announced, NEXT, false);
        assert_eq!(judged(&not_written), Ok(vec!["word not taken by the store"]));
    }

    #[test]
    fn once_is_no_repetition_and_a_group_that_no_request_wrote_is_wrong() {
        let history = History::default();
        history.placed("e", GROUP, FIRST, true);
        history.placed("e", GROUP, NEXT, true);
        assert_eq!(history.reasons("e", &BTreeSet::from([GROUP.to_owned()])), Ok(vec![]));
        assert_eq!(history.reasons("other", &BTreeSet::new()), Ok(vec![]));
        assert!(history.reasons("e", &BTreeSet::from([OTHER.to_owned()])).unwrap_err().contains(OTHER));
    }
}
