//! Pages about events through PagerDuty. The crate `alerting` decides when and to whom; `destinations` renders and sends the alerts.

mod config;
mod routing;

pub use config::Config;
pub use routing::{ServiceRouting, Target, one_for_each_service};

use alerting::Engine;
use alerting::notifier::Notifier;
use destinations::pagerduty::PagerDutyNotifier;
use rules::settings;
use tableau::Event;
use timer::TimerMessage;
use workflow::{Failure, Invocation, Outcome, TestRequest, Tested, Workflow};

/// The workflow `page-on-call`: alerting with PagerDuty as its destination.
#[derive(Debug)]
pub struct PageOnCall<N = PagerDutyNotifier> {
    /// The alerting engine, which decides what is announced and when.
    pub engine: Engine<N, ServiceRouting>,
}

impl<N: Notifier<Target = settings::PageOnCall> + 'static> Workflow for PageOnCall<N> {
    const NAME: &'static str = "page-on-call";

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
