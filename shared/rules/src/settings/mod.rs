//! What rules say to each workflow: one file per workflow, and the list of all of them.
//!
//! `cargo xtask new-workflow` writes the file of a new workflow and its three lines here.

mod causes;
mod forward_event;
mod notify_slack;
mod notify_teams;
mod page_on_call;
mod publish_pdf;
mod refresh_extract;
mod request_certification;
mod send_email;
mod send_sms;
mod set_quality_warning;
mod track_servicenow_incident;
mod update_broadcast;

#[cfg(feature = "schema")]
pub(crate) use causes::FORMER_UNKNOWN;
pub use causes::{CAUSES, cause, unknown_cause};
pub use forward_event::{Body, Destination, ForwardEvent, OncePer, Preset, Scalar};
pub use notify_slack::{NotifySlack, Recovery};
pub use notify_teams::{NotifyTeams, TeamsFormat};
pub use page_on_call::{PageOnCall, PageSeverity};
pub use publish_pdf::{
    FilterValue, FilterValues, IfExists, Paper, PdfDestination, PdfOrientation, Placeholder, PublishPattern,
    PublishPdf, PublishPiece, VizSize,
};
pub use refresh_extract::RefreshExtract;
pub use request_certification::RequestCertification;
pub use send_email::{Recipient, Recipients, SendEmail};
pub use send_sms::{Numbers, SendSms};
pub use set_quality_warning::{QualityWarningType, SetQualityWarning};
pub use track_servicenow_incident::{FieldValue, IncidentGroups, OnRecovery, TrackServicenowIncident};
pub use update_broadcast::UpdateBroadcast;

use crate::workflow::KnownWorkflow;

/// Every workflow that rules can start, in alphabetical order.
#[rustfmt::skip] // One line each, since `cargo xtask new-workflow` adds lines.
pub const WORKFLOWS: &[KnownWorkflow] = &[
    KnownWorkflow::of::<ForwardEvent>(),
    KnownWorkflow::notifying::<NotifySlack>(),
    KnownWorkflow::notifying::<NotifyTeams>(),
    KnownWorkflow::notifying::<PageOnCall>(),
    KnownWorkflow::of::<PublishPdf>(),
    KnownWorkflow::of::<RefreshExtract>(),
    KnownWorkflow::of::<RequestCertification>(),
    KnownWorkflow::notifying::<SendEmail>(),
    KnownWorkflow::notifying::<SendSms>(),
    KnownWorkflow::notifying::<SetQualityWarning>(),
    KnownWorkflow::notifying::<TrackServicenowIncident>(),
    KnownWorkflow::of::<UpdateBroadcast>(),
];

/// The workflow with this name.
pub(crate) fn workflow(name: &str) -> Option<&'static KnownWorkflow> {
    WORKFLOWS.iter().find(|known| known.name == name)
}

/// What to say of a name that no workflow has.
pub(crate) fn unknown(name: &str) -> String {
    let names = WORKFLOWS.iter().map(|known| known.name);
    match tableau::nearest(name, names.clone()) {
        Some(near) => format!("there is no workflow `{name}`; did you mean `{near}`?"),
        None => {
            let names = names.collect::<Vec<_>>().join(", ");
            format!("there is no workflow `{name}`; there are: {names}")
        }
    }
}
