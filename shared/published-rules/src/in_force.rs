//! The rules as a running function has them.

use crate::published::{PublishedRules, read};
use crate::version::Version;
use jiff::{SignedDuration, Timestamp};
use rules::{LoadedRules, Rules, Unusable};
use tokio::sync::Mutex;
use workflow::{BoxError, chain};

/// How long a function takes its word for what it has read: a new version is used within a minute.
const FRESH: SignedDuration = SignedDuration::from_secs(45);
/// How soon a function that has no rules looks again.
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
    /// The record's own version: every change of the record counts, also a repair.
    record: Option<u64>,
    /// Whether that record cannot be read.
    is_unreadable: bool,
    has_rules: bool,
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

    /// Looks for a newer version, if it is time. What cannot be read leaves the rules as they are.
    pub async fn refresh(&self, now: Timestamp) {
        let mut state = self.state.lock().await;
        let fresh = if state.has_rules { FRESH } else { FRESH_WITHOUT };
        if state.looked_at.is_some_and(|at| now.duration_since(at).abs() < fresh) {
            return;
        }
        state.looked_at = Some(now);
        if let Err(error) = self.look(&mut state).await {
            let reason = chain(error.as_ref());
            if state.has_rules {
                tracing::warn!(reason, "the rules cannot be read; the ones of before count");
            } else {
                tracing::error!(reason, "the rules cannot be read; events wait");
                self.loaded.replace(Err(Unusable::new(&reason)));
            }
        }
    }

    async fn look(&self, state: &mut State) -> Result<(), BoxError> {
        let Some(record) = self.published.load().await? else {
            return match state.has_rules {
                // A table that has lost them is no order to stop.
                true => Ok(()),
                false => Err("no rules are published: run `tableau-webhooks rules deploy`".into()),
            };
        };
        if state.has_rules && state.record == Some(record.version) {
            if state.is_unreadable {
                count_unreadable();
            }
            return Ok(());
        }
        state.is_unreadable = false;
        let usable = read(&record).and_then(|version| Ok((self.usable(&version)?, version.number)));
        match usable {
            Ok((rules, number)) => {
                self.take(state, rules, number);
                state.record = Some(record.version);
            }
            Err(error) => {
                let reason = chain(error.as_ref());
                tracing::error!(
                    reason,
                    "the version of the rules in force cannot be read; the last one that can counts"
                );
                count_unreadable();
                // Read again only when it changes.
                state.record = Some(record.version);
                state.is_unreadable = true;
                if !state.has_rules {
                    self.last_good(state).await?;
                }
            }
        }
        Ok(())
    }

    /// Takes the newest version that can be read.
    async fn last_good(&self, state: &mut State) -> Result<(), BoxError> {
        for version in self.published.history().await?.iter().rev() {
            if let Ok(rules) = self.usable(version) {
                self.take(state, rules, version.number);
                return Ok(());
            }
        }
        Err("no version of the rules can be read: run `tableau-webhooks rules deploy`".into())
    }

    fn usable(&self, version: &Version) -> Result<Rules, BoxError> {
        let rules = Rules::of_json(&version.form)?;
        Ok(match &self.known_site {
            Some(site) => rules.knowing(site)?,
            None => rules,
        })
    }

    fn take(&self, state: &mut State, rules: Rules, number: u64) {
        tracing::info!(rules.version = number, rules = rules.len(), "rules read");
        // Only the settings of this workflow: a newer file may name workflows that this version does not know.
        if let Err(error) = rules.check_workflow(self.workflow) {
            let reason = chain(&error);
            tracing::error!(reason, "the rules have mistakes in the settings of this workflow");
        }
        state.has_rules = true;
        self.loaded.replace(Ok(rules));
    }
}

/// At each look, so that the alarm lasts as long as the version does. Other fields would be dimensions of the metric.
fn count_unreadable() {
    tracing::info!(monotonic_counter.unreadable_rules = 1, "counted");
}
