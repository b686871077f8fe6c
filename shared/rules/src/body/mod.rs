//! The bodies that `forward-event` sends: what they are made of, and templates for them. No I/O.

mod data;
mod engine;
mod filters;
mod presets;
mod samples;
mod scalar;

pub use data::{
    CauseData, Data, DeletionData, EventData, ObjectData, OwnerData, ProjectData, SiteData, event_type,
};
pub use engine::{LONGEST_BYTES, Template};
pub use presets::Preset;
pub use samples::samples;
pub use scalar::Scalar;

/// What is wrong with a template: it is rendered for a sample of each event, once with everything that Tableau can say and once with
/// nothing.
pub(crate) fn check(template: Template<'_>) -> Result<(), String> {
    let rendering = template.compile()?;
    for sample in samples() {
        rendering.render(sample).map_err(|problem| match problem.contains("values.") {
            true => problem,
            false => format!("{problem} (for {} {})", sample.event.name, known(sample)),
        })?;
    }
    Ok(())
}

fn known(sample: &Data) -> &'static str {
    if sample.missing.is_empty() {
        "of which Tableau says everything"
    } else {
        "of which Tableau says nothing"
    }
}
