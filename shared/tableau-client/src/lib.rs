#![doc = include_str!("../README.md")]

mod cause;
mod client;
mod content;
mod credential;
mod error;
mod lenient;
mod resources;
mod session;
mod version;

pub use cause::{Cause, CauseClass};
pub use client::{InvalidSettings, Settings, TableauClient};
pub use content::{Content, Owner};
pub use credential::TableauCredential;
pub use error::Error;
pub use resources::broadcasts::{BroadcastOptions, BroadcastView};
pub use resources::datasources::Datasource;
pub use resources::jobs::{Job, JobFilter, JobSummary};
pub use resources::users::User;
pub use resources::workbooks::Workbook;
pub use resources::{OwnerRef, ProjectRef};
pub use session::{Entry, Lease, MemorySessionStore, Session, SessionStore};
pub use version::{ApiVersion, InvalidVersion};
