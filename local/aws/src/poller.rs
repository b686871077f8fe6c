//! Event source mappings: pass messages from a queue to a function, and delete the messages that succeeded.

use crate::aws::names::arn;
use crate::aws::sqs::{Message, checksum, system_attributes};
use crate::aws::{Aws, REGION};
use crate::lambda::Lambda;
use crate::lineage::Lineage;
use crate::process::InvocationError;
use crate::stack_event::{Observer, StackEvent};
use crate::template::Mapping;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How long one receive waits for messages (long polling).
const WAIT: Duration = Duration::from_secs(20);
/// How long to wait after a queue could not be received from.
const PAUSE: Duration = Duration::from_secs(1);

/// The first wait after Lambda throttled the function. Each further wait doubles, up to a maximum. AWS says only that
/// the waits grow; the lengths are ours.
const FIRST_BACK_OFF: Duration = Duration::from_millis(100);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(5);
/// How many batches Lambda processes at the same time at first, unless the mapping sets a lower maximum.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>
pub(crate) const CONCURRENCY: usize = 5;

/// Polls a queue until the task is stopped. One task processes one batch after another.
pub(crate) async fn poll(aws: Aws, mapping: Mapping, function: Lambda, observer: Observer) {
    loop {
        match aws.receive(&mapping.queue, mapping.batch_size, WAIT).await {
            Ok(messages) if messages.is_empty() => {}
            Ok(messages) => deliver(&aws, &mapping, &function, &observer, &messages).await,
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn deliver(aws: &Aws, mapping: &Mapping, function: &Lambda, observer: &Observer, messages: &[Message]) {
    let started = Instant::now();
    let name = || function.name().to_owned();
    let failed = match invoke(aws, mapping, function, observer, messages).await {
        Ok(_) if !mapping.reports_failures => BTreeSet::new(),
        Ok(answer) => failures(&answer, messages),
        Err(error) => {
            observer.notify(match error {
                InvocationError::Throttled => StackEvent::Throttled { function: name() },
                InvocationError::Recursive { .. } => StackEvent::RecursionStopped { function: name() },
                error => StackEvent::Failed { function: name(), reason: error.chain() },
            });
            all(messages)
        }
    };
    let done = messages.iter().filter(|message| !failed.contains(message.id.as_str()));
    aws.delete(&mapping.queue, done.filter_map(|message| message.receipt.as_deref()));
    observer.notify(StackEvent::Delivered {
        function: name(),
        messages: messages.len(),
        failures: failed.len(),
        duration: started.elapsed(),
    });
}

/// Invokes the function with a batch. While the function is throttled, Lambda keeps the messages and retries until
/// their visibility timeout ends. After any other error the messages become visible again by themselves.
///
/// Sources: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-backoff-strategy>,
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html>
async fn invoke(
    aws: &Aws,
    mapping: &Mapping,
    function: &Lambda,
    observer: &Observer,
    messages: &[Message],
) -> Result<Value, InvocationError> {
    let received = Instant::now();
    let hidden = aws.visibility_timeout(&mapping.queue).unwrap_or_default();
    let event = event(&mapping.queue, messages);
    // For one message the chain is clear. AWS does not document what counts for several messages; this double takes
    // the longest chain.
    let headers = messages.iter().filter_map(|message| message.trace_header.as_deref());
    let trace = headers.max_by_key(|header| Lineage::next(Some(header), function.name()).earlier());
    let mut wait = FIRST_BACK_OFF;
    loop {
        let outcome = function.invoke(&event, trace).await;
        let is_throttled = matches!(outcome, Err(InvocationError::Throttled));
        if !is_throttled || received.elapsed() + wait >= hidden {
            return outcome;
        }
        observer.notify(StackEvent::Throttled { function: function.name().to_owned() });
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_BACK_OFF);
    }
}

/// The event that the function gets for a batch.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>
fn event(queue: &str, messages: &[Message]) -> Value {
    let records = messages.iter().map(|message| {
        let mut record = json!({
            "messageId": message.id,
            "receiptHandle": message.receipt,
            "body": message.body,
            "attributes": system_attributes(message),
            "messageAttributes": message_attributes(&message.attributes),
            "md5OfBody": checksum::of_body(&message.body),
            "eventSource": "aws:sqs",
            "eventSourceARN": arn("sqs", queue),
            "awsRegion": REGION,
        });
        if let Some(sum) = checksum::of_attributes(&message.attributes) {
            record["md5OfMessageAttributes"] = Value::String(sum);
        }
        record
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}

/// The message's attributes, with the member names that Lambda uses.
fn message_attributes(attributes: &Map<String, Value>) -> Map<String, Value> {
    let written = attributes.iter().map(|(name, attribute)| {
        let mut written = json!({
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": attribute["DataType"],
        });
        for (from, to) in [("StringValue", "stringValue"), ("BinaryValue", "binaryValue")] {
            if !attribute[from].is_null() {
                written[to] = attribute[from].clone();
            }
        }
        (name.clone(), written)
    });
    written.collect()
}

fn all(messages: &[Message]) -> BTreeSet<&str> {
    messages.iter().map(|message| message.id.as_str()).collect()
}

/// The ids of the messages that failed.
///
/// An empty answer means that all messages succeeded. An unreadable answer, or an id outside the batch, means that all
/// failed.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting>
fn failures<'a>(answer: &Value, messages: &'a [Message]) -> BTreeSet<&'a str> {
    let items = match answer {
        Value::Null => return BTreeSet::new(),
        Value::String(text) if text.is_empty() => return BTreeSet::new(),
        Value::Object(map) => match map.get("batchItemFailures") {
            None | Some(Value::Null) => return BTreeSet::new(),
            Some(Value::Array(items)) => items,
            Some(_) => return all(messages),
        },
        _ => return all(messages),
    };
    let ids = items.iter().map(|item| {
        let id = item["itemIdentifier"].as_str()?;
        messages.iter().map(|message| message.id.as_str()).find(|known| *known == id)
    });
    ids.collect::<Option<BTreeSet<_>>>().unwrap_or_else(|| all(messages))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{QueueSpec, sqs};

    async fn messages() -> Vec<sqs::Message> {
        let aws = Aws::start().await.unwrap();
        aws.create_queue(QueueSpec::new("work"));
        aws.send("work", "one").unwrap();
        aws.send("work", "two").unwrap();
        aws.receive("work", 10, Duration::ZERO).await.unwrap()
    }

    #[tokio::test]
    async fn what_an_answer_says_of_the_batch() {
        let messages = messages().await;
        let first = messages[0].id.as_str();
        let second = messages[1].id.as_str();
        let failed = |answer: Value| failures(&answer, &messages).len();
        for answer in [json!(null), json!(""), json!({}), json!({ "batchItemFailures": null })] {
            assert_eq!(failed(answer.clone()), 0, "{answer}");
        }
        assert_eq!(failed(json!({ "batchItemFailures": [] })), 0);
        let one = json!({ "batchItemFailures": [{ "itemIdentifier": second }] });
        assert_eq!(failures(&one, &messages), BTreeSet::from([second]));
        for answer in [
            json!("nonsense"),
            json!([1]),
            json!({ "batchItemFailures": "x" }),
            json!({ "batchItemFailures": [{ "itemIdentifier": "unknown" }] }),
            json!({ "batchItemFailures": [{ "itemIdentifier": "" }, { "itemIdentifier": first }] }),
            json!({ "batchItemFailures": [{ "itemIdentifier": null }] }),
            json!({ "batchItemFailures": [{ "other": first }] }),
        ] {
            assert_eq!(failed(answer.clone()), 2, "{answer}");
        }
    }

    #[tokio::test]
    async fn a_batch_becomes_the_documented_event() {
        let messages = messages().await;
        let event = event("work", &messages);
        let record = &event["Records"][0];
        assert_eq!(event["Records"].as_array().unwrap().len(), 2);
        assert_eq!(record["messageId"], messages[0].id);
        assert_eq!(record["body"], "one");
        assert_eq!(record["eventSource"], "aws:sqs");
        assert_eq!(record["eventSourceARN"], "arn:aws:sqs:us-east-1:000000000000:work");
        assert_eq!(record["attributes"]["ApproximateReceiveCount"], "1");
        assert_eq!(record["messageAttributes"], json!({}));
        assert_eq!(record["md5OfBody"], "f97c5d29941bfb1b2fdab0874906ab82");
    }
}
