//! Text messages on the local stack: a simulated account of Twilio.

use rules::Rules;
use rules::settings::SendSms;
use simulator::{TwilioMessage, TwilioSimulator};
use workflow::BoxError;

/// Whether the rules name a number.
pub(super) fn is_named(rules: &Rules) -> Result<bool, BoxError> {
    Ok(!rules.settings::<SendSms>()?.is_empty())
}

/// The line that says where the simulated account is.
pub(super) fn summary(twilio: &TwilioSimulator) -> String {
    format!("Twilio     {}  simulated; its texts are shown here", twilio.url())
}

/// The title and the content of the frame around a text.
pub(super) fn shown(message: &TwilioMessage) -> (String, String) {
    let segments =
        if message.segments == 1 { "1 segment".to_owned() } else { format!("{} segments", message.segments) };
    (format!("Text to {} ({segments})", message.to), message.body.clone())
}
