//! A workflow's parts of `template.yaml`: its switch, its block of resources and an output. No I/O.

use super::fit;
use super::place::{self, Entry, Place};
use super::source::{Workflow, render, section};
use crate::repository::Problem;

const BLOCK: &str = include_str!("../../templates/block.yaml.tmpl");

/// The parts beside the block, in the order in which they stand in `template.yaml`: what each is, how it is found, its
/// text.
const ENTRIES: [(&str, Entry, &str); 5] = [
    (
        "In Metadata, in the group Workflows",
        Entry { section: "Metadata:", around: ("          - ", "Enabled") },
        include_str!("../../templates/group.yaml.tmpl"),
    ),
    (
        "In Parameters",
        Entry { section: "Parameters:", around: ("  ", "Enabled:") },
        include_str!("../../templates/parameter.yaml.tmpl"),
    ),
    (
        "In Conditions",
        Entry { section: "Conditions:", around: ("  ", "On: ") },
        include_str!("../../templates/condition.yaml.tmpl"),
    ),
    (
        "In Outputs",
        Entry { section: "Outputs:", around: ("  ", "Url:") },
        include_str!("../../templates/output.yaml.tmpl"),
    ),
    (
        "In Resources, in the widgets of Dashboard",
        Entry { section: "Resources:", around: ("          - !If [", "On, !Sub '") },
        include_str!("../../templates/alarms.yaml.tmpl"),
    ),
];

/// The whole `template.yaml`.
#[derive(Clone, Debug)]
pub(crate) struct Stack {
    /// Its text.
    pub(crate) text: String,
}

impl Stack {
    /// The text with the workflow's parts in it, each where the alphabet puts it.
    pub(crate) fn with(&self, workflow: &Workflow) -> Result<String, Problem> {
        let block_place = place::of_block(&self.text, workflow)?;
        let mut block: Vec<String> = block(workflow).lines().map(str::to_owned).collect();
        let at = if block_place.before.is_some() { block.len() } else { 0 };
        block.insert(at, String::new());
        let mut parts = vec![(block_place.line, block)];
        for (_, entry, template) in &ENTRIES {
            let place = entry.place(&self.text, workflow)?;
            parts.push((place.line, filled(template, workflow).lines().map(str::to_owned).collect()));
        }
        let mut lines: Vec<String> = self.text.trim_end().lines().map(str::to_owned).collect();
        // From the end, so that line numbers stay right.
        parts.sort_by_key(|(line, _)| std::cmp::Reverse(*line));
        for (line, part) in parts {
            lines.splice(line..line, part);
        }
        let text = lines.join("\n") + "\n";
        fit::with_rule(&text, &self.workflows_with(workflow)?)
    }

    /// The workflows there will be, as the alphabet has them.
    fn workflows_with(&self, workflow: &Workflow) -> Result<Vec<String>, Problem> {
        let lines: Vec<&str> = self.text.lines().collect();
        let mut all: Vec<String> = place::workflows(&lines)?.into_iter().map(str::to_owned).collect();
        all.push(workflow.name.pascal());
        all.sort_unstable();
        Ok(all)
    }

    /// All parts, with comments that say where to paste them.
    pub(crate) fn to_paste(&self, workflow: &Workflow) -> String {
        let before = |place: Result<Place, Problem>, otherwise: &str| match place.ok().and_then(|p| p.before)
        {
            Some(line) => format!("before `{}`", line.trim()),
            None => otherwise.to_owned(),
        };
        let mut all = String::new();
        for (section, entry, template) in &ENTRIES {
            let at = before(entry.place(&self.text, workflow), "after those of the other workflows");
            all.push_str(&format!("# {section}, {at}:\n{}\n", filled(template, workflow)));
        }
        if let Some(rule) = self.workflows_with(workflow).ok().and_then(|all| fit::rule(&all)) {
            all.push_str(&format!("# In Rules, in place of the rule of that name, or at the end:\n{rule}\n"));
        }
        let at = before(place::of_block(&self.text, workflow), "at the end");
        all + &format!("# In Resources, {at}:\n{}", block(workflow))
    }
}

/// The resources of a workflow.
fn block(workflow: &Workflow) -> String {
    block_about(workflow, "Works only where rules.yaml asks for it.", &workflow.summary())
}

fn block_about(workflow: &Workflow, about: &str, summary: &str) -> String {
    let name = &workflow.name;
    let values = [
        ("name", name.to_string()),
        ("Name", name.pascal()),
        ("heading", format!("{:-<81}", format!("  # --- {name} "))),
        ("about", about.to_owned()),
        ("summary", summary.to_owned()),
        ("event_items", workflow.events.map_join("\n          ", |event| format!("- {event}"))),
    ];
    render(&section(BLOCK, workflow.tableau), &values)
}

/// A part beside the block.
fn filled(template: &str, workflow: &Workflow) -> String {
    let name = &workflow.name;
    render(template, &[("name", name.to_string()), ("Name", name.pascal())])
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
