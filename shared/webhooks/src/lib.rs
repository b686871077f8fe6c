#![doc = include_str!("../README.md")]

mod alone;
mod endpoint;
mod error;
mod identity;
mod invocation;
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
pub use invocation::{Outcome, Start};
pub use needed::{Needed, Reason, needed};
pub use outage::{BY_A_USER, GAPS, KEPT_OFF};
pub use plan::{Plan, Situation, Waiting};
pub use reconciler::{Announce, Purpose, Reconciler, Run, SETTLING};
pub use registry::ITEM;
pub use report::{Failed, Report};
pub use state::State;
pub use step::{Action, Step};
