//! Deliveries of events to webhooks, and their states.

use jiff::Timestamp;
use tableau::EventName;

/// The delivery of one event to one webhook.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The webhook's name.
    pub webhook: String,
    /// The webhook's id.
    pub webhook_luid: String,
    /// The event's name.
    pub event: EventName,
    /// The destination URL.
    pub url: String,
    /// The request body, the same in each attempt.
    pub payload: String,
    /// 0 for the original delivery, 1 and up for its duplicates.
    pub copy: u32,
    /// The attempts so far.
    pub attempts: Vec<Attempt>,
    /// The state of the delivery.
    pub state: DeliveryState,
}

/// One attempt at a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When the attempt ended.
    pub at: Timestamp,
    /// The status of the answer, or the error when there was no answer.
    pub status: Result<u16, String>,
}

/// The state of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// Not delivered yet; further attempts follow.
    Pending,
    /// An attempt was answered with 2xx.
    Delivered,
    /// Four attempts failed, so the webhook was disabled.
    Failed,
    /// The webhook was deleted or disabled between two attempts.
    Dropped,
}
