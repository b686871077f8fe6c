#![doc = include_str!("../README.md")]

mod kept;
mod lookups;
mod question;
mod words;

pub use lookups::FactLookups;
pub use question::{Answer, Question, Unanswered};
pub use words::{NO_ANSWER, NO_JOB_LISTED, OTHER_SITE, why, why_no_cause};
