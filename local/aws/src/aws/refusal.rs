//! Error answers as the AWS services write them.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Map, Value, json};

/// An error answer of a service.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(super) status: StatusCode,
    /// The error's shape with its namespace, as the `__type` member carries it.
    kind: String,
    message: String,
    /// The value of the `x-amzn-query-error` header: SQS clients know errors by their names in the older query
    /// protocol.
    query_code: Option<&'static str>,
    /// Further members of the error: the item that failed a condition, or the reasons why a transaction was cancelled.
    more: Map<String, Value>,
}

impl Refusal {
    /// An error with status 400 and the error shape `kind`.
    pub(crate) fn new(kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            kind: kind.into(),
            message: message.into(),
            query_code: None,
            more: Map::new(),
        }
    }

    /// The error with status 500.
    pub(crate) fn internal(kind: impl Into<String>) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            ..Self::new(kind, "We encountered an internal error.")
        }
    }

    /// The error with this status.
    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// An SQS error, by its JSON shape and its query-protocol name.
    pub(crate) fn sqs(kind: &'static str, query_code: &'static str, message: impl Into<String>) -> Self {
        Self { query_code: Some(query_code), ..Self::new(format!("com.amazonaws.sqs#{kind}"), message) }
    }

    /// The error with another shape.
    pub(crate) fn of_kind(mut self, kind: &str) -> Self {
        kind.clone_into(&mut self.kind);
        self
    }

    /// DynamoDB's error for an invalid request.
    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new("com.amazon.coral.validate#ValidationException", message)
    }

    /// The error for a request member that exists on AWS and that this double does not support.
    pub(crate) fn missing_here(what: impl std::fmt::Display) -> Self {
        Self::validation(format!("local-aws does not implement {what}"))
    }

    /// Adds the item that failed the condition to the error.
    pub(crate) fn with_item(mut self, item: Value) -> Self {
        self.more.insert("Item".to_owned(), item);
        self
    }

    /// Adds the reason why each write of a transaction was not made.
    pub(crate) fn with_reasons(mut self, reasons: Vec<Value>) -> Self {
        self.more.insert("CancellationReasons".to_owned(), Value::Array(reasons));
        self
    }

    /// Converts the error into a cancellation reason of a transaction, if a condition or the item's content caused it.
    /// Otherwise returns the error unchanged.
    ///
    /// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
    pub(crate) fn into_reason(self) -> Result<Value, Self> {
        let of_items = [
            "An operand in the update expression has an incorrect data type",
            "Item size to update has exceeded the maximum allowed size",
        ];
        let code = match self.kind.rsplit('#').next().unwrap_or_default() {
            "ConditionalCheckFailedException" => "ConditionalCheckFailed",
            "ValidationException" if of_items.contains(&self.message.as_str()) => "ValidationError",
            _ => return Err(self),
        };
        let mut reason = json!({ "Code": code, "Message": self.message });
        if let Some(fields) = reason.as_object_mut() {
            fields.extend(self.more);
        }
        Ok(reason)
    }

    /// The error as the query protocol's XML.
    pub(crate) fn into_xml(self) -> Response {
        let code = self.kind.rsplit('#').next().unwrap_or_default();
        (self.status, super::query_protocol::error(code, &self.message)).into_response()
    }

    /// The error as the result of one entry of a batch.
    pub(crate) fn entry(self, id: &Value) -> Value {
        let short = self.kind.rsplit('#').next().unwrap_or_default();
        let code = self.query_code.unwrap_or(short);
        let theirs = !self.status.is_server_error();
        json!({ "Id": id, "Code": code, "Message": self.message, "SenderFault": theirs })
    }

    /// The error as EventBridge Scheduler writes it, with a `Message` member.
    pub(crate) fn into_rest(self) -> Response {
        let short = self.kind.rsplit('#').next().unwrap_or_default().to_owned();
        let body = json!({ "Message": self.message });
        (self.status, [("x-amzn-errortype", short)], body.to_string()).into_response()
    }

    /// The error's message text.
    #[cfg(test)]
    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut body = json!({ "__type": self.kind, "message": self.message });
        if let Some(fields) = body.as_object_mut() {
            fields.extend(self.more);
        }
        let short = self.kind.rsplit('#').next().unwrap_or_default().to_owned();
        let mut response = (self.status, [("x-amzn-errortype", short)], body.to_string()).into_response();
        if let Some(code) = self.query_code {
            let fault = if self.status.is_server_error() { "Receiver" } else { "Sender" };
            if let Ok(value) = format!("{code};{fault}").parse() {
                response.headers_mut().insert("x-amzn-query-error", value);
            }
        }
        response
    }
}
