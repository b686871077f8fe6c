//! The rules as a running function has them.

use crate::published::PublishedRules;
use crate::version::{Version, read};
use jiff::{SignedDuration, Timestamp};
use rules::{LoadedRules, Rules, Unusable};
use tokio::sync::Mutex;
use workflow::{BoxError, chain};

/// How long a function takes its word for what it has read: a new version is used within a minute.
const FRESH: SignedDuration = SignedDuration::from_secs(45);
/// How soon a function looks again that has no rules, or that got no answer.
const FRESH_WITHOUT: SignedDuration = SignedDuration::from_secs(5);

/// The rules in force, as a running function has them.
#[derive(Debug)]
pub struct RulesInForce {
    workflow: &'static str,
    published: PublishedRules,
    loaded: LoadedRules,
    /// A site that the rules do not list, as an entry of `sites`.
    known_site: Option<String>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    looked_at: Option<Timestamp>,
    /// The table did not answer at the last look.
    has_failed: bool,
    /// The record's own version: every change of the record counts, also a repair.
    record: Option<u64>,
    /// Whether that record cannot be used.
    is_unusable: bool,
    rules: InMemory,
}

/// Which rules are in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum InMemory {
    #[default]
    None,
    /// Rules with mistakes in the settings of this workflow: the events that they concern wait.
    WithMistakes,
    Good,
}

/// A version that a function can read, and what is wrong in it for this workflow.
struct Readable {
    rules: Rules,
    number: u64,
    mistake: Option<BoxError>,
}

impl RulesInForce {
    /// The rules in `published`; `known_site` has a name and a time zone also where the rules do not list it.
    ///
    /// `workflow`: whose settings are checked when a version is read.
    pub fn new(workflow: &'static str, published: PublishedRules, known_site: Option<String>) -> Self {
        let none = Err(Unusable::new("they have not been read yet"));
        Self { workflow, published, loaded: LoadedRules::new(none), known_site, state: Mutex::default() }
    }

    /// The rules as they are now, for all parts of the function.
    pub fn loaded(&self) -> LoadedRules {
        self.loaded.clone()
    }

    /// Looks for a newer version, if it is time. What cannot be used leaves the rules as they are.
    pub async fn refresh(&self, now: Timestamp) {
        let mut state = self.state.lock().await;
        let has_rules = state.rules != InMemory::None;
        let fresh = if has_rules && !state.has_failed { FRESH } else { FRESH_WITHOUT };
        if state.looked_at.is_some_and(|at| now.duration_since(at).abs() < fresh) {
            return;
        }
        state.looked_at = Some(now);
        let looked = self.look(&mut state).await;
        state.has_failed = looked.is_err();
        if let Err(error) = looked {
            let reason = chain(error.as_ref());
            if has_rules {
                tracing::warn!(reason, "the rules cannot be read; the ones of before count");
            } else {
                tracing::error!(reason, "the rules cannot be read; events wait");
                self.loaded.replace(Err(Unusable::new(&reason)));
            }
        }
    }

    async fn look(&self, state: &mut State) -> Result<(), BoxError> {
        let record = self.published.load().await?;
        let is_known = record.is_some() && state.record == record.as_ref().map(|record| record.version);
        if is_known && state.rules != InMemory::None {
            if state.is_unusable {
                count_unreadable();
            }
            return Ok(());
        }
        let in_force = match &record {
            Some(record) => read(record).and_then(|version| self.readable(&version)),
            None if state.rules == InMemory::None
                && self.published.history().next_record().await?.is_none() =>
            {
                return Err("no rules are published: run `tableau-webhooks rules deploy`".into());
            }
            // A table that has lost it is no order to stop.
            None => Err("there is none, but a history".into()),
        };
        let mistake = match in_force {
            Ok(Readable { rules, number, mistake: None }) => {
                self.take(state, rules, number, InMemory::Good);
                state.record = record.map(|record| record.version);
                state.is_unusable = false;
                return Ok(());
            }
            Ok(with_mistake) => {
                let reason = with_mistake.mistake.as_ref().map(|mistake| chain(mistake.as_ref()));
                tracing::error!(
                    reason,
                    "the version of the rules in force has mistakes in the settings of this workflow; the last one without \
                     counts"
                );
                Some(with_mistake)
            }
            Err(error) => {
                let reason = chain(error.as_ref());
                tracing::error!(
                    reason,
                    "the version of the rules in force cannot be read; the last one that can counts"
                );
                None
            }
        };
        count_unreadable();
        if state.rules != InMemory::Good {
            self.last_good(state, mistake).await?;
        }
        // Read again only when it changes.
        state.record = record.map(|record| record.version);
        state.is_unusable = true;
        Ok(())
    }

    /// Takes the newest version whose settings this workflow can use. If there is none, rules with mistakes are better than none:
    /// `in_force`, or the newest that can be read.
    async fn last_good(&self, state: &mut State, in_force: Option<Readable>) -> Result<(), BoxError> {
        let mut second_best = in_force;
        let mut history = self.published.history();
        while let Some(version) = history.next().await? {
            let Ok(readable) = self.readable(&version) else { continue };
            if readable.mistake.is_none() {
                self.take(state, readable.rules, readable.number, InMemory::Good);
                return Ok(());
            }
            second_best.get_or_insert(readable);
        }
        if let Some(Readable { rules, number, .. }) = second_best {
            self.take(state, rules, number, InMemory::WithMistakes);
            tracing::error!("no version without mistakes in the settings of this workflow; its events wait");
            return Ok(());
        }
        match state.rules {
            InMemory::None => {
                Err("no version of the rules can be read: run `tableau-webhooks rules deploy`".into())
            }
            InMemory::WithMistakes | InMemory::Good => Ok(()),
        }
    }

    fn readable(&self, version: &Version) -> Result<Readable, BoxError> {
        let rules = Rules::of_json(&version.form)?;
        let rules = match &self.known_site {
            Some(site) => rules.knowing(site)?,
            None => rules,
        };
        // Only the settings of this workflow: a newer file may name workflows that this version does not know.
        let mistake = rules.check_workflow(self.workflow).err().map(BoxError::from);
        Ok(Readable { rules, number: version.number, mistake })
    }

    fn take(&self, state: &mut State, rules: Rules, number: u64, kind: InMemory) {
        tracing::info!(rules.version = number, rules = rules.len(), "rules read");
        state.rules = kind;
        self.loaded.replace(Ok(rules));
    }
}

/// At each look, so that the alarm lasts as long as the version does. Other fields would be dimensions of the metric.
fn count_unreadable() {
    tracing::info!(monotonic_counter.unreadable_rules = 1, "counted");
}
