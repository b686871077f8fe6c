#![doc = include_str!("../README.md")]

mod alone;
mod clock;
mod endpoint;
mod error;
mod identity;
mod invocation;
mod needed;
mod outage;
mod plan;
mod reconciler;
mod redaction;
mod registry;
mod removal;
mod report;
mod state;
mod step;
mod work;

pub use error::Error;
pub use identity::{Identity, InvalidIdentity};
pub use invocation::{Outcome, Start};
pub use needed::{Needed, Reason, needed};
pub use outage::{BY_A_USER, GAPS, KEPT_OFF};
pub use plan::{Plan, Situation, Waiting};
pub use reconciler::{Announce, Purpose, Ran, Reconciler, Run, SETTLING};
pub use registry::{ITEM, figures};
pub use report::{Failed, Report};
pub use state::{Answered, State};
pub use step::{Action, Step};
