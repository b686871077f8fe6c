//! An error as the services write it.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Map, Value, json};

/// An answer that is not a success.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    status: StatusCode,
    /// The error's shape with its namespace, as `__type` carries it.
    kind: String,
    message: String,
    /// What `x-amzn-query-error` says: SQS clients know its errors by the names of the protocol before JSON.
    query_code: Option<&'static str>,
    /// More members of the answer: the item that failed a condition, when the caller asked for it; why a transaction was
    /// cancelled.
    more: Map<String, Value>,
}

impl Refusal {
    /// A refusal with status 400 and the error shape `kind`.
    pub(crate) fn new(kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            kind: kind.into(),
            message: message.into(),
            query_code: None,
            more: Map::new(),
        }
    }

    /// The same with status 500.
    pub(crate) fn internal(kind: impl Into<String>) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            ..Self::new(kind, "We encountered an internal error.")
        }
    }

    /// The same with another status.
    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// An SQS error, by its JSON shape and its older name.
    pub(crate) fn sqs(kind: &'static str, query_code: &'static str, message: impl Into<String>) -> Self {
        Self { query_code: Some(query_code), ..Self::new(format!("com.amazonaws.sqs#{kind}"), message) }
    }

    /// The same with another error shape.
    pub(crate) fn of_kind(mut self, kind: &str) -> Self {
        kind.clone_into(&mut self.kind);
        self
    }

    /// A request DynamoDB finds wrong in itself.
    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new("com.amazon.coral.validate#ValidationException", message)
    }

    /// A part of a request that exists on AWS and that this double does not have.
    pub(crate) fn missing_here(what: impl std::fmt::Display) -> Self {
        Self::validation(format!("local-aws does not implement {what}"))
    }

    /// Adds the item that failed the condition.
    pub(crate) fn with_item(mut self, item: Value) -> Self {
        self.more.insert("Item".to_owned(), item);
        self
    }

    /// Adds why each write of a transaction was not made.
    pub(crate) fn with_reasons(mut self, reasons: Vec<Value>) -> Self {
        self.more.insert("CancellationReasons".to_owned(), Value::Array(reasons));
        self
    }

    /// The refusal as the reason why a transaction was cancelled, if it is about a condition or about what the item is; itself
    /// otherwise.
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

    /// The answer in the protocol before JSON.
    pub(crate) fn into_xml(self) -> Response {
        let code = self.kind.rsplit('#').next().unwrap_or_default();
        (self.status, super::query_protocol::error(code, &self.message)).into_response()
    }

    /// The answer about one entry of a batch.
    pub(crate) fn entry(self, id: &Value) -> Value {
        let short = self.kind.rsplit('#').next().unwrap_or_default();
        let code = self.query_code.unwrap_or(short);
        let theirs = !self.status.is_server_error();
        json!({ "Id": id, "Code": code, "Message": self.message, "SenderFault": theirs })
    }

    /// The answer of a service with paths and methods, whose errors write `Message`.
    pub(crate) fn into_rest(self) -> Response {
        let short = self.kind.rsplit('#').next().unwrap_or_default().to_owned();
        let body = json!({ "Message": self.message });
        (self.status, [("x-amzn-errortype", short)], body.to_string()).into_response()
    }

    /// What went wrong, for people.
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
