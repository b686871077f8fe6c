#![doc = include_str!("../README.md")]
//!
//! # In these pages
//!
//! Start with [`Settings::new`], [`TableauCredential`] and [`TableauClient`], which has all the methods of the table above;
//! [`Filter`] says what a list is to hold, [`Pages`] is one, [`Error`] is how all of it fails.

mod call;
mod cause;
mod client;
mod clock;
mod content;
mod credential;
mod error;
mod filter;
mod find;
mod job_of;
mod lenient;
mod own_session;
mod page;
mod pages;
mod resources;
mod session;
mod settings;
mod sign_in;
mod source;
mod version;

pub use ::tableau::{
    ColumnLuid, DatabaseLuid, DatasourceLuid, Event, EventName, FlowLuid, FlowRunLuid, JobLuid, LabelLuid,
    ProjectLuid, QualityWarningLuid, ScheduleLuid, SiteLuid, Subject, TableLuid, TaskLuid, UnknownEvent,
    UserLuid, ViewLuid, VirtualConnectionLuid, VirtualConnectionTableLuid, WebhookLuid, WorkbookLuid,
};
pub use cause::{Cause, CauseClass, CauseLookup, Diagnosis, diagnose};
pub use client::TableauClient;
pub use confidential::{InvalidUrl, SecureUrl};
pub use content::{Content, Item, Owner};
pub use credential::{
    CredentialError, CredentialSource, FixedCredential, InvalidCredential, TableauCredential,
};
pub use error::Error;
pub use filter::{Field, Filter, Filtered, Named, Published, Tagged};
pub use find::{
    BrowserUrl, ContentKind, ContentLuid, FindBy, FindResult, FoundContent, FoundView, InvalidProjectPath,
    NotBrowserUrl, NotFound, NotFoundReason, PageShown, ProjectPath, Scope, WebId,
};
pub use job_of::{FoundJob, JobLookup};
pub use own_session::OwnSession;
pub use pages::Pages;
pub use resources::broadcasts::{BroadcastOptions, BroadcastView};
pub use resources::connections::Connection;
pub use resources::datasources::Datasource;
pub use resources::exports::{Download, ExportOptions, Freshness, Orientation, PageType};
pub use resources::flows::{FailureReason, Flow, FlowRun, RunFlow};
pub use resources::groups::Group;
pub use resources::jobs::{Job, JobEnd, JobSummary, Waited};
pub use resources::labels::{Label, NewLabel};
pub use resources::metadata::{
    Dependent, Dependents, Lineage, LineageOwner, MetadataAnswer, MetadataCode, MetadataError,
};
pub use resources::projects::{Project, ProjectTree};
pub use resources::quality_warnings::{NewQualityWarning, QualityWarning, Warnable, WarningKind};
pub use resources::recycle_bin::{Deleted, DeletedItem, DeletedKind, RECYCLE_BIN_SINCE, RecycleBinLookup};
pub use resources::refreshes::{RefreshKind, RefreshNow};
pub use resources::sites::Site;
pub use resources::tasks::{RefreshTask, Schedule};
pub use resources::users::User;
pub use resources::views::{View, WorkbookRef};
pub use resources::webhooks::{NewWebhook, Webhook, WebhookChange, WebhookState, WebhookTest};
pub use resources::workbooks::Workbook;
pub use resources::{OwnerRef, ProjectRef};
pub use session::{Entry, Lease, MemorySessionStore, Refusal, Session, SessionStore};
pub use settings::{ActAs, InvalidSettings, Settings};
pub use sign_in::{ConnectedApp, ProductVersion, ServerInfo};
pub use source::{BoxError, chain};
pub use version::{ApiVersion, InvalidVersion};
