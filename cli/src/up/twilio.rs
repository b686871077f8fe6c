//! Text messages on the local stack: a simulated account of Twilio.

use simulator::TwilioMessage;

/// The title and the content of the frame around a text.
pub(super) fn shown(message: &TwilioMessage) -> (String, String) {
    let segments =
        if message.segments == 1 { "1 segment".to_owned() } else { format!("{} segments", message.segments) };
    (format!("Text to {} ({segments})", message.to), message.body.clone())
}
