//! The bodies that `forward-event` sends: what they are made of, and templates for them. No I/O.

mod concat;
mod data;
mod engine;
mod filters;
mod limits;
mod mistake;
mod names;
mod presets;
mod samples;
mod scalar;
mod scope;
mod source;
mod values;

pub use data::{
    CauseData, Data, DeletionData, EventData, ObjectData, OwnerData, PdfData, ProjectData, ReportData,
    SiteData, WebhookData, event_type,
};
pub use engine::Template;
pub use limits::LONGEST_BYTES;
pub use mistake::Mistake;
pub use presets::Preset;
pub use samples::samples;
pub use scalar::Scalar;

use tableau::EventName;

/// Checks the names in a template, and renders it for a sample of each of these events, once with everything that can be known and once
/// with nothing.
///
/// # Errors
/// The first [`Mistake`].
pub(crate) fn check(template: Template<'_>, events: &[EventName]) -> Result<(), Mistake> {
    let rendering = template.compile()?;
    let of_tableau =
        samples().iter().filter(|sample| events.iter().any(|event| event.as_str() == sample.event.name));
    let own: Vec<Data> =
        events.iter().filter(|event| !event.is_known()).flat_map(samples::of_caller).collect();
    for sample in of_tableau.chain(&own) {
        rendering.render(sample).map_err(|Mistake { line, text }| {
            let known = if sample.missing.is_empty() { "everything" } else { "nothing" };
            let name = &sample.event.name;
            Mistake {
                line,
                text: format!("{text} (tried with a sample of `{name}` of which {known} is known)"),
            }
        })?;
    }
    Ok(())
}
