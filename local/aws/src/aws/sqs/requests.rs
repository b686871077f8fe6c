//! The SQS operations, one by one.

use super::super::names::{ACCOUNT, arn};
use super::super::{Input, Refusal};
use super::attributes::{check_attributes, check_body, invalid_parameter, shown};
use super::queue::{Queue, Receipt};
use super::{Attributes, Queues, Received, checksum, no_such_queue, now};
use serde_json::{Map, Value, json};
use std::ops::RangeInclusive;
use std::time::Duration;

/// The longest visibility timeout, in seconds (12 hours).
const VISIBILITY_SECONDS: RangeInclusive<i64> = 0..=43_200;

fn missing_parameter(name: &str) -> Refusal {
    let message = format!("The request must contain the parameter {name}.");
    let kind = "com.amazon.coral.service#MissingRequiredParameterException";
    Refusal::sqs("MissingRequiredParameterException", "MissingParameter", message).of_kind(kind)
}

fn required<'a>(input: &Input<'a>, name: &str) -> Result<&'a str, Refusal> {
    input.text(name)?.filter(|text| !text.is_empty()).ok_or_else(|| missing_parameter(name))
}

/// The name of the queue in a `QueueUrl`. Only the path of the URL counts.
fn queue_name<'a>(input: &Input<'a>) -> Result<&'a str, Refusal> {
    let url = required(input, "QueueUrl")?;
    let (rest, name) = url.rsplit_once('/').ok_or_else(no_such_queue)?;
    if rest.ends_with(&format!("/{ACCOUNT}")) { Ok(name) } else { Err(no_such_queue()) }
}

/// A number of seconds; refused when outside `range`.
fn seconds(input: &Input<'_>, name: &str, range: RangeInclusive<i64>) -> Result<Option<Duration>, Refusal> {
    let Some(value) = input.number(name)? else { return Ok(None) };
    if !range.contains(&value) {
        return Err(invalid_parameter(format!(
            "Value {value} for parameter {name} is invalid. Reason: Must be >= {} and <= {}, if provided.",
            range.start(),
            range.end()
        )));
    }
    Ok(Some(Duration::from_secs(value.unsigned_abs())))
}

/// A parsed `ReceiveMessage`.
#[derive(Debug)]
pub(crate) struct Receive<'a> {
    pub(crate) queue: &'a str,
    pub(crate) max: usize,
    pub(crate) hidden: Option<Duration>,
    pub(crate) wait: Duration,
    system: Vec<&'a str>,
    attributes: Vec<&'a str>,
}

impl<'a> Receive<'a> {
    pub(crate) fn read(body: &'a Value) -> Result<Self, Refusal> {
        let known = [
            "QueueUrl",
            "MaxNumberOfMessages",
            "VisibilityTimeout",
            "WaitTimeSeconds",
            "AttributeNames",
            "MessageSystemAttributeNames",
            "MessageAttributeNames",
        ];
        let input = Input::new("ReceiveMessage", body, &known)?;
        let max = input.number("MaxNumberOfMessages")?.unwrap_or(1);
        if !(1..=10).contains(&max) {
            return Err(invalid_parameter(format!(
                "Value {max} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and \
                 10, if provided."
            )));
        }
        let mut system = input.texts("AttributeNames")?;
        system.extend(input.texts("MessageSystemAttributeNames")?);
        Ok(Self {
            queue: queue_name(&input)?,
            max: usize::try_from(max).unwrap_or(1),
            hidden: seconds(&input, "VisibilityTimeout", VISIBILITY_SECONDS)?,
            wait: seconds(&input, "WaitTimeSeconds", 0..=20)?.unwrap_or_default(),
            system,
            attributes: input.texts("MessageAttributeNames")?,
        })
    }

    /// The answer to a `ReceiveMessage`; an empty object when there are no messages.
    pub(crate) fn answer(&self, received: &Received) -> Value {
        if received.messages.is_empty() {
            return json!({});
        }
        let messages = received.messages.iter().map(|message| shown(message, &self.system, &self.attributes));
        json!({ "Messages": messages.collect::<Vec<_>>() })
    }
}

impl Queues {
    /// Sends a message. `trace` is the request's `X-Amzn-Trace-Id`, stored with the message as `AWSTraceHeader` unless
    /// the message sets its own.
    ///
    /// Source: <https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html>
    pub(crate) fn send_message(&mut self, body: &Value, trace: Option<&str>) -> Result<Value, Refusal> {
        let known =
            ["QueueUrl", "MessageBody", "DelaySeconds", "MessageAttributes", "MessageSystemAttributes"];
        let input = Input::new("SendMessage", body, &known)?;
        let queue = self.queue(queue_name(&input)?)?;
        let text = required(&input, "MessageBody")?;
        let empty = Map::new();
        let attributes: &Attributes =
            input.get("MessageAttributes").and_then(Value::as_object).unwrap_or(&empty);
        check_body(text, check_attributes(attributes)?)?;
        let delay = seconds(&input, "DelaySeconds", 0..=900)?.unwrap_or_default();
        let own = input.get("MessageSystemAttributes");
        let trace = own.and_then(|own| own["AWSTraceHeader"]["StringValue"].as_str()).or(trace);
        let id = queue.send(now(), text.to_owned(), attributes.clone(), trace.map(str::to_owned), delay);
        let mut answer = json!({ "MessageId": id, "MD5OfMessageBody": checksum::of_body(text) });
        if let Some(sum) = checksum::of_attributes(attributes) {
            answer["MD5OfMessageAttributes"] = Value::String(sum);
        }
        Ok(answer)
    }

