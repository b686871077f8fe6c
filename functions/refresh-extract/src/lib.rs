//! Says in the log what it would do about WorkbookRefreshSucceeded.

mod config;

pub use config::Config;

use facts::FactLookups;
use rules::{LoadedRules, WorkflowSettings, settings};
use tableau::Event;
use workflow::{Failure, Invocation, Outcome, Workflow};

/// The workflow and what it talks to.
#[derive(Debug)]
pub struct RefreshExtract {
    /// The site that sends the events, and what rules ask it about their objects.
    pub facts: FactLookups,
    /// Which events count.
    pub rules: LoadedRules,
}

impl Workflow for RefreshExtract {
    const NAME: &'static str = "refresh-extract";

    async fn handle(&self, event: &Event, invocation: &Invocation) -> Result<Outcome, Failure> {
        let rules = self.rules.current().map_err(Failure::misconfigured)?;
        let matched = self.facts.matching(&rules, Self::NAME, event, None, invocation).await?;
        let actions = rules.actions::<settings::RefreshExtract>(&matched, &event.site);
        let actions = actions.map_err(Failure::misconfigured)?;
        let Some(action) = actions.into_iter().find(|action| is_for_us(event, &action.settings)) else {
            return Ok(Outcome::skipped(format!("no rule for this {}", event.name)));
        };
        let tableau = self.facts.tableau();
        let asked = tableau.call(invocation, tableau.client().content(&event.subject));
        let Some(content) = asked.await? else {
            return Ok(Outcome::skipped("Tableau has no such object"));
        };
        // Do the work here, in place of the log line: call a client that is a field of this struct and that main.rs makes.
        // `invocation.once(Effect::from("<what>"), call).await?` does a call at most once, also when a later call fails and
        // the event is tried again.
        tracing::info!(event.id = %event.id, rule = action.rule, project = content.project, "would do the work");
        Ok(Outcome::Done)
    }
}

/// Whether a rule with these settings asks for work about the event.
fn is_for_us(event: &Event, settings: &settings::RefreshExtract) -> bool {
    let name = event.resource_name.as_deref().unwrap_or_default();
    settings::RefreshExtract::EVENTS.contains(&event.name) && name.contains(&settings.name_contains)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tableau::Payload;

    fn event(name: &str) -> Event {
        let payload = Payload {
            event_type: Some(name.to_owned()),
            resource_name: Some("Sales Orders".to_owned()),
            site_luid: Some("s-1".to_owned()),
            resource_luid: Some("r-1".to_owned()),
            ..Payload::default()
        };
        Event::try_from(&payload).unwrap()
    }

    #[test]
    fn our_events_are_for_us_and_no_other_is() {
        for name in settings::RefreshExtract::EVENTS {
            assert!(is_for_us(&event(name.as_str()), &settings::RefreshExtract::default()), "{name}");
        }
        assert!(!is_for_us(&event("FlowRunFailed"), &settings::RefreshExtract::default()));
    }

    #[test]
    fn a_rule_can_ask_for_a_part_of_the_name() {
        let settings = |part: &str| settings::RefreshExtract { name_contains: part.to_owned() };
        let event = event(settings::RefreshExtract::EVENTS[0].as_str());
        assert!(is_for_us(&event, &settings("Orders")));
        assert!(!is_for_us(&event, &settings("Returns")));
    }
}
