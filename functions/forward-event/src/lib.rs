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
use std::time::Duration;
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

/// What an attempt keeps for its end.
const RESERVE: Duration = Duration::from_secs(3);

/// An event and what one action does with it.
#[derive(Clone, Copy)]
struct Task<'a> {
    event: &'a Event,
    action: &'a Forward,
    payload: &'a Payload,
    /// What Tableau says about the event, where a body needs it.
    data: Option<&'a Data>,
    /// How long the destination may take.
    longest: Duration,
}

impl Workflow for ForwardEvent {
    const NAME: &'static str = "forward-event";

    async fn handle(&self, event: &Event, invocation: &Invocation) -> Result<Outcome, Failure> {
        let rules = self.rules.current().map_err(Failure::misconfigured)?;
        self.end_incident(event, &rules, invocation).await?;
        let matched = self.facts.matching(&rules, Self::NAME, event, None, invocation).await?;
        let actions = rules.actions::<settings::ForwardEvent>(&matched, &event.site);
        let (actions, mut reasons) = due(actions.map_err(Failure::misconfigured)?, invocation);
        let has_actions = !actions.is_empty() || !reasons.is_empty();
        let Some(payload) = invocation.payload().filter(|_| has_actions) else {
            return Ok(Outcome::skipped(format!("no rule forwards this {}", event.name)));
        };
        let site = rules.site(&event.site);
        let mut data = None;
        let mut is_done = false;
        let mut failed = None;
        for (n, action) in actions.iter().enumerate() {
            if action.settings.body() != Body::Raw && data.is_none() {
                match forwarding::enrich(&self.facts, Question::new(event, invocation), site).await {
                    Ok(found) => data = Some(found),
                    Err(failure) => {
                        failed = Some(Failure::worse(failed, failure));
                        continue;
                    }
                }
            }
            // Of the time that is left each destination gets its part: one that does not answer keeps no other from its event.
            let left = u32::try_from(actions.len() - n).unwrap_or(u32::MAX);
            let longest = invocation.remaining().saturating_sub(RESERVE) / left;
            let task = Task { event, action, payload, data: data.as_ref(), longest };
            match self.forward(task, invocation).await {
                Ok(None) => is_done = true,
                Ok(Some(reason)) => reasons.push(reason),
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
    async fn forward(&self, task: Task<'_>, invocation: &Invocation) -> Result<Option<String>, Failure> {
        let Task { event, action, payload, data, longest } = task;
        let settings = &action.settings;
        let Some(destination) = settings.destination() else { return Ok(None) };
        let effect = Effect::from(format!("forwarded/{}", destination.key()).as_str());
        if invocation.has_happened(&effect) {
            return Ok(None);
        }
        if let Some(reason) = self.forwarder.stopped(destination, invocation.time()).await? {
            return Ok(Some(reason));
        }
        let body = forwarding::body(settings, &action.rule, payload, data)?;
        let is_per_incident = settings.once_per == OncePer::Incident && is_failure(event);
        if is_per_incident {
            let turn = self.incidents.begin(event, destination.key(), invocation.time()).await?;
            if let Turn::Later(reason) = turn {
                return Ok(Some(reason));
            }
        }
        let title = match data {
            Some(data) if settings.body() != Body::Raw => data.title.as_str(),
            _ => event.name.as_str(),
        };
        let parcel = Parcel { event, destination, title, body: &body, longest };
        let sent = invocation.once(effect, self.forwarder.send(parcel, invocation)).await;
        if is_per_incident {
            self.note(event, destination, &sent, invocation).await;
        }
        sent.map(|_| None)
    }

    /// Notes what became of the first failure of an incident.
    async fn note(
        &self,
        event: &Event,
        destination: Destination<'_>,
        sent: &Result<Option<Sent>, Failure>,
        invocation: &Invocation,
    ) {
        let key = destination.key();
        let now = invocation.time();
        match sent {
            Ok(Some(sent)) => self.incidents.note(event, key, sent.made.clone(), now).await,
            Err(Failure::Permanent { .. }) => self.incidents.give_back(event, key, now).await,
            Err(_) if !invocation.retried => self.incidents.give_back(event, key, now).await,
            Err(Failure::Misconfigured { .. }) => self.incidents.hold(event, key, now).await,
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

/// The actions whose time has come, and why others have to wait. A destination gets an event once: if several rules name it, the first one
/// in the file counts that is not muted.
fn due(actions: Vec<Forward>, invocation: &Invocation) -> (Vec<Forward>, Vec<String>) {
    let mut known = BTreeSet::new();
    let mut due = Vec::new();
    let mut reasons = Vec::new();
    for action in actions {
        if let Some(until) = action.muted_until(invocation.now) {
            reasons.push(format!("the rule `{}` is muted until {until:.0}", action.rule));
            continue;
        }
        let key = action.settings.destination().map(|destination| destination.key().to_owned());
        if key.is_some_and(|key| known.insert(key)) {
            due.push(action);
        }
    }
    (due, reasons)
}
