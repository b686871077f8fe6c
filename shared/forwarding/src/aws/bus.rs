//! Amazon EventBridge.

use super::refusal::{AwsError, Kind, error, of_code};
use super::{AwsDestinations, Letter, TIMEOUT};
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::config::Builder;
use aws_sdk_eventbridge::config::retry::RetryConfig;
use aws_sdk_eventbridge::config::timeout::TimeoutConfig;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_smithy_types::DateTime;

/// The source of forwarded events. Another one than that of the stack's own bus: a bus that forwards to itself makes no circle.
const SOURCE: &str = "tableau.webhooks.forwarded";
const ACTION: &str = "events:PutEvents";

impl AwsDestinations {
    /// Puts an event on a bus, once.
    pub(crate) async fn put_event(&self, letter: Letter<'_>) -> Result<(), AwsError> {
        if !letter.body.starts_with('{') {
            let reason =
                "an event of EventBridge has a JSON object for its detail: let the template make one"
                    .to_owned();
            return Err(AwsError::new(letter.arn, Kind::Refused, reason));
        }
        let is_part = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        let name =
            Some(letter.event).filter(|name| (1..=128).contains(&name.len()) && name.chars().all(is_part));
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(letter.arn)
            .source(SOURCE)
            .detail_type(name.unwrap_or("Unknown"))
            .set_time(letter.at.map(|at| DateTime::from_secs(at.as_second())))
            .detail(letter.body)
            .build();
        let timeouts =
            TimeoutConfig::builder().operation_timeout(TIMEOUT).operation_attempt_timeout(TIMEOUT).build();
        let config = Builder::from(&self.0)
            .region(Self::region(letter))
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .build();
        let answer = Client::from_conf(config).put_events().entries(entry).send().await;
        let answer = answer.map_err(|wrong| error(letter.arn, ACTION, &wrong))?;
        // A 200 is no success: the entry says it.
        match answer.entries() {
            [entry] if entry.error_code().is_none() && entry.event_id().is_some_and(|id| !id.is_empty()) => {
                Ok(())
            }
            [entry] => Err(of_code(letter.arn, ACTION, 200, entry.error_code().unwrap_or_default())),
            _ => {
                let reason = format!("{ACTION} was answered without an event id: the event is not confirmed");
                Err(AwsError::new(letter.arn, Kind::Down, reason))
            }
        }
    }
}
