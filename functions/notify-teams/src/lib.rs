//! Announces events in Microsoft Teams channels and flows of Power Automate. The crate `alerting` decides when and to whom; `destinations` renders the
//! messages.

mod config;

pub use config::Config;

use alerting::notifier::Notifier;
use alerting::{Engine, RulesRouting};
use destinations::teams::TeamsNotifier;
use rules::settings;
use tableau::Event;
use timer::TimerMessage;
use workflow::{Failure, Invocation, Outcome, TestRequest, Tested, Workflow};

/// The workflow `notify-teams`: alerting with Teams as its destination.
#[derive(Debug)]
pub struct NotifyTeams<N = TeamsNotifier> {
    /// The alerting engine, which decides what is announced and when.
    pub engine: Engine<N, RulesRouting<settings::NotifyTeams>>,
}

impl<N: Notifier<Target = settings::NotifyTeams> + 'static> Workflow for NotifyTeams<N> {
    const NAME: &'static str = "notify-teams";

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
