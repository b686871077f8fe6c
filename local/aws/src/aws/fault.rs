//! Calls counted, and failures on request.

use super::{ACCOUNT, Refusal};
use http::StatusCode;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Status 500.
    InternalError,
    /// The service's own error for too many requests.
    Throttled,
    /// The caller is not allowed to.
    AccessDenied,
    /// `PutEvents` answers 200, says of every entry that it failed, and publishes none; a batch of SQS does so of its
    /// first entry alone. `BatchGetItem` leaves its first key out, and `TransactWriteItems` is cancelled because of another
    /// request for its first item. An internal error in any other operation.
    PartialFailure,
    /// A transaction is changing the item of an `UpdateItem`. An internal error in any other operation.
    TransactionConflict,
    /// The answer comes this much later. The call is carried out after the wait, and not at all when the caller
    /// has hung up by then.
    Hang(Duration),
    /// The call is carried out, and answered with status 500, as if its answer was lost on the way. Not for
    /// `SQS.ReceiveMessage`, whose answers come as they are.
    AnswerLost,
}

impl Fault {
    /// The error a call of `operation` gets; `None` for a fault that is not an error.
    pub(super) fn refusal(self, operation: &str) -> Option<Refusal> {
        let service = operation.split('.').next().unwrap_or_default();
        match self {
            Self::Hang(_) | Self::AnswerLost => None,
            Self::PartialFailure
                if operation == "EventBridge.PutEvents"
                    || (service == "SQS" && operation.ends_with("Batch"))
                    || matches!(operation, "DynamoDB.BatchGetItem" | "DynamoDB.TransactWriteItems") =>
            {
                None
            }
            Self::TransactionConflict if operation == "DynamoDB.UpdateItem" => Some(Refusal::new(
                "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
                "Transaction is ongoing for the item",
            )),
            Self::InternalError | Self::PartialFailure | Self::TransactionConflict => {
                Some(Refusal::internal(match service {
                    "DynamoDB" => "com.amazonaws.dynamodb.v20120810#InternalServerError",
                    "EventBridge" => "InternalException",
                    "Scheduler" => "InternalServerException",
                    "SecretsManager" => "InternalServiceError",
                    _ => "com.amazon.coral.service#InternalFailure",
                }))
            }
            Self::AccessDenied => {
                let action = operation.replacen('.', ":", 1);
                let message =
                    format!("User: arn:aws:iam::{ACCOUNT}:user/local is not authorized to perform: {action}");
                Some(match service {
                    "SQS" => Refusal::sqs("AccessDeniedException", "AccessDenied", message)
                        .of_kind("com.amazon.coral.service#AccessDeniedException"),
                    "CloudFormation" => {
                        Refusal::new("AccessDenied", message).with_status(StatusCode::FORBIDDEN)
                    }
                    _ => Refusal::new("AccessDeniedException", message),
                })
            }
            Self::Throttled => Some(match service {
                "SQS" => Refusal::sqs("RequestThrottled", "RequestThrottled", "Rate exceeded"),
                "DynamoDB" => Refusal::new(
                    "com.amazonaws.dynamodb.v20120810#ThrottlingException",
                    "Throughput exceeds the current throughput limit for your account.",
                ),
                _ => Refusal::new("ThrottlingException", "Rate exceeded"),
            }),
        }
    }

    /// The error in the place of the answer to a call of `operation` that was carried out.
    pub(super) fn refusal_after(self, operation: &str) -> Option<Refusal> {
        (self == Self::AnswerLost).then(|| Self::InternalError.refusal(operation))?
    }
}

/// What was called how often, and what fails next.
#[derive(Debug, Default)]
pub(super) struct Faults {
    calls: BTreeMap<&'static str, usize>,
    /// Those of DynamoDB, by the kinds of their items as well.
    requests: BTreeMap<(String, String), usize>,
    next: BTreeMap<String, VecDeque<Fault>>,
}

impl Faults {
    /// Counts a call, and says how it is to fail.
    pub(super) fn arrive(&mut self, operation: &'static str) -> Option<Fault> {
        *self.calls.entry(operation).or_default() += 1;
        self.next.get_mut(operation).and_then(VecDeque::pop_front)
    }

    pub(super) fn count_request(&mut self, operation: &'static str, kinds: String) {
        let operation = operation.rsplit('.').next().unwrap_or_default().to_owned();
        *self.requests.entry((operation, kinds)).or_default() += 1;
    }

    pub(super) fn requests(&self) -> BTreeMap<(String, String), usize> {
        self.requests.clone()
    }

    pub(super) fn calls(&self, operation: &str) -> usize {
        self.calls.get(operation).copied().unwrap_or_default()
    }

    pub(super) fn fail_next(&mut self, operation: &str, times: usize, fault: Fault) {
        self.next.entry(operation.to_owned()).or_default().extend(std::iter::repeat_n(fault, times));
    }
}
