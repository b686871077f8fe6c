//! Deliveries of events to webhooks, and how far they got.

use jiff::Timestamp;
use tableau::EventName;

/// One event on its way to one webhook.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The webhook's name.
    pub webhook: String,
    /// The webhook's id.
    pub webhook_luid: String,
    /// What happened.
    pub event: EventName,
    /// Where it is sent.
    pub url: String,
    /// What is sent, the same in each try.
    pub payload: String,
    /// 0 for the delivery itself, 1 and up for duplicates of it.
    pub copy: u32,
    /// The tries so far.
    pub attempts: Vec<Attempt>,
    /// How far it got.
    pub state: DeliveryState,
}

/// One try at a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it ended.
    pub at: Timestamp,
    /// The status of the answer; what went wrong if there was none.
    pub status: Result<u16, String>,
}

/// How far a delivery got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// Tries are left.
    Pending,
    /// A try was answered with 2xx.
    Delivered,
    /// Four tries failed: the webhook is switched off.
    Failed,
    /// The webhook was removed or switched off between two tries.
    Dropped,
}
