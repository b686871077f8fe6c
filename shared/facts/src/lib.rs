#![doc = include_str!("../README.md")]

mod address;
mod deletion;
mod impact;
mod kept;
mod kind;
mod lookups;
mod question;
mod words;

pub use address::mail_address;
pub use impact::DependentsUnknown;
pub use kind::is_deletion;
pub use lookups::{FactLookups, never_known};
pub use question::{Answer, Question, Unanswered};
pub use words::{NO_ANSWER, NO_JOB_LISTED, OTHER_SITE, why, why_no_cause};
