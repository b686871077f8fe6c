//! Every kind of message: its snapshot, its facts compared with the earlier wording, and with hostile names.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod alert_pictures;
mod alert_svg;
mod alerts;
mod card_pictures;
mod card_svg;
mod cards;
mod cases;
mod clocks;
mod facts;
mod hostile;
mod incident_svg;
mod incidents;
mod markup;
mod pictures;
mod samples;
mod scenes;
mod snapshots;
mod svg;
mod symbols;
mod texts;
