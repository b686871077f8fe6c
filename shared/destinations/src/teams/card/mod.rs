//! Renders a notification as an Adaptive Card in the envelope of a flow's trigger. Pure; decides nothing about timing, grouping or
//! suppression.
//!
//! Cards of version 1.4 at most are shown: no element here is newer.
//!
//! Source: <https://adaptivecards.io/explorer/>

mod element;
mod fit;
mod limits;
mod lists;
mod parts;

pub use limits::{Left, REQUEST_LIMIT};

use serde_json::Value;

/// A card, ready to be posted.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    envelope: Value,
    left: Left,
}

impl Card {
    /// The body of the request.
    pub fn to_json(&self) -> &Value {
        &self.envelope
    }

    /// What the card leaves out, because it would be too large otherwise. The card says so too.
    pub fn left(&self) -> &Left {
        &self.left
    }
}

/// Renders a notification as a card. Everything is escaped, and cut to what a flow takes, the least useful part first.
pub fn render(shown: &alerting::notification::Notification) -> Card {
    let (envelope, left) = fit::fit(shown);
    Card { envelope, left }
}
