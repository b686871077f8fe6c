//! What a rotation has done, as JSON. No I/O.

use crate::webhooks::shown::Shown;
use serde_json::{Value, json};

/// What a rotation has done so far.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Whether a new token was made.
    pub(super) begun: bool,
    /// Whether it went on with an earlier rotation.
    pub(super) continued: bool,
    /// Whether the old token was taken away.
    pub(super) finished: bool,
    /// The webhooks that got the new token.
    pub(super) moved: Vec<Shown>,
    /// Those that did not, and why.
    pub(super) failed: Vec<(Shown, String)>,
    /// Webhooks at other addresses that have the old token.
    pub(super) elsewhere: Vec<Shown>,
    /// The sites that are to be moved before the old token can go: LUID and name.
    pub(super) left_for: Vec<(String, String)>,
}

fn named(shown: &Shown) -> Value {
    json!({ "luid": shown.luid, "name": shown.name, "event": shown.event })
}

impl Done {
    /// Fills in the members of the command's object.
    pub(super) fn fill(&self, object: &mut Value) {
        object["begun"] = self.begun.into();
        object["continued"] = self.continued.into();
        object["finished"] = self.finished.into();
        object["moved"] = self.moved.iter().map(named).collect();
        let failed = self.failed.iter().map(|(shown, reason)| {
            let mut object = named(shown);
            object["error"] = reason.as_str().into();
            object
        });
        object["failed"] = failed.collect();
        let elsewhere = self.elsewhere.iter().map(|shown| {
            let mut object = named(shown);
            object["destination"] = shown.destination.as_str().into();
            object
        });
        object["elsewhere"] = elsewhere.collect();
        let sites = self.left_for.iter().map(|(luid, name)| json!({ "luid": luid, "name": name }));
        object["left_for"] = sites.collect();
    }
}
