//! Announces events in Slack channels. The crate `alerting` decides when and to whom; `destinations` renders the
//! messages.

mod config;

pub use config::Config;

use alerting::notifier::Notifier;
use alerting::{Engine, RulesRouting};
use destinations::slack::SlackNotifier;
use rules::settings;
use tableau::Event;
use timer::TimerMessage;
use workflow::{Failure, Invocation, Outcome, TestRequest, Tested, Workflow};

/// The workflow `notify-slack`: alerting with Slack as its destination.
#[derive(Debug)]
pub struct NotifySlack<N = SlackNotifier> {
    /// The alerting engine, which decides what is announced and when.
    pub engine: Engine<N, RulesRouting<settings::NotifySlack>>,
}

impl<N: Notifier<Target = settings::NotifySlack> + 'static> Workflow for NotifySlack<N> {
    const NAME: &'static str = "notify-slack";

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