    pub(crate) fn delete_message(&mut self, body: &Value) -> Result<Value, Refusal> {
        let input = Input::new("DeleteMessage", body, &["QueueUrl", "ReceiptHandle"])?;
        let queue = self.queue(queue_name(&input)?)?;
        let handle = required(&input, "ReceiptHandle")?;
        check_handle(queue, handle)?;
        queue.delete(handle);
        Ok(json!({}))
    }

    pub(crate) fn change_message_visibility(&mut self, body: &Value) -> Result<Value, Refusal> {
        let known = ["QueueUrl", "ReceiptHandle", "VisibilityTimeout"];
        let input = Input::new("ChangeMessageVisibility", body, &known)?;
        let queue = self.queue(queue_name(&input)?)?;
        let handle = required(&input, "ReceiptHandle")?;
        let hidden = seconds(&input, "VisibilityTimeout", VISIBILITY_SECONDS)?;
        let hidden = hidden.ok_or_else(|| missing_parameter("VisibilityTimeout"))?;
        match check_handle(queue, handle)? {
            Receipt::Current { in_flight: true } => {
                queue.hide_until(handle, now().0 + hidden);
                Ok(json!({}))
            }
            Receipt::Current { in_flight: false } => Err(Refusal::sqs(
                "MessageNotInflight",
                "AWS.SimpleQueueService.MessageNotInflight",
                format!(
                    "Value {handle} for parameter ReceiptHandle is invalid. Reason: Message is not \
                     available for visibility timeout change."
                ),
            )),
            Receipt::Stale | Receipt::Unknown => Err(invalid_parameter(format!(
                "Value {handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or \
                 is not available for visibility timeout change."
            ))),
        }
    }

    pub(crate) fn get_queue_attributes(&mut self, body: &Value) -> Result<Value, Refusal> {
        let input = Input::new("GetQueueAttributes", body, &["QueueUrl", "AttributeNames"])?;
        let queue = self.queue(queue_name(&input)?)?;
        let all = attributes_of(queue);
        let wanted = input.texts("AttributeNames")?;
        if let Some(unknown) = wanted.iter().find(|name| **name != "All" && !all.contains_key(**name)) {
            // A queue without a redrive policy does not return that attribute; AWS does the same.
            if *unknown != "RedrivePolicy" {
                let message = format!("Unknown Attribute {unknown}.");
                return Err(Refusal::sqs("InvalidAttributeName", "InvalidAttributeName", message));
            }
        }
        let shown =
            all.into_iter().filter(|(name, _)| wanted.contains(&"All") || wanted.contains(&name.as_str()));
        Ok(json!({ "Attributes": shown.collect::<Map<_, _>>() }))
    }
}

fn check_handle(queue: &Queue, handle: &str) -> Result<Receipt, Refusal> {
    match queue.receipt(now().0, handle) {
        Receipt::Unknown => Err(Refusal::sqs(
            "ReceiptHandleIsInvalid",
            "ReceiptHandleIsInvalid",
            format!("The input receipt handle \"{handle}\" is not a valid receipt handle."),
        )),
        known => Ok(known),
    }
}

fn attributes_of(queue: &Queue) -> Map<String, Value> {
    let counts = queue.counts(now().0);
    let mut all = Map::new();
    let mut set = |name: &str, value: String| all.insert(name.to_owned(), Value::String(value));
    set("QueueArn", arn("sqs", &queue.spec.name));
    set("ApproximateNumberOfMessages", counts.visible.to_string());
    set("ApproximateNumberOfMessagesNotVisible", counts.in_flight.to_string());
    set("ApproximateNumberOfMessagesDelayed", counts.delayed.to_string());
    set("VisibilityTimeout", queue.spec.visibility_timeout.as_secs().to_string());
    set("CreatedTimestamp", queue.created_at_s.to_string());
    set("LastModifiedTimestamp", queue.created_at_s.to_string());
    set("MaximumMessageSize", "1048576".to_owned());
    set("MessageRetentionPeriod", "345600".to_owned());
    set("DelaySeconds", "0".to_owned());
    set("ReceiveMessageWaitTimeSeconds", "0".to_owned());
    if let Some(letters) = &queue.spec.dead_letters {
        let target = arn("sqs", &letters.queue);
        let policy = json!({ "deadLetterTargetArn": target, "maxReceiveCount": letters.max_receive_count });
        set("RedrivePolicy", policy.to_string());
    }
    all
}
