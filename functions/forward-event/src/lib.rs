//! Hands each event that a rule takes to another system, at once and once.

mod config;
mod trial;

pub use config::Config;

use facts::{FactLookups, Question};
use forwarding::{Forwarder, Incidents, Parcel, Sent, Turn};
use rules::body::Data;
use rules::settings::{self, Body, Destination, OncePer};
use rules::{Action, LoadedRules, Rules};
use std::collections::BTreeSet;
use tableau::{Event, EventName, Payload};
use workflow::{Effect, Failure, Invocation, Outcome, TestRequest, Tested, Workflow};

/// The workflow `forward-event`, with the clients that it needs.
#[derive(Debug)]
pub struct ForwardEvent {
    /// The site that sends the events.
    pub facts: FactLookups,
    /// The rules that say which event goes where.
    pub rules: LoadedRules,
    /// Sends to targets, buses and topics.
    pub forwarder: Forwarder,
    /// For `once_per: incident`.
    pub incidents: Incidents,
}

type Forward = Action<settings::ForwardEvent>;

impl Workflow for ForwardEvent {
    const NAME: &'static str = "forward-event";

    async fn handle(&self, event: &Event, invocation: &Invocation) -> Result<Outcome, Failure> {
        let rules = self.rules.current().map_err(Failure::misconfigured)?;
        self.end_incident(event, &rules, invocation).await?;
        let matched = self.facts.matching(&rules, Self::NAME, event, None, invocation).await?;
        let actions = rules.actions::<settings::ForwardEvent>(&matched, &event.site);
        let actions = first_of_each(actions.map_err(Failure::misconfigured)?);
        let Some(payload) = invocation.payload().filter(|_| !actions.is_empty()) else {
            return Ok(Outcome::skipped(format!("no rule forwards this {}", event.name)));
        };
        let site = rules.site(&event.site);
        let mut data = None;
        let (mut is_done, mut reasons, mut failed) = (false, Vec::new(), None);
        for action in &actions {
            if let Some(until) = action.muted_until(invocation.now) {
                reasons.push(format!("the rule `{}` is muted until {until:.0}", action.rule));
                continue;
            }
            if action.settings.body() != Body::Raw && data.is_none() {
                data = Some(forwarding::enrich(&self.facts, Question::new(event, invocation), site).await?);
            }
            match self.forward(event, action, payload, data.as_ref(), invocation).await {
                Ok(None) => is_done = true,
                Ok(Some(reason)) => reasons.push(reason),
                // One destination that fails keeps no other from its event.
                Err(failure) => failed = Some(Failure::worse(failed, failure)),
            }
        }
        match failed {
            Some(failure) => Err(failure),
            None if is_done || reasons.is_empty() => Ok(Outcome::Done),
            None => Ok(Outcome::skipped(reasons.join("; "))),
        }
    }

    async fn on_test(&self, test: &TestRequest, invocation: &Invocation) -> Result<Vec<Tested>, Failure> {
        let rules = self.rules.current().map_err(Failure::misconfigured)?;
        trial::run(&self.forwarder, &rules, test, invocation).await
    }
}

impl ForwardEvent {
    /// Forwards an event for one action. Returns why nothing was sent, if nothing was.
    async fn forward(
        &self,
        event: &Event,
        action: &Forward,
        payload: &Payload,
        data: Option<&Data>,
        invocation: &Invocation,
    ) -> Result<Option<String>, Failure> {
        let settings = &action.settings;
        let Some(destination) = settings.destination() else { return Ok(None) };
        let effect = Effect::from(format!("forwarded/{}", destination.key()).as_str());
        if invocation.has_happened(&effect) {
            return Ok(None);
        }
        let body = forwarding::body(settings, &action.rule, payload, data)?;
        let is_per_incident = settings.once_per == OncePer::Incident && is_failure(event);
        if is_per_incident {
            let turn = self.incidents.begin(event, destination.key(), invocation.time()).await?;
            if let Turn::Later(reason) = turn {
                return Ok(Some(reason));
            }
        }
        let title = data.map_or(event.name.as_str(), |data| data.title.as_str());
        let parcel = Parcel { event, destination, title, body: &body };
        let sent = invocation.once(effect, self.forwarder.send(parcel, invocation)).await;
        if is_per_incident {
            self.note(event, destination, &sent, invocation).await;
        }
        match sent? {
            Some(Sent::Stopped(reason)) => Ok(Some(reason)),
            Some(Sent::Taken { .. }) | None => Ok(None),
        }
    }

    /// Notes what became of the first failure of an incident.
    async fn note(
        &self,
        event: &Event,
        destination: Destination<'_>,
        sent: &Result<Option<Sent>, Failure>,
        invocation: &Invocation,
    ) {
        let (key, now) = (destination.key(), invocation.time());
        match sent {
            Ok(Some(Sent::Taken { made, .. })) => self.incidents.note(event, key, made.clone(), now).await,
            Ok(Some(Sent::Stopped(_))) | Err(Failure::Permanent { .. }) => {
                self.incidents.give_back(event, key, now).await;
            }
            Ok(None) | Err(_) => {}
        }
    }

    /// Ends the incident of an object whose refresh has succeeded, or that is gone, if a rule asks for incidents.
    async fn end_incident(
        &self,
        event: &Event,
        rules: &Rules,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        use EventName as E;
        let is_end = matches!(
            event.name,
            E::DatasourceRefreshSucceeded
                | E::WorkbookRefreshSucceeded
                | E::DatasourceDeleted
                | E::WorkbookDeleted
        );
        if !is_end {
            return Ok(());
        }
        let settings = rules.settings::<settings::ForwardEvent>().map_err(Failure::misconfigured)?;
        if settings.iter().any(|settings| settings.once_per == OncePer::Incident) {
            self.incidents.end(event, invocation.time()).await?;
        }
        Ok(())
    }
}

fn is_failure(event: &Event) -> bool {
    matches!(event.name, EventName::DatasourceRefreshFailed | EventName::WorkbookRefreshFailed)
}

/// A destination gets an event once. If several rules name it, the first one in the file counts.
fn first_of_each(mut actions: Vec<Forward>) -> Vec<Forward> {
    let mut known = BTreeSet::new();
    actions.retain(|action| {
        let destination = action.settings.destination();
        destination.is_some_and(|destination| known.insert(destination.key().to_owned()))
    });
    actions
}
