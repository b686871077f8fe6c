//! The files of a new workflow. No I/O.

use crate::name::{Events, Name, kebab};
use crate::template::text::{render, with_sections};
use tableau::{Action, EventName, Object};

/// Where a template's text goes, relative to the workflow's folder. A file of no text is left out.
const FILES: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("../../templates/Cargo.toml.tmpl")),
    ("README.md", include_str!("../../templates/README.md.tmpl")),
    ("src/config.rs", include_str!("../../templates/config.rs.tmpl")),
    ("src/lib.rs", include_str!("../../templates/lib.rs.tmpl")),
    ("src/main.rs", include_str!("../../templates/main.rs.tmpl")),
    ("tests/workflow.rs", include_str!("../../templates/workflow.rs.tmpl")),
    (DEFINITION, include_str!("../../templates/workflow.yaml.tmpl")),
];

/// The file that says what the workflow has in AWS.
pub(crate) const DEFINITION: &str = "workflow.yaml";

/// The file in `shared/rules` with the workflow's rule settings.
const SETTINGS: &str = include_str!("../../templates/settings.rs.tmpl");

/// A workflow to be generated.
#[derive(Clone, Debug)]
pub(crate) struct Workflow {
    /// Its name.
    pub(crate) name: Name,
    /// What starts it.
    pub(crate) events: Events,
    /// Whether it asks Tableau.
    pub(crate) tableau: bool,
}

impl Workflow {
    /// What it does, in one sentence.
    pub(crate) fn summary(&self) -> String {
        let names: Vec<&str> = self.events.iter().map(EventName::as_str).collect();
        let events = match names.as_slice() {
            [one] => one.to_string(),
            [one, two] => format!("{one} and {two}"),
            several => format!("{} kinds of event", several.len()),
        };
        format!("Says in the log what it would do about {events}.")
    }

    /// An event whose object the generated call cannot ask Tableau about, if the workflow asks Tableau.
    pub(crate) fn without_content(&self) -> Option<&EventName> {
        let has_content = |event: &&EventName| {
            matches!(event.object(), Some(Object::Workbook | Object::Datasource))
                && event.action() != Some(Action::Deleted)
        };
        self.events.iter().find(|event| self.tableau && !has_content(event))
    }

    /// The simulator's type for the object of the first event.
    fn object(&self) -> &'static str {
        match self.events.first().object() {
            Some(Object::Datasource) => "Datasource",
            _ => "Workbook",
        }
    }

    /// A fixture that does not start it.
    fn other_fixture(&self) -> String {
        let other = EventName::KNOWN.iter().find(|known| !self.events.contains(known));
        other.map_or("odd/unknown-event-type".to_owned(), kebab)
    }
}

/// The files, with their paths in the workflow's folder.
pub(crate) fn files(workflow: &Workflow) -> Vec<(&'static str, String)> {
    let values = values(workflow);
    let section = |template| with_sections(template, |name| name == "tableau" && workflow.tableau);
    let files = FILES.iter().map(|(path, template)| (*path, render(&section(template), &values)));
    files.filter(|(_, text)| !text.is_empty()).collect()
}

/// The file with the workflow's rule settings.
pub(crate) fn settings(workflow: &Workflow) -> String {
    render(SETTINGS, &values(workflow))
}

/// What the placeholders stand for.
fn values(workflow: &Workflow) -> [(&'static str, String); 12] {
    let Workflow { name, events, tableau: _ } = workflow;
    [
        ("name", name.to_string()),
        ("Name", name.pascal()),
        ("crate", name.snake()),
        ("summary", workflow.summary()),
        ("events", events.map_join(", ", |event| event.to_string())),
        ("event_codes", events.map_join(", ", |event| format!("`{event}`"))),
        ("event_paths", events.map_join(", ", |event| format!("EventName::{event}"))),
        ("object", workflow.object().to_owned()),
        ("resource", workflow.object().to_uppercase()),
        ("first_event", events.first().to_string()),
        ("fixture", kebab(events.first())),
        ("other_fixture", workflow.other_fixture()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workflow(events: &[&str]) -> Workflow {
        let events: Vec<String> = events.iter().map(|&event| event.to_owned()).collect();
        let name = Name::parse("tag-workbook").unwrap();
        Workflow { name, events: Events::parse(&events).unwrap(), tableau: false }
    }

    #[test]
    fn no_placeholder_is_left() {
        let every: Vec<&str> = EventName::KNOWN.iter().map(EventName::as_str).collect();
        for events in [&["WorkbookCreated"], every.as_slice()] {
            for tableau in [false, true] {
                let workflow = Workflow { tableau, ..workflow(events) };
                let settings = ("settings.rs", settings(&workflow));
                for (path, text) in files(&workflow).into_iter().chain([settings]) {
                    assert!(!text.contains("{{"), "{path}: {text}");
                    assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{path}");
                }
                let has_config = files(&workflow).iter().any(|(path, _)| *path == "src/config.rs");
                assert_eq!(has_config, tableau);
            }
        }
    }

    #[test]
    fn the_wrong_event_of_the_tests_is_not_one_of_its_own() {
        assert_eq!(workflow(&["AdminDemoted", "AdminPromoted"]).other_fixture(), "datasource-created");
        let every: Vec<&str> = EventName::KNOWN.iter().map(EventName::as_str).collect();
        assert_eq!(workflow(&every).other_fixture(), "odd/unknown-event-type");
    }

    #[test]
    fn the_summary_is_short_however_many_events_there_are() {
        let two = workflow(&["WorkbookCreated", "WorkbookUpdated"]).summary();
        assert_eq!(two, "Says in the log what it would do about WorkbookCreated and WorkbookUpdated.");
        let three = workflow(&["SiteCreated", "WorkbookCreated", "WorkbookUpdated"]).summary();
        assert_eq!(three, "Says in the log what it would do about 3 kinds of event.");
    }
}
