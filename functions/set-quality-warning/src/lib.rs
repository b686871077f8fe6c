//! Sets a data quality warning on a data source while its refresh fails. The crate `alerting` decides when and on what; [`WarningNotifier`]
//! sets, changes and removes the warning.

mod config;
mod licence;
mod notifier;
mod text;

pub use config::{Config, SCOPES};
pub use notifier::WarningNotifier;

use alerting::notifier::Notifier;
use alerting::{Engine, RulesRouting};
use rules::settings;
use tableau::Event;
use timer::TimerMessage;
use workflow::{Failure, Invocation, Outcome, TestRequest, Tested, Workflow};

/// The workflow `set-quality-warning`: alerting whose messages are the warnings on data sources.
#[derive(Debug)]
pub struct SetQualityWarning<N = WarningNotifier> {
    /// The alerting engine, which decides what is announced and when.
    pub engine: Engine<N, RulesRouting<settings::SetQualityWarning>>,
}

impl<N: Notifier<Target = settings::SetQualityWarning> + 'static> Workflow for SetQualityWarning<N> {
    const NAME: &'static str = "set-quality-warning";

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
