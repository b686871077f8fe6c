//! Amazon SNS.

use super::refusal::{AwsError, Kind, error};
use super::{AwsDestinations, Letter, TIMEOUT};
use aws_sdk_sns::Client;
use aws_sdk_sns::config::Builder;
use aws_sdk_sns::config::retry::RetryConfig;
use aws_sdk_sns::config::timeout::TimeoutConfig;
use aws_sdk_sns::types::MessageAttributeValue;

const ACTION: &str = "sns:Publish";
/// The longest subject, in characters.
const SUBJECT_LIMIT: usize = 99;

impl AwsDestinations {
    /// Publishes to a topic, once. A topic of the kind FIFO recognises a repeat for five minutes.
    pub(crate) async fn publish(&self, letter: Letter<'_>) -> Result<(), AwsError> {
        let timeouts =
            TimeoutConfig::builder().operation_timeout(TIMEOUT).operation_attempt_timeout(TIMEOUT).build();
        let config = Builder::from(&self.0)
            .region(Self::region(letter))
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .build();
        let attribute = |text: &str| {
            let value = MessageAttributeValue::builder().data_type("String").string_value(text).build();
            value.map_err(|wrong| AwsError::new(letter.arn, Kind::Refused, wrong.to_string()))
        };
        let event = if letter.event.is_empty() { "Unknown" } else { letter.event };
        let mut publish = Client::from_conf(config)
            .publish()
            .topic_arn(letter.arn)
            .subject(subject(letter.title))
            .message(letter.body)
            .message_attributes("event", attribute(event)?)
            .message_attributes("id", attribute(letter.id)?);
        if letter.arn.ends_with(".fifo") {
            publish = publish.message_group_id(group(letter.object)).message_deduplication_id(letter.id);
        }
        match publish.send().await {
            Ok(answer) if answer.message_id().is_some_and(|id| !id.is_empty()) => Ok(()),
            Ok(_) => {
                let reason =
                    format!("{ACTION} was answered without a message id: the message is not confirmed");
                Err(AwsError::new(letter.arn, Kind::Down, reason))
            }
            Err(wrong) => Err(error(letter.arn, ACTION, &wrong)),
        }
    }
}

/// A subject: ASCII in one line, which begins with a letter or digit.
fn subject(title: &str) -> String {
    let ascii: String =
        title.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect();
    let words: Vec<&str> = ascii.split(' ').filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    let line = line.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    let line: String = line.chars().take(SUBJECT_LIMIT).collect();
    if line.trim().is_empty() { "Tableau event".to_owned() } else { line.trim_end().to_owned() }
}

fn group(object: &str) -> String {
    let is_part = |c: &char| c.is_ascii_alphanumeric() || "-_".contains(*c);
    let group: String = object.chars().filter(is_part).take(128).collect();
    if group.is_empty() { "tableau".to_owned() } else { group }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_a_short_line_of_ascii() {
        assert_eq!(subject("Extract refresh failed: Größe\r\nx"), "Extract refresh failed: Gr??e??x");
        assert_eq!(subject("🔴 failed"), "failed");
        assert_eq!(subject("データ"), "Tableau event");
        assert_eq!(subject(&"a".repeat(300)).len(), 99);
    }
}
