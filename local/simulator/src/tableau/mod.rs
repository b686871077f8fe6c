//! The Tableau simulator.

mod admin;
mod admin_api;
mod builder;
mod content;
mod control;
mod deletion;
mod delivery;
mod events;
mod export;
mod metadata;
mod model;
pub mod notes;
mod query;
mod refresh;
mod rest;
mod sample;
mod sample_jobs;
mod sample_report;
mod sending;
mod simulator;
mod snapshot;
mod state;
mod version;

pub use builder::TableauBuilder;
pub use content::{
    ConnectedApp, Content, Datasource, Flow, Group, PatCredential, Project, User, Webhook, Workbook,
};
pub use delivery::{Attempt, Delivery, DeliveryState};
pub use model::{BroadcastRecord, ExportContent, ExportShape, Feature, JobShape, SiteRole, WebhookRecord};
pub use refresh::JobRecord;
pub use sample::{
    SAMPLE_CONNECTED_APP, SAMPLE_CONTENT_URL, SAMPLE_PAT, SAMPLE_SITE, sample_payload, sample_payloads,
};
pub use sending::{Fired, NotFound};
pub use simulator::TableauSimulator;
pub use version::RestVersion;
