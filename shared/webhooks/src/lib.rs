#![doc = include_str!("../README.md")]

mod endpoint;
mod error;
mod identity;
mod needed;
mod outage;
mod plan;
mod reconciler;
mod registry;
mod report;
mod state;
mod step;

pub use error::Error;
pub use identity::{Identity, InvalidIdentity};
pub use needed::{Needed, Reason, needed};
pub use outage::{BY_A_USER, GAPS, KEPT_OFF};
pub use plan::{Plan, Situation, Waiting};
pub use reconciler::{Announce, Purpose, Reconciler, Run, SETTLING};
pub use report::{Failed, Report};
pub use state::State;
pub use step::{Action, Step};
