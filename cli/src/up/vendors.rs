//! The simulated services around the local stack, and the lines that say where they listen.

use simulator::{
    GraphSimulator, PagerDutySimulator, ReceiverSimulator, ServiceNowSimulator, SlackSimulator,
    TeamsSimulator, TwilioSimulator,
};
use std::collections::BTreeSet;

/// The simulated services; `None` where a real one is used.
#[derive(Clone)]
pub(crate) struct Vendors {
    pub(crate) slack: Option<SlackSimulator>,
    pub(crate) teams: Option<TeamsSimulator>,
    pub(crate) servicenow: Option<ServiceNowSimulator>,
    pub(crate) pagerduty: Option<PagerDutySimulator>,
    pub(crate) twilio: Option<TwilioSimulator>,
    pub(crate) graph: Option<GraphSimulator>,
    /// Receivers of forwarded events.
    pub(crate) receivers: Option<ReceiverSimulator>,
}

impl Vendors {
    /// A line for Slack, and for each other service whose workflow the rules name.
    pub(super) fn summary(&self, workflows: &BTreeSet<String>) -> Vec<String> {
        let slack = match &self.slack {
            Some(slack) => format!("{}  simulated; its messages are shown here", slack.url()),
            None => "your own: messages go there, and are not shown here".to_owned(),
        };
        let teams = match &self.teams {
            Some(teams) => format!("{}  simulated; what flows post is shown here", teams.url()),
            None => "a flow of your own: messages go there, and are not shown here".to_owned(),
        };
        let pagerduty = match &self.pagerduty {
            Some(pagerduty) => format!("{}  simulated; its alerts are shown here", pagerduty.url()),
            None => "your own: it pages people, and its alerts are not shown here".to_owned(),
        };
        let servicenow = self.servicenow.as_ref().map(|servicenow| {
            let url = servicenow.url();
            format!("{url}  simulated; its incidents are shown here and at /simulator/incidents")
        });
        let twilio = self
            .twilio
            .as_ref()
            .map(|twilio| format!("{}  simulated; its texts are shown here", twilio.url()));
        let graph = self
            .graph
            .as_ref()
            .map(|graph| format!("{}  simulated SharePoint; its new files are shown here", graph.url()));
        let receivers = self
            .receivers
            .as_ref()
            .map(|all| format!("{}  simulated receivers; requests are shown here", all.url()));
        let of = |workflow: &str| workflows.contains(workflow);
        [
            ("Slack", Some(slack)),
            ("Teams", Some(teams).filter(|_| of("notify-teams"))),
            ("ServiceNow", servicenow.filter(|_| of("track-servicenow-incident"))),
            ("PagerDuty", Some(pagerduty).filter(|_| of("page-on-call"))),
            ("Twilio", twilio.filter(|_| of("send-sms"))),
            ("SharePoint", graph.filter(|_| of("publish-pdf"))),
            ("Forward", receivers.filter(|_| of("forward-event"))),
        ]
        .into_iter()
        .filter_map(|(name, line)| line.map(|line| format!("{name:<10} {line}")))
        .collect()
    }
}
