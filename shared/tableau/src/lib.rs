#![doc = include_str!("../README.md")]

mod content_kind;
mod event;
mod event_id;
mod event_name;
mod luid;
mod own;
mod payload;
mod pdf;
mod spelling;
mod webhook_disabled;
mod webhook_source;
mod weekly_report;

pub use content_kind::ContentKind;
pub use event::{Event, Incomplete, Subject};
pub use event_id::{EventId, NotAnEventId};
pub use event_name::{Action, EventName, Object, UnknownEvent};
pub use luid::{
    ColumnLuid, DatabaseLuid, DatasourceLuid, FlowLuid, FlowRunLuid, InvalidLuid, JobLuid, LabelLuid,
    ProjectLuid, QualityWarningLuid, ResourceLuid, ScheduleLuid, SiteLuid, TableLuid, TaskLuid, UserLuid,
    ViewLuid, VirtualConnectionLuid, VirtualConnectionTableLuid, WebhookLuid, WorkbookLuid,
};
pub use own::{OwnEvent, OwnSeverity};
pub use payload::{Payload, PayloadError};
pub use pdf::PublishedPdf;
pub use spelling::nearest;
pub use webhook_disabled::DisabledWebhook;
pub use weekly_report::{
    CauseFigures, FailingObject, FlappingObject, LongIncident, OwnerFigures, ReportedObject, SlowRefresh,
    WebhookFigures, WeekFigures, WeeklyReport,
};
