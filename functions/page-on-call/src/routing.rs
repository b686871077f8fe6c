//! Routing by the rules, with one severity for each service.
//!
//! PagerDuty makes one alert of all triggers about an object, and the last one decides how severe it is. So of several rules that page
//! one service about an event, the most severe counts.

use alerting::RulesRouting;
use alerting::context::Context;
use alerting::impact::ImpactLookup;
use alerting::incident::RefreshKind;
use alerting::notifier::{Occurrence, Routed, Routing, Targeted};
use async_trait::async_trait;
use jiff::Timestamp;
use rules::Site;
use rules::settings::{PageOnCall, PageSeverity};
use std::collections::BTreeMap;
use tableau::Event;
use workflow::{Failure, Invocation};

/// Routing by the rules, with one severity for each service.
#[derive(Debug)]
pub struct ServiceRouting(RulesRouting<PageOnCall>);

impl ServiceRouting {
    /// Routing by `rules`.
    pub fn new(rules: RulesRouting<PageOnCall>) -> Self {
        Self(rules)
    }
}

/// A service that rules page, and how.
pub type Target = Targeted<PageOnCall>;

/// Each service once: of several targets in one service the one that is notified first, and of those the most severe.
pub fn one_for_each_service(targets: Vec<Target>) -> Vec<Target> {
    let mut services: BTreeMap<String, Target> = BTreeMap::new();
    for target in targets {
        let service = target.settings.service.clone();
        let counts = services.get(&service).is_none_or(|other| counts_before(&target, other));
        if counts {
            services.insert(service, target);
        }
    }
    services.into_values().collect()
}

fn counts_before(one: &Target, other: &Target) -> bool {
    // Without a severity in the rule, what fails is an error.
    let severity = |target: &Target| target.settings.severity.unwrap_or(PageSeverity::Error);
    match (one.is_as_early_as(other), other.is_as_early_as(one)) {
        (true, true) => severity(one) > severity(other),
        (is_earlier, _) => is_earlier,
    }
}

#[async_trait]
impl Routing<PageOnCall> for ServiceRouting {
    fn asks_for_failures(&self, event: &Event) -> Result<bool, Failure> {
        self.0.asks_for_failures(event)
    }

    async fn route(
        &self,
        event: &Event,
        failures_in_a_row: Option<u32>,
        invocation: &Invocation,
    ) -> Result<Routed<PageOnCall>, Failure> {
        let Routed { targets, matched } = self.0.route(event, failures_in_a_row, invocation).await?;
        Ok(Routed { targets: one_for_each_service(targets), matched })
    }

    fn targets(&self, event: &Occurrence, now: Timestamp) -> Result<Vec<Target>, Failure> {
        self.0.targets(event, now).map(one_for_each_service)
    }

    fn failure_targets(&self, event: &Event, now: Timestamp) -> Result<Vec<Target>, Failure> {
        self.0.failure_targets(event, now).map(one_for_each_service)
    }

    fn all(&self) -> Result<BTreeMap<String, PageOnCall>, Failure> {
        self.0.all()
    }

    fn named(&self, key: &str) -> Result<Option<PageOnCall>, Failure> {
        self.0.named(key)
    }

    fn unnamed(&self, key: &str) -> Option<PageOnCall> {
        self.0.unnamed(key)
    }

    fn site(&self, event: &Event) -> Option<Site> {
        self.0.site(event)
    }

    async fn context(&self, event: &Event, invocation: &Invocation) -> Result<Context, Failure> {
        self.0.context(event, invocation).await
    }

    async fn impact(
        &self,
        failure: &Event,
        context: &Context,
        invocation: &Invocation,
    ) -> Option<ImpactLookup> {
        self.0.impact(failure, context, invocation).await
    }

    async fn last_success(
        &self,
        failure: &Event,
        kind: RefreshKind,
        invocation: &Invocation,
    ) -> Result<Option<Timestamp>, Failure> {
        self.0.last_success(failure, kind, invocation).await
    }

    async fn success_kind(&self, success: &Event, invocation: &Invocation) -> Result<RefreshKind, Failure> {
        self.0.success_kind(success, invocation).await
    }
}
