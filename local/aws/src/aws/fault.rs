//! Counts calls, and makes calls fail on request.

use super::{ACCOUNT, Refusal};
use http::StatusCode;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How a call to the AWS double fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The service answers status 500.
    InternalError,
    /// The service answers with its own throttling error.
    Throttled,
    /// The service answers that the caller lacks the permission.
    AccessDenied,
    /// Only a part fails. `PutEvents` answers 200, reports every entry as failed and publishes none. An SQS batch
    /// reports its first entry as failed. `BatchGetItem` returns its first key as unprocessed. `TransactWriteItems` is
    /// cancelled by a conflict on its first item. Any other operation answers status 500.
    PartialFailure,
    /// `UpdateItem` is refused because a transaction is changing the same item. Any other operation answers status
    /// 500.
    TransactionConflict,
    /// The answer is delayed by this duration. The call is carried out after the delay, unless the caller disconnected
    /// before.
    Hang(Duration),
    /// The call is carried out but answered with status 500, as if the answer was lost. Not possible for
    /// `SQS.ReceiveMessage`, which answers normally.
    AnswerLost,
}

impl Fault {
    /// The error answer for a call of `operation`; `None` for a fault that is not an error.
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
                    "SES" => "InternalServiceErrorException",
                    "SNS" => "InternalError",
                    "Lambda" => "ServiceException",
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
                    "Lambda" | "S3" | "SES" => {
                        Refusal::new("AccessDeniedException", message).with_status(StatusCode::FORBIDDEN)
                    }
                    "SNS" => Refusal::new("AuthorizationError", message).with_status(StatusCode::FORBIDDEN),
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
                "SNS" => {
                    Refusal::new("Throttled", "Rate exceeded").with_status(StatusCode::TOO_MANY_REQUESTS)
                }
                "SES" => Refusal::new("TooManyRequestsException", "Maximum sending rate exceeded.")
                    .with_status(StatusCode::TOO_MANY_REQUESTS),
                "Lambda" => Refusal::new("TooManyRequestsException", "Rate Exceeded.")
                    .with_status(StatusCode::TOO_MANY_REQUESTS),
                _ => Refusal::new("ThrottlingException", "Rate exceeded"),
            }),
        }
    }

    /// The error that replaces the answer of a call that was carried out.
    pub(super) fn refusal_after(self, operation: &str) -> Option<Refusal> {
        (self == Self::AnswerLost).then(|| Self::InternalError.refusal(operation))?
    }
}

/// How often each operation was called, and which calls fail next.
#[derive(Debug, Default)]
pub(super) struct Faults {
    calls: BTreeMap<&'static str, usize>,
    /// DynamoDB requests, counted by operation and kind of item.
    requests: BTreeMap<(String, String), usize>,
    next: BTreeMap<String, VecDeque<Fault>>,
    /// Operations that fail from this count of calls on.
    after: BTreeMap<String, usize>,
}

impl Faults {
    /// Counts a call, and returns the fault planned for it, if any.
    pub(super) fn arrive(&mut self, operation: &'static str) -> Option<Fault> {
        let calls = self.calls.entry(operation).or_default();
        *calls += 1;
        if self.after.get(operation).is_some_and(|after| *calls > *after) {
            return Some(Fault::InternalError);
        }
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

    pub(super) fn clear(&mut self) {
        self.next.clear();
        self.after.clear();
    }

    pub(super) fn fail_after(&mut self, operation: &str, calls: usize) {
        self.after.insert(operation.to_owned(), calls);
    }

    pub(super) fn fail_next(&mut self, operation: &str, times: usize, fault: Fault) {
        self.next.entry(operation.to_owned()).or_default().extend(std::iter::repeat_n(fault, times));
    }
}
