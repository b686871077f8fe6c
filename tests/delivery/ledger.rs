//! What happened, and whether that is what may happen: of each event the acts at the destination and the words about
//! them in the table.
//!
//! Slack takes no key. So an act may be repeated, but only when no word of it arrived, and only for a reason that lies
//! outside of us: the worker was killed, the destination's answer was lost, the table did not take the word.

use crate::accesses::Access;
use crate::roles::Requested;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Mutex;

/// Which worker, and which of its invocations.
pub(crate) type Invocation = (usize, u64);

/// A message that the destination took.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    at: u64,
    by: Invocation,
    /// Whether the worker was told.
    answered: bool,
}

/// That an act was to be written down.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    at: u64,
    by: Invocation,
    stored: bool,
}

/// How an invocation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Answered,
    Killed,
    /// It used up its time.
    OutOfTime,
}

/// Of one event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Story {
    pub(crate) acts: Vec<Act>,
    words: Vec<Word>,
}

/// Stands for messages that end a story: of these the table knows only that they were said.
pub(crate) const ENDS: &str = "ends";

#[derive(Debug, Default)]
struct Facts {
    clock: u64,
    stories: HashMap<String, Story>,
    ended: HashMap<Invocation, Ended>,
    counts: BTreeMap<&'static str, u64>,
    /// Messages of which the table knows.
    known: HashSet<String>,
    /// What each function asked DynamoDB for.
    requested: Requested,
    /// What the table did not take: of which message, from which invocation.
    not_taken: HashSet<(String, Invocation)>,
}

impl Facts {
    /// Why an act may have to be repeated, as far as it does not depend on its words.
    fn reason(&self, act: &Act) -> Option<&'static str> {
        match self.ended.get(&act.by) {
            Some(Ended::Killed) => Some("worker killed"),
            _ if !act.answered => Some("destination's answer lost"),
            Some(Ended::OutOfTime) => Some("function out of time"),
            _ => None,
        }
    }
}

/// Everything that happened, in its order.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Facts>);

impl Ledger {
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
            facts.stories.entry(event.to_owned()).or_default().acts.push(act);
        });
    }

    pub(crate) fn word(&self, event: &str, by: Invocation, stored: bool) {
        self.with(|facts| {
            let word = Word { at: facts.clock, by, stored };
            facts.stories.entry(event.to_owned()).or_default().words.push(word);
        });
    }

    pub(crate) fn ended(&self, invocation: Invocation, how: Ended) {
        self.with(|facts| facts.ended.insert(invocation, how));
    }

    /// The story of an event.
    pub(crate) fn story(&self, event: &str) -> Story {
        self.with(|facts| facts.stories.get(event).cloned().unwrap_or_default())
    }

    /// All events that acted.
    pub(crate) fn acted(&self) -> Vec<String> {
        self.with(|facts| {
            facts.stories.iter().filter(|(_, s)| !s.acts.is_empty()).map(|(e, _)| e.clone()).collect()
        })
    }

    /// Why each act but the last was repeated.
    ///
    /// # Errors
    /// What must not happen: an act after a word of an earlier one, or one without a reason.
    pub(crate) fn reasons(&self, event: &str) -> Result<Vec<&'static str>, String> {
        let story = self.story(event);
        let again = story.acts.windows(2).map(|pair| {
            let [act, next] = pair else { unreachable!("a window of two") };
            if let Some(word) = story.words.iter().find(|word| word.stored && word.at < next.at) {
                return Err(format!("{event}: {next:?} after {word:?}"));
            }
            let word_lost = story.words.iter().any(|word| word.by == act.by && !word.stored);
            match self.with(|facts| facts.reason(act)) {
                Some(reason) => Ok(reason),
                None if word_lost => Ok("word not taken by the store"),
                None => Err(format!("{event}: acted again for no reason: {story:?}")),
            }
        });
        again.collect()
    }

    /// Notes that the table knows of a message.
    pub(crate) fn know(&self, message: &str) {
        self.with(|facts| facts.known.insert(message.to_owned()));
    }

    pub(crate) fn is_known(&self, message: &str) -> bool {
        self.with(|facts| facts.known.contains(message))
    }

    /// Notes that the table did not take what an invocation had to say of a message, or of [`ENDS`].
    pub(crate) fn not_taken(&self, message: &str, by: Invocation) {
        self.with(|facts| facts.not_taken.insert((message.to_owned(), by)));
    }

    /// Why a message may have been said once more. `word`: what would have been written down of it.
    pub(crate) fn reason_of(&self, message: &str, word: &str) -> Option<&'static str> {
        let act = self.story(message).acts.pop()?;
        self.with(|facts| {
            let not_taken = facts.not_taken.contains(&(word.to_owned(), act.by));
            facts.reason(&act).or(not_taken.then_some("word not taken by the store"))
        })
    }

    /// Notes what a function asked DynamoDB for.
    pub(crate) fn asked_for(&self, function: &str, accesses: Vec<Access>) {
        self.with(|facts| facts.requested.entry(function.to_owned()).or_default().extend(accesses));
    }

    pub(crate) fn requested(&self) -> Requested {
        self.with(|facts| facts.requested.clone())
    }

    /// How many acts were made by invocations that were killed.
    pub(crate) fn killed_after_act(&self) -> usize {
        self.with(|facts| {
            // With a bot token each act is there twice: by its event, and by its message, whose id has a point.
            let by_message = facts.stories.iter().filter(|(key, _)| key.contains('.'));
            let acts = by_message.flat_map(|(_, story)| &story.acts);
            acts.filter(|act| facts.ended.get(&act.by) == Some(&Ended::Killed)).count()
        })
    }
}

#[test]
fn an_act_is_repeated_only_for_a_reason_and_never_after_a_word() {
    let judged = |tell: &dyn Fn(&Ledger)| {
        let ledger = Ledger::default();
        tell(&ledger);
        ledger.act("e", (2, 1), true);
        ledger.word("e", (2, 1), true);
        ledger.reasons("e")
    };
    let act = |ledger: &Ledger, answered| ledger.act("e", (1, 1), answered);
    assert_eq!(judged(&|_| ()), Ok(vec![]));
    assert_eq!(judged(&|ledger| act(ledger, false)), Ok(vec!["destination's answer lost"]));
    let lost = |ledger: &Ledger| {
        act(ledger, true);
        ledger.word("e", (1, 1), false);
    };
    assert_eq!(judged(&lost), Ok(vec!["word not taken by the store"]));
    for (how, reason) in [(Ended::Killed, "worker killed"), (Ended::OutOfTime, "function out of time")] {
        let ended = |ledger: &Ledger| {
            act(ledger, true);
            ledger.ended((1, 1), how);
        };
        assert_eq!(judged(&ended), Ok(vec![reason]));
    }
    assert!(judged(&|ledger| act(ledger, true)).unwrap_err().contains("no reason"));
    let told = |ledger: &Ledger| {
        act(ledger, true);
        ledger.word("e", (1, 1), true);
        ledger.ended((1, 1), Ended::Killed);
    };
    assert!(judged(&told).unwrap_err().contains("after"));
}
