//! Background jobs.

use jiff::Timestamp;
use tableau::{DatasourceLuid, FlowLuid, JobLuid, SiteLuid, WorkbookLuid};

#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) luid: JobLuid,
    pub(crate) site: SiteLuid,
    pub(crate) kind: JobKind,
    pub(crate) target: Target,
    /// The name of the workbook or data source that the job refreshes, or of the flow that it runs.
    pub(crate) title: String,
    pub(crate) priority: u32,
    pub(crate) created_at: Timestamp,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) completed_at: Option<Timestamp>,
    pub(crate) finish: Option<FinishCode>,
    pub(crate) notes: Option<String>,
    pub(crate) shape: JobShape,
}

/// The shape of the answer for a single job. Tableau has been seen to answer in each of these shapes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum JobShape {
    /// `extractRefreshJob` with `notes` as one text.
    #[default]
    Notes,
    /// `extractRefreshJob` with `notes` as a list of lines.
    ListOfNotes,
    /// `notes` as a list of lines, beside `extractRefreshJob`.
    NotesBeside,
    /// `statusNotes` with the text, beside `extractRefreshJob`.
    StatusNotes,
    /// `statusNotes` with the text, without `extractRefreshJob`.
    StatusNotesAlone,
    /// The job is listed, but fetching it answers `400031`.
    Unreadable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobKind {
    FullRefresh,
    IncrementalRefresh,
    /// A refresh that Tableau Bridge runs.
    BridgeRefresh,
    Flow,
    Subscription,
}

impl JobKind {
    /// The job type as the list of jobs writes it.
    pub(crate) fn list_name(self) -> &'static str {
        match self {
            Self::FullRefresh => "refresh_extracts",
            Self::IncrementalRefresh => "increment_extracts",
            Self::BridgeRefresh => "refresh_extracts_via_bridge",
            Self::Flow => "run_flow",
            Self::Subscription => "single_subscription_notify",
        }
    }

    /// The job type as a single job writes it.
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::FullRefresh | Self::IncrementalRefresh | Self::BridgeRefresh => "RefreshExtract",
            Self::Flow => "RunFlow",
            Self::Subscription => "Subscription",
        }
    }
}

/// The workbook, data source or flow that a job works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Workbook(WorkbookLuid),
    Datasource(DatasourceLuid),
    Flow(FlowLuid),
    Nothing,
}

impl Target {
    pub(crate) fn luid(&self) -> Option<&str> {
        match self {
            Self::Workbook(luid) => Some(luid.as_str()),
            Self::Datasource(luid) => Some(luid.as_str()),
            Self::Flow(luid) => Some(luid.as_str()),
            Self::Nothing => None,
        }
    }

    /// The kind of content as a job's subtitle writes it.
    pub(crate) fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Workbook(_) => Some("Workbook"),
            Self::Datasource(_) => Some("Data Source"),
            Self::Flow(_) => Some("Flow"),
            Self::Nothing => None,
        }
    }
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FinishCode {
    Success,
    Error,
    Cancelled,
    /// Marks the refresh as run by Tableau Bridge.
    Completed,
}

impl FinishCode {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Error => 1,
            Self::Cancelled => 2,
            Self::Completed => 3,
        }
    }
}

impl Job {
    /// The status that the list of jobs shows.
    pub(crate) fn status(&self) -> &'static str {
        match (self.finish, self.started_at) {
            (Some(FinishCode::Success | FinishCode::Completed), _) => "Success",
            (Some(FinishCode::Error), _) => "Failed",
            (Some(FinishCode::Cancelled), _) => "Cancelled",
            (None, Some(_)) => "InProgress",
            (None, None) => "Pending",
        }
    }

    /// Cancels the job.
    pub(crate) fn cancel(&mut self, now: Timestamp) {
        self.completed_at = Some(now);
        self.finish = Some(FinishCode::Cancelled);
    }

    pub(crate) fn is_open(&self) -> bool {
        self.completed_at.is_none()
    }

    /// Whether the job is queued.
    pub(crate) fn is_queued(&self) -> bool {
        self.is_open() && self.started_at.is_none()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.is_open() && self.started_at.is_some()
    }

    /// Whether the job refreshes an extract or runs a flow.
    pub(crate) fn is_refresh(&self) -> bool {
        self.kind != JobKind::Subscription
    }
}
