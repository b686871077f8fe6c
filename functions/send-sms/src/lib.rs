//! Sends text messages about events. The crate `alerting` decides when; `routing` makes a target of each number; `destinations` renders,
//! counts and sends the texts.

mod config;
mod routing;

pub use config::Config;
pub use routing::SmsRouting;

use alerting::Engine;
use alerting::notifier::Notifier;
use destinations::twilio::TwilioNotifier;
use rules::PhoneNumber;
use tableau::Event;
use timer::TimerMessage;
use workflow::{Failure, Invocation, Outcome, TestRequest, Tested, Workflow};

/// The workflow `send-sms`: alerting with text messages as its destination.
#[derive(Debug)]
pub struct SendSms<N = TwilioNotifier> {
    /// The alerting engine, which decides what is announced and when.
    pub engine: Engine<N, SmsRouting>,
}

impl<N: Notifier<Target = PhoneNumber> + 'static> Workflow for SendSms<N> {
    const NAME: &'static str = "send-sms";

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
        // A person may write the number; everything else calls it by its key.
        let target = test.target.as_deref().map(|wanted| match PhoneNumber::parse(wanted) {
            Ok(number) => number.key(),
            Err(_) => wanted.to_owned(),
        });
        self.engine.on_test(&TestRequest { target }, invocation).await
    }
}
