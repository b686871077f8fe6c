//! A workflow's part of `template.yaml`: a block of resources and an output. No I/O.

use super::source::{Workflow, render};
use crate::repository::Problem;

const BLOCK: &str = include_str!("../../templates/block.yaml.tmpl");
const OUTPUT: &str = include_str!("../../templates/output.yaml.tmpl");

/// The whole `template.yaml`.
#[derive(Clone, Debug)]
pub(crate) struct Stack {
    /// Its text.
    pub(crate) text: String,
}

/// Before which line a part goes.
struct Place {
    line: usize,
    /// What stands there; `None` at the end of the section.
    before: Option<String>,
}

impl Stack {
    /// The text with the workflow's block and output in it, each where the alphabet puts it.
    pub(crate) fn with(&self, workflow: &Workflow) -> Result<String, Problem> {
        let (output_place, block_place) = (self.output_place(workflow)?, self.block_place(workflow)?);
        let mut lines: Vec<&str> = self.text.trim_end().lines().collect();
        let (block, output) = (block(workflow), output(workflow));
        let block: Vec<&str> = match block_place.before {
            Some(_) => block.lines().chain([""]).collect(),
            None => std::iter::once("").chain(block.lines()).collect(),
        };
        // From the end, so that line numbers stay right.
        lines.splice(block_place.line..block_place.line, block);
        lines.splice(output_place.line..output_place.line, output.lines());
        Ok(lines.join("\n") + "\n")
    }

    /// Both parts, with comments that say where to paste them.
    pub(crate) fn to_paste(&self, workflow: &Workflow) -> String {
        let before = |place: Result<Place, Problem>, otherwise: &str| match place.ok().and_then(|p| p.before)
        {
            Some(line) => format!("before `{}`", line.trim()),
            None => otherwise.to_owned(),
        };
        let output_at = before(self.output_place(workflow), "after the other URLs");
        let block_at = before(self.block_place(workflow), "at the end");
        format!(
            "# In Outputs, {output_at}:\n{}\n# In Resources, {block_at}:\n{}",
            output(workflow),
            block(workflow)
        )
    }

    /// Blocks of functions stand in alphabetical order, behind those of what they share.
    fn block_place(&self, workflow: &Workflow) -> Result<Place, Problem> {
        let lines: Vec<&str> = self.text.trim_end().lines().collect();
        let resources = section(&lines, "Resources:")?;
        let mut headings = resources.clone().filter(|&line| {
            let heading =
                lines[line].strip_prefix("  # --- ").map(|text| text.trim_end_matches('-').trim_end());
            heading.is_some_and(|text| !text.starts_with("shared: ") && text > workflow.name.as_str())
        });
        let next = headings.next();
        Ok(Place { line: next.unwrap_or(resources.end), before: next.map(|line| lines[line].to_owned()) })
    }

    /// The workflows' URLs stand in alphabetical order, too.
    fn output_place(&self, workflow: &Workflow) -> Result<Place, Problem> {
        let lines: Vec<&str> = self.text.lines().collect();
        let mut after = None;
        // An output is three lines: its name, what it is for, its value.
        for value in section(&lines, "Outputs:")? {
            let Some((_, name)) = lines[value].split_once("/webhooks/") else { continue };
            if name > workflow.name.as_str() {
                return Ok(Place { line: value - 2, before: Some(lines[value - 2].to_owned()) });
            }
            after = Some(value + 1);
        }
        match after {
            Some(line) => Ok(Place { line, before: None }),
            None => Err("template.yaml has no output with the URL of a workflow".into()),
        }
    }
}

/// The lines below a top-level key, without empty ones and comments at their end.
fn section(lines: &[&str], key: &str) -> Result<std::ops::Range<usize>, Problem> {
    let Some(start) = lines.iter().position(|line| *line == key) else {
        return Err(format!("template.yaml has no `{key}`").into());
    };
    let below = lines[start + 1..].iter();
    let end = below.clone().position(|line| line.starts_with(|c: char| !c.is_whitespace() && c != '#'));
    Ok(start + 1..end.map_or(lines.len(), |end| start + 1 + end))
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
    render(BLOCK, &values)
}

/// What `sam deploy` prints for it at the end.
fn output(workflow: &Workflow) -> String {
    let name = &workflow.name;
    render(OUTPUT, &[("name", name.to_string()), ("Name", name.pascal())])
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
