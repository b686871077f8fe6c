//! Routing by the rules file, with Tableau's answers: what the functions of all destinations use.

mod cache;
mod lookups;

use crate::context::Context;
use crate::impact::ImpactLookup;
use crate::incident::RefreshKind;
use crate::notifier::{Occurrence, Routed, Routing, Targeted};
use async_trait::async_trait;
use facts::{FactLookups, Question};
use guarded_tableau::GuardedTableau;
use jiff::Timestamp;
use lookups::Lookups;
use rules::{LoadedRules, Matched, Rules, Site, TargetSettings};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;
use store::records::Records;
use tableau::{Event, EventName, SiteLuid};
use workflow::{Failure, Invocation};

/// Routing by the rules, whose settings are `S`.
pub struct RulesRouting<S> {
    rules: LoadedRules,
    lookups: Lookups,
    settings: PhantomData<fn() -> S>,
}

impl<S> std::fmt::Debug for RulesRouting<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RulesRouting").finish_non_exhaustive()
    }
}

impl<S: TargetSettings> RulesRouting<S> {
    /// Routing by `rules`. What `tableau` says about an event that several workflows announce is kept in `records` for an
    /// hour.
    pub fn new(rules: LoadedRules, tableau: GuardedTableau, records: Arc<dyn Records>) -> Self {
        Self { rules, lookups: Lookups::new(tableau, records), settings: PhantomData }
    }

    /// Lookups at Tableau, for a destination that asks more than conditions and messages do.
    pub fn facts(&self) -> &FactLookups {
        self.lookups.facts()
    }

    fn rules(&self) -> Result<Arc<Rules>, Failure> {
        self.rules.current().map_err(Failure::misconfigured)
    }

    /// The targets of the rules that have matched an event. Of several rules that mean a target, the one counts that notifies
    /// first; it also calls those whom others call that notify at the same time.
    fn targets_of(
        &self,
        matched: &Matched,
        site: &SiteLuid,
        now: Timestamp,
    ) -> Result<Vec<Targeted<S>>, Failure> {
        let actions = self.rules()?.actions::<S>(matched, site).map_err(Failure::misconfigured)?;
        let targets = actions.into_iter().map(|action| {
            let schedule = match action.schedule(now) {
                schedule if S::CALLS_PEOPLE => schedule,
                schedule => schedule.of_what_calls_no_one(),
            };
            let key = action.settings.key().to_owned();
            Targeted {
                rule: action.rule,
                message: action.message,
                mentions: action.settings.mentions(),
                ..Targeted::new(key, action.settings, schedule)
            }
        });
        Ok(Targeted::merged(targets))
    }
}

#[async_trait]
impl<S: TargetSettings> Routing<S> for RulesRouting<S> {
    fn asks_for_failures(&self, event: &Event) -> Result<bool, Failure> {
        Ok(self.rules()?.asks(S::WORKFLOW, &event.name, rules::Lookup::FailuresInARow))
    }

    async fn route(
        &self,
        event: &Event,
        failures_in_a_row: Option<u32>,
        invocation: &Invocation,
    ) -> Result<Routed<S>, Failure> {
        let rules = self.rules()?;
        let facts = self.lookups.facts();
        let matched = facts.matching(&rules, S::WORKFLOW, event, failures_in_a_row, invocation).await?;
        let targets = self.targets_of(&matched, &event.site, invocation.now)?;
        let keys = targets.iter().map(|target| target.key.clone()).collect();
        Ok(Routed { targets, matched: Matched { targets: keys, ..matched } })
    }

    fn targets(&self, event: &Occurrence, now: Timestamp) -> Result<Vec<Targeted<S>>, Failure> {
        let rules = self.rules()?;
        let Some(matched) = &event.matched else {
            // Written before rules had conditions.
            return self.targets_of(&rules.for_event(&event.name), &event.site, now);
        };
        let mut targets = self.targets_of(matched, &event.site, now)?;
        if !rules.has_all_of(matched) {
            // A rule has another name by now. Those that mean the same targets count in its place, and no others.
            let all = Matched { maintenance: matched.maintenance.clone(), ..rules.for_event(&event.name) };
            for other in self.targets_of(&all, &event.site, now)? {
                let is_left = targets.iter().all(|target| target.key != other.key);
                if is_left && matched.targets.contains(&other.key) {
                    targets.push(other);
                }
            }
        }
        Ok(targets)
    }

    fn failure_targets(&self, event: &Event, now: Timestamp) -> Result<Vec<Targeted<S>>, Failure> {
        match event.name.object().and_then(EventName::refresh_failed) {
            Some(failed) => self.targets_of(&self.rules()?.for_event(&failed), &event.site, now),
            None => Ok(Vec::new()),
        }
    }

    fn all(&self) -> Result<BTreeMap<String, S>, Failure> {
        let settings = self.rules()?.settings::<S>().map_err(Failure::misconfigured)?;
        Ok(settings.into_iter().map(|settings| (settings.key().to_owned(), settings)).collect())
    }

    fn named(&self, key: &str) -> Result<Option<S>, Failure> {
        let settings = self.rules()?.settings::<S>().map_err(Failure::misconfigured)?;
        Ok(settings.into_iter().find(|settings| settings.key() == key))
    }

    fn unnamed(&self, key: &str) -> Option<S> {
        S::of_key(key)
    }

    fn site(&self, event: &Event) -> Option<Site> {
        self.rules.current().ok()?.site(&event.site).cloned()
    }

    async fn context(&self, event: &Event, invocation: &Invocation) -> Result<Context, Failure> {
        let is_shared = self.rules()?.notifying_workflows(&event.name) > 1;
        self.lookups.context(event, invocation, is_shared).await
    }

    async fn impact(
        &self,
        failure: &Event,
        context: &Context,
        invocation: &Invocation,
    ) -> Option<ImpactLookup> {
        // Where Tableau does not say what the object is, it is not asked for more. The next message asks.
        context.content.found()?;
        let question = Question::new(failure, invocation);
        self.lookups.facts().dependents(question).await.map(ImpactLookup::of)
    }

    async fn last_success(
        &self,
        failure: &Event,
        kind: RefreshKind,
        invocation: &Invocation,
    ) -> Result<Option<Timestamp>, Failure> {
        self.lookups.last_success(failure, kind, invocation).await
    }

    async fn success_kind(&self, success: &Event, invocation: &Invocation) -> Result<RefreshKind, Failure> {
        self.lookups.success_kind(success, invocation).await
    }
}

#[cfg(test)]
mod tests;
