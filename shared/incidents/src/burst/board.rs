//! Which burst an object that fails now belongs to.

use super::is_burst_id;
use crate::telling::is_credible;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::Document;

/// An object that begins to fail so soon after another belongs to the same burst.
const WINDOW: SignedDuration = SignedDuration::from_secs(60);
/// A burst takes in nobody for longer than this: what fails later is news.
const LASTS: SignedDuration = SignedDuration::from_mins(10);

/// Which burst a channel is in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Board {
    burst: String,
    began: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl Document for Board {
    const KIND: &'static str = "board";
}

impl Board {
    /// The burst that an object which fails now belongs to, and whether it is the first: then the burst is called `new`.
    /// `over`: a burst that takes no more.
    pub fn join(&mut self, new: &str, over: Option<&str>, now: Timestamp) -> (String, bool) {
        let within = |time: Option<Timestamp>, lasts| {
            time.is_some_and(|time| is_credible(time, now) && now.duration_since(time) <= lasts)
        };
        let fresh = within(self.last, WINDOW) && within(self.began, LASTS);
        if fresh && is_burst_id(&self.burst) && over != Some(self.burst.as_str()) {
            // Not at each of them: all would wait for each other's write.
            if self.last.is_some_and(|last| now.duration_since(last) > WINDOW / 4) {
                self.last = Some(now);
            }
            let first = self.burst == new;
            return (self.burst.clone(), first);
        }
        *self = Self { burst: new.to_owned(), began: Some(now), last: Some(now) };
        (new.to_owned(), true)
    }
}
