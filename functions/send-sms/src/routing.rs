//! Routing by the rules, with a target of its own for each number: one that refuses does not stop the others.

use alerting::RulesRouting;
use alerting::context::Context;
use alerting::impact::ImpactLookup;
use alerting::incident::RefreshKind;
use alerting::notifier::{Occurrence, Routed, Routing, Targeted};
use async_trait::async_trait;
use jiff::Timestamp;
use rules::settings::SendSms;
use rules::{LoadedRules, Matched, PhoneNumber, Site};
use std::collections::BTreeMap;
use tableau::Event;
use workflow::{Failure, Invocation};

/// Routing by the rules. A target's key shows two digits of its number, so that no record and no log has the whole.
#[derive(Debug)]
pub struct SmsRouting {
    by_rules: RulesRouting<SendSms>,
    rules: LoadedRules,
}

impl SmsRouting {
    /// Routing by `by_rules`, which follows `rules`.
    pub fn new(by_rules: RulesRouting<SendSms>, rules: LoadedRules) -> Self {
        Self { by_rules, rules }
    }
}

/// The targets of what rules say: each number once, as the rule wants that notifies first.
fn of_rules(rules: &[Targeted<SendSms>]) -> Vec<Targeted<PhoneNumber>> {
    let of_rule = |rule: &Targeted<SendSms>| {
        let numbers = rule.settings.to.list().iter();
        numbers.map(|number| rule.with(number.key(), number.clone())).collect::<Vec<_>>()
    };
    Targeted::merged(rules.iter().flat_map(of_rule))
}

#[async_trait]
impl Routing<PhoneNumber> for SmsRouting {
    fn asks_for_failures(&self, event: &Event) -> Result<bool, Failure> {
        self.by_rules.asks_for_failures(event)
    }

    async fn route(
        &self,
        event: &Event,
        failures_in_a_row: Option<u32>,
        invocation: &Invocation,
    ) -> Result<Routed<PhoneNumber>, Failure> {
        let routed = self.by_rules.route(event, failures_in_a_row, invocation).await?;
        let targets = of_rules(&routed.targets);
        // The keys of the rules' lists, for a rule that has another name later, and those of the numbers.
        let numbers = targets.iter().map(|target| target.key.clone());
        let keys = routed.matched.targets.into_iter().chain(numbers).collect();
        Ok(Routed { targets, matched: Matched { targets: keys, ..routed.matched } })
    }

    /// Those of the numbers that the rules named when the event arrived, and that they still name.
    fn targets(&self, event: &Occurrence, now: Timestamp) -> Result<Vec<Targeted<PhoneNumber>>, Failure> {
        let keys = event.matched.as_ref().map(|matched| matched.targets.as_slice()).unwrap_or_default();
        let mut targets = of_rules(&self.by_rules.targets(event, now)?);
        targets.retain(|target| keys.is_empty() || keys.contains(&target.key));
        Ok(targets)
    }

    fn failure_targets(&self, event: &Event, now: Timestamp) -> Result<Vec<Targeted<PhoneNumber>>, Failure> {
        Ok(of_rules(&self.by_rules.failure_targets(event, now)?))
    }

    fn all(&self) -> Result<BTreeMap<String, PhoneNumber>, Failure> {
        let rules = self.rules.current().map_err(Failure::misconfigured)?;
        let settings = rules.settings::<SendSms>().map_err(Failure::misconfigured)?;
        let numbers = settings.iter().flat_map(|settings| settings.to.list());
        Ok(numbers.map(|number| (number.key(), number.clone())).collect())
    }

    fn named(&self, key: &str) -> Result<Option<PhoneNumber>, Failure> {
        Ok(self.all()?.remove(key))
    }

    /// No number that no rule names gets a text.
    fn unnamed(&self, _: &str) -> Option<PhoneNumber> {
        None
    }

    fn site(&self, event: &Event) -> Option<Site> {
        self.by_rules.site(event)
    }

    async fn context(&self, event: &Event, invocation: &Invocation) -> Result<Context, Failure> {
        self.by_rules.context(event, invocation).await
    }

    /// A text has no room for the workbooks that use a data source, so that Tableau is not asked.
    async fn impact(&self, _: &Event, _: &Context, _: &Invocation) -> Option<ImpactLookup> {
        None
    }

    async fn last_success(
        &self,
        failure: &Event,
        kind: RefreshKind,
        invocation: &Invocation,
    ) -> Result<Option<Timestamp>, Failure> {
        self.by_rules.last_success(failure, kind, invocation).await
    }

    async fn success_kind(&self, success: &Event, invocation: &Invocation) -> Result<RefreshKind, Failure> {
        self.by_rules.success_kind(success, invocation).await
    }
}
