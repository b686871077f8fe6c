//! Sends e-mails about events. The crate `alerting` decides when; `recipients` finds out to whom; `email` renders and sends the mails.

mod config;
mod recipients;
mod routing;

pub use config::Config;
pub use routing::MailRouting;

use alerting::Engine;
use alerting::notifier::Notifier;
use email::{EmailNotifier, MailTarget};
use tableau::Event;
use timer::TimerMessage;
use workflow::{Failure, Invocation, Outcome, TestRequest, Tested, Workflow};

/// The workflow `send-email`: alerting with e-mail as its destination.
#[derive(Debug)]
pub struct SendEmail<N = EmailNotifier> {
    /// The alerting engine, which decides what is announced and when.
    pub engine: Engine<N, MailRouting>,
}

impl<N: Notifier<Target = MailTarget> + 'static> Workflow for SendEmail<N> {
    const NAME: &'static str = "send-email";

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
