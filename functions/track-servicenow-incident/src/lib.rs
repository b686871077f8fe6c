//! Keeps incidents in ServiceNow for what fails. The crate `alerting` decides when and to whom; `destinations` writes the incidents.

mod config;

pub use config::Config;

use alerting::notifier::Notifier;
use alerting::{Engine, RulesRouting};
use destinations::servicenow::ServiceNowNotifier;
use rules::settings;
use tableau::Event;
use timer::TimerMessage;
use workflow::{Failure, Invocation, Outcome, TestRequest, Tested, Workflow};

/// The workflow `track-servicenow-incident`: alerting with ServiceNow as its destination.
#[derive(Debug)]
pub struct TrackServicenowIncident<N = ServiceNowNotifier> {
    /// The alerting engine, which decides what is announced and when.
    pub engine: Engine<N, RulesRouting<settings::TrackServicenowIncident>>,
}

impl<N: Notifier<Target = settings::TrackServicenowIncident> + 'static> Workflow
    for TrackServicenowIncident<N>
{
    const NAME: &'static str = "track-servicenow-incident";

    async fn handle(&self, event: &Event, invocation: &Invocation) -> Result<Outcome, Failure> {
        self.engine.on_event(event, invocation).await
    }

    async fn on_timer(&self, timer: &TimerMessage, invocation: &Invocation) -> Result<Outcome, Failure> {
        self.engine.on_timer(timer, invocation).await
    }

    async fn on_sweep(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        self.engine.on_sweep(invocation).await
    }

    async fn on_test(&self, test: &TestRequest, invocation: &Invocation) -> Result<Vec<Tested>, Failure> {
        self.engine.on_test(test, invocation).await
    }
}
